"""The built-in actions about contracts: the commands of this program, each as a child of the run."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cli_multi_rapid.documents.contracts import contracts_lines
from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.actions import Action, ActionDone, ActionInput
from cli_multi_rapid.model.contract import VALIDATORS, CheckStatus, ContractResult
from cli_multi_rapid.model.contract_answer import answered
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.services.validators import validator_source
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.contract_judging import is_judge

_LIMIT_S = 86_400.0  # the time limit of the step ends it before
_LIMIT_BYTES = 64 << 20
_WENT_THROUGH = ("roundtrip", CheckStatus.PASS)


def contract_actions(project: Project) -> Mapping[str, Action]:
    """Return the actions about contracts by name, for a trusted project."""
    contracts = _Contracts(project)
    return {
        "contracts.validate": contracts.validate,
        "contracts.generate": contracts.generate,
        "contracts.roundtrip": contracts.roundtrip,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a command of this program has said, and the code it ended with."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class _Contracts:
    project: Project

    async def validate(self, given: ActionInput) -> ActionDone:
        own = _flag(given, "project", default=True)
        if own:
            self._refuse_unapproved(Path(given.root))
        options = [] if own else ["--no-project"]
        options += [f"--{name}" for name in ("lint", "examples") if _flag(given, name, default=True)]
        options += ["--drift"] if _flag(given, "drift", default=False) else []
        options += [f"--{name}={value}" for name in ("compat", "mode") if (value := _text(given, name))]
        return await _checked(given, options)

    async def roundtrip(self, given: ActionInput) -> ActionDone:
        options = [f"--{name}={value}" for name in ("require", "documents") if (value := _text(given, name))]
        return await _checked(given, ["--no-project", "--roundtrip", *options])

    async def generate(self, given: ActionInput) -> ActionDone:
        targets = [one.strip() for one in _text(given, "target").split(",") if one.strip()]
        options = [f"--target={one}" for one in targets] + (["--check"] if _flag(given, "check", default=False) else [])
        answer = await _asked(given, ["generate-models", *options])
        lines = [line for line in answer.out.splitlines() if line.strip()]
        inner = [line.strip() for line in lines if line.startswith(" ")]
        if answer.code == 0:
            summary = "; ".join(" ".join(line.split()) for line in lines if not line.startswith(" "))
            return ActionDone(said=answer.out.rstrip("\n"), summary=summary)
        return _failed(answer, said=answer.out, reason=_counted(inner))

    def _refuse_unapproved(self, root: Path) -> None:
        """Refuse to let checks of the project run that differ from those that were approved.

        Raises:
            CouldNotRun: one of them does.
        """
        here = replace(self.project, root=root)
        found = sorted((root / VALIDATORS).glob("*.py"))
        for path in filter(is_judge, (file.relative_to(root).as_posix() for file in found)):
            validator_source(here, None, path, trusted_in=self.project, base="")


def _flag(given: ActionInput, name: str, *, default: bool) -> bool:
    value = given.values.get(name)
    return default if value is None else value is True or value == "true"


def _text(given: ActionInput, name: str) -> str:
    value = given.values.get(name)
    return f"{value:g}" if isinstance(value, float) else str("" if value is None else value)


async def _checked(given: ActionInput, options: list[str]) -> ActionDone:
    answer = await _asked(given, ["validate-contracts", "--json", *options])
    try:
        results = answered(json.loads(answer.out))
    except ValueError:
        return _failed(answer, said="")
    said = "\n".join(contracts_lines(results))
    if answer.code == 0:
        return ActionDone(said=said, summary=_summary(results), outputs={"contracts": len(results)})
    return _failed(answer, said=said, reason=_first(results))


def _summary(results: tuple[ContractResult, ...]) -> str:
    """Return how many contracts there are, which languages they went through, and what was not run."""
    checks = [check for one in results for check in one.checks]
    through = dict.fromkeys(check.target for check in checks if (check.check, check.status) == _WENT_THROUGH)
    idle = {check.target or check.check: check.detail for check in checks if check.status is CheckStatus.NOT_RUN}
    said = f"{len(results)} contract{'s' if len(results) != 1 else ''}"
    said += f" through {', '.join(through)}" if through else ""
    if len(idle) == 1:
        return f"{said}; not run: {next(iter(idle))}, {next(iter(idle.values()))}"
    return f"{said}; not run: {', '.join(idle)}" if idle else said


def _first(results: tuple[ContractResult, ...]) -> str:
    """Return the worst that was said, and how much more there is."""
    bad = [*_words(results, CheckStatus.FAIL), *_words(results, CheckStatus.ERROR)]
    return _counted(bad or [*_words(results, CheckStatus.NOT_RUN)])


def _counted(lines: list[str]) -> str:
    return f"{lines[0]}{f' (and {len(lines) - 1} more)' if len(lines) > 1 else ''}" if lines else ""


def _words(results: tuple[ContractResult, ...], status: CheckStatus) -> Iterator[str]:
    for one in results:
        for check in one.checks:
            if check.status is status:
                name = f"{check.check} {check.target}".rstrip()
                place = f"{check.pointer}: " if check.pointer else ""
                yield f"{name} {status.value}  {place}{check.detail}"


def _failed(answer: _Answer, *, said: str, reason: str = "") -> ActionDone:
    """Return a failure, or that there is no verdict: exit code 3 says that something was missing or broken."""
    complaint, fix = _complaint(answer)
    why = reason or complaint or f"exit code {answer.code}"
    said = said.rstrip("\n")
    if answer.code == 3:
        return ActionDone(said=said, unjudged=why, fix=fix)
    return ActionDone(said=said, failed=why, fix=fix)


def _complaint(answer: _Answer) -> tuple[str, str]:
    """Return what the command complains about, and what it advises."""
    try:
        error = json.loads(answer.out)["error"]
        where = f"{error['where']}: " if error.get("where") else ""
        return f"{where}{error['message']}", str(error.get("fix") or "")
    except (ValueError, KeyError, TypeError):
        lines = [line.strip() for line in answer.err.splitlines() if line.strip()]
        fixes = [line.removeprefix("fix").strip() for line in lines if line.startswith("fix ")]
        return lines[0] if lines else "", fixes[0] if fixes else ""


async def _asked(given: ActionInput, arguments: list[str]) -> _Answer:
    """Run this program on the place where the step works.

    The run has asked for trust before, and the project's own checks are those that were approved.
    """
    out, err = Path(given.out, "said"), Path(given.out, "complained")
    assert given.execute is not None
    ended = await given.execute(
        Command(
            argv=(sys.executable, "-I", "-m", "cli_multi_rapid", *arguments, "-C", given.root), cwd=given.root,
            env={**given.environ, "CMR_TRUST": "1"}, log=str(err), stdout=str(out), tag="", timeout_s=_LIMIT_S,
            cap_bytes=_LIMIT_BYTES,
        )
    )  # fmt: skip
    if ended.code is None:
        raise CouldNotRun(f"{arguments[0]} {ended.error or f'was killed by signal {ended.signal}'}")
    texts = (file.read_text("utf-8", "replace") if file.is_file() else "" for file in (out, err))
    return _Answer(code=ended.code, out=next(texts), err=next(texts))
