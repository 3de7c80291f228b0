"""Steps that wait for a person, in words: whom they wait for, what they are about, and who decided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cli_multi_rapid.documents.payload import reader_of
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import person_of
from cli_multi_rapid.model.events import Event

_SHORT = 12
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """The newest wait of a step, and what was decided about it. Times are UTC in ISO 8601.

    `decision` is approved, rejected, or empty as long as nobody has decided; `key` is empty in an unsigned decision.
    `changed` are the first of `changed_total` files that made the step wait anew, `voided` tells whether it had been
    approved before.
    """

    number: int
    by: tuple[str, ...] = ()
    not_author: bool = False
    since: str = ""
    expires_at: str = ""
    fingerprint: str = ""
    tree: str = ""
    ref: str = ""
    changed: tuple[str, ...] = ()
    changed_total: int = 0
    voided: bool = False
    decision: str = ""
    who: str = ""
    reason: str = ""
    decided: str = ""
    key: str = ""


def wait_of(event: Event) -> ApprovalView:
    """Return a wait as a `step.waiting` event records it."""
    record, read = forms.STEP_WAITING.payload(event), reader_of(event)
    return ApprovalView(
        number=event.attempt,
        by=read.texts(record.get("by")),
        not_author=read.flag(record.get("not_author")),
        since=event.at,
        expires_at=read.text(record.get("expires_at")),
        fingerprint=read.text(record.get("fingerprint")),
        tree=read.text(record.get("tree")),
        ref=read.text(record.get("ref")),
        changed=read.texts(record.get("changed")),
        changed_total=read.integer(record.get("changed_total")),
        voided=read.flag(record.get("voided")),
    )


def decided(wait: ApprovalView, event: Event) -> ApprovalView:
    """Return a wait with the decision that a `step.approved` event records, if it is about this wait and the first."""
    if wait.decision or wait.number != event.attempt:
        return wait
    record, read = forms.STEP_APPROVED.payload(event), reader_of(event)
    return replace(
        wait, decision=read.text(record.get("decision")), who=person_of(record.get("by")).shown,
        reason=read.text(record.get("reason")), decided=event.at, key=read.text(record.get("key")),
    )  # fmt: skip


def approval_words(by: Sequence[str], *, not_author: bool, until: str = "") -> str:
    """Return whom a step waits for, and until when."""
    whose = f"approval by {' or '.join(by)}" if by else "anybody's approval"
    but = ", but not by who started the run or wrote the commit" if not_author else ""
    return f"{whose}{until}{but}"


def wait_words(view: ApprovalView) -> str:
    """Return how a step that waits stands."""
    if view.decision:
        return f"was {decision_words(view)}; it ends when the run is taken up"
    until = f" until {_minute(view.expires_at)}" if view.expires_at else ""
    return f"waits for {approval_words(view.by, not_author=view.not_author, until=until)}{anew_words(view)}"


def anew_words(view: ApprovalView) -> str:
    """Return why a step waits anew; nothing where it waits for the first time."""
    if view.number <= 1:
        return ""
    before = "it was approved" if view.voided else "it began to wait"
    shown = view.changed[:_SHOWN]
    more = f" and {view.changed_total - len(shown)} more" if view.changed_total > len(shown) else ""
    what = f"these files changed: {', '.join(shown)}{more}" if shown else "the project changed"
    return f"; anew, because since {before} {what}"


def decision_words(view: ApprovalView) -> str:
    """Return who decided, and why."""
    return f"{view.decision} by {view.who}" + (f": {view.reason}" if view.reason else "")


def fact_words(view: ApprovalView) -> str:
    """Return what was decided on, when, and with which signature."""
    signed = f"signed with {view.key}" if view.key else "unsigned"
    facts = [f"{view.decision} {_minute(view.decided)}, {signed}"] if view.decision else []
    facts.append(f"fingerprint {view.fingerprint[:_SHORT]}")
    facts.append(f"tree {view.tree[:_SHORT]}" if view.tree else "no git repository, so of no tree")
    return ", ".join(facts)


def _minute(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"
