"""What keeps the states of a run."""

import os

from cli_multi_rapid.services.keeping import keeping_of
from cli_multi_rapid.services.wiring import open_project
from cli_multi_rapid.testing import run_plan


def test_the_git_processes_of_a_run_are_marked_as_its_own(sandbox):
    """A git that outlives its orchestrator is then found when the run is taken up, before it can write any more."""
    keeping = keeping_of(open_project(sandbox.root), "01RUN", run_plan())
    assert keeping.repository.git.environ["CMR_TAG"] == "01RUN:git"
    assert keeping.checkpoints._writer.own._environ()["CMR_TAG"] == "01RUN:git"


def test_where_nothing_can_be_written_nothing_is_kept(sandbox, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert keeping_of(open_project(sandbox.root), "01RUN", run_plan()) is None
