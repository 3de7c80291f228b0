"""The diff check: what a change touches, how large it is, and whether it loosens what looks at the project."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError, inside
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, unjudged
from cli_multi_rapid.gates.sources import LIMIT_BYTES, Source, SourceTree, printable, text_of
from cli_multi_rapid.gates.suppressions import suppressions
from cli_multi_rapid.model.change import Change, ChangedFile, ChangeKind
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import GateSpec, size_bytes
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.globs import matches

POLICY = (
    "config/compliance-gates.yaml",
    "config/compliance-baseline.json",
    "config/waivers.yaml",
    "config/workflow-config.yaml",
    "workflows/phase_definitions/**",
    "workflows/validators/**",
    "contracts/validators/**",
)
"""Files by which a project is judged: those of the base revision count, and a person should look at what changed."""

_NAMES = (
    ".bandit", ".c8rc*", ".coveragerc", ".eslintignore", ".eslintrc*", ".flake8", ".gitattributes", ".gitleaks.toml",
    ".gitleaksignore", ".golangci.*", ".mypy.ini", ".nycrc*", ".pre-commit-config.yaml", ".pylintrc", ".rubocop.yml",
    ".ruff.toml", ".secrets.baseline", ".semgrepignore", "PSScriptAnalyzerSettings.psd1", "biome.json*",
    "eslint.config.*", "jest.config.*", "mypy.ini", "noxfile.py", "package.json", "phpstan.neon*", "pylintrc",
    "pyproject.toml", "pyrightconfig.json", "pytest.ini", "ruff.toml", "setup.cfg", "sgconfig.yml",
    "sonar-project.properties", "tox.ini", "tsconfig*.json", "vitest.config.*",
)  # fmt: skip
TOOL_SETTINGS = (".github/workflows/**", ".gitlab-ci.yml", *(f"**/{name}" for name in _NAMES))
"""Files that tell tools what to look at, and what to pass over."""

_SUPPRESSION_FIX = "mend what it hides; where it has to stay, a waiver in config/waivers.yaml says who approved it"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Judge what differs from the base revision; without one there is nothing to compare, which strict takes amiss."""
    gate = Gate(name, spec, given)
    change = given.change()
    if change is None:
        return _nothing_to_compare(gate)
    tally = Tally(Severity.HIGH)
    try:
        for finding in (*_paths(spec, change), *_sizes(gate, change), *_policy(change)):
            tally.add(finding)
        for finding, line in _suppressions(gate, change):
            tally.add(finding, line)
    except EvidenceError as problem:
        return unjudged(gate, problem)
    added, removed = _lines(change)
    approval = sorted(printable(path) for path in change.touched if _is_policy(path))
    words = f", {counted(len(approval), 'policy file')} to approve" if approval else ""
    size = f"{counted(len(change.files), 'file')} changed since {change.base[:12]}, +{added:,} -{removed:,} lines"
    return replace(
        judged(gate, tally, summary=f"{size}{words}"),
        observed=float(added + removed),
        threshold=None if spec.max_lines is None else float(spec.max_lines),
        details={
            "base": change.base,
            "files": len(change.files),
            "added": added,
            "removed": removed,
            "needs_approval": approval,
            "by_rule": dict(sorted(tally.by_rule.items())),
        },
    )


def _nothing_to_compare(gate: Gate) -> GateResult:
    summary = "no base revision: nothing to compare"
    if gate.given.level is Level.STRICT:
        return unjudged(gate, EvidenceError(summary, fix="make a first commit: git commit"))
    return GateResult(
        id=gate.name,
        check=gate.spec.check.value,
        level=gate.given.level,
        status=GateStatus.PASS,
        summary=summary,
        tree=gate.given.tree,
        details={"base": ""},
    )


def _paths(spec: GateSpec, change: Change) -> Iterator[Finding]:
    for path in sorted(change.touched):
        if matches(path, spec.deny):
            why, fix = "this path may not change", "take it out of the change, or out of `deny` of this gate"
        elif spec.allow and not matches(path, spec.allow):
            why, fix = "this path is not among those that may change", "take it out of the change, or allow it"
        else:
            continue
        yield Finding(rule="path-not-allowed", message=why, path=printable(path), severity=Severity.HIGH, fix=fix)


def _sizes(gate: Gate, change: Change) -> Iterator[Finding]:
    spec, fix = gate.spec, "split it into smaller changes"
    files, lines = len(change.files), sum(_lines(change)) + _hidden_lines(gate, change)
    if spec.max_files is not None and files > spec.max_files:
        yield _large(f"{counted(files, 'file')} changed, at most {spec.max_files:,} may", fix=fix)
    if spec.max_lines is not None and lines > spec.max_lines:
        yield _large(f"{counted(lines, 'line')} changed, at most {spec.max_lines:,} may", fix=fix)
    if spec.max_file_size:
        yield from _large_files(gate, change, limit_bytes=size_bytes(spec.max_file_size))


