"""What is recorded of steps that wait for a person: the wait, and what somebody decided."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

NAMESPACE = "cli-multi-rapid"
"""What signatures of decisions are made for, so that no other signature of a key passes for one."""


class Choice(StrEnum):
    """What a person decides."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who somebody is on a machine: the user of the system, and the identity that git has in the project."""

    user: str = ""
    name: str = ""
    email: str = ""

    @property
    def shown(self) -> str:
        """Return what people call this person."""
        mailed = f"{self.name} <{self.email}>".strip() if self.email else self.name
        return mailed or self.user or "somebody"

    def is_same(self, other: "Person") -> bool:
        """Tell whether two are one: by their e-mail addresses, else, where one has none, by the user of the system."""
        if self.email and other.email:
            return self.email.casefold() == other.email.casefold()
        return bool(self.user) and self.user == other.user


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A step that waits: how often it has begun to, whom it waits for, until when (ISO 8601), and what is decided on.

    `tree` is that of the project when the wait began, `ref` the git ref under which it is kept; both are empty outside
    of git.
    """

    number: int
    by: tuple[str, ...] = ()
    not_author: bool = False
    expires_at: str = ""
    fingerprint: str = ""
    tree: str = ""
    ref: str = ""

    def is_over(self, now: datetime) -> bool:
        """Tell whether an instant lies behind the end of the wait."""
        return bool(self.expires_at) and now > datetime.fromisoformat(self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about a wait, when (ISO 8601), and what of: the fingerprint of the run and the tree.

    `key` names the key of the signature, as ssh-keygen does; both are empty in an unsigned decision.
    """

    choice: Choice
    by: Person
    reason: str = ""
    fingerprint: str = ""
    tree: str = ""
    key: str = ""
    signature: str = ""
    at: str = ""


Approvers = Mapping[str, tuple[str, ...]]
"""Public keys or e-mail addresses by the name of their group."""


def is_key(member: str) -> bool:
    """Tell whether a member of a group is a public key rather than an e-mail address."""
    return " " in member.strip()


def keys_for(by: Iterable[str], approvers: Approvers) -> tuple[str, ...]:
    """Return the public keys of the named groups."""
    return tuple(member for name in by for member in approvers.get(name, ()) if is_key(member))


def signed_text(decision: Decision, *, run: str, step: str, number: int) -> str:
    """Return what a signature is made over: one line of JSON with sorted keys."""
    return json.dumps(
        {
            "run": run, "step": step, "wait": number, "fingerprint": decision.fingerprint, "tree": decision.tree,
            "decision": decision.choice.value, "reason": decision.reason,
        },
        sort_keys=True, separators=(",", ":"),
    )  # fmt: skip


def person_of(values: object) -> Person:
    """Return a recorded person; what is not known of one is empty."""
    known = values if isinstance(values, Mapping) else {}
    return Person(**{name: str(known.get(name, "")) for name in ("user", "name", "email")})
