"""Deciding about steps that wait for a person. Needs no lease: whoever drives the run takes the decision in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.text import PROGRAM
from cli_multi_rapid.engine.approvals import accepted_keys, approvers_of, objection, own_work, starter_of
from cli_multi_rapid.engine.fold import RunState, fold
from cli_multi_rapid.engine.graph import Graph, Node, build
from cli_multi_rapid.errors import (
    ApprovalExpired,
    ApprovalRefused,
    ApprovalStale,
    GitFailed,
    RunFinished,
    StepNotWaiting,
    StepUnknown,
    UsageError,
)
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.approval import NAMESPACE, Choice, Decision, Person, Wait, signed_text
from cli_multi_rapid.model.words import few
from cli_multi_rapid.services.history import find_events, is_alive
from cli_multi_rapid.services.runs import check_unaltered
from cli_multi_rapid.services.snapshot import plan_of
from cli_multi_rapid.services.surroundings import surroundings
from cli_multi_rapid.services.tree import tree_of
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.git import open_repository
from cli_multi_rapid.system.redact import Masker
from cli_multi_rapid.system.signatures import Signatures
from cli_multi_rapid.system.store import SqliteStore, open_store
from cli_multi_rapid.system.users import system_user, tagged_ancestors

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.step_approved_v1_0 import StepApproved

_REASON_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A decision that was recorded, and what it is about.

    `changed` are the files that differ from the start of the run; None where that cannot be told. `working` tells
    whether somebody works on the run at this moment, and goes on by himself.
    """

    run: str
    step: str
    title: str
    phase: str
    wait: Wait
    decision: Decision
    changed: tuple[str, ...] | None
    working: bool


def decide(
    project: Project, run: str, step: str, *, choice: Choice, reason: str = "", key_file: Path | None = None,
    now: datetime | None = None,
) -> Settled:  # fmt: skip
    """Record what the person who calls this decides about a step that waits.

    Raises:
        ApprovalRefused: it is not this person's to decide, or this is a step itself.
        ApprovalStale: the project is not what the step began to wait with.
        ApprovalExpired: the time to decide is over.
        StepNotWaiting: the step does not wait, or somebody has decided.
        StepUnknown, RunUnknown, RunFinished: there is no such step or run, or it has ended.
        SignatureFailed: the decision cannot be signed with this key.
        StateDamaged: the events of the run are not those that were recorded.
    """
    events = find_events(project, run)
    run = events[0].run
    _refuse_inside(project.environ, run)
    store = open_store(project.log)
    try:
        check_unaltered(store, project, run)
        state = fold(run, store.events(run))
        plan = plan_of(state.started)
        graph = build(plan.phases)
        key, wait = _waiting(state, graph, step)
        if wait.is_over(now or datetime.now(UTC)):
            raise ApprovalExpired(
                f"{key} waited until {wait.expires_at}",
                hint=f"it fails when the run is taken up:  {PROGRAM} resume {run}",
            )
        node = graph.nodes[key]
        decision, changed = _decided(
            project, state, node, wait, secrets=plan.secrets, choice=choice, reason=reason, key_file=key_file
        )
        _record(store, run, key, wait, decision)
    finally:
        store.close()
    return Settled(
        run=run, step=key, title=node.step.title, phase=plan.phase(node.phase).title, wait=wait, decision=decision,
        changed=changed, working=is_alive(project, run),
    )  # fmt: skip


def _refuse_inside(environ: Mapping[str, str], run: str) -> None:
    """Refuse what a step asks for, also one that has taken out of its environment what it is."""
    inside = environ.get("CMR_RUN") or next((run for tag in tagged_ancestors() if tag.startswith(f"{run}:")), "")
    if inside:
        raise ApprovalRefused(
            f"this is a step of run {inside}, and a step can approve nothing", hint="approve from a shell of your own"
        )


def _waiting(state: RunState, graph: Graph, name: str) -> tuple[str, Wait]:
    """Return the key of the step that is meant, and its wait."""
    if state.status.ended:
        raise RunFinished(f"run {state.id} has ended: {state.status}", hint=f"{PROGRAM} rerun {state.id}")
    keys = graph.called(name)
    waiting = [key for key in keys if (step := state.steps.get(key)) and step.wait and step.result is None]
    keys = waiting or keys
    if len(keys) != 1:
        why = f"has no step {name!r}" if not keys else f"has several steps {name!r}: {', '.join(keys)}"
        raise StepUnknown(f"run {state.id} {why}", hint=f"{PROGRAM} status {state.id}")
    step, hint = state.step(keys[0]), f"{PROGRAM} status {state.id}"
    if graph.nodes[keys[0]].step.approval is None:
        raise StepNotWaiting(f"{keys[0]} is no approval", hint=hint)
    if step.result is not None or step.wait is None:
        how = "does not wait yet" if step.result is None else f"has ended: {step.result.reason or step.status}"
        raise StepNotWaiting(f"{keys[0]} {how}", hint=hint)
    if step.decision is not None:
        raise _too_late(state.id, keys[0], step.decision)
    return keys[0], step.wait


