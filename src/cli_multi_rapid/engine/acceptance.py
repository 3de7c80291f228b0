"""Whether what an attempt has done is accepted: the gates of `accept:` decide, not the attempt's own word."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cli_multi_rapid.engine.executor import Attempt
from cli_multi_rapid.errors import StateUnwritable
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.gate import GateResult, GateStatus
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import Gatekeeper
from cli_multi_rapid.model.run import Status, StepResult


async def accepted(
    result: StepResult, attempt: Attempt, *, gates: Mapping[str, GateSpec], gatekeeper: Gatekeeper
) -> StepResult:
    """Return the result of an attempt as its gates take it.

    One that succeeded fails where a gate blocks, and could not be judged where a gate could not be evaluated. Gates
    judge the place in which the step works, as it is then; their evidence is what this step has produced, else the
    reports that their settings name. What they decided is part of the result.
    """
    wanted = {name: _evidence(gates[name].artifact or name, attempt, result) for name in attempt.node.step.accept}
    if not wanted or result.status is not Status.SUCCESS:
        return result
    work = attempt.out.with_name(f"{attempt.out.name}.gates")
    _make(work)
    verdicts = await gatekeeper.judge(wanted, phase=attempt.node.phase, root=attempt.root, work=str(work))
    judged = replace(result, gates=tuple(forms.of_gate(one) for one in verdicts))
    blocking = sorted((one for one in verdicts if one.blocks), key=lambda one: one.status is GateStatus.ERROR)
    if not blocking:
        return judged
    first = blocking[0]
    status = Status.FAILURE if first.status is GateStatus.FAIL else Status.ERROR
    return replace(judged, status=status, outcome=status, reason=_reason(first, len(blocking)), fix=first.fix)


def _evidence(source: str, attempt: Attempt, result: StepResult) -> tuple[str, ...] | None:
    if source in result.artifacts:
        return (result.artifacts[source].path,)
    return () if source in attempt.node.step.produces else None


def _reason(first: GateResult, blocking: int) -> str:
    verb = "did not accept it" if first.status is GateStatus.FAIL else "could not be evaluated"
    more = f" (and {blocking - 1} more)" if blocking > 1 else ""
    return f"the gate {first.id} {verb}: {first.summary}{more}"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failed:
        raise StateUnwritable(f"a folder for gates cannot be made: {failed.strerror}", where=str(folder)) from failed
