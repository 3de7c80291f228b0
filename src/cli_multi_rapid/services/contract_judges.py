"""The project's own checks of contracts: which there are, whether they may run, and what they say."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.contract import VALIDATORS, CheckStatus, ContractCheck
from cli_multi_rapid.model.ports import no_validator
from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.services.alone import run_alone
from cli_multi_rapid.services.surroundings import surroundings
from cli_multi_rapid.services.trust import Trust, trusted
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.contract_judging import CHILD, PROJECT, is_judge, said_of
from cli_multi_rapid.system.files import PathRefused, read_inside
from cli_multi_rapid.system.judging import Judge, NoVerdict

TIMEOUT = "2m"
_LIMIT_BYTES = 2 << 20

Source = Callable[[str], bytes]
"""Returns the source of a file that may judge, by its path; it raises `CouldNotRun` where it may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """The files that judge the contracts of a project, and what gives their source."""

    paths: tuple[str, ...] = ()
    source: Source


def judges_of(project: Project) -> Judges:
    """Return the project's own checks of contracts, the Python files in `contracts/validators`.

    Raises:
        CouldNotRun: a file or folder that trust covers is a link, or cannot be read.
    """
    if not os.path.lexists(project.root / VALIDATORS):
        return Judges(source=no_validator)
    standing = trusted(project.root, project.state, project.environ)
    paths = (path for path in sorted(standing.covered.files) if is_judge(path))
    return Judges(paths=tuple(paths), source=lambda path: _approved(project, standing, path))


def judged_by_project(
    project: Project, judges: Judges, contracts: Sequence[str], *,
    execute: Callable[[Command], Exit] = run_alone, timeout: str = TIMEOUT,
) -> Mapping[str, tuple[ContractCheck, ...]]:  # fmt: skip
    """Return by the path of each contract what the project's own checks say, each in a process of its own.

    One that may not run is `not_run`; one that crashes, takes too long or gives no answer is an `error`.
    """
    found: dict[str, tuple[ContractCheck, ...]] = dict.fromkeys(contracts, ())
    if not judges.paths:
        return found
    env = surroundings(project).environ
    with tempfile.TemporaryDirectory(prefix="cmr-contracts-") as work:
        for path in judges.paths:
            try:
                judge = Judge(
                    module=CHILD, path=path, source=judges.source(path), root=str(project.root), env=env, work=work,
                    timeout=timeout, execute=execute,
                )  # fmt: skip
                said = said_of(judge, contracts)
            except CouldNotRun as refused:
                said = _same(contracts, CheckStatus.NOT_RUN, f"{refused}; {refused.hint}", path)
            except NoVerdict as problem:
                said = _same(contracts, CheckStatus.ERROR, f"{problem}; {problem.fix}", path)
            found = {one: (*found[one], *said[one]) for one in contracts}
    return found


def _same(contracts: Sequence[str], status: CheckStatus, detail: str, path: str) -> Mapping[str, tuple[ContractCheck]]:
    return dict.fromkeys(contracts, (ContractCheck(check=PROJECT, status=status, detail=detail, pointer=path),))


def _approved(project: Project, standing: Trust, path: str) -> bytes:
    hint = "look at it, and trust the project with it:  cli-multi-rapid trust"
    if not standing.given:
        raise CouldNotRun("nobody has approved that this file runs", where=path, hint=hint)
    try:
        source = read_inside(project.root, path, limit_bytes=_LIMIT_BYTES)
    except PathRefused as refused:
        raise CouldNotRun(f"it {refused.reason}", where=path, hint="put a regular file there") from refused
    if sha256(source).hexdigest() != standing.covered.files[path]:
        raise CouldNotRun("it has just been changed", where=path, hint=hint)
    return source
