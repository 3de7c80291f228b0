"""Decisions that meet other ones, and trees that are gone."""

import pytest

from cli_multi_rapid.errors import ApprovalStale, StepNotWaiting
from cli_multi_rapid.model.approval import Choice, Decision, Person, Wait
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.services.approving import _differing, _record
from cli_multi_rapid.services.wiring import open_project
from cli_multi_rapid.system.store import open_store

RUN = "01JA2B3C4D5E6F7G8H9JKMNPQR"
WAIT = {"by": [], "not_author": False, "expires_at": "", "fingerprint": "f", "tree": "t", "ref": ""}
DECISION = Decision(choice=Choice.APPROVED, by=Person(user="ann"), fingerprint="f", tree="t")


@pytest.fixture
def store(tmp_path):
    made = open_store(tmp_path / "events.db", create=True)
    wait(made, 1)
    yield made
    made.close()


def wait(store, number):
    store.append(RUN, [NewEvent(kind=Kind.STEP_WAITING, step="p/x", attempt=number, payload=WAIT)])


def test_the_first_of_two_decisions_counts_and_the_second_is_told(store):
    _record(store, RUN, "p/x", Wait(number=1), DECISION)
    with pytest.raises(StepNotWaiting, match="p/x was approved already by ann"):
        _record(store, RUN, "p/x", Wait(number=1), DECISION)


def test_a_decision_about_a_wait_that_is_over_is_told(store):
    wait(store, 2)
    with pytest.raises(ApprovalStale, match="has meanwhile begun to wait anew"):
        _record(store, RUN, "p/x", Wait(number=1), DECISION)


def test_what_differs_from_a_tree_that_is_gone_is_not_known(sandbox):
    project = open_project(sandbox.root)
    tree = sandbox.git("rev-parse", "HEAD^{tree}")
    assert _differing(project, tree, tree) == ()
    assert _differing(project, "0" * 40, tree) is None
    assert _differing(project, "", tree) is None
