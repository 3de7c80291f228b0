"""2. When a run is taken up again, an interrupted step's half-done changes (files that git does not ignore) are gone
before it runs again, and every process of the interrupted attempt is dead first."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

EDITING = """\
import os, pathlib, subprocess, sys, time
oracle, flag = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
def note(text):
    with oracle.open("a") as file:
        file.write(text + "\\n")
seen = {path.name: path.read_text() for path in sorted(pathlib.Path("src").iterdir())}
note(f"sees {seen}")
pathlib.Path("src/a").write_text("half")
pathlib.Path("src/new").write_text("half")
pathlib.Path("src/gone").unlink()
if not flag.exists():
    writer = "import time\\nwhile True:\\n    open('src/a', 'a').write('+')\\n    time.sleep(0.01)"
    subprocess.Popen([sys.executable, "-c", writer], start_new_session=True)
    while "+" not in pathlib.Path("src/a").read_text():
        time.sleep(0.01)
    flag.touch()
    time.sleep(60)
pathlib.Path("src/a").write_text("whole")
"""


@pytest.fixture
def project(sandbox, tmp_path):
    sandbox.write("src/a", "1")
    sandbox.write("src/gone", "1")
    sandbox.write("edit.py", EDITING)
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "files")
    return sandbox


@pytest.fixture
def killed(project, tmp_path):
    """Run a phase and kill its orchestrator, or signal it, when its step has made a flag; return what it printed."""

    def run(*arguments, number=signal.SIGKILL, meanwhile=None):
        with (tmp_path / "output").open("w+") as output:
            process = subprocess.Popen(
                (sys.executable, "-m", "cli_multi_rapid", *arguments), cwd=project.root,
                env={**os.environ, "CMR_TRUST": "1"}, stdout=output, stderr=output,
            )  # fmt: skip
            while not (tmp_path / "flag").exists():
                assert process.poll() is None, (tmp_path / "output").read_text()
                time.sleep(0.01)
            if meanwhile is not None:
                meanwhile()
            process.send_signal(number)
            code = process.wait(30)
        return code, (tmp_path / "output").read_text()

    return run


def editing(project, tmp_path, more):
    command = f'[{sys.executable}, edit.py, "{tmp_path / "oracle"}", "{tmp_path / "flag"}"]'
    project.phase("p", f"steps:\n  - {{id: edit, run: {command}{more}}}\n")


def test_after_kill_9_the_step_begins_where_it_began(project, killed, tmp_path):
    editing(project, tmp_path, ', writes: ["src/**"]')
    code, _ = killed("run-phase", "p")
    assert code == -signal.SIGKILL
    (project.root / "src/mine").write_text("a person's")
    again = project.started("resume")
    assert again.code == 0, again.err
    first, second = (tmp_path / "oracle").read_text().splitlines()
    assert first == second == "sees {'a': '1', 'gone': '1'}"
    assert (project.root / "src/a").read_text() == "whole"  # nobody writes to it any more
    assert "interrupted; put back to its start: src/a, src/gone, src/mine, src/new" in again.err
    (kept,) = set(re.findall(r"refs/cmr/\S+", again.err))
    assert project.git("show", f"{kept}:src/mine") == "a person's"
    assert project.git("show", f"{kept}:src/a").startswith("half+")
    assert kept in project.cmr("status", "last", "--json").out
    assert project.git("stash", "list") == ""
    assert project.git("log", "--oneline", "--branches").count("\n") == 1


@pytest.mark.parametrize(("flag", "sees"), [("--restore", "{'a': '1', 'gone': '1'}"), ("--keep", None)])
def test_a_step_that_does_not_say_what_it_changes_waits_for_a_decision(project, killed, tmp_path, flag, sees):
    editing(project, tmp_path, "")
    (tmp_path / "oracle").touch()
    killed("run-phase", "p")
    assert project.cmr("resume").code == 4  # a dead orchestrator's writer may live a moment longer, not beyond this
    half = (project.root / "src/a").read_text()
    for command in (("resume",), ("run-phase", "p")):
        for _ in range(3):  # waiting is no death: the run does not get stuck by it
            waiting = project.cmr(*command)
            assert waiting.code == 4
            assert "error[STEP-HALF-DONE]: p/edit was interrupted" in waiting.err
            assert "src/a, src/gone, src/new" in waiting.err
            assert "resume --restore" in waiting.err
    assert (project.root / "src/a").read_text() == half
    if flag == "--keep":
        (project.root / "src/gone").write_text("1")
    again = project.started("resume", flag)
    assert again.code == 0, again.err
    assert (tmp_path / "oracle").read_text().splitlines()[
        1
    ] == f"sees {sees or {'a': half, 'gone': '1', 'new': 'half'}}"


def test_both_decisions_are_no_decision(project):
    done = project.cmr("resume", "--restore", "--keep")
    assert done.code == 2
    assert "exclude each other" in done.err


def test_what_somebody_edits_all_the_while_is_never_lost(project, killed, tmp_path):
    """Every version that a checkpoint saw is in a commit, and the output names the ref."""
    editing(project, tmp_path, ', writes: ["src/**"]')
    stop = threading.Event()
    written = []

    def edit():
        while not stop.is_set():
            written.append(f"version {len(written)}")
            (project.root / "src/mine").write_text(written[-1])
            time.sleep(0.002)

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        killed("run-phase", "p")
        again = project.cmr("resume")
    finally:
        stop.set()
        editor.join()
    assert again.code == 0, again.err
    named = set(re.findall(r"refs/cmr/\S+", again.err))
    refs = project.git("for-each-ref", "--format=%(refname)", "refs/cmr").split()
    assert named
    assert named <= set(refs)
    versions = [project.git("show", f"{ref}:src/mine") for ref in refs if "before.attempt.1" not in ref]
    assert set(versions) <= {*written, ""}
    assert any(version in written for version in versions)


def test_a_promise_to_write_nothing_is_checked(project, tmp_path):
    project.phase("p", """\
