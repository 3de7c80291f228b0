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
from pathlib import Path
from tempfile import TemporaryDirectory

from cli_multi_rapid.errors import UsageError
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck, ContractResult
from cli_multi_rapid.model.version import VERSION
from cli_multi_rapid.services.contract_trip import DOCUMENTS, SEED, ContractTrip, Trip
from cli_multi_rapid.services.contracts import Asked, OpenContracts, opened_contracts, results_of
from cli_multi_rapid.services.languages import Language, languages
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.environment import path_outside
from cli_multi_rapid.system.faults import choice
from cli_multi_rapid.system.findings_cache import FindingsCache
from cli_multi_rapid.system.own_code import folder_digest

_TOOLS = ("jsonschema-rs", "datamodel-code-generator", "pydantic")
_AS_BEFORE = " (taken over: nothing has changed; --no-cache runs it anew)"


def trip_of(require: str, *, seed: int | None, documents: int | None, cache: bool) -> Trip:
    """Return what is asked: names of targets or of programs that execute them, with commas between, and numbers.

    Raises:
        UsageError: a name is not known.
    """
    names = [name for name in map(str.strip, require.split(",")) if name]
    return Trip(
        seed=SEED if seed is None else seed, documents=documents or DOCUMENTS, cache=cache,
        required=_targets(names, languages()),
    )  # fmt: skip


def proven_contracts(project: Project, asked: Asked, trip: Trip) -> tuple[ContractResult, ...]:
    """Return what the checks of every contract say, and the round trip of each.

    Raises:
        SpecInvalid: a contract is no schema, or examples belong to none.
        ContractsMissing: there is no contract.
    """
    opened = opened_contracts(project)
    results = results_of(opened, asked)
    trips = roundtrip_checks(opened, languages(), trip)
    return tuple(
        replace(result, checks=(*result.checks, *trips[contract.path]))
        for contract, result in zip(opened.found.contracts, results, strict=True)
    )


def roundtrip_checks(
    opened: OpenContracts, spoken: Sequence[Language], trip: Trip
) -> Mapping[str, tuple[ContractCheck, ...]]:
    """Return what the round trip says of each contract, by the path of the contract.

    The first language is Python: it writes what the others get, and reads what they write. What has passed is not run
    again as long as contract, program, runtimes and `trip` are the same. Where nothing could be run, that counts.
    Compilers and runtimes are looked for outside of the project only.
    """
    opened = replace(opened, project=_without_its_programs(opened.project))
    caches = _caches(opened, spoken, trip) if trip.cache else {}
    kept = {target: cache.known() for target, cache in caches.items()}

    def checked(one: ContractTrip) -> tuple[ContractCheck, ...]:
        content = _content(opened, one)
        known = {target: rows.get(one.contract.path, ("", "")) for target, rows in kept.items()}
        before = {target: json.loads(detail) + _AS_BEFORE for target, (of, detail) in known.items() if of == content}
        checks = tuple(one.checks(before))
        for check in checks:
            if check.status is CheckStatus.PASS and check.target in caches and check.target not in before:
                caches[check.target].keep([(one.contract.path, content, json.dumps(check.detail))])
        return checks

    with TemporaryDirectory(prefix="cmr-") as kept_programs, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        trips = [
            ContractTrip(opened=opened, contract=one, languages=spoken, trip=trip, kept=Path(kept_programs))
            for one in opened.found.contracts
        ]
        found = {one.contract.path: checks for one, checks in zip(trips, pool.map(checked, trips), strict=True)}
    if any(check.status is not CheckStatus.NOT_RUN for checks in found.values() for check in checks):
        return found
    return {path: tuple(replace(one, needed=True) for one in checks) for path, checks in found.items()}


def _without_its_programs(project: Project) -> Project:
    """Return a project on whose PATH there is no folder of its own: what it holds may be anybody's."""
    path = path_outside(project.environ.get("PATH", ""), project.root)
    return replace(project, environ={**project.environ, "PATH": path})


def _targets(names: Sequence[str], spoken: Sequence[Language]) -> frozenset[str]:
    known = {name: one.target for one in spoken for name in (one.target, *one.programs)}
    known |= {name.lower(): name for one in spoken for name, _ in one.runtime.NOT_RUN}
    for name in names:
        if name.lower() not in known:
            raise UsageError(f"there is no runtime {name!r}", where="--require", hint=choice(name, known))
    return frozenset(known[name.lower()] for name in names)


def _caches(opened: OpenContracts, spoken: Sequence[Language], trip: Trip) -> dict[str, FindingsCache]:
    """Return the cache of each language that is there; its verdict also rests on Python."""
    environ = opened.project.environ
    there = {one.target: one.runtime.executed(environ) for one in spoken if not one.runtime.unavailable(environ)}
    rests_on = [
        "roundtrip", VERSION, folder_digest("contracts"), sys.version, *map(_version, _TOOLS), trip.seed,
        trip.documents, there.get(spoken[0].target),
    ]  # fmt: skip
    file = opened.project.state / "findings.db"
    return {
        target: FindingsCache(file, sha256(json.dumps([*rests_on, target, said]).encode()).hexdigest())
        for target, said in there.items()
    }


def _content(opened: OpenContracts, one: ContractTrip) -> str:
    made_of = {path: opened.found.documents[path] for path in opened.found.closure(one.contract)}
    return sha256(json.dumps(made_of).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
