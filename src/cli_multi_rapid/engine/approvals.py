"""Steps that wait for a person: when they begin to, and what follows from what somebody decided.

A wait is about one state of the project. Whoever approves, approves that state; where there is another one by the time
the run goes on, nobody has approved it, and the step waits anew.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cli_multi_rapid.engine.fold import RunState, StepState
from cli_multi_rapid.engine.graph import Graph, Node
from cli_multi_rapid.engine.guard import Guard
from cli_multi_rapid.engine.notes import Notes
from cli_multi_rapid.errors import GitFailed, StateDamaged
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import (
    Approvers,
    Choice,
    Decision,
    Person,
    Wait,
    keys_for,
    person_of,
    signed_text,
)
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.phase import Approval, duration_s
from cli_multi_rapid.model.run import CANCELLED, Status, StepResult
from cli_multi_rapid.system.signatures import comment_of, key_id

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted
    from cli_multi_rapid.model.recorded.step_waiting_v1_0 import StepWaiting

Signer = Callable[[str, str, Sequence[str]], str]
"""Tells which of some public keys has signed a text, by its id; nothing if none has. See `Signatures.signer`."""

_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A step whose wait is over, and how it ends."""

    node: Node
    result: StepResult


class Approvals:
    """The waits of one run. `signer` checks signatures, `clock` tells the time in UTC.

    Raises:
        StateDamaged: what is recorded as decided cannot have been decided.
        CouldNotRun: a state cannot be kept, or a signature cannot be checked here.
    """

    def __init__(
        self, state: RunState, graph: Graph, *, notes: Notes, guard: Guard, signer: Signer,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._state = state
        self._any = any(node.step.approval is not None for node in graph.nodes.values())
        self._notes = notes
        self._guard = guard
        self._signer = signer
        self._clock = clock

    def part(self, ready: list[Node]) -> tuple[list[Node], list[Node]]:
        """Part the steps whose turn has come into those that wait for a person and those that can run."""
        if not self._any:
            return [], ready
        waits = [node for node in ready if node.step.approval is not None]
        return waits, [node for node in ready if node.step.approval is None]

    def due(self, waits: Iterable[Node]) -> list[Node]:
        """Return the steps whose wait begins or ends now."""
        return [node for node in waits if self._is_due(self._state.step(node.key))]

    def awaits(self, event: Event) -> bool:
        """Tell whether an event is the decision that a step waits for."""
        if event.kind is not Kind.STEP_APPROVED:
            return False
        step = self._state.step(event.step)
        return step.decision is None and step.wait is not None and step.wait.number == event.attempt

    async def settle(self, due: Iterable[Node]) -> list[Ended]:
        """Begin waits, end those that were decided or have lasted too long, and begin void ones anew."""
        ended: list[Ended] = []
        for node in due:
            step = self._state.step(node.key)
            if self._state.cancelled:
                ended.append(Ended(node=node, result=CANCELLED))
            elif step.wait is None:
                await self._begin(node)
            elif result := await self._ending(node, step.wait, step.decision):
                ended.append(Ended(node=node, result=result))
            else:
                await self._begin(node)
        return ended

    async def renew(self, waiting: Iterable[Node]) -> bool:
        """Begin the waits anew that are about another state of the project than the present one; tell if any is."""
        renewed = False
        for node in waiting:
            wait = self._state.step(node.key).wait
            if wait is not None and wait.tree != await self._guard.tree(node):
                await self._begin(node)
                renewed = True
        return renewed

    def _is_due(self, step: StepState) -> bool:
        wait = step.wait
        return wait is None or step.decision is not None or self._state.cancelled or wait.is_over(self._clock())

    async def _begin(self, node: Node) -> None:
        step, approval = self._state.step(node.key), node.step.approval
        assert approval is not None
        number = step.wait.number + 1 if step.wait else 1
        kept = await self._guard.keep(node, f"{node.key} waiting {number}")
        payload: StepWaiting = {
            "by": list(approval.by),
            "not_author": approval.not_author,
            "expires_at": _end_of(approval, self._clock()),
            "fingerprint": _fingerprint(self._state),
            "tree": kept.tree if kept else "",
            "ref": kept.ref if kept else "",
            "warnings": list(kept.warnings) if kept else [],
        }
        if step.wait is not None:
            changed = await self._changed(step.wait.tree, payload["tree"])
            payload |= {"changed": list(changed[:_LISTED]), "changed_total": len(changed)}
            payload["voided"] = step.decision is not None
        self._notes.add(forms.STEP_WAITING.event(payload, step=node.key, attempt=number))

    async def _changed(self, before: str, after: str) -> Sequence[str]:
        """Return what differs between the trees of two waits."""
        try:
            return await self._guard.changed(before, after)
        except GitFailed:  # the repository no longer has the tree that it was
            return ()

    async def _ending(self, node: Node, wait: Wait, decision: Decision | None) -> StepResult | None:
        """Return how a wait ends; None if the approval is void, because the project is not what was approved."""
        if decision is None or (decision.at and wait.is_over(datetime.fromisoformat(decision.at))):
            return StepResult.of(Status.FAILURE, f"expired: nobody decided until {wait.expires_at}")
        await asyncio.to_thread(check_recorded, self._state, node.key, wait, decision, signer=self._signer)
        if decision.choice is Choice.REJECTED:
            why = f": {decision.reason}" if decision.reason else ""
            return StepResult.of(Status.FAILURE, f"rejected by {decision.by.shown}{why}")
        if decision.tree != wait.tree or decision.tree != await self._guard.tree(node):
            return None
        outputs: dict[str, object] = {"by": decision.by.shown, "reason": decision.reason}
        said = f"approved by {decision.by.shown}" + (f": {decision.reason}" if decision.reason else "")
        return StepResult(status=Status.SUCCESS, outcome=Status.SUCCESS, reason=said, outputs=outputs)


def objection(decision: Decision, wait: Wait, approvers: Approvers) -> str:
    """Say why this person or this key cannot decide about a wait; nothing if it can.

    Whether a signature is right is not looked at, only whose it is to be.
    """
    keys = keys_for(wait.by, approvers)
    if keys and not decision.key:
        return f"a decision for {_named(wait.by)} has to be signed by one of their keys"
    if decision.key and decision.key not in map(key_id, accepted_keys(wait, approvers)):
        return f"the key {decision.key} is none of {_named(wait.by) if keys else 'the approvers'}"
    if wait.by and not keys:
        known = {member.casefold() for name in wait.by for member in approvers.get(name, ())}
        if decision.by.email.casefold() not in known:
            return f"{decision.by.shown} is none of {_named(wait.by)}"
    return ""


def accepted_keys(wait: Wait, approvers: Approvers) -> tuple[str, ...]:
    """Return the public keys that may sign: those of the named groups, else of all."""
    return keys_for(wait.by, approvers) or keys_for(approvers, approvers)


def own_work(decision: Decision, wait: Wait, approvers: Approvers, *, authors: Iterable[tuple[str, Person]]) -> str:
    """Say why an approval is one of somebody's own work, which `not-author` forbids; nothing if it is not.

    `authors` are those who may not approve, each with what they did. A key whose comment is an e-mail address stands
    for that person, too.
    """
    if not wait.not_author or decision.choice is Choice.REJECTED:
        return ""
    signed = [comment_of(key) for key in accepted_keys(wait, approvers) if key_id(key) == decision.key]
    faces = (decision.by, *(Person(email=comment) for comment in signed if "@" in comment))
    for did, author in authors:
        if any(face.is_same(author) for face in faces):
            return f"{decision.by.shown} {did}, and somebody else has to approve"
    return ""


def approvers_of(record: "RunStarted") -> Approvers:
    """Return the approvers as they were when a run began."""
    return {name: tuple(members) for name, members in record.get("approvers", {}).items()}


def starter_of(record: "RunStarted") -> Person:
    """Return who started a run; nobody in runs of versions that did not record it."""
    return person_of(record.get("by"))


def check_recorded(state: RunState, key: str, wait: Wait, decision: Decision, *, signer: Signer) -> None:
    """Check that a recorded decision is one that could be made.

    Raises:
        StateDamaged: it is about another run, by somebody who may not decide, or its signature is not right.
    """
    approvers = approvers_of(state.started)
    authors = [("started this run", starter_of(state.started))]
    wrong = objection(decision, wait, approvers) or own_work(decision, wait, approvers, authors=authors)
    if decision.fingerprint != wait.fingerprint or wait.fingerprint != _fingerprint(state):
        wrong = "it is about another run"
    if not wrong and decision.key:
        text = signed_text(decision, run=state.id, step=key, number=wait.number)
        if signer(text, decision.signature, accepted_keys(wait, approvers)) != decision.key:
            wrong = "its signature is not right"
    if wrong:
        raise StateDamaged(
            f"what is recorded as decided about {key} cannot have been: {wrong}",
            where=f"run {state.id}", hint=f"begin anew:  cli-multi-rapid rerun {state.id}",
        )  # fmt: skip


def _fingerprint(state: RunState) -> str:
    return state.started.get("fingerprint", "")


def _end_of(approval: Approval, now: datetime) -> str:
    if approval.expires is None:
        return ""
    return (now + timedelta(seconds=duration_s(approval.expires))).isoformat(timespec="milliseconds")


def _named(groups: Sequence[str]) -> str:
    return " or ".join(groups) or "anybody"
