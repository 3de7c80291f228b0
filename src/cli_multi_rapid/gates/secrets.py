"""The secrets check: kingfisher's rules on the bytes of every file, offline, and our own generic rules.

No text of a secret leaves this module: findings carry the rule and the place, and a fingerprint from which the value
cannot be read. Comments that ask scanners to look away are not honoured.
"""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import pbkdf2_hmac, sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.lines import LineSearch
from cli_multi_rapid.gates.outcome import Gate, Scanned, Sighting, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.scanning import Scanning
from cli_multi_rapid.gates.secret_rules import RULES
from cli_multi_rapid.gates.sources import LIMIT_BYTES, Source, SourceTree, text_of
from cli_multi_rapid.model.gate import Finding, GateResult, Level, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

_PACKAGE = "kingfisher-secret-scanner"
_ROUNDS = 2_000
_FIX = "remove it, revoke it where it was issued, and read the new one from the environment"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a secret lies, from 1, both ends included. `mark` stands for its text in binary files."""

    rule: str
    message: str
    line: int
    column: int
    end_line: int
    sure: bool
    mark: str = ""


class SecretScan:
    """Scans files for secrets; the result of a file follows from its path, its bytes and the rules alone.

    What is only likely a secret is not `sure`, and rated by the level afterwards.
    """

    def __init__(self, scanner: "Scanner") -> None:
        self._scanner = scanner
        self._generic = LineSearch([rule.expression for rule in RULES])

    def file(self, source: Source) -> Scanned:
        """Return what one file has.

        Raises:
            EvidenceError: the scanner failed.
        """
        known = self._known(source)
        content = text_of(source.data) or ""
        spots = known + self._guessed(content, {line for spot in known for line in range(spot.line, spot.end_line + 1)})
        lines = content.split("\n") if spots else []
        found = []
        for spot in spots:
            text = "\n".join(lines[spot.line - 1 : spot.end_line])
            found.append(Sighting(_finding(spot, source.path), _identity(text or spot.mark, source.path), spot.sure))
        return Scanned(sightings=tuple(found))

    def _known(self, source: Source) -> list[_Spot]:
        try:
            found = self._scanner.scan(source.data)
        except (RuntimeError, ValueError, OSError, TimeoutError) as problem:
            raise EvidenceError(
                f"the scanner failed on {source.path}: {type(problem).__name__}",
                fix="leave the file out with `exclude`",
            ) from problem
        return [
            _Spot(
                rule=finding.rule_id.removeprefix("betterleaks."),
                message=one_line(finding.rule_name),
                line=finding.location["line"],
                column=finding.location["column"] + 1,
                end_line=finding.location["end_line"],
                sure=True,
                mark=str(finding.fingerprint),
            )
            for finding in found
            if finding.visible
        ]

    def _guessed(self, text: str, taken: set[int]) -> list[_Spot]:
        spots: dict[tuple[int, str], _Spot] = {}
        for match in self._generic.every(text):
            rule = RULES[match.expression]
            if match.line in taken or not rule.likely(match.value):
                continue
            # A later rule knows more of the value than an earlier, more general one.
            spots[match.line, match.value] = _Spot(
                rule=rule.id,
                message=rule.message,
                line=match.line,
                column=match.column,
                end_line=match.line,
                sure=False,
            )
        return list(spots.values())


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


def _finding(spot: _Spot, path: str) -> Finding:
    return Finding(
        rule=spot.rule,
        message=spot.message,
        path=path,
        line=spot.line,
        column=spot.column,
        severity=Severity.HIGH,
        fix=_FIX,
    )


def _identity(text: str, path: str) -> str:
    """Return what stands for the secret's lines in its fingerprint: slow to guess, and different for every file."""
    return pbkdf2_hmac("sha256", " ".join(text.split()).encode(), path.encode(), _ROUNDS).hex()


def _too_large(path: str, severity: Severity) -> Finding:
    return Finding(
        rule="file-too-large",
        message=f"larger than {LIMIT_BYTES >> 20} MiB, not scanned",
        path=path,
        severity=severity,
        fix="look at it yourself, or leave it out with `exclude`",
    )


def _digest() -> str:
    rules = [[rule.id, rule.expression] for rule in RULES]
    return sha256(json.dumps([_PACKAGE, version(_PACKAGE), rules]).encode()).hexdigest()
