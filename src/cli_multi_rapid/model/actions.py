"""Built-in actions, `uses:`: what there is, which values each takes, and what an action is given and gives back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cli_multi_rapid.model.contract import MODELS
from cli_multi_rapid.model.process import Command, Exit

TEMPLATES = "workflows/templates/"
"""Where templates lie, from the folder of the project."""


def is_template(path: str) -> bool:
    """Tell whether a path of a project is that of a template."""
    return path.startswith(TEMPLATES) and path.endswith(".j2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionKind:
    """One action. `keys` are the names of `with:` with their meaning, `required` those that must be there.

    With `free` names of one's own are values, too. `writes` tells that it changes files where the step works, and
    `paths` are globs of these where the step does not say more; `alone` that nothing may run beside it; `worktree` that
    it makes sense in a phase with `workspace: worktree` only; `undo` that it takes back another step, and stands under
    its `undo:` only.
    """

    summary: str
    keys: Mapping[str, str]
    required: frozenset[str] = frozenset()
    free: bool = False
    writes: bool = False
    paths: tuple[str, ...] = ()
    alone: bool = False
    worktree: bool = False
    undo: bool = False


ACTIONS: Mapping[str, ActionKind] = {
    "git.merge": ActionKind(
        summary="Join what the run has made in its worktrees into a branch, or leave it as a new one.",
        keys={
            "into": "The branch; it is moved forward where that is possible, else a merge commit is made.",
            "branch": "A new branch for what the run has made, in place of joining it: for a pull request.",
            "message": "Message of the merge commit.",
        },
        alone=True,
        worktree=True,
    ),
    "git.revert": ActionKind(
        summary="Take back what `git.merge` has joined into a branch, by a further commit.",
        keys={},
        alone=True,
        undo=True,
    ),
    "template.render": ActionKind(
        summary=f"Fill in a template of `{TEMPLATES}`; further names are values for it.",
        keys={
            "template": f"Path of the template in the project, {TEMPLATES}*.j2.",
            "to": "Path of the file that is written.",
        },
        required=frozenset({"template", "to"}),
        free=True,
        writes=True,
    ),
    "contracts.validate": ActionKind(
        summary="Check the contracts: what they are, their examples, their profile, and the project's own checks.",
        keys={
            "lint": "Whether they keep to the profile that code is generated from; default: true.",
            "examples": "Whether each must have valid and invalid examples; default: true.",
            "project": "Whether the project's own checks in contracts/validators run; default: true.",
            "drift": "Whether generated code must be that of the contracts; default: false.",
            "compat": "Revision with whose contracts they must be compatible, such as last-release; default: none.",
            "mode": "What compatible means: backward, forward or full; default: backward.",
        },
    ),
    "contracts.generate": ActionKind(
        summary="Generate the code of the contracts.",
        keys={
            "target": "Targets, separated by commas; default: all.",
            "check": "Only tell whether the code that is there is that of the contracts; default: false.",
        },
        writes=True,
        paths=(f"{MODELS}/**",),
    ),
    "contracts.roundtrip": ActionKind(
        summary="Send documents through the generated code of every target that can be executed here, and back.",
        keys={
            "require": "Targets, separated by commas, that must have been executed; default: none.",
            "documents": "How many valid documents of each contract; default: 200.",
        },
    ),
    "notify": ActionKind(
        summary="Send a text to a webhook as JSON.",
        keys={"text": "What is said.", "to": "The address; default: the environment variable CMR_ALERT_URL."},
        required=frozenset({"text"}),
    ),
}
"""Every action by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInput:
    """What an action is given.

    `values` are those of `with:`, evaluated. `root` is where the step works, `out` the folder for what it produces.
    `commit` is what the worktrees of the run have come to, `base` the one they began with. `undoes` are the outputs of
    the step that is taken back. `contexts` are what expressions of the step see. `execute` runs a child.
    """

    run: str
    key: str
    values: Mapping[str, object]
    root: str
    out: str
    environ: Mapping[str, str]
    commit: str = ""
    base: str = ""
    undoes: Mapping[str, object] = field(default_factory=dict)
    contexts: Mapping[str, object] = field(default_factory=dict)
    execute: Callable[[Command], Awaitable[Exit]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """How an action ended: it failed if `failed` says why, did nothing if `skipped` does, has no verdict if `unjudged`.

    `said` goes to the log, and `summary` is what is shown of a success.
    """

    outputs: dict[str, object] = field(default_factory=dict)
    said: str = ""
    summary: str = ""
    failed: str = ""
    skipped: str = ""
    unjudged: str = ""
    fix: str = ""


class Action(Protocol):
    """Carries one action out. Whatever interrupts it, doing it again must finish it or find it done."""

    def __call__(self, given: ActionInput, /) -> Awaitable[ActionDone]:
        """Do it.

        Raises:
            CmrError: it could not be tried.
        """
        ...
