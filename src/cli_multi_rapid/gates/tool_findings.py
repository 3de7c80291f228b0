"""What the readers of tool reports have in common: findings, where they lie, and the text of their line."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from cli_multi_rapid.gates.evidence import inside, read_regular, shown
from cli_multi_rapid.gates.sources import LIMIT_BYTES, text_of
from cli_multi_rapid.model.gate import Finding, Severity

SEVERITIES: Mapping[str, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.INFO,
}
"""Our severity by the level that SARIF and most linters speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReport:
    """What a tool reported. `suppressed` counts results that a comment or a list in the project hides."""

    findings: tuple[Finding, ...]
    tool: str = ""
    tool_version: str = ""
    suppressed: int = 0


def project_path(text: str, root: Path) -> str:
    """Return a path relative to the project where it lies inside, else as it is, POSIX style."""
    if "\\" in text and "/" not in text:
        text = text.replace("\\", "/")
    path = Path(text)
    if not path.is_absolute():
        return path.as_posix() if text else ""
    for base in (root, root.resolve()):
        if path.is_relative_to(base):
            return shown(base, path)
    return path.as_posix()


def uri_path(uri: str, root: Path) -> str:
    """Return the path that a file URI, absolute or relative, stands for, as `project_path` shows it."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets where a host would be
        return project_path(uri, root)
    text = url2pathname(parts.path) if parts.scheme == "file" else unquote(uri)
    return project_path(text, root)


class LineTexts:
    """Reads lines of the project's files, keeping the last few files; fingerprints are made of them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = lru_cache(maxsize=64)(self._lines)

    def line(self, path: str, number: int) -> str:
        """Return line `number` (from 1) of a file, or the empty text where there is none."""
        lines = self._read(path) if path and number > 0 else ()
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _lines(self, path: str) -> tuple[str, ...]:
        file = self._root / path
        try:
            if not inside(self._root, file):
                return ()
            return tuple((text_of(read_regular(file, limit_bytes=LIMIT_BYTES)[0]) or "").split("\n"))
        except (OSError, ValueError):
            return ()