def _hidden_lines(gate: Gate, change: Change) -> int:
    """Return how many lines texts have that git takes for binary, where the change edits what tells it so."""
    if not any(path.rpartition("/")[2] == ".gitattributes" for path in change.touched):
        return 0
    hidden = frozenset(path for path, file in change.files.items() if file.binary)
    tree = SourceTree(replace(gate.given, only=hidden), ())
    texts = (text_of(source.data) for source in filter(None, map(tree.source, tree.paths)))
    return sum(len(text.splitlines()) for text in texts if text)


def _large(message: str, *, fix: str) -> Finding:
    return Finding(rule="change-too-large", message=message, severity=Severity.HIGH, fix=fix)


def _large_files(gate: Gate, change: Change, *, limit_bytes: int) -> Iterator[Finding]:
    root = Path(gate.given.root)
    for path, file in sorted(change.files.items()):
        if file.kind is ChangeKind.DELETED:
            continue
        try:
            size = (root / path).lstat().st_size if inside(root, root / path) else 0
        except OSError as problem:
            raise EvidenceError(f"{printable(path)} cannot be read: {problem.strerror}", fix="judge again") from problem
        if size > limit_bytes:
            message = f"{size:,} bytes, at most {gate.spec.max_file_size} may be in a changed file"
            yield Finding(
                rule="file-too-large", message=message, path=printable(path), severity=Severity.HIGH,
                fix="keep it elsewhere, or make it smaller",
            )  # fmt: skip


def _policy(change: Change) -> Iterator[Finding]:
    for path in sorted(change.touched):
        if _is_policy(path):
            yield Finding(
                rule="policy-changed", path=printable(path), severity=Severity.MEDIUM,
                message="decides how the project is judged; this change is judged by the base revision's",
                fix="let somebody else approve it",
            )  # fmt: skip
        elif matches(path, TOOL_SETTINGS):
            yield Finding(
                rule="tool-settings-changed", path=printable(path), severity=Severity.LOW,
                message="decides what tools look at, and what they pass over", fix="look at what it takes from them",
            )  # fmt: skip


def _suppressions(gate: Gate, change: Change) -> Iterator[tuple[Finding, str]]:
    """Yield the suppressions in lines that are new or altered, each with its line.

    Raises:
        EvidenceError: a changed file cannot be read.
    """
    severity = Severity.HIGH if gate.given.level is Level.STRICT else Severity.MEDIUM
    files = {path: file for path, file in change.files.items() if file.lines or file.binary}
    tree = SourceTree(replace(gate.given, only=frozenset(files)), ())
    seen = set()
    for path in tree.paths:
        source = tree.source(path)
        if source is None:
            continue
        seen.add(path)
        for marker, match in suppressions(source.path, _new_text(source, files[path])):
            found = Finding(
                rule="new-suppression", message=f"a new suppression: {marker.name}", path=source.path, line=match.line,
                column=match.column, severity=severity, fix=_SUPPRESSION_FIX,
            )  # fmt: skip
            yield found, match.text
    tree.check()
    _refuse_unseen(
        Path(gate.given.root), sorted(path for path in files.keys() - seen if printable(path) not in tree.large)
    )
    for path in tree.large:
        message = f"larger than {LIMIT_BYTES >> 20} MiB, not searched for suppressions"
        yield Finding(rule="not-searched", message=message, path=path, severity=Severity.INFO, fix="look at it"), ""


def _refuse_unseen(root: Path, paths: Sequence[str]) -> None:
    """Refuse a verdict where a changed file was not there to be looked at. Links and folders hold no lines."""
    gone = [path for path in paths if not (root / path).is_symlink() and not (root / path).is_dir()]
    if gone:
        raise EvidenceError(
            f"{printable(gone[0])} has changed and cannot be found", fix="judge again, while nothing changes it"
        )


def _new_text(source: Source, file: ChangedFile) -> str:
    """Return the lines of a file that are new, others empty; all where git takes it for binary, but text it is.

    Git ends a line at a line feed only.
    """
    if file.binary:
        return text_of(source.data) or ""
    text = text_of(source.data.replace(b"\r\n", b"\n").replace(b"\r", b" ")) or ""
    lines = enumerate(text.split("\n"), start=1)
    return "\n".join(line if number in file.lines else "" for number, line in lines)


def _is_policy(path: str) -> bool:
    return matches(path, POLICY)


def _lines(change: Change) -> tuple[int, int]:
    """Return how many lines are new or altered, and how many are gone or altered."""
    return sum(len(file.lines) for file in change.files.values()), sum(file.removed for file in change.files.values())