steps:
  - {id: honest, run: [ls], writes: []}
  - {id: liar, run: [sh, -c, "echo 2 > src/a"], writes: [], needs: []}
  - {id: later, run: [echo]}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "p liar  failure" in done.err
    assert "it promises to write nothing, but while it ran these files were changed: src/a" in done.out
    steps = {
        step["id"]: step["status"] for step in project.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    }
    assert (steps["liar"], steps["later"]) == ("failure", "skipped")


def test_changes_outside_of_what_a_step_may_change_are_named(project):
    project.phase("p", 'steps:\n  - {id: x, run: [sh, -c, "echo 2 > src/a; echo 2 > other"], writes: ["src/**"]}\n')
    done = project.cmr("run-phase", "p")
    assert done.code == 0
    assert "step p/x: while it ran, files outside of what it may change were changed: other" in done.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_runs_the_final_steps_and_the_run_can_go_on(project, killed, tmp_path, number, code):
    command = f'[{sys.executable}, edit.py, "{tmp_path / "oracle"}", "{tmp_path / "flag"}"]'
    project.phase("p", f"""\
steps:
  - {{id: edit, run: {command}, writes: ["src/**"]}}
finally:
  - {{id: bye, run: [sh, -c, 'echo "$STATUS" >> {tmp_path / "ends"}'], env: {{STATUS: "${{{{ run.status }}}}"}}}}
""")  # fmt: skip
    assert killed("run-phase", "p", number=number)[0] == code
    assert (tmp_path / "ends").read_text() == "interrupted\n"
    assert project.started("resume").code == 0
    assert (tmp_path / "ends").read_text() == "interrupted\nsuccess\n"
    assert (tmp_path / "oracle").read_text().splitlines()[1] == "sees {'a': '1', 'gone': '1'}"


def test_a_repository_inside_is_refused_where_the_step_could_write_to_it(project):
    (project.root / "vendor").mkdir()
    project.git("init", "-q", "vendor")
    project.write("vendor/a", "1")
    project.phase("p", "steps:\n  - {id: x, run: [touch, vendor/b]}\n")
    refused = project.cmr("run-phase", "p")
    assert refused.code == 3
    assert "vendor is a repository of its own" in refused.out
    assert not (project.root / "vendor/b").exists()
    project.phase("p", 'steps:\n  - {id: x, run: [touch, src/b], writes: ["src/**"]}\n')
    assert project.cmr("run-phase", "p").code == 0


def test_outside_of_git_it_runs_and_says_so_once(make_sandbox):
    project = make_sandbox("plain")
    done = project.cmr("run-phase", "p")
    assert done.code == 0
    assert done.err.count("is not a git repository") == 1


def test_checkpoints_of_old_runs_are_forgotten(project):
    project.phase("p", 'steps:\n  - {id: x, run: [sh, -c, "date +%N > src/a"], writes: ["src/**"]}\n')
    for _ in range(4):
        assert project.cmr("run-phase", "p", env={"CMR_KEEP_RUNS": "2"}).code == 0
    kept = {ref.split("/")[2] for ref in project.git("for-each-ref", "--format=%(refname)", "refs/cmr").split()}
    assert len(kept) == 2
