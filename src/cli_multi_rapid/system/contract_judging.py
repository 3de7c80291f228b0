"""What a project's own Python file says about its contracts, read from an answer that need not be well formed."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from cli_multi_rapid.model.contract import VALIDATORS, CheckStatus, ContractCheck
from cli_multi_rapid.system.judging import Judge, NoVerdict, answer_of

CHILD = "cli_multi_rapid.contracts.judging_child"
"""The module that runs such a file."""

PROJECT = "project"
"""The name of these checks."""

_SHOWN = 300


def is_judge(path: str) -> bool:
    """Tell whether a path of a project is that of such a file."""
    return path.endswith(".py") and str(PurePosixPath(path).parent) == VALIDATORS


def said_of(judge: Judge, contracts: Sequence[str]) -> Mapping[str, tuple[ContractCheck, ...]]:
    """Return by the path of each of these contracts what the file says: violations, or one check that passed.

    Raises:
        NoVerdict: it says nothing that can be believed.
    """
    answer = answer_of(judge, {"names": [PurePosixPath(path).name for path in contracts]}).get("contracts")
    if not isinstance(answer, dict) or set(answer) != set(contracts):
        raise _garbled(judge, "is not about the contracts of the project")
    return {path: _checks(judge, answer[path]) for path in contracts}


def _checks(judge: Judge, violations: object) -> tuple[ContractCheck, ...]:
    if not isinstance(violations, list):
        raise _garbled(judge, "has no list of violations")
    checks = []
    for one in violations:
        if not isinstance(one, list) or len(one) != 2 or not all(isinstance(text, str) for text in one):
            raise _garbled(judge, f"has {one!r:.40} for a violation")
        place, reason = (" ".join(text.split())[:_SHOWN] for text in one)
        detail = f"{reason} ({judge.path})"
        checks.append(ContractCheck(check=PROJECT, status=CheckStatus.FAIL, detail=detail, pointer=place))
    return tuple(checks) or (ContractCheck(check=PROJECT, status=CheckStatus.PASS, detail=judge.path),)


def _garbled(judge: Judge, what: str) -> NoVerdict:
    return NoVerdict(f"the answer of {judge.path} {what}", fix="let check(ctx) return a list of ctx.violation(...)")
