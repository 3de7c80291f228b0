"""How compliance stands: what gates decided last, and whether that still holds. Nothing is judged anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.reports import RunView
from cli_multi_rapid.errors import CmrError
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import WaiverUse
from cli_multi_rapid.model.run import DEATHS_ALLOWED
from cli_multi_rapid.services.history import find_events, is_alive, open_history, started_of
from cli_multi_rapid.services.wiring import Project

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the newest run with results of gates says, and when the last of them was evaluated, in UTC.

    `present` tells whether the project is still what they judged; None where that is not known, for the reason
    `unknown`. With `changed_only` they looked at no more than what differed from the base revision. `ending` are the
    waivers they applied that end within 14 days or have ended, the first to end first.
    """

    view: RunView
    judged: datetime
    present: bool | None
    unknown: str = ""
    changed_only: bool = False
    ending: tuple[WaiverUse, ...] = ()


def standing(project: Project, *, now: datetime) -> Standing | None:
    """Return how compliance stands, or None where no gate has ever judged anything.

    Raises:
        StateDamaged: what was recorded is not what is there.
    """
    store = open_history(project)
    if store is None:
        return None
    try:
        run = store.newest(Kind.GATE_FINISHED)
    finally:
        store.close()
    if run is None:
        return None
    events = find_events(project, run)
    shown = view(events, alive=is_alive(project, run), stuck_after=DEATHS_ALLOWED)
    present, unknown = _is_present(project, shown)
    return Standing(
        view=shown,
        judged=max(_time(gate.result.started or shown.updated) for gate in shown.gates),
        present=present,
        unknown=unknown,
        changed_only=started_of(events).get("changed_only", False),
        ending=ending_soon((use for gate in shown.gates for use in gate.result.waivers), now=now),
    )


def ending_soon(waivers: Iterable[WaiverUse], *, now: datetime) -> tuple[WaiverUse, ...]:
    """Return the waivers that end within 14 days or have ended, each once, the first to end first."""
    ending = {use for use in waivers if _time(use.expires) <= now + SOON}
    return tuple(sorted(ending, key=lambda use: (_time(use.expires), use.path, use.rule, use.fingerprint)))


def _is_present(project: Project, shown: RunView) -> tuple[bool | None, str]:
    """Tell whether every gate judged the project as it is now, and if that cannot be told, why."""
    from cli_multi_rapid.services.tree import opened, tree_id

    judged = {gate.result.tree for gate in shown.gates}
    if "" in judged:
        return None, "there was no git repository"
    if len(judged) > 1:
        return False, ""
    try:
        present = tree_id(project, opened(project))
    except CmrError as failed:
        return None, str(failed)
    return judged == {present}, ""


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
