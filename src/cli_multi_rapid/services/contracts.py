"""The contracts of a project: read, check, and what the checks said."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cli_multi_rapid.contracts.cycles import require_end
from cli_multi_rapid.contracts.loading import EXAMPLES, FOLDER, Contract, ContractSet, Target, load_contracts
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.strict_json import LIMIT_BYTES, read_json
from cli_multi_rapid.contracts.validation import compiled, pointer_of
from cli_multi_rapid.errors import ContractsMissing, Problem, SpecInvalid
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck, ContractResult, Mode
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.files import PathRefused, read_inside

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which checks are asked for beside that contracts are schemas and that their examples are what they must be.

    `project` are the project's own ones, which run only where a person has approved them.
    `compat` is the revision that contracts are compared with, or `last-release`.
    """

    lint: bool = False
    examples: bool = False
    drift: bool = False
    project: bool = False
    compat: str = ""
    mode: Mode = Mode.BACKWARD


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenContracts:
    """The valid contracts of a project, and the validator of each by its path."""

    project: Project
    found: ContractSet
    validators: "Mapping[str, Draft202012Validator]"


def require_valid(project: Project) -> None:
    """Check that every contract of a project is a schema; a project without contracts has none that is not.

    Raises:
        SpecInvalid: with every problem of every contract.
    """
    valid_contracts(project)


def opened_contracts(project: Project) -> OpenContracts:
    """Return the contracts of a project, which has some.

    Raises:
        SpecInvalid: a contract is no schema, or examples belong to none.
        ContractsMissing: there is no contract.
    """
    opened = valid_contracts(project)
    if not opened.found.contracts:
        raise ContractsMissing(where=f"{FOLDER}/")
    return opened


def checked_contracts(project: Project, asked: Asked) -> tuple[ContractResult, ...]:
    """Return what the checks of every contract say.

    Examples that exist are always checked; with `examples` every contract must have valid and invalid ones, which the
    status `not_run` says it has not.

    Raises:
        SpecInvalid: a contract is no schema, or examples belong to none.
        ContractsMissing: there is no contract.
        UsageError: the revision to compare with is none.
        GitFailed: it cannot be read.
    """
    return results_of(opened_contracts(project), asked)


def results_of(opened: OpenContracts, asked: Asked) -> tuple[ContractResult, ...]:
    """Return what the checks of every contract say; see `checked_contracts`."""
    own = _own(opened) if asked.project else {}
    drift = _drift(opened) if asked.drift else {}
    compat = _compared(opened, asked) if asked.compat else {}
    results = []
    for one in opened.found.contracts:
        found = compat.pop(one.path, None)
        checks = [*_checks(opened, one, asked), *drift.get(one.path, ()), *(found.checks if found else ())]
        checks += own.get(one.path, ())
        results.append(ContractResult(name=one.name, version=one.version, checks=tuple(checks)))
    return (*results, *compat.values())


def asyncapi_text(project: Project) -> str:
    """Return the contracts of a project as an AsyncAPI document; see `opened_contracts` for what is raised."""
    from cli_multi_rapid.contracts.asyncapi import asyncapi_document
    from cli_multi_rapid.documents.reports import json_text
    from cli_multi_rapid.services.settings import load_settings

    opened = opened_contracts(project)
    settings = load_settings(project.root, environ=project.environ)
    return json_text(asyncapi_document(opened.found, settings.project)) + "\n"


def _drift(opened: OpenContracts) -> Mapping[str, tuple[ContractCheck, ...]]:
    """Return by path whether the code generated of each contract is up to date."""
    from cli_multi_rapid.services.models import drift_checks

    return drift_checks(opened)


def _compared(opened: OpenContracts, asked: Asked) -> dict[str, ContractResult]:
    from cli_multi_rapid.contracts.compatibility import Edition
    from cli_multi_rapid.services.compatibility import compared

    editions = [
        Edition(found=opened.found, contract=one, examples=tuple(_valid_examples(opened.project, one)))
        for one in opened.found.contracts
    ]
    return compared(opened.project, editions, asked.compat, asked.mode)


def _valid_examples(project: Project, contract: Contract) -> Iterator[bytes]:
    folder = contract.examples("valid")
    for name in _names(project, folder):
        with suppress(PathRefused):
            yield read_inside(project.root, f"{folder}/{name}", limit_bytes=LIMIT_BYTES)


def _own(opened: OpenContracts) -> Mapping[str, tuple[ContractCheck, ...]]:
    """Return by path what the project's own checks say of each contract."""
    from cli_multi_rapid.services.contract_judges import judged_by_project, judges_of

    paths = [one.path for one in opened.found.contracts]
    return judged_by_project(opened.project, judges_of(opened.project), paths)


