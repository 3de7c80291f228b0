"""What becomes of a run when the state is damaged, its disk full or read-only, or the clock wrong: a clear message,
exit code 3, nothing lost, and after mending it goes on."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

CLOCK = Path(__file__).with_name("shifted_clock.py")
YEAR_S = 365 * 86_400


@pytest.fixture
def go(tmp_path):
    """A file without which the second step of the run hangs."""
    return tmp_path / "go"


@pytest.fixture
def project(sandbox, oracle, go):
    """A phase with a step that is quick and one that hangs; its text is long enough to fill pages of the log.

    The tests fail where an empty or missing log is made anew, where a foreign or altered one is believed, where an
    error of SQLite gets through as it is (exit code 70), and where a message does not name the file.
    """
    sandbox.phase("p", f"""\
env: {{WORDS: "{"many words " * 3000}"}}
steps:
  - {{id: first, run: {oracle.step("first")}, writes: [], outputs: {{x: "${{{{ run.id }}}}"}}}}
  - {{id: second, run: {oracle.step("second", f'test -e "{go}" || sleep 60')}, writes: []}}
  - {{id: third, run: {oracle.step("third")}, writes: []}}
""")  # fmt: skip
    return sandbox


@pytest.fixture
def log(project, oracle, begin, state):
    """The log of a run that was killed in the middle of its second step, all in one file."""
    working = begin(project.root, "run-phase", "p")
    working.until(lambda: oracle.starts()["second"])
    working.kill()
    (found,) = state.glob("*/events.db")
    connection = sqlite3.connect(found)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert not found.with_name("events.db-wal").exists()
    return found


def check_that_it_goes_on(project, oracle, go):
    go.touch()
    done = project.cmr("resume")
    assert done.code == 0, done.err
    assert oracle.starts() == {"first": 1, "second": 2, "third": 1}


def foreign(log):
    log.unlink()
    with sqlite3.connect(log) as connection:
        connection.execute("CREATE TABLE event (run, seq, step, attempt, kind, payload, at, prev, hash)")
        connection.execute("CREATE TABLE head (run, fence, seq, hash)")
    connection.close()


def corrupt(log):
    data = bytearray(log.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = random.Random(1).randbytes(third)
    log.write_bytes(data)


def altered(log):
    with sqlite3.connect(log) as connection:
        change = "payload = replace(payload, '\"success\"', '\"failure\"')"
        assert connection.execute(f"UPDATE event SET {change} WHERE kind = 'step.finished'").rowcount == 1
    connection.close()


FAULTS = {
    "foreign": (foreign, "not an event log of this program"),
    "corrupt": (corrupt, "event"),  # SQLite may notice it first, or we
    "cut": (lambda log: os.truncate(log, log.stat().st_size // 2), "the event log is damaged"),
    "empty": (lambda log: os.truncate(log, 0), "the event log is empty, but runs were recorded"),
    "missing": (Path.unlink, "the event log is missing, but runs were recorded"),
    "altered": (altered, "is not what was recorded"),
}


def content(log, fault):
    """Return what must not change: the bytes of the file; of one that is no damaged database, its events."""
    if fault == "altered":
        with sqlite3.connect(log) as connection:
            events = connection.execute("SELECT * FROM event ORDER BY run, seq").fetchall()
        connection.close()
        return events
    return log.read_bytes() if log.exists() else None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_log_is_refused_kept_and_can_be_put_back(project, oracle, log, go, fault):
    good = log.read_bytes()
    damage, message = FAULTS[fault]
    damage(log)
    bad = content(log, fault)
    for command in (("resume",), ("run-phase", "p"), ("status", "last"), ("logs", "last"), ("generate-report", "last")):
        done = project.cmr(*command)
        assert done.code == 3, (command, done.out)
        assert "error[STATE-DAMAGED]: " in done.err
        assert message in done.err
        assert str(log) in done.err
    if fault not in ("altered", "corrupt"):  # these only show where the events of the run are read
        health = {one["id"]: one for one in project.cmr("health-check", "--json").data()["checks"]}
        assert health["engine"]["status"] == "fail"
        assert message in health["engine"]["detail"]
    assert content(log, fault) == bad, "what is damaged is kept as it is"
    assert not any(log.with_name(f"events.db{end}").exists() for end in ("-wal", "-journal"))
    assert oracle.starts() == {"first": 1, "second": 1}
    log.write_bytes(good)
    check_that_it_goes_on(project, oracle, go)


PRIVATE_MOUNTS = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--mount", "sh", "-c")


@pytest.fixture(scope="module")
def mounts():
    probe = (*PRIVATE_MOUNTS, "mount -t tmpfs none /mnt")
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("private mounts are Linux's")
    if subprocess.run(probe, capture_output=True).returncode != 0:
        pytest.skip("this system allows no private mounts")


def with_mount(mount, folder, script):
    """Run a Python script while a folder is mounted in some way for it alone; return what it prints as JSON.

    The script gets a function `cmr` that runs the program and returns exit code, output and errors.
    """
    head = (
        "import json, os, subprocess, sys\n"
        "def cmr(*arguments):\n"
        "    command = (sys.executable, '-m', 'cli_multi_rapid', *arguments)\n"
        "    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)\n"
        "    return done.returncode, done.stdout, done.stderr\n"
    )
    done = subprocess.run(
        (*PRIVATE_MOUNTS, f'{mount} && exec "$@"', str(folder), sys.executable, "-c", head + script),
        capture_output=True, text=True, env={**os.environ, "CMR_TRUST": "1"}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("mounts")
def test_a_full_disk(project, oracle, state, tmp_path):
    """The second step fills the disk, so its end cannot be recorded. With room again it runs once more."""
    state.mkdir()
    filler = state / "filler"
    fill = f'test -e "{tmp_path}/filled" || {{ touch "{tmp_path}/filled"; cat /dev/zero > "{filler}"; true; }}'
    project.phase("p", f"""\
