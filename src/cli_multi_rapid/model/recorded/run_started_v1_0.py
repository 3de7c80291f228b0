"""RunStarted 1.0, made from contracts/events/RunStarted@1.0.json; edit that file, not this one."""

from typing import Literal, NotRequired, TypedDict


class Phase(TypedDict):
    """A phase as it was read when the run began."""

    name: str
    """Name of the phase."""
    title: str
    """What it is called for people; may be empty."""
    path: str
    """Path of its file in the project."""
    text: str
    """The whole text of that file: a run goes on with it, whatever happens to the file."""


class Base(TypedDict):
    """The base revision that the change is judged against."""

    commit: str
    """Commit of the base."""
    why: str
    """How it was found, in words."""
    gates_text: str | None
    """Text of the gates of the base, where they differ from those of the project; else null."""


class Person(TypedDict):
    """Who somebody is on a machine. What is not known is empty."""

    user: str
    """User of the system."""
    name: str
    """Name that git has in the project (user.name)."""
    email: str
    """E-mail address that git has in the project (user.email)."""


class RunStarted(TypedDict):
    """A run begins. All that it needs to go on by itself is here, whatever happens to the files of the project."""

    phases: list[Phase]
    """Phases in the order in which they run, each after those that it needs."""
    targets: list[str]
    """Names of the phases that were asked for; `phases` has what these need, too."""
    job: str
    """Job that was asked for; empty where phases were."""
    given: dict[str, str]
    """Inputs as they were given, by name."""
    inputs: dict[str, dict[str, str | float | bool | None]]
    """Inputs of each phase by its name: what was given, else the defaults."""
    secrets: list[str]
    """Names of the environment variables that are secrets; their values are recorded nowhere."""
    gates_text: str | None
    """Text of config/compliance-gates.yaml; null where there is none."""
    final_gates: list[str]
    """Gates that judge the project after the last phase."""
    level: Literal["advisory", "standard", "strict"]
    """How strict the gates are."""
    base: NotRequired[Base]
    """The base revision; missing where the project is judged as a whole."""
    history: NotRequired[bool]
    """Whether gates of the kind secrets also search what the commits have added; missing means no."""
    fingerprint: str
    """What approvals and resuming are bound to: SHA-256 over phases, inputs, gates, level, tree and base."""
    parallel: int
    """How many steps may run at a time."""
    tree: str
    """Tree of the project's files as they were, those that git does not ignore."""
    head: str
    """Commit that was checked out."""
    branch: str
    """Branch that was checked out; empty on none."""
    version: str
    """Version of this program that began the run."""
    root: str
    """Absolute path of the project."""
    host: str
    """Name of the machine."""
    trust: str
    """How the project was trusted."""
    path: str
    """PATH that programs are looked for in."""
    parent: str
    """Id of the run that this one repeats; empty where it repeats none."""
    to_branch: NotRequired[str]
    """Branch that actions of the run write to; empty where none was named."""
    changed_only: NotRequired[bool]
    """Whether gates look only at what differs from the base revision."""
    by: NotRequired[Person]
    """Who began the run."""
    request: NotRequired[str]
    """Digest of all that a verdict of gates alone follows from; missing where such a verdict cannot be taken over."""
    approvers: NotRequired[dict[str, list[str]]]
    """Public keys and e-mail addresses by the name of their group, of a run with approvals."""
