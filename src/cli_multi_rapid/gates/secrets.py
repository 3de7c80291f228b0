"""The secrets check: kingfisher's rules and our own generic ones on every file, offline."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import MAX_FINDINGS, Gate, Sighting, Tally, counted, judged, unjudged
from cli_multi_rapid.gates.scanning import Scanning
from cli_multi_rapid.gates.secret_history import Identity, Past, PastSecrets, identity_of, in_words
from cli_multi_rapid.gates.secret_rules import MESSAGES, RULES
from cli_multi_rapid.gates.secret_scan import SecretScan
from cli_multi_rapid.gates.sources import LIMIT_BYTES, SourceTree
from cli_multi_rapid.model.gate import Finding, GateResult, Level, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.version import VERSION

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

_PACKAGE = "kingfisher-secret-scanner"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searched:
    """What was searched: the files and, where it is wanted, the history with what only it has."""

    tree: SourceTree
    scanning: Scanning
    past: PastSecrets | None
    found: tuple[Past, ...]

    @property
    def cached(self) -> bool:
        past = self.past
        return self.scanning.cached and (past is None or past.known == past.contents)

    @property
    def words(self) -> str:
        words = self.tree.counted(self.scanning.files)
        return f"{words} and {in_words(self.past)}" if self.past else words


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Search the project's files for secrets. What only looks like one warns, and blocks in strict."""
    unsure = Severity.MEDIUM if given.level is Level.STRICT else Severity.INFO
    gate, tally = Gate(name, spec, given), Tally(Severity.LOW)

    def add(sighting: Sighting) -> None:
        found = sighting.finding
        tally.add(found if sighting.sure else replace(found, severity=unsure), sighting.text)

    try:
        searched = _searched(spec, given, add)
    except EvidenceError as problem:
        return unjudged(gate, problem)
    for path in searched.tree.large:
        tally.add(_too_large(path, unsure))
    words = counted(tally.total, "possible secret") if tally.total else "no secret"
    return replace(
        judged(gate, tally, summary=f"{words} in {searched.words}"),
        observed=float(tally.total),
        threshold=0.0,
        tool="kingfisher",
        tool_version=version(_PACKAGE),
        rules_digest=_digest(),
        cached=searched.cached,
        details={
            "files": searched.scanning.files,
            "passed_over": searched.tree.passed_over,
            "by_rule": dict(sorted(tally.by_rule.items())),
            **(_history(searched.past, searched.found) if searched.past else {}),
        },
    )


def _searched(spec: GateSpec, given: GateInput, add: Callable[[Sighting], None]) -> _Searched:
    def scan(_: Sequence[str]) -> SecretScan:
        return SecretScan(_scanner(given.cache))

    tree, known = SourceTree(given, spec.exclude), set[Identity]()
    scope = ["secrets", version(_PACKAGE), _digest()]
    scanning = Scanning(given, tree, scope=scope, scan=scan)
    for sighting in scanning:
        add(sighting)
        known.add(identity_of(sighting))
    tree.check(known=scanning.known)
    past = PastSecrets(given, spec.exclude, scope=scope, present=known) if spec.history else None
    found: list[Past] = []
    for one in past.search(lambda: scan(()), present=_contents(given, tree)) if past else ():
        add(one.sighting)
        found += [one] if len(found) < MAX_FINDINGS else []
    return _Searched(tree=tree, scanning=scanning, past=past, found=tuple(found))


def _contents(given: GateInput, tree: SourceTree) -> set[str]:
    """Return git's ids of the contents that are searched as files of the project."""
    return {given.blobs[path] for path in tree.paths if path in given.blobs}


def _history(past: PastSecrets, found: Sequence[Past]) -> dict[str, object]:
    listed = [
        {"rule": one.rule, "path": one.path, "line": one.line, "commit": secret.commit}
        for secret in found
        for one in (secret.sighting.finding,)
    ]
    return {"commits": past.commits, "contents": past.contents, "history": listed}


@lru_cache(maxsize=2)
def _scanner(cache: str) -> "Scanner":
    from kingfisher_sdk import Rules, Scanner

    folder = Path(cache, "kingfisher")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # No policy: one would honour comments with which a file waives itself.
        return Scanner(Rules(cache_dir=folder), redact=True)
    except (RuntimeError, ValueError, OSError) as problem:
        raise EvidenceError(
            f"the secret scanner cannot start: {problem}", fix=f"reinstall {_PACKAGE}, and check the state folder"
        ) from problem


def _too_large(path: str, severity: Severity) -> Finding:
    return Finding(
        rule="file-too-large",
        message=f"larger than {LIMIT_BYTES >> 20} MiB, not scanned",
        path=path,
        severity=severity,
        fix="look at it yourself, or leave it out with `exclude`",
    )


def _digest() -> str:
    expressions = [rule.expression.decode() for rule in RULES]
    rules = [_PACKAGE, version(_PACKAGE), VERSION, sorted(MESSAGES), expressions]
    return sha256(json.dumps(rules).encode()).hexdigest()
