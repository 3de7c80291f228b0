"""The licences check: whether the licence of every package is one that the project allows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from cli_multi_rapid.gates.evidence import EvidenceError, Report, inside, read_own
from cli_multi_rapid.gates.inventory import Inventory, take_inventory, unsure
from cli_multi_rapid.gates.licence_terms import UNKNOWN, expression_of, permitted
from cli_multi_rapid.gates.npm_locks import terms_of
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.packages import Package, Terms
from cli_multi_rapid.gates.parsing import read_json
from cli_multi_rapid.gates.versions import Ecosystem
from cli_multi_rapid.model.gate import Finding, GateResult, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

_FILE = "package.json"


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Judge the licence of every package by `allow` and `deny`. One that cannot be told is a finding too."""
    gate, tally, reports = Gate(name, spec, given), Tally(Severity.LOW), list[Report]()
    try:
        inventory = take_inventory(spec, given, always_installed=True)
        reports = inventory.reports
        judgement = _Judgement(gate, tally)
        for package in inventory.distinct:
            judgement.package(package)
        for loose in inventory.loose:
            judgement.unknown(loose.wanted, f"it is not installed, {loose.reason}", path=loose.path, line=loose.line)
        for finding in inventory.unread:
            tally.add(finding, finding.message)
    except EvidenceError as problem:
        return unjudged(gate, problem, reports=reports)
    return replace(
        judged(gate, tally, summary=_summary(inventory, judgement)),
        observed=float(judgement.refused),
        threshold=0.0,
        tool="spdx",
        tool_version=version("packaging"),
        evidence=tuple(report.evidence for report in reports),
        details={
            "packages": len(inventory.distinct),
            "unknown": judgement.untold,
            "own": inventory.own,
            "sources": inventory.sources,
            "licences": dict(sorted(judgement.counts.items())),
        },
    )


class _Judgement:
    """Judges packages one by one and adds what is wrong to the tally."""

    def __init__(self, gate: Gate, tally: Tally) -> None:
        self.counts: dict[str, int] = {}
        self.refused = 0
        self.untold = 0
        self._spec = gate.spec
        self._given = gate.given
        self._tally = tally

    def package(self, package: Package) -> None:
        terms = package.terms or (_of_modules(package, self._given) if package.ecosystem is Ecosystem.NPM else None)
        expression = expression_of(terms)
        label = f"{package.name} {package.version}"
        if expression is None:
            self.unknown(label, _words(terms), path=package.path, line=package.line, identity=package.name)
            return
        self.counts[expression] = self.counts.get(expression, 0) + 1
        if permitted(expression, self._spec.allow, self._spec.deny):
            return
        self.refused += 1
        denied = not permitted(expression, (), self._spec.deny)
        said = _said(terms)
        meant = f"{expression}, as it says {said!r}" if said != expression else expression
        self._tally.add(
            Finding(
                rule="licence-denied" if denied else "licence-not-allowed",
                message=one_line(f"{label} is under {meant}, which is {'refused' if denied else 'not allowed'}"),
                path=package.path,
                line=package.line,
                fix=f"replace {package.name}, or waive it; the lists are `allow` and `deny` of this gate",
            ),
            f"{package.ecosystem} {package.name} {expression}",
        )

    def unknown(self, label: str, why: str, *, path: str, line: int, identity: str = "") -> None:
        """Note a package of which the licence cannot be told."""
        self.untold += 1
        if UNKNOWN in self._spec.deny:
            severity = Severity.HIGH
        elif UNKNOWN in self._spec.allow:
            severity = Severity.INFO
        else:
            severity = Severity.MEDIUM if self._spec.allow else unsure(self._given)
        self._tally.add(
            Finding(
                rule="licence-unknown",
                message=one_line(f"the licence of {label} is not known: {why}"),
                path=path,
                line=line,
                severity=severity,
                fix="look at it yourself, then waive it or replace it",
            ),
            identity or label,
        )


def _of_modules(package: Package, given: GateInput) -> Terms | None:
    """Return what the installed package.json says, if it is of this version."""
    for folder in _folders(package):
        path = Path(given.root, PurePosixPath(package.path).parent, folder, _FILE)
        try:
            if not path.is_file() or not inside(Path(given.root), path):
                continue
            values = read_json(read_own(path, given).data, path=package.name)
        except (EvidenceError, OSError):
            continue  # then it is not known
        if isinstance(values, dict) and values.get("version") == package.version:
            return terms_of(values)
    return None


def _folders(package: Package) -> Iterator[str]:
    """Return where npm or Yarn, and pnpm, install a package."""
    yield package.folder or f"node_modules/{package.name}"
    yield f"node_modules/.pnpm/{package.name.replace('/', '+')}@{package.version}/node_modules/{package.name}"


def _words(terms: Terms | None) -> str:
    said = _said(terms)
    return f"{said!r} names none" if said else "it says nothing, or is not installed here"


def _said(terms: Terms | None) -> str:
    if terms is None:
        return ""
    parts: Sequence[str] = (terms.expression,) if terms.expression else (*terms.texts, *terms.classifiers)
    return one_line("; ".join(parts), limit=80)


def _summary(inventory: Inventory, judgement: _Judgement) -> str:
    packages = counted(len(inventory.distinct), "package")
    refused = f"{judgement.refused:,} of {packages} under a licence that is not allowed"
    told = refused if judgement.refused else f"no licence in {packages} that is not allowed"
    return f"{told}, {judgement.untold:,} not known" if judgement.untold else told