def _decided(
    project: Project,
    state: RunState,
    node: Node,
    wait: Wait,
    *,
    secrets: Sequence[str],
    choice: Choice,
    reason: str,
    key_file: Path | None,
) -> tuple[Decision, tuple[str, ...] | None]:
    """Return the decision, and the files that differ from the start of the run."""
    tree = tree_of(project)
    present = state.commit if node.worktree else tree.id
    if present != wait.tree:
        raise _stale(project, state.id, node.key, wait, present)
    decision = Decision(
        choice=choice, by=Person(user=system_user(), name=tree.user[0], email=tree.user[1]),
        reason=_masked(project, secrets, reason), fingerprint=wait.fingerprint, tree=present,
    )  # fmt: skip
    if key_file is not None:
        decision = _signed(project, state, node.key, wait, decision, key_file=key_file)
    approvers = approvers_of(state.started)
    repository = open_repository(project.root, environ=project.environ)
    name, email = repository.author() if repository else ("", "")
    authors = [
        ("started this run", starter_of(state.started)),
        ("authored the commit that is checked out", Person(name=name, email=email)),
    ]
    if why := objection(decision, wait, approvers):
        raise ApprovalRefused(why, hint=_who(wait, accepted_keys(wait, approvers)))
    if why := own_work(decision, wait, approvers, authors=authors):
        raise ApprovalRefused(why)
    base = state.started["head"] if node.worktree else state.started["tree"]
    return decision, _differing(project, base, present)


def _signed(project: Project, state: RunState, key: str, wait: Wait, decision: Decision, *, key_file: Path) -> Decision:
    signatures = Signatures(NAMESPACE, environ=project.environ, avoid=project.root)
    text = signed_text(decision, run=state.id, step=key, number=wait.number)
    signature = signatures.sign(text, key_file)
    keys = accepted_keys(wait, approvers_of(state.started))
    signer = signatures.signer(text, signature, keys)
    if not signer:
        whose = " or ".join(wait.by) or "the approvers"
        raise ApprovalRefused(f"{key_file} is no key of {whose} as they were when the run began")
    return replace(decision, key=signer, signature=signature)


def _record(store: SqliteStore, run: str, key: str, wait: Wait, decision: Decision) -> None:
    payload: StepApproved = {
        "decision": decision.choice.value, "by": forms.of_person(decision.by), "reason": decision.reason,
        "fingerprint": decision.fingerprint, "tree": decision.tree, "key": decision.key,
        "signature": decision.signature,
    }  # fmt: skip
    added = store.append(run, [forms.STEP_APPROVED.event(payload, step=key, attempt=wait.number)])
    step = fold(run, store.events(run)).step(key)
    if not added and step.decision is not None:
        raise _too_late(run, key, step.decision)
    if step.wait is None or step.wait.number != wait.number:
        raise ApprovalStale(f"{key} has meanwhile begun to wait anew", hint=f"{PROGRAM} status {run}")


def _too_late(run: str, key: str, decision: Decision) -> StepNotWaiting:
    return StepNotWaiting(f"{key} was {decision.choice} already by {decision.by.shown}", hint=f"{PROGRAM} resume {run}")


def _stale(project: Project, run: str, key: str, wait: Wait, tree: str) -> ApprovalStale:
    changed = _differing(project, wait.tree, tree)
    what = f"these files changed: {few(changed)}" if changed else "the project changed"
    hint = f"take the run up, look again, then approve:  {PROGRAM} resume {run}"
    if is_alive(project, run):
        hint = f"the run is at work; wait until it waits:  {PROGRAM} status {run}"
    return ApprovalStale(f"since {key} began to wait {what}", hint=hint)


def _differing(project: Project, before: str, after: str) -> tuple[str, ...] | None:
    """Return the paths that differ between two trees; None where one of them is gone."""
    repository = open_repository(project.root, environ=project.environ)
    if repository is None or not before or not after:
        return None
    try:
        return repository.changed_paths(before, after)
    except GitFailed:
        return None


def _masked(project: Project, names: Sequence[str], reason: str) -> str:
    if len(reason) > _REASON_CHARACTERS:
        raise UsageError(f"the reason is longer than {_REASON_CHARACTERS} characters", hint="write a shorter one")
    return Masker(surroundings(project, names).secrets.values()).mask_text(reason) if names and reason else reason


def _who(wait: Wait, keys: Sequence[str]) -> str:
    return "--sign KEYFILE" if keys and wait.by else "who you are says  git config user.email"
