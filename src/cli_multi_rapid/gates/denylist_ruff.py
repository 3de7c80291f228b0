"""Ruff's rules about security, beside the patterns: they read the syntax of Python, over as many lines as it takes.

Ruff runs isolated and is told to overlook comments that ask it to look away, so neither a project's settings nor its
files can switch a rule off. Rules that only guess (asserts, imports, partial paths) are not among them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

from cli_multi_rapid.gates.evidence import LIMIT_BYTES, EvidenceError
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.parsing import mapping, read_json
from cli_multi_rapid.gates.sources import printable
from cli_multi_rapid.gates.tool_findings import project_path
from cli_multi_rapid.model.gate import Finding, Severity
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Command, Exit

_AT_ONCE = 500
_TIMEOUT_S = 600.0
_UNREADABLE = "E902"
UNPARSED = "python-unparsed"
"""The rule of a finding, one at most for each file, that says that ruff could not read its syntax."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuffRule:
    """One rule: how bad it is, what to do instead, and the pattern of the default set that means the same."""

    severity: Severity
    fix: str
    same: str = ""


RULES: Mapping[str, RuffRule] = {
    "S102": RuffRule(severity=Severity.HIGH, fix="write the code down, or import it", same="python-exec"),
    "S103": RuffRule(severity=Severity.MEDIUM, fix="give rights to the owner or a group"),
    "S202": RuffRule(severity=Severity.MEDIUM, fix="give extractall filter='data'"),
    "S301": RuffRule(
        severity=Severity.HIGH, fix="use JSON or another format that is data only", same="python-pickle-load"
    ),
    "S302": RuffRule(
        severity=Severity.HIGH, fix="use JSON or another format that is data only", same="python-pickle-load"
    ),
    "S306": RuffRule(severity=Severity.MEDIUM, fix="use tempfile.mkstemp or NamedTemporaryFile", same="python-mktemp"),
    "S307": RuffRule(severity=Severity.HIGH, fix="use ast.literal_eval, or a parser of your own", same="python-eval"),
    "S323": RuffRule(severity=Severity.HIGH, fix="leave verification on", same="python-verify-false"),
    "S324": RuffRule(
        severity=Severity.MEDIUM, fix="use hashlib.sha256, or say usedforsecurity=False", same="python-weak-hash"
    ),
    "S501": RuffRule(severity=Severity.HIGH, fix="leave verification on", same="python-verify-false"),
    "S502": RuffRule(severity=Severity.MEDIUM, fix="use the default context of ssl"),
    "S504": RuffRule(severity=Severity.MEDIUM, fix="use the default context of ssl"),
    "S505": RuffRule(severity=Severity.MEDIUM, fix="use a longer key"),
    "S506": RuffRule(severity=Severity.HIGH, fix="use yaml.safe_load", same="python-yaml-load"),
    "S507": RuffRule(severity=Severity.MEDIUM, fix="refuse hosts that are not known"),
    "S602": RuffRule(
        severity=Severity.HIGH, fix="give subprocess a list of arguments and no shell", same="python-shell-true"
    ),
    "S604": RuffRule(severity=Severity.HIGH, fix="give it a list of arguments and no shell", same="python-shell-true"),
    "S605": RuffRule(
        severity=Severity.HIGH, fix="use subprocess.run with a list of arguments", same="python-os-system"
    ),
    "S608": RuffRule(severity=Severity.MEDIUM, fix="give values as parameters of the query"),
    "S610": RuffRule(severity=Severity.MEDIUM, fix="use the query language of Django"),
    "S611": RuffRule(severity=Severity.MEDIUM, fix="use the query language of Django"),
    "S612": RuffRule(severity=Severity.HIGH, fix="check who sends a configuration of logging"),
    "S701": RuffRule(severity=Severity.MEDIUM, fix="say autoescape=True, or select_autoescape()"),
    "S702": RuffRule(severity=Severity.MEDIUM, fix="escape what is inserted"),
}
"""The rules that count, by their code."""


def scope() -> list[object]:
    """Return what, beside a file, decides what is found."""
    return ["ruff", version("ruff"), sorted(RULES)]


def ruff_findings(paths: Sequence[str], given: GateInput) -> dict[str, list[Finding]]:
    """Return what ruff finds in Python files, by path.

    Raises:
        EvidenceError: it did not come to its end, or could not read a file.
    """
    python = [path for path in paths if path.endswith((".py", ".pyw"))]
    asked = set(map(printable, python))
    found: dict[str, list[Finding]] = {}
    for start in range(0, len(python), _AT_ONCE):
        for path, finding in _checked(python[start : start + _AT_ONCE], given):
            if path not in asked:
                raise EvidenceError(
                    f"ruff speaks of {one_line(path)}, which is no file that it was given", fix="rename it"
                )
            before = found.setdefault(path, [])
            if finding.rule != UNPARSED or all(one.rule != UNPARSED for one in before):
                before.append(finding)
    return found


def _checked(paths: Sequence[str], given: GateInput) -> Iterator[tuple[str, Finding]]:
    from ruff.__main__ import find_ruff_bin

    try:
        program = find_ruff_bin()
    except FileNotFoundError as missing:
        raise EvidenceError("ruff is not installed", fix="reinstall cli-multi-rapid") from missing
    work = Path(mkdtemp(prefix="ruff-", dir=given.work))
    output, log = work / "output", work / "log.txt"
    options = ("--isolated", "--ignore-noqa", "--exit-zero", "--no-cache", "--target-version", "py313")
    command = Command(
        argv=(program, "check", *options, "--select", ",".join(RULES), "--output-format", "json", "--", *paths),
        cwd=given.root, env=given.env, log=str(log), stdout=str(output), tag="ruff", timeout_s=_TIMEOUT_S,
        cap_bytes=LIMIT_BYTES,
    )  # fmt: skip
    _require_end(given.execute(command))
    items = read_json(output.read_bytes() if output.exists() else b"", path="ruff's output")
    if not isinstance(items, list):
        raise EvidenceError("ruff's output is no list", fix="reinstall ruff")
    for item in items:
        yield _finding(mapping(item, what="a finding of ruff"), Path(given.root))


def _require_end(ended: Exit) -> None:
    if ended.code == 0 and not ended.truncated:
        return
    why = ended.error or ("its output is too large" if ended.truncated else "")
    why = why or ("it took too long" if ended.timed_out else f"exit code {ended.code}, signal {ended.signal}")
    raise EvidenceError(
        f"ruff did not come to its end: {why}", fix="run it yourself:  ruff check --isolated --select S ."
    )


def _finding(item: Mapping[str, object], root: Path) -> tuple[str, Finding]:
    path = project_path(str(item.get("filename", "")), root)
    code, message = str(item.get("code") or ""), one_line(str(item.get("message", "")))
    if code == _UNREADABLE:
        raise EvidenceError(
            f"ruff cannot read {path}: {message}", fix="make it readable, or leave it out with `exclude`"
        )
    place = mapping(item.get("location"), what="the place of a finding of ruff")
    rule = RULES.get(code)
    return path, Finding(
        rule=f"ruff-{code}" if rule else UNPARSED,
        message=message if rule else one_line(f"not searched by the rules that read syntax: {message}"),
        path=path,
        line=_number(place.get("row")),
        column=_number(place.get("column")),
        severity=rule.severity if rule else Severity.INFO,
        fix=rule.fix if rule else "correct the syntax, or leave the file out with `exclude`",
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
