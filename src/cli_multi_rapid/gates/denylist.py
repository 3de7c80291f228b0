"""The deny-list check: forbidden patterns, searched line by line in the project's text files."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version

from cli_multi_rapid.gates import denylist_ruff
from cli_multi_rapid.gates.denylist_defaults import DEFAULT_SET
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.lines import LineSearch, Match, problem_of
from cli_multi_rapid.gates.outcome import Gate, Scanned, Sighting, Tally, counted, judged, unjudged
from cli_multi_rapid.gates.scanning import Scanning
from cli_multi_rapid.gates.sources import LIMIT_BYTES, Source, SourceTree, text_of
from cli_multi_rapid.model.gate import Finding, GateResult, Severity
from cli_multi_rapid.model.gate_settings import GateSpec, Pattern
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.globs import matches

MAX_LINE = 20_000
_FILE = "config/compliance-gates.yaml"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Search every pattern in the files it is meant for; what `fail-on` asks for decides which matches block."""
    gate, tally = Gate(name, spec, given), Tally(spec.fail_on)
    patterns = patterns_of(spec)
    try:
        if problems := check_patterns(spec):
            raise EvidenceError(problems[0], fix=f"correct the pattern in {_FILE}")
        if not patterns:
            raise EvidenceError("there is no pattern", fix=f"add patterns, or `default-set: true`, in {_FILE}")
        tree = SourceTree(given, spec.exclude)
        ruff = denylist_ruff.scope() if uses_ruff(spec) else []
        scope = ["denylist", version("google-re2"), _digest(patterns), MAX_LINE, ruff]

        def scan(paths: Sequence[str]) -> PatternScan:
            syntax = denylist_ruff.ruff_findings(list(filter(tree.is_regular, paths)), given) if ruff else {}
            return PatternScan(patterns, syntax)

        scanning = Scanning(given, tree, scope=scope, scan=scan)
        for sighting in scanning:
            tally.add(sighting.finding, sighting.text)
        tree.check(known=scanning.known)
    except EvidenceError as problem:
        return unjudged(gate, problem)
    for path in tree.large:
        tally.add(_partly("file-too-large", path, message=f"larger than {LIMIT_BYTES >> 20} MiB, not searched"))
    found = counted(tally.total, "match", plural="matches") if tally.total else "no match"
    return replace(
        judged(gate, tally, summary=f"{found} in {tree.counted(scanning.files - scanning.binary)}"),
        observed=float(tally.total),
        threshold=0.0,
        tool="google-re2, ruff" if ruff else "google-re2",
        tool_version=f"{version('google-re2')}, {version('ruff')}" if ruff else version("google-re2"),
        rules_digest=_digest(patterns),
        cached=scanning.cached,
        details={
            "files": scanning.files - scanning.binary,
            "binary": scanning.binary,
            "passed_over": tree.passed_over,
            "patterns": len(patterns),
            "ruff_rules": len(denylist_ruff.RULES) if ruff else 0,
            "by_rule": dict(sorted(tally.by_rule.items())),
        },
    )


def patterns_of(spec: GateSpec) -> tuple[Pattern, ...]:
    """Return the patterns of a gate: the default set where it is wanted, and its own; an own id replaces a default."""
    own = {pattern.id for pattern in spec.patterns}
    default = tuple(pattern for pattern in DEFAULT_SET if pattern.id not in own) if spec.default_set else ()
    return default + spec.patterns


def uses_ruff(spec: GateSpec) -> bool:
    """Tell whether rules that read the syntax of Python are wanted: by default with the default set."""
    return spec.default_set if spec.ruff is None else spec.ruff


def check_patterns(spec: GateSpec) -> list[str]:
    """Return what is wrong with the own patterns of a gate: invalid RE2 syntax, an empty pattern, an id twice."""
    problems = []
    ids = Counter(pattern.id for pattern in spec.patterns)
    for pattern in spec.patterns:
        if wrong := problem_of(pattern.pattern):
            problems.append(f"pattern {pattern.id} is not valid RE2: {wrong}")
        elif not pattern.pattern:
            problems.append(f"pattern {pattern.id} is empty and would match every line")
    problems += [f"two patterns are called {id_}" for id_, number in ids.items() if number > 1]
    return problems


class PatternScan:
    """Searches files for patterns; the result of a file follows from its path, its bytes and the patterns alone.

    `syntax` is what rules that read syntax have found in files, by path; where a pattern has found the same in the same
    line, it is not said twice.
    """

    def __init__(self, patterns: Sequence[Pattern], syntax: Mapping[str, Sequence[Finding]] | None = None) -> None:
        self._syntax = syntax or {}
        self._patterns = patterns
        self._search = _search(tuple(pattern.pattern for pattern in patterns))

    def file(self, source: Source) -> Scanned:
        """Return what one file has."""
        text = text_of(source.data)
        if text is None:
            return Scanned(binary=True)
        text, partly = _cut(source.path, text)
        matches_ = self._search.first(text, lambda number: self._applies(number, source.path))
        found = [
            Sighting(_finding(self._patterns[match.expression], match, path=source.path), match.text)
            for match in matches_
        ]
        return Scanned(sightings=(*partly, *found, *self._further(source.path, text, found)))

    def _further(self, path: str, text: str, found: Sequence[Sighting]) -> Iterator[Sighting]:
        """Yield what rules that read syntax have found beside the patterns."""
        said = {(one.finding.line, one.finding.rule) for one in found}
        lines = text.split("\n") if path in self._syntax else []
        for finding in self._syntax.get(path, ()):
            rule = denylist_ruff.RULES.get(finding.rule.removeprefix("ruff-"))
            if rule is None or not rule.same or (finding.line, rule.same) not in said:
                yield Sighting(finding, "".join(lines[finding.line - 1 : finding.line]))

    def _applies(self, number: int, path: str) -> bool:
        pattern = self._patterns[number]
        return matches(path, pattern.paths) and not matches(path, pattern.exclude)


def _cut(path: str, text: str) -> tuple[str, tuple[Sighting, ...]]:
    """Return the text with lines of at most 20,000 characters, and a finding that says so where one was longer."""
    lines = text.split("\n") if len(text) > MAX_LINE else []
    long = [number for number, line in enumerate(lines, start=1) if len(line) > MAX_LINE]
    if not long:
        return text, ()
    message = f"{counted(len(long), 'line')} searched only up to {MAX_LINE:,} characters"
    said = Sighting(_partly("line-too-long", path, message=message, line=long[0]))
    return "\n".join(line[:MAX_LINE] for line in lines), (said,)


@lru_cache(maxsize=8)
def _search(expressions: tuple[str, ...]) -> LineSearch:
    return LineSearch(expressions)


def _finding(pattern: Pattern, match: Match, *, path: str) -> Finding:
    return Finding(
        rule=pattern.id,
        message=pattern.message or f"matches the pattern {pattern.id}",
        path=path,
        line=match.line,
        column=match.column,
        severity=pattern.severity,
        fix=pattern.fix,
    )


def _partly(rule: str, path: str, *, message: str, line: int = 0) -> Finding:
    return Finding(
        rule=rule,
        message=message,
        path=path,
        line=line,
        severity=Severity.INFO,
        fix="look at it yourself, or leave it out with `exclude`",
    )


def _digest(patterns: Sequence[Pattern]) -> str:
    return sha256(json.dumps([asdict(pattern) for pattern in patterns], sort_keys=True).encode()).hexdigest()
