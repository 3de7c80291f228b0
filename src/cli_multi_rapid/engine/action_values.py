"""Checks of steps that use a built-in action: which one, and with what."""

from cli_multi_rapid.model.actions import ACTIONS, TEMPLATES, ActionKind, is_template
from cli_multi_rapid.model.phase import Step, Undo
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import choice, suggestion
from cli_multi_rapid.system.positions import Trail

_OF_COMMANDS = ("shell", "env", "ok-codes", "requires", "produces", "cache")


def check_uses(trail: Trail, step: Step | Undo, findings: Findings, *, worktree: bool, undo: bool) -> None:
    """Note an action that does not exist or does not belong here, and values that it does not take or lacks."""
    kind = ACTIONS.get(step.uses)
    here = (*trail, "uses")
    if kind is None:
        fix = choice(step.uses, ACTIONS)
        findings.add("ACTION-UNKNOWN", here, f"there is no action '{step.uses}'", fix=fix)
        return
    if kind.undo and not undo:
        findings.add(
            "ACTION-UNKNOWN", here, f"'{step.uses}' takes back another step", fix="move it to that step's 'undo'"
        )
    if kind.worktree and not worktree:
        message = f"'{step.uses}' joins what was made in worktrees, and this phase works in place"
        findings.add("SPEC-VALUE", here, message, fix="write  workspace: worktree  in the phase")
    _values(trail, step, kind, findings)
    for name in _OF_COMMANDS:
        if (*trail, name) in findings.document.keys:
            message = f"'{name}' is for commands; '{step.uses}' is none"
            findings.add("SPEC-VALUE", (*trail, name), message, fix="remove it", key=True)


def _values(trail: Trail, step: Step | Undo, kind: ActionKind, findings: Findings) -> None:
    for name in step.with_:
        if name not in kind.keys and not kind.free:
            known = ", ".join(kind.keys) or "none"
            fix = suggestion(name, kind.keys) or f"it takes: {known}"
            findings.add(
                "SPEC-KEY-UNKNOWN", (*trail, "with", name), f"'{step.uses}' does not take '{name}'", fix=fix, key=True
            )
    template = step.with_.get("template")
    if "template" in kind.keys and isinstance(template, str) and "${{" not in template and not is_template(template):
        message = f"'{template}' is not the path of a template"
        findings.add("SPEC-VALUE", (*trail, "with", "template"), message, fix=f"write  {TEMPLATES}NAME.j2")
    for name in sorted(kind.required - set(step.with_)):
        message = f"'{step.uses}' needs '{name}': {kind.keys[name]}"
        findings.add("SPEC-KEY-MISSING", (*trail, "uses"), message, fix=f"write  with: {{{name}: ...}}")