def _checks(opened: OpenContracts, contract: Contract, asked: Asked) -> Iterator[ContractCheck]:
    yield ContractCheck(check="schema", status=CheckStatus.PASS)
    if asked.lint:
        yield from _profile(opened.found, contract)
    yield from _examples(opened.project, contract, opened.validators[contract.path], needed=asked.examples)


def valid_contracts(project: Project) -> OpenContracts:
    """Return the contracts of a project, which may have none; see `opened_contracts`."""
    names = _names(project, FOLDER)
    found = load_contracts(
        [name for name in names if name.endswith(".json")], partial(read_inside, project.root, limit_bytes=LIMIT_BYTES)
    )
    problems = [*found.problems, *_foreign_examples(project, found)]
    for one in () if problems else found.contracts:
        try:
            require_end(found, Target(one.path, ""))
        except SpecInvalid as invalid:
            problems += invalid.problems
    if problems:
        raise SpecInvalid(_unique(problems))
    validators = {}
    for one in found.contracts:
        try:
            validators[one.path] = compiled(found, one)
        except SpecInvalid as invalid:
            problems += invalid.problems
    if problems:
        raise SpecInvalid(_unique(problems))
    return OpenContracts(project=project, found=found, validators=validators)


def _unique(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))


def _names(project: Project, folder: str) -> list[str]:
    """Return the names in a folder; none where it is absent.

    Raises:
        SpecInvalid: it is reached by a link, is no folder or may not be read.
    """
    path = project.root / folder
    if not path.exists() and not path.is_symlink():
        return []
    if path.resolve() != project.root.resolve() / folder or not path.is_dir():
        raise SpecInvalid((_unreadable(folder, "it is a link, or no folder"),))
    try:
        return sorted(one.name for one in path.iterdir() if not one.name.startswith("."))
    except OSError as failed:
        raise SpecInvalid((_unreadable(folder, f"it cannot be read: {failed.strerror}"),)) from failed


def _unreadable(folder: str, message: str) -> Problem:
    return Problem(code="CONTRACT-FILE", message=message, path=folder, fix="put a folder there that can be read")


def _foreign_examples(project: Project, found: ContractSet) -> Iterator[Problem]:
    known = {one.key for one in found.contracts}
    for name in _names(project, EXAMPLES):
        if name not in known and not any(one.path == f"{FOLDER}/{name}.json" for one in found.problems):
            yield Problem(
                code="CONTRACT-NAME", message="there is no contract of this name", path=f"{EXAMPLES}/{name}",
                fix="put the contract back, remove its examples, or call the folder like the contract without .json",
            )  # fmt: skip


def _profile(found: ContractSet, contract: Contract) -> list[ContractCheck]:
    violations = lowered(found, contract).violations
    return [
        ContractCheck(check="profile", status=CheckStatus.FAIL, detail=one.reason, pointer=one.place)
        for one in violations
    ] or [ContractCheck(check="profile", status=CheckStatus.PASS)]


def _examples(
    project: Project, contract: Contract, validator: "Draft202012Validator", *, needed: bool
) -> list[ContractCheck]:
    checks: list[ContractCheck] = []
    for kind in ("valid", "invalid"):
        folder = contract.examples(kind)
        names = _names(project, folder)
        if not names and needed:
            checks.append(_example(CheckStatus.NOT_RUN, f"there is no example in {folder}", ""))
        checks += [_judged(project, f"{folder}/{name}", validator, valid=kind == "valid") for name in names]
    return checks


def _judged(project: Project, path: str, validator: "Draft202012Validator", *, valid: bool) -> ContractCheck:
    try:
        value = read_json(read_inside(project.root, path, limit_bytes=LIMIT_BYTES), path)
    except PathRefused as refused:
        return _example(CheckStatus.ERROR, f"it {refused.reason}", path)
    except SpecInvalid as invalid:
        return _example(CheckStatus.ERROR, f"{invalid.where}: {invalid}", path)
    wrong = next(validator.iter_errors(value), None)
    if valid and wrong is not None:
        pointer = f"{path}#{pointer_of(wrong.instance_path)}"
        return _example(CheckStatus.FAIL, f"must be valid, but {wrong.message[:_SHOWN]}", pointer)
    if not valid and wrong is None:
        return _example(CheckStatus.FAIL, "must not be valid, but is", path)
    return _example(CheckStatus.PASS, "valid" if valid else "refused, as it must be", path)


def _example(status: CheckStatus, detail: str, pointer: str) -> ContractCheck:
    return ContractCheck(check="examples", status=status, detail=detail, pointer=pointer)
