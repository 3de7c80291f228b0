"""The secrets check: kingfisher's rules and our own generic ones on every file, offline."""

import json
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, unjudged
from cli_multi_rapid.gates.scanning import Scanning
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


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Search the project's files for secrets. What only looks like one warns, and blocks in strict."""
    unsure = Severity.MEDIUM if given.level is Level.STRICT else Severity.INFO
    gate, tally = Gate(name, spec, given), Tally(Severity.LOW)
    try:
        tree = SourceTree(given, spec.exclude)
        scope = ["secrets", version(_PACKAGE), _digest()]
        scanning = Scanning(given, tree, scope=scope, scan=lambda: SecretScan(_scanner(given.cache)))
        for sighting in scanning:
            found = sighting.finding
            tally.add(found if sighting.sure else replace(found, severity=unsure), sighting.text)
        tree.check(known=scanning.known)
    except EvidenceError as problem:
        return unjudged(gate, problem)
    for path in tree.large:
        tally.add(_too_large(path, unsure))
    words = counted(tally.total, "possible secret") if tally.total else "no secret"
    return replace(
        judged(gate, tally, summary=f"{words} in {tree.counted(scanning.files)}"),
        observed=float(tally.total),
        threshold=0.0,
        tool="kingfisher",
        tool_version=version(_PACKAGE),
        rules_digest=_digest(),
        cached=scanning.cached,
        details={
            "files": scanning.files,
            "passed_over": tree.passed_over,
            "by_rule": dict(sorted(tally.by_rule.items())),
        },
    )


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
