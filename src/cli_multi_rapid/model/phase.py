"""The phase spec `cmr/phase@v1`: the model that executes is the one that publishes the schema."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from cli_multi_rapid.model.keys import key

SCHEMA = "cmr/phase@v1"
NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
DURATION = r"^[0-9]+(ms|s|m|h|d)$"

Scalar = str | int | float | bool | None
STRICT: dict[str, object] = {"extra": "forbid", "strict": True}


class InputType(StrEnum):
    """Types that an input of a phase can have. A path must stay inside the project."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    PATH = "path"


class Shell(StrEnum):
    """What runs a step whose `run` is text."""

    BASH = "bash"
    SH = "sh"
    PWSH = "pwsh"
    PYTHON = "python"


class Backoff(StrEnum):
    """How the pause between attempts grows."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One input of a phase."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    type: InputType = key("Type of the value.")
    default: Scalar = key("Value where none is given; without it the input is required.", default=None)
    description: str = key("What the input is for.", default="")
    options: tuple[Scalar, ...] = key("The only values allowed; empty allows all.", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When and how often a failed step is tried again."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    attempts: int = key("How often the step is tried in all, 1 to 20.", default=1)
    backoff: Backoff = key("How the pause between attempts grows.", default=Backoff.EXPONENTIAL)
    initial: str = key("Pause before the second attempt, such as 5s.", default="1s", pattern=DURATION)
    max: str = key("Longest pause.", default="60s", pattern=DURATION)
    on: tuple[str, ...] = key("What is tried again: timeout, failure, exit:N. Empty means any failure.", default=())


class Workspace(StrEnum):
    """Where the steps of a phase work: in the project's own folder, or in a checkout that the run has for itself."""

    IN_PLACE = "in-place"
    WORKTREE = "worktree"


