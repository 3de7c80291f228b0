"""Reader of findings as a plain JSON list: `path line column rule message severity` a finding, or ruff's own form."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.parsing import mapping, read_json, sequence
from cli_multi_rapid.gates.tool_findings import SEVERITIES, ToolReport, project_path
from cli_multi_rapid.model.gate import Finding, Severity

_AGAIN = "let the tool write a JSON list of objects with path, line, column, rule, message and severity"


def read_listing(data: bytes, *, path: str, root: Path) -> ToolReport:
    """Return the findings of a JSON list; the empty list says that there are none.

    A severity is one of high, medium, low, info or SARIF's error, warning, note, none; without one it is high.

    Raises:
        EvidenceError: it is no such list.
    """
    return ToolReport(findings=findings_in(sequence(read_json(data, path=path), what=path), path=path, root=root))


def findings_in(items: Sequence[object], *, path: str, root: Path) -> tuple[Finding, ...]:
    """Return the findings that the items of a list are; `path` is where they were read.

    Raises:
        EvidenceError: an item is none.
    """
    return tuple(_finding(mapping(item, what=f"an item of {path}"), path, root) for item in items)


def _finding(item: Mapping[str, object], path: str, root: Path) -> Finding:
    place = item.get("location")
    position = place if isinstance(place, dict) else {"row": item.get("line"), "column": item.get("column")}
    rule, message = _text(item, "rule", "code", "name"), _text(item, "message")
    if not rule and not message:
        raise EvidenceError(f"an item of {path} has neither rule nor message", fix=_AGAIN)
    return Finding(
        rule=one_line(rule) or "unnamed-rule",
        message=one_line(message or rule),
        path=project_path(_text(item, "path", "filename"), root),
        line=_number(position.get("row"), path),
        column=_number(position.get("column"), path),
        severity=_severity(item.get("severity"), path),
        fix=one_line(_text(item, "fix"), limit=200),
    )


def _text(item: Mapping[str, object], *keys: str) -> str:
    return next((value for key in keys if isinstance(value := item.get(key), str) and value), "")


def _number(value: object, path: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EvidenceError(f"{value!r:.40} is no line or column ({path})", fix=_AGAIN)
    return value


def _severity(value: object, path: str) -> Severity:
    if value is None:
        return Severity.HIGH
    if isinstance(value, str):
        word = value.lower()
        if word in SEVERITIES:
            return SEVERITIES[word]
        if word in tuple(Severity):
            return Severity(word)
    raise EvidenceError(f"{value!r:.40} is no severity ({path})", fix=_AGAIN)
