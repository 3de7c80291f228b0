"""The round trip of contracts: documents from Python through generated code of every language, and back.

Only code that is generated here, in this moment, is executed, in an empty folder: nothing of the project runs.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

from cli_multi_rapid.errors import UsageError
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck
from cli_multi_rapid.model.version import VERSION
from cli_multi_rapid.services.contract_trip import ContractTrip, Trip
from cli_multi_rapid.services.contracts import OpenContracts
from cli_multi_rapid.services.languages import Language
from cli_multi_rapid.system.faults import choice
from cli_multi_rapid.system.findings_cache import FindingsCache
from cli_multi_rapid.system.own_code import folder_digest

_TOOLS = ("jsonschema-rs", "datamodel-code-generator", "pydantic")
_AS_BEFORE = "; nothing has changed since, --no-cache runs it again"


def required_targets(names: Sequence[str], languages: Sequence[Language]) -> frozenset[str]:
    """Return the targets that some names (of targets, or of programs that execute them) stand for.

    Raises:
        UsageError: a name is not known.
    """
    known = {name: one.target for one in languages for name in (one.target, *one.programs)}
    known |= {name: name for one in languages for name, _ in one.runtime.NOT_RUN}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no runtime {name!r}", where="--require", hint=choice(name, known))
    return frozenset(known[name] for name in names)


def roundtrip_checks(
    opened: OpenContracts, languages: Sequence[Language], trip: Trip
) -> Mapping[str, tuple[ContractCheck, ...]]:
    """Return what the round trip says of each contract, by the path of the contract.

    The first language is Python: it writes what the others get, and reads what they write. What has passed is not run
    again while contract, program, runtimes and `trip` are the same. Where nothing at all could be run, that counts.
    """
    caches = _caches(opened, languages, trip) if trip.cache else {}
    kept = {target: cache.known() for target, cache in caches.items()}

    def checked(one: ContractTrip) -> tuple[ContractCheck, ...]:
        content = _content(opened, one)
        known = {
            target: found[1] for target, rows in kept.items()
            if (found := rows.get(one.contract.path)) and found[0] == content
        }  # fmt: skip
        before = {target: json.loads(detail) + _AS_BEFORE for target, detail in known.items()}
        checks = tuple(one.checks(before))
        for check in checks:
            if check.status is CheckStatus.PASS and check.target in caches and check.target not in before:
                caches[check.target].keep([(one.contract.path, content, json.dumps(check.detail))])
        return checks

    trips = [ContractTrip(opened=opened, contract=one, languages=languages, trip=trip)
             for one in opened.found.contracts]  # fmt: skip
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        found = {one.contract.path: checks for one, checks in zip(trips, pool.map(checked, trips), strict=True)}
    if any(check.status is not CheckStatus.NOT_RUN for checks in found.values() for check in checks):
        return found
    return {path: tuple(replace(one, needed=True) for one in checks) for path, checks in found.items()}


def _caches(opened: OpenContracts, languages: Sequence[Language], trip: Trip) -> dict[str, FindingsCache]:
    """Return the cache of each language that is there; its verdict also rests on Python."""
    environ = opened.project.environ
    there = {one.target: one.runtime.executed(environ) for one in languages if not one.runtime.unavailable(environ)}
    first = there.get(languages[0].target, "")
    file = opened.project.state / "findings.db"
    return {target: FindingsCache(file, _scope(target, said, first, trip)) for target, said in there.items()}


def _scope(*parts: object) -> str:
    *texts, trip = parts
    assert isinstance(trip, Trip)
    rests_on = [VERSION, folder_digest("contracts"), sys.version, [_version(one) for one in _TOOLS]]
    said = ["roundtrip", *texts, trip.seed, trip.documents, *rests_on]
    return sha256(json.dumps(said).encode()).hexdigest()


def _content(opened: OpenContracts, one: ContractTrip) -> str:
    made_of = {path: opened.found.documents[path] for path in opened.found.closure(one.contract)}
    return sha256(json.dumps(made_of).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
