"""Checks of what a step does: exactly one action, and only keys that mean something with it."""

from collections.abc import Mapping

from cli_multi_rapid.engine.action_values import check_uses
from cli_multi_rapid.engine.outline import Spot
from cli_multi_rapid.model.phase import Undo
from cli_multi_rapid.system.checks import check_duration
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import label
from cli_multi_rapid.system.positions import Trail

KINDS = ("run", "uses", "approval")
"""The actions that a step can have."""

LATER = ("agent",)
"""Actions that this version does not have."""

_OF_PROCESSES = (
    "env", "shell", "matrix", "produces", "outputs", "ok-codes", "timeout", "retry", "writes", "requires", "cache",
    "undo", "with", "accept",
)  # fmt: skip


def check_kind(spot: Spot, findings: Findings, *, worktree: bool) -> None:
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
        _run((*spot.trail, "run"), spot.step.run, findings)
        _shell(spot, findings)
    elif kinds == ["uses"]:
        check_uses(spot.trail, spot.step, findings, worktree=worktree, undo=False)
    elif kinds == ["approval"]:
        _approval(spot, written, findings)
    if spot.step.with_ and kinds == ["run"]:
        findings.add("SPEC-VALUE", (*spot.trail, "with"), "'with' is for 'uses' only", fix="use 'env'", key=True)
    if spot.step.undo is not None and "approval" not in kinds:
        _undo((*spot.trail, "undo"), spot.step.undo, written.get("undo"), findings, worktree=worktree)


def _undo(trail: Trail, undo: Undo, written: object, findings: Findings, *, worktree: bool) -> None:
    kinds = [kind for kind in ("run", "uses") if isinstance(written, dict) and kind in written]
    if len(kinds) != 1:
        fix = "write either  run: [COMMAND]  or  uses: ACTION"
        findings.add("STEP-KIND", trail, "'undo' has one action: 'run' or 'uses'", fix=fix, key=True)
    elif undo.uses:
        check_uses(trail, undo, findings, worktree=worktree, undo=True)
    else:
        _run((*trail, "run"), undo.run, findings)
    if undo.timeout is not None:
        check_duration((*trail, "timeout"), undo.timeout, findings)


def _run(trail: Trail, run: str | tuple[str, ...], findings: Findings) -> None:
    empty = not run.strip() if isinstance(run, str) else not run or not run[0]
    if empty:
        findings.add("STEP-KIND", trail, "'run' is empty", fix="write the command as a list or as text", key=True)


def _shell(spot: Spot, findings: Findings) -> None:
    if not isinstance(spot.step.run, str) and spot.step.shell is not None:
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
