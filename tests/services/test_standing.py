"""How compliance stands: the newest verdict, whether it still holds, and waivers that end soon."""

import os
import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli_multi_rapid.documents.reports import GateView
from cli_multi_rapid.errors import StateDamaged
from cli_multi_rapid.model.gate import GateStatus, WaiverUse
from cli_multi_rapid.services.standing import _is_present, ending_soon, standing
from cli_multi_rapid.services.wiring import open_project

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
GATES = """\
schema: cmr/gates@v1
gates:
  denylist: {check: denylist, fail-on: high}
"""


@pytest.fixture
def judged(sandbox):
    """Return a project whose gate has passed."""
    sandbox.write("config/compliance-gates.yaml", GATES)
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "gates")
    assert sandbox.cmr("validate-compliance").code == 0
    return sandbox


def found(sandbox):
    return standing(open_project(sandbox.root), now=datetime.now(UTC))


def test_the_verdict_of_the_newest_run_with_gates_and_whether_it_still_holds(judged):
    assert judged.cmr("run-phase", "p").code == 0  # which judges nothing
    first = found(judged)
    assert [gate.result.status for gate in first.view.gates] == [GateStatus.PASS]
    assert (first.present, first.unknown, first.changed_only, first.ending) == (True, "", False, ())
    assert timedelta() < datetime.now(UTC) - first.judged < timedelta(minutes=5)
    new = judged.write("new.py", "a = 1\n")
    assert found(judged).present is False
    new.unlink()
    assert found(judged).present is True
    judged.write("config/workflow-config.yaml", "schema: cmr/config@v1\nproject: other\n")
    assert found(judged).present is False


def test_a_commit_that_changes_no_file_leaves_it_standing(judged):
    judged.git("commit", "-q", "--allow-empty", "-m", "nothing")
    assert found(judged).present is True


def test_asking_executes_nothing_of_the_project(judged, tmp_path):
    """A repository can name programs in its settings; none of them is started to tell whether files have changed."""
    trace = tmp_path / "started"
    program = judged.write(".git/evil", f"#!/bin/sh\ntouch {trace}\ncat\n")
    program.chmod(0o755)
    judged.write(".git/info/attributes", "* filter=evil\n")
    for name in ("filter.evil.clean", "filter.evil.process", "core.fsmonitor", "core.sshCommand", "core.pager"):
        judged.git("config", name, str(program))
    os.utime(judged.root / "config/workflow-config.yaml")
    assert found(judged).present is True
    assert not trace.exists()


def test_what_cannot_be_told_is_said(judged):
    judged.git("config", "core.worktree", str(judged.root.parent))
    moved = found(judged)
    assert moved.present is None
    assert "moves its files elsewhere" in moved.unknown
    shutil.rmtree(judged.root / ".git")
    assert found(judged).present is False


def test_gates_that_judged_different_trees_do_not_stand(judged):
    result = found(judged).view.gates[0].result
    gates = (GateView(phase="", result=result), GateView(phase="", result=replace(result, tree="0" * 40)))
    shown = replace(found(judged).view, gates=gates)
    assert _is_present(open_project(judged.root), shown) == (False, "")


def test_outside_of_git_there_is_no_tree_to_compare(make_sandbox):
    plain = make_sandbox("plain")
    assert found(plain) is None
    plain.write("config/compliance-gates.yaml", GATES)
    assert plain.cmr("validate-compliance").code == 0
    told = found(plain)
    assert (told.present, told.unknown) == (None, "there was no git repository")


def test_a_log_that_was_altered_is_not_believed(judged, tmp_path):
    project = open_project(judged.root)
    connection = sqlite3.connect(project.log)
    connection.execute(
        "UPDATE event SET payload = replace(payload, '\"pass\"', '\"fail\"') WHERE kind = 'gate.finished'"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StateDamaged):
        found(judged)


def waiver(expires: str, **more: str) -> WaiverUse:
    names = {"rule": "r", "path": "p", "fingerprint": "f", "reason": "why", "approved_by": "lead"} | more
    return WaiverUse(expires=expires, **names)


def test_waivers_that_end_within_two_weeks_or_have_ended():
    late, last, soon, next_ = (
        waiver("2026-03-01T00:00:00Z"), waiver("2026-03-28T12:00:00Z"), waiver("2026-03-15T01:00:00+02:00"),
        waiver("2026-03-28T12:00:01Z"),
    )  # fmt: skip
    assert ending_soon([last, next_, soon, late, soon], now=NOW) == (late, soon, last)