steps:
  - {{id: first, run: {oracle.step("first")}, writes: []}}
  - {{id: second, run: {oracle.step("second", fill)}, writes: []}}
  - {{id: third, run: {oracle.step("third")}, writes: []}}
""")  # fmt: skip
    script = (
        f"os.chdir({str(project.root)!r})\n"
        "found = {'full': cmr('run-phase', 'p'), 'again': cmr('resume'), 'status': cmr('status', 'last')}\n"
        f"os.unlink({str(filler)!r})\n"
        "found |= {'mended': cmr('resume'), 'logs': cmr('logs', 'last'), 'ended': cmr('status', 'last', '--json')}\n"
        "print(json.dumps(found))\n"
    )
    found = with_mount('mount -t tmpfs -o size=3m none "$0"', state, script)
    for step in ("full", "again"):
        code, _, said = found[step]
        assert code == 3, found[step]
        assert "error[STATE-UNWRITABLE]: " in said
        assert "full" in said or "No space left" in said
        assert "Traceback" not in said
    assert found["status"][0] == 0, found["status"]
    assert "Interrupted" in found["status"][1]
    assert found["mended"][0] == 0, found["mended"]
    steps = json.loads(found["ended"][1])["phases"][0]["steps"]
    assert [step["status"] for step in steps] == ["success"] * 3
    assert oracle.starts() == {"first": 1, "second": 2, "third": 1}


@pytest.mark.usefixtures("mounts")
def test_a_read_only_state(project, oracle, begin, state, go):
    """What was recorded can be looked at; nothing can be added, and nothing runs that could not be recorded."""
    working = begin(project.root, "run-phase", "p")
    working.until(lambda: oracle.starts()["second"])
    working.kill()
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    script = (
        f"os.chdir({str(project.root)!r})\n"
        "looks = [cmr('status'), cmr('status', 'last'), cmr('logs', 'last'), cmr('generate-report', '-o', '-')]\n"
        "tries = [cmr('resume'), cmr('run-phase', 'p'), cmr('rerun'), cmr('cancel'), cmr('trust', '--yes')]\n"
        "print(json.dumps([looks, tries]))\n"
    )
    looks, tries = with_mount('mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"', state, script)
    assert [(code, said) for code, _, said in looks] == [(0, "")] * 4
    assert "Interrupted" in looks[1][1]
    for code, _, said in tries:
        assert code == 3, said
        assert "error[STATE-UNWRITABLE]: " in said
        assert str(state) in said
    assert {path: path.read_bytes() for path in state.rglob("*") if path.is_file()} == before
    check_that_it_goes_on(project, oracle, go)


def with_clock(project, shift_s, *arguments):
    return subprocess.run(
        (sys.executable, str(CLOCK), *arguments), cwd=project.root, capture_output=True, text=True, timeout=60,
        env={**os.environ, "CMR_TRUST": "1", "SHIFT_S": str(shift_s)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("shift_s", [YEAR_S, -YEAR_S], ids=["ahead", "behind"])
def test_a_clock_that_is_a_year_off_when_a_run_is_taken_up_again(project, oracle, go, shift_s):
    status = with_clock(project, shift_s, "status", "last")
    assert (status.returncode, "Interrupted" in status.stdout) == (0, True)
    go.touch()
    done = with_clock(project, shift_s, "resume")
    assert done.returncode == 0, done.stderr
    assert oracle.starts() == {"first": 1, "second": 2, "third": 1}
    run = project.cmr("status", "last", "--json").data()
    assert run["run"]["duration_ms"] < 60_000
    years = {run["run"][name][:4] for name in ("started", "updated")}
    assert len(years) == 2, "the clock was off"
    assert project.cmr("generate-report", "last").code == 0
    assert with_clock(project, -shift_s, "rerun").returncode == 0


def test_the_newest_run_is_the_last_one_begun_whatever_the_clock_said(project, oracle, go):
    go.touch()
    assert with_clock(project, YEAR_S, "run-phase", "p").returncode == 0
    project.phase("q", "steps:\n  - {id: a, run: [echo, later]}\n")
    assert project.cmr("run-phase", "q").code == 0
    assert project.cmr("status", "last", "--json").data()["run"]["title"] == "q"
    assert project.cmr("logs", "last", "a").out == "later\n"
