"""StepApproved 1.0, made from contracts/events/StepApproved@1.0.json; edit that file, not this one."""

from typing import Literal, TypedDict


class Person(TypedDict):
    """Who somebody is on a machine. What is not known is empty."""

    user: str
    """User of the system."""
    name: str
    """Name that git has in the project (user.name)."""
    email: str
    """E-mail address that git has in the project (user.email)."""


class StepApproved(TypedDict):
    """A person decided about a wait. The attempt of the event is that of the wait: there is one decision about each."""

    decision: Literal["approved", "rejected"]
    """What the person decided."""
    by: Person
    """Who decided."""
    reason: str
    """Why, in the words of the person; may be empty."""
    fingerprint: str
    """Fingerprint of the run that it is about."""
    tree: str
    """Tree of the project that it is about."""
    key: str
    """Id of the key of the signature, as ssh-keygen names it; empty in an unsigned decision."""
    signature: str
    """The signature in the armour of ssh-keygen; empty in an unsigned decision."""
