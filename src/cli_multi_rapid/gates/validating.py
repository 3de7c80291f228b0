"""What a project's own validators work with: a `Context` that shows the project, and the findings they make.

Authors import it from `cli_multi_rapid.validators`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli_multi_rapid.gates.sources import LIMIT_BYTES, text_of
from cli_multi_rapid.model.gate import Finding, Level, Severity
from cli_multi_rapid.system.files import PathRefused, read_inside
from cli_multi_rapid.system.globs import matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a validator found, with more than findings to say. Numbers are for expressions, reports and people."""

    findings: tuple[Finding, ...] = ()
    summary: str = ""
    observed: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a validator sees of the project.

    `files` are the paths of all files that git does not ignore (POSIX, relative to `root`, sorted); `changed` those
    that differ from the base revision, deleted ones among them, or None where there is no base. `env` is the
    environment that the project's commands get.
    """

    root: str
    level: Level
    files: tuple[str, ...]
    changed: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def strict(self) -> bool:
        """Tell whether the level is strict."""
        return self.level is Level.STRICT

    def matching(self, *globs: str, exclude: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the paths of the regular files that match one of the globs, and none of `exclude`."""
        named = (path for path in self.files if matches(path, globs) and not matches(path, exclude))
        return tuple(path for path in named if self._is_regular(path))

    def read(self, path: str) -> str:
        """Return the text of a file of the project, with `\\n` between its lines.

        Raises:
            ValueError: it is missing, binary, no regular file, reached by a link, outside of the project, or larger
                than 50 MiB.
        """
        try:
            text = text_of(read_inside(self.root, path, limit_bytes=LIMIT_BYTES))
        except PathRefused as refused:
            raise ValueError(f"{path} {refused.reason}") from refused
        if text is None:
            raise ValueError(f"{path} is binary")
        return text

    def lines(self, path: str) -> list[str]:
        """Return the lines of a file of the project; the first has the index 0. See `read`."""
        text = self.read(path)
        return text.removesuffix("\n").split("\n") if text else []

    def finding(
        self,
        rule: str,
        message: str,
        *,
        path: str = "",
        line: int = 0,
        column: int = 0,
        severity: Severity | str = Severity.HIGH,
        fix: str = "",
    ) -> Finding:
        """Make a finding. Lines and columns count from 1; a severity is high, medium, low or info.

        Raises:
            ValueError: rule or message is empty, the path is none of a project, or the severity is none.
            TypeError: a value has another type.
        """
        texts: tuple[tuple[str, object], ...] = (("rule", rule), ("message", message), ("path", path), ("fix", fix))
        numbers: tuple[tuple[str, object], ...] = (("line", line), ("column", column))
        for name, text in texts:
            if not isinstance(text, str):
                raise TypeError(f"the {name} of a finding is text, not {type(text).__name__}")
        for name, number in numbers:
            if not isinstance(number, int) or isinstance(number, bool):
                raise TypeError(f"the {name} of a finding is a number, not {type(number).__name__}")
            if number < 0:
                raise ValueError(f"the {name} of a finding counts from 1")
        if not rule.strip() or not message.strip():
            raise ValueError("a finding needs a rule and a message")
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"the path of a finding is relative to the project, not {path}")
        return Finding(
            rule=rule, message=message, path=path, line=line, column=column, severity=Severity(severity), fix=fix
        )

    def result(
        self,
        findings: Iterable[Finding] = (),
        *,
        summary: str = "",
        observed: float | None = None,
        threshold: float | None = None,
    ) -> Result:
        """Make a result of findings that says more: in words, or with what was measured and against what."""
        return Result(findings=tuple(findings), summary=summary, observed=observed, threshold=threshold)

    def _is_regular(self, path: str) -> bool:
        file = Path(self.root, path)
        return file.is_file() and not file.is_symlink()
