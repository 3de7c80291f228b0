"""Checks of what a step does: exactly one action, and only keys that mean something with it."""

from collections.abc import Mapping

from cli_multi_rapid.engine.outline import Spot
from cli_multi_rapid.system.checks import check_duration
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import label

KINDS = ("run", "approval")
"""The actions that a step can have."""

LATER = ("uses", "agent")
"""Actions that this version does not have."""

_OF_PROCESSES = (
    "env", "shell", "matrix", "produces", "outputs", "ok-codes", "timeout", "retry", "writes", "requires", "cache",
)  # fmt: skip


def check_kind(spot: Spot, findings: Findings) -> None:
    """Note a step without an action or with several, an empty one, and keys that have no effect on it."""
    written = _written(spot, findings)
    kinds = [kind for kind in KINDS if kind in written]
    if not kinds and not any(kind in written for kind in LATER):
        name = f"the step '{spot.step.id}'" if spot.step.id else "the step"
        fix = f"add one of: {', '.join(KINDS)}"
        findings.add("STEP-KIND", spot.trail, f"{name} has no action", fix=fix)
    for other in kinds[1:]:
        message = f"a step has one action, and this one has '{kinds[0]}' and '{other}'"
        findings.add("STEP-KIND", (*spot.trail, other), message, fix="make two steps of it", key=True)
    if kinds == ["run"]:
        _run(spot, findings)
    elif kinds == ["approval"]:
        _approval(spot, written, findings)


def _run(spot: Spot, findings: Findings) -> None:
    run, trail = spot.step.run, (*spot.trail, "run")
    empty = not run.strip() if isinstance(run, str) else not run or not run[0]
    if empty:
        findings.add("STEP-KIND", trail, "'run' is empty", fix="write the command as a list or as text", key=True)
    if not isinstance(run, str) and spot.step.shell is not None:
        message = "'shell' has no effect on a list, which is run as it is"
        findings.add("SPEC-VALUE", (*spot.trail, "shell"), message, fix="remove it, or write 'run' as text", key=True)


def _approval(spot: Spot, written: Mapping[str, object], findings: Findings) -> None:
    trail, approval = (*spot.trail, "approval"), spot.step.approval
    for name in _OF_PROCESSES:
        if name in written:
            message = f"'{name}' has no effect on a step that waits for a person and runs nothing"
            findings.add("SPEC-VALUE", (*spot.trail, name), message, fix="remove it", key=True)
    if spot.final:
        message = "a step of 'finally' cannot wait for a person: it also runs when the run is being stopped"
        findings.add("STEP-KIND", trail, message, fix="move it to 'steps'", key=True)
    if approval is None:
        if not findings.refused(trail):
            fix = "write  approval: {}, or name who may decide"
            findings.add("SPEC-VALUE", trail, f"{label(trail)} has no value", fix=fix, key=True)
        return
    if approval.expires is not None:
        check_duration((*trail, "expires"), approval.expires, findings)


def _written(spot: Spot, findings: Findings) -> Mapping[str, object]:
    """Return the step as it stands in the file."""
    values = findings.document.values
    part = values.get(spot.trail[0]) if isinstance(values, dict) else None
    number = spot.trail[1]
    step = part[number] if isinstance(part, list) and isinstance(number, int) else None
    return step if isinstance(step, dict) else {}
