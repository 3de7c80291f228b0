"""The dependencies check: matches what a project depends on against an advisory database, offline."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cli_multi_rapid.gates.advisories import Advisory, Hit, hit
from cli_multi_rapid.gates.advisory_database import AdvisoryDatabase, open_database
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.inventory import Inventory, take_inventory
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.packages import Loose, Package
from cli_multi_rapid.gates.versions import Ecosystem, Version, version_of
from cli_multi_rapid.model.gate import Finding, GateResult, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

_UNPINNED = "dependency-unpinned"
_PREFERRED = ("PYSEC-", "GHSA-", "CVE-")
_RANKS = {one: one.rank for one in Severity}


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Match every package against the advisories about it. What has no version that can be matched is a finding too."""
    gate, reports = Gate(name, spec, given), []
    try:
        inventory = take_inventory(spec, given)
        reports = inventory.reports
        if not inventory.packages:
            raise EvidenceError(
                f"none of {counted(len(inventory.loose), 'dependency', plural='dependencies')} has an exact version",
                fix="lock the dependencies, or make the .venv",
            )
        database = open_database(spec, given)
        try:
            result = _verdict(gate, inventory, database)
        finally:
            database.close()
    except EvidenceError as problem:
        return unjudged(gate, problem, reports=reports)
    return replace(result, evidence=tuple(report.evidence for report in reports))


@dataclass(frozen=True, slots=True)
class _Vulnerable:
    """A package and the advisories, all about the same flaw, that are about its version."""

    package: Package
    hits: tuple[Hit, ...]


def _verdict(gate: Gate, inventory: Inventory, database: AdvisoryDatabase) -> GateResult:
    now = datetime.now(UTC)
    ecosystems = sorted({package.ecosystem for package in inventory.packages})
    newest = {one: database.check_age(one, max_age=gate.spec.max_age, now=now) for one in ecosystems}
    tally = Tally(gate.spec.fail_on)
    vulnerable, uncertain = _matched(inventory.packages, database)
    for one in vulnerable:
        tally.add(_finding(one), f"{one.package.ecosystem} {one.package.name}")
    for loose in (*inventory.loose, *uncertain):
        tally.add(_unpinned(loose), f"{loose.ecosystem} {loose.name or loose.wanted}")
    for finding in inventory.unread:
        tally.add(finding, finding.message)
    advisories = sum(database.holdings[one].advisories for one in ecosystems)
    oldest = min(newest.values()).strftime("%Y-%m-%d")
    return replace(
        judged(gate, tally, summary=_summary(inventory, vulnerable, advisories=advisories, day=oldest)),
        observed=float(len(vulnerable)),
        threshold=0.0,
        tool="osv",
        tool_version=oldest,
        rules_digest=database.digest,
        details={
            "packages": len(inventory.distinct),
            "unpinned": len(inventory.loose) + len(uncertain),
            "own": inventory.own,
            "sources": inventory.sources,
            "database": {
                "path": database.path,
                "advisories": {one.value: database.holdings[one].advisories for one in ecosystems},
                "newest": {one.value: at.isoformat() for one, at in newest.items()},
            },
        },
    )


def _matched(packages: Iterable[Package], database: AdvisoryDatabase) -> tuple[list[_Vulnerable], list[Loose]]:
    """Return what is vulnerable, and the packages whose versions cannot be compared with those of their advisories."""
    known: dict[tuple[Ecosystem, str], tuple[Advisory, ...]] = {}
    vulnerable, uncertain = [], []
    for package in packages:
        key = (package.ecosystem, package.name)
        if key not in known:
            known[key] = tuple(database.about(*key))
        if not known[key]:
            continue
        version = version_of(package.ecosystem, package.version)
        if version is None:
            uncertain.append(_incomparable(package))
            continue
        hits = [found for advisory in known[key] if (found := hit(advisory, version))]
        vulnerable += [_Vulnerable(package, same) for same in _same_flaws(hits)]
    return vulnerable, uncertain


def _same_flaws(hits: Iterable[Hit]) -> list[tuple[Hit, ...]]:
    """Return the hits in groups that speak of the same flaw: by id or alias, directly or through others."""
    groups: list[tuple[set[str], list[Hit]]] = []
    for one in hits:
        names, members = {one.advisory.id, *one.advisory.aliases}, [one]
        apart = []
        for other_names, other in groups:
            if names & other_names:
                names |= other_names
                members = [*other, *members]
            else:
                apart.append((other_names, other))
        groups = [*apart, (names, members)]
    return [tuple(sorted(members, key=lambda one: _preference(one.advisory.id))) for _, members in groups]


def _preference(id_: str) -> tuple[int, str]:
    """Return what sorts ids: the same flaw shall have the same name, whatever else a database knows about it."""
    return next((rank for rank, prefix in enumerate(_PREFERRED) if id_.startswith(prefix)), len(_PREFERRED)), id_


def _finding(one: _Vulnerable) -> Finding:
    package, first = one.package, one.hits[0].advisory
    names = {alias for found in one.hits for alias in (found.advisory.id, *found.advisory.aliases)} - {first.id}
    aliases = f" ({', '.join(sorted(names))})" if names else ""
    summary = next((found.advisory.summary for found in one.hits if found.advisory.summary), "")
    certain = any(found.certain for found in one.hits)
    doubt = "" if certain else "; which versions are affected is not said in a form that can be compared"
    return Finding(
        rule=first.id,
        message=one_line(f"{package.name} {package.version}: {first.id}{aliases}: {summary}{doubt}", limit=400),
        path=package.path,
        line=package.line,
        severity=_severity(one.hits),
        fix=_fix(package, [found.fixed for found in one.hits if found.fixed is not None]),
    )


def _severity(hits: Iterable[Hit]) -> Severity:
    """Return the worst severity that is known of a flaw; high where none is."""
    known = [found.advisory.severity for found in hits if found.advisory.severity]
    return min(known, key=_RANKS.__getitem__, default=Severity.HIGH)


def _fix(package: Package, fixed: list[Version]) -> str:
    if not fixed:
        return f"replace {package.name}, or waive it: no version without this flaw is known"
    return f"update {package.name} to {max(fixed).text} or later"


def _unpinned(loose: Loose) -> Finding:
    return Finding(
        rule=_UNPINNED,
        message=one_line(f"{loose.wanted} was not looked at: {loose.reason}", limit=300),
        path=loose.path,
        line=loose.line,
        severity=Severity.MEDIUM,
        fix="pin an exact version, lock the dependencies, or install them into the environment",
    )


def _incomparable(package: Package) -> Loose:
    return Loose(
        ecosystem=package.ecosystem, name=package.name, path=package.path, line=package.line,
        wanted=one_line(f"{package.name} {package.version}", limit=100),
        reason="there are advisories about it, and its version cannot be compared with theirs",
    )  # fmt: skip


def _summary(inventory: Inventory, vulnerable: list[_Vulnerable], *, advisories: int, day: str) -> str:
    packages = counted(len(inventory.distinct), "package")
    flawed = len({one.package.identity for one in vulnerable})
    flaws = f"{counted(len(vulnerable), 'known flaw')} in {flawed:,} of" if vulnerable else "no known flaw in"
    unpinned = f", {len(inventory.loose):,} not looked at" if inventory.loose else ""
    return f"{flaws} {packages}{unpinned}; {counted(advisories, 'advisory', plural='advisories')}, the newest of {day}"
