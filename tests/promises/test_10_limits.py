"""10. A step cannot outlive its timeout by more than 2 s, children included; output never fills memory."""

import json
import os
import re
import select
import sys
import time
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="leaving a session and /proc are Linux's")

FAMILY = '''\
"""Starts children in every way in which they are hard to get rid of. All hold the pipe that tells that they live."""

import os, resource, signal, sys, time

alive, mark = sys.argv[1:]
os.set_inheritable(os.open(alive, os.O_WRONLY), True)

def hold(*, deaf):
    if deaf:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    with open(mark, "a") as file:
        file.write("up\\n")
    while True:
        time.sleep(60)

def child(work):
    if os.fork() == 0:
        work()
        os._exit(0)

def session():
    os.setsid()
    hold(deaf=True)

def daemon():
    os.setsid()
    child(lambda: hold(deaf=True))

def nameless():
    """Has another session, no parent, no environment, a limit of its own, and closed the output of the step."""
    os.setsid()
    code = "import signal, time; signal.signal(15, signal.SIG_IGN)"
    code += f"; open({mark!r}, 'a').write('up\\\\n'); time.sleep(60)"
    def work():
        resource.setrlimit(10, (-1, resource.getrlimit(10)[1]))
        os.dup2(os.open("/dev/null", os.O_RDWR), 1)
        os.dup2(1, 2)
        os.execve(sys.executable, ["python", "-c", code], {})
    child(work)

child(lambda: hold(deaf=False))
child(lambda: hold(deaf=True))
child(session)
child(daemon)
child(nameless)
hold(deaf=True)
'''
MEMBERS = 6
TIMEOUT_S = 1.0
LATE_S = 2.0


@pytest.fixture
def alive(tmp_path):
    """A pipe that the children hold open; its end proves that all of them are dead."""
    os.mkfifo(tmp_path / "alive")
    descriptor = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def wait_for_end(descriptor, seconds):
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(seconds * 1000))


@linux
def test_a_step_and_all_its_children_are_dead_two_seconds_after_its_timeout(sandbox, begin, alive, tmp_path):
    """Another step runs beside it, so that the system cannot simply kill everything; that one is not harmed.

    The test fails where a process without any mark of its step is left alone, and where a step is told to end and not
    made to.
    """
    mark = tmp_path / "mark"
    sandbox.write("family.py", FAMILY)
    python = json.dumps(sys.executable)
    sandbox.phase("p", f"""\
steps:
  - {{id: family, needs: [], run: [{python}, family.py, {tmp_path}/alive, {mark}], timeout: 1s, writes: []}}
  - {{id: beside, needs: [], run: [sh, -c, '(setsid sh -c "sleep 3; echo child" &); sleep 4; echo end'], writes: []}}
""")  # fmt: skip
    working = begin(sandbox.root, "run-phase", "p", env={"CMR_PARALLEL": "2"})
    working.until(mark.exists)
    started = time.monotonic()
    working.until(lambda: len(mark.read_text().splitlines()) == MEMBERS)
    assert not wait_for_end(alive, 0)
    assert wait_for_end(alive, 10), "somebody is still alive"
    assert time.monotonic() - started < TIMEOUT_S + LATE_S
    assert working.end() == 1, working.text()
    steps = {step["id"]: step for step in sandbox.cmr("status", "last", "--json").data()["phases"][0]["steps"]}
    assert (steps["family"]["status"], steps["family"]["reason"]) == ("timeout", "took longer than 1s")
    assert steps["family"]["duration_ms"] < (TIMEOUT_S + LATE_S) * 1000
    assert steps["beside"]["status"] == "success"
    assert sandbox.cmr("logs", "last", "beside").out == "child\nend\n"


@linux
def test_200_mb_of_output_take_no_memory(sandbox, begin, state):
    """The orchestrator needs as much memory as for any run, and the log has its limit.

    The test fails where output is kept in memory until the step ends, and where the log has no limit.
    """
    sandbox.phase("p", """\
steps:
  - {id: bytes, run: [head, -c, "200000000", /dev/zero], writes: []}
  - {id: lines, run: [sh, -c, "yes 'a line of text' | head -c 100000000; sleep 0.3"], writes: []}
""")  # fmt: skip
    working = begin(sandbox.root, "run-phase", "p")
    peak_kib = 0
    while working.process.poll() is None:
        try:
            status = Path(f"/proc/{working.pid}/status").read_text()
        except OSError:
            break
        peak_kib = max(peak_kib, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status)), 0)
        time.sleep(0.02)
    assert working.end() == 0, working.text()
    assert 0 < peak_kib < 128 << 10
    logs = [path for path in state.rglob("*.log") if path.stat().st_size]
    assert len(logs) == 2
    for log in logs:
        assert log.stat().st_size < (8 << 20) + 100
        assert log.read_bytes().endswith(b"[output truncated at 8388608 bytes]\n")
    steps = sandbox.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    assert [(step["status"], step["truncated"]) for step in steps] == [("success", True)] * 2


ODD = (
    b"\xff\xfe not UTF-8 \x00 NUL \x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://x\x1b\\link "
    b"\xe2\x80\xae back\r\x08 <b>&\n"
)
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_odd_bytes_are_stored_as_they_are_and_shown_escaped(sandbox, state):
    """Nothing that a step prints drives the terminal or the report of whoever looks at it."""
    sandbox.write("odd.py", f"import sys\nsys.stdout.buffer.write({ODD!r} * 3)\nsys.exit(1)\n")
    sandbox.phase("p", f"steps:\n  - {{id: odd, run: [{json.dumps(sys.executable)}, odd.py]}}\n")
    shown = [sandbox.cmr("run-phase", "p", "--verbose", env={"FORCE_COLOR": "0"})]
    assert shown[0].code == 1
    assert [path.read_bytes() for path in state.rglob("*.log")] == [ODD * 3]
    for arguments in (("status",), ("status", "last"), ("logs", "last"), ("logs", "last", "odd"), ("graph", "last")):
        shown.append(sandbox.cmr(*arguments))
        assert shown[-1].code == 0, arguments
    for done in shown:
        assert UNSAFE.search(done.out + done.err) is None
    assert "\\x00 NUL" in shown[0].out, "the end of the log is shown"
    assert "\\x00 NUL red" in shown[4].out
    assert sandbox.cmr("logs", "last", "--json").data()[0]["text"] == (ODD * 3).decode("utf-8", "replace")
    report = sandbox.cmr("generate-report", "last", "-o", "-")
    assert report.code == 0
    assert UNSAFE.search(report.out) is None
    assert "&lt;b&gt;&amp;" in report.out
    assert "<b>&" not in report.out