class OnConflict(StrEnum):
    """What happens when another run of the same group is at work."""

    QUEUE = "queue"
    FAIL = "fail"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """A group of which only one run is at work at a time, among all projects of this user on this machine."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    group: str = key("Name of the group; it may hold expressions.")
    on_conflict: OnConflict = key(
        "What happens when another run of the group is at work: queue waits, fail ends with exit code 75, cancel asks "
        "the other one to stop.", default=OnConflict.QUEUE, alias="on-conflict",
    )  # fmt: skip


class RollbackOn(StrEnum):
    """How a phase has to end for its steps to be taken back."""

    FAILURE = "failure"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """When what a phase has done is taken back."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    on: tuple[RollbackOn, ...] = key("How the phase has to end: failure, cancelled.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How the effect of a step is taken back: a command, or a built-in action."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    run: str | tuple[str, ...] = key("The command, as in a step.", default=())
    uses: str = key("A built-in action, as in a step.", default="")
    with_: dict[str, Scalar] = key("Values for the action.", factory=dict, alias="with")
    env: dict[str, Scalar] = key("Environment variables of the command.", factory=dict)
    timeout: str | None = key("Longest time it may take, such as 10m.", default=None, pattern=DURATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """What a step depends on; where that is the same again, what it did then is done again without running it.

    Beside the inputs, the files that the step may change count: all files, where it does not say which.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    inputs: tuple[str, ...] = key("Globs of all files of the project that the step reads.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Whom a step waits for. Without any key it waits for anybody."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    by: tuple[str, ...] = key(
        "Groups of `approvers:` in the configuration; one of them must decide. Empty: anybody may.", default=()
    )
    not_author: bool = key(
        "Who started the run or authored the commit that is checked out may not approve.", default=False,
        alias="not-author",
    )  # fmt: skip
    expires: str | None = key(
        "How long the step waits, such as 24h; then it fails. Absent: for ever.", default=None, pattern=DURATION
    )


class Network(StrEnum):
    """What network the commands of a phase have: that of the system, or none, not even loopback."""

    SYSTEM = "system"
    NONE = "none"


class OnExceed(StrEnum):
    """What happens when a budget would be exceeded."""

    FAIL = "fail"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a phase may spend on agents."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    usd: float | None = key("Most that may be spent, in US dollars.", default=None)
    tokens: int | None = key("Most tokens that may be used.", default=None)
    on_exceed: OnExceed = key(
        "What happens when more would be spent: fail, or pause.", default=OnExceed.FAIL, alias="on-exceed"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the steps of a phase may change and reach."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    write: tuple[str, ...] = key("Globs of the paths that steps may change, unless a step says its own. Empty: none.")
    network: Network = key("The network of the commands: system, or none.", default=Network.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Settings of steps that do not say their own."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    timeout: str = key("Longest time a step may take, such as 10m.", default="60m", pattern=DURATION)
    retry: Retry = key("Retry policy of every step.", factory=Retry)
    shell: Shell = key("What runs text commands.", default=Shell.BASH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a phase."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    id: str = key("Name of the step, unique in its phase.", pattern=NAME)
    run: str | tuple[str, ...] = key(
        "The command: a list is the exact arguments; text is run by the shell.", default=()
    )
    uses: str = key("A built-in action in place of a command.", default="")
    with_: dict[str, Scalar] = key("Values for the action.", factory=dict, alias="with")
    cache: Cache | None = key("What the step depends on, so that it need not run again.", default=None)
    accept: tuple[str, ...] = key(
        "Gates that decide about each attempt; what they do not accept has failed, and may be tried again.", default=()
    )
    undo: Undo | None = key("How the effect of the step is taken back, if its phase says `rollback`.", default=None)
    approval: Approval | None = key(
        "Waits for a person, durably: `cli-multi-rapid approve` decides. Such a step runs nothing.", default=None
    )
    title: str = key("What people read beside the id.", default="")
    needs: tuple[str, ...] | None = key(
        "Steps that must have ended first. Absent: the step before; empty list: none.", default=None
    )
    if_: str | bool | None = key(
        "Condition; without it the step runs if all it needs succeeded.", default=None, alias="if"
    )
    env: dict[str, Scalar] = key("Environment variables of the command.", factory=dict)
    shell: Shell | None = key("What runs a text command.", default=None)
    matrix: dict[str, tuple[Scalar, ...] | str] = key(
        "Runs the step once for every combination; its outputs become lists.", factory=dict
    )
    produces: dict[str, str] = key("Artifacts: name and path, relative to the step's folder $CMR_OUT.", factory=dict)
    outputs: dict[str, str] = key("Values for later steps: name and expression.", factory=dict)
    ok_codes: tuple[int, ...] = key("Exit codes that mean success.", default=(0,), alias="ok-codes")
    timeout: str | None = key("Longest time an attempt may take, such as 10m.", default=None, pattern=DURATION)
    retry: Retry | None = key("When and how often the step is tried again.", default=None)
    writes: tuple[str, ...] | None = key(
        "Globs of the paths that the step may change. Empty list: none, so that it may run beside others.", default=None
    )
    requires: tuple[str, ...] = key(
        "Programs (ruff) and modules of the project's Python (python:pytest) that must be installed.", default=()
    )
    continue_on_error: bool = key(
        "A failure of this step does not fail the phase.", default=False, alias="continue-on-error"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateUse:
    """A gate of `config/compliance-gates.yaml` with the evidence it shall judge."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    use: str = key("Name of the gate.", pattern=NAME)
    from_: str = key("Expression that gives the path of its evidence.", default="", alias="from")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSpec:
    """A phase: its steps, the gates that its result must pass, and what is done in the end."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    schema: str = key("Version of this format.", pattern=r"^cmr/phase@v1$")
    name: str = key("Name of the phase; the file has the same.", pattern=NAME)
    title: str = key("What people read beside the name.", default="")
    needs: tuple[str, ...] = key("Phases that run before this one.", default=())
    inputs: dict[str, InputSpec] = key("Values that a caller may give.", factory=dict)
    permissions: Permissions | None = key("What the steps may change.", default=None)
    workspace: Workspace = key("Where the steps work: in-place, or worktree.", default=Workspace.IN_PLACE)
    setup: str | tuple[str, ...] = key("A command that prepares each new worktree, such as installing.", default=())
    link: tuple[str, ...] = key(
        "Folders of the project that git ignores and that each worktree gets as links.",
        default=(".venv", "node_modules"),
    )
    concurrency: Concurrency | None = key("A group of which only one run is at work at a time.", default=None)
    budget: Budget | None = key("What may be spent on agents.", default=None)
    rollback: Rollback | None = key("When what the steps have done is taken back.", default=None)
    secrets: tuple[str, ...] = key("Names of environment variables whose values are hidden in all output.", default=())
    env: dict[str, Scalar] = key("Environment variables of all steps.", factory=dict)
    defaults: Defaults = key("Settings of steps that do not say their own.", factory=Defaults)
    steps: tuple[Step, ...] = key("What is done.")
    gates: tuple[str | GateUse, ...] = key("Gates that decide about the phase when its steps have ended.", default=())
    finally_: tuple[Step, ...] = key("Steps that run in the end, whatever happened.", default=(), alias="finally")


_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_s(text: str) -> float:
    """Return the seconds of a duration such as ``250ms``, ``90s``, ``10m``, ``24h`` or ``7d``.

    Raises:
        ValueError: the text is not of that form.
    """
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :]
    if unit not in _UNITS_S or not number.isdigit():
        raise ValueError(f"not a duration: {text!r}")
    return int(number) * _UNITS_S[unit]
