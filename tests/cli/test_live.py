"""A run on a terminal."""

import io
import os
import re
import subprocess
import sys

import pytest

from cli_multi_rapid.cli.live import LISTED, LiveRenderer
from cli_multi_rapid.documents.text import ASCII, UNICODE, Symbols
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level
from cli_multi_rapid.model.run import Status


class Screen:
    """A terminal with a scrollback: enough of one to see what stays and what is redrawn."""

    def __init__(self, written: str) -> None:
        self.lines = [""]
        self.row = 0
        for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r\n|\n|\r|[^\x1b\r\n]+", written):
            self._take(token)

    def _take(self, token: str) -> None:
        if token in ("\n", "\r\n"):
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        elif token.startswith("\x1b["):
            if token.endswith("A"):
                self.row -= int(token[2:-1] or 1)
            elif token == "\x1b[2K":
                self.lines[self.row] = ""
        elif token != "\r":
            self.lines[self.row] += token

    @property
    def shown(self) -> list[str]:
        """Return what can be read, without blanks at the ends."""
        return [line.rstrip() for line in self.lines if line.strip()]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def live(symbols: Symbols = UNICODE, *, height: int = 40, width: int = 100) -> tuple[LiveRenderer, io.StringIO, Clock]:
    """Return a renderer, what it writes, and its clock."""
    out, clock = io.StringIO(), Clock()
    return LiveRenderer(out, symbols=symbols, clock=clock, width=width, height=height), out, clock


def feed(renderer: LiveRenderer, record) -> None:
    """Show what has been recorded."""
    for event in record.events:
        renderer.event(event)
    record.events.clear()


def test_what_ended_stays_in_the_scrollback(record) -> None:
    renderer, out, _ = live()
    record.start("phase1")
    record.step("phase1/lint")
    record.step("phase1/test", status=Status.FAILURE, code=1)
    record.finish("phase1/publish", status=Status.SKIPPED, attempt=0, reason="its condition is false")
    gate = GateResult(
        id="coverage", check="coverage", level=Level.STANDARD, status=GateStatus.FAIL, summary="83.9 % is below 85 %"
    )
    record.gate("phase1", gate)
    record.add(Kind.PHASE_FINISHED, "phase2", status="skipped", reason="needs phase1")
    record.end(Status.FAILURE, code=1)
    feed(renderer, record)
    renderer.close()
    renderer.close()
    assert Screen(out.getvalue()).shown == [
        f"phase1 Title of phase1   run {record.run}",
        " ✓ lint               0.4s",
        " ✗ test               0.4s  exit code 1",
        " \u2013 publish                  its condition is false",
        " ✗ gate coverage      0.0s  83.9 % is below 85 %",
        " \u2013 phase2                   skipped: needs phase1",
    ]
    assert "\x1b[?1049h" not in out.getvalue()
    assert out.getvalue().rfind("\x1b[?25h") > out.getvalue().rfind("\x1b[?25l")


def test_what_runs_is_redrawn_with_its_time_and_last_line(record) -> None:
    renderer, out, clock = live()
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/lint", attempt=1, command="ruff check", log="l")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=2, command="pytest -q", log="l")
    feed(renderer, record)
    clock.now += 1
    renderer.tick()
    assert Screen(out.getvalue()).shown[1:] == [
        " ● lint               1.0s  $ ruff check",
        " ● test               1.0s  attempt 2: $ pytest -q",
    ]
    renderer.output("phase1/lint", "first\n12 %\r50 %\n  \n")
    renderer.output("phase1/lint", "\n\n")
    clock.now += 11
    renderer.output("phase1/test", "1 %\r42 % \x1b[31mdone\x1b[2J\r")
    renderer.output("phase1/test", "   ")
    renderer.output("phase1/other", "nobody")
    assert Screen(out.getvalue()).shown[1:] == [
        " ● lint                12s  50 %",
        " ● test                12s  42 % done",
    ]
    renderer.close()
    assert len(Screen(out.getvalue()).shown) == 1


def test_redrawing_is_limited(record) -> None:
    renderer, out, clock = live()
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="pytest", log="l")
    feed(renderer, record)
    clock.now += 1
    renderer.tick()
    before = len(out.getvalue())
    for number in range(1000):
        renderer.output("phase1/test", f"line {number}")
    assert len(out.getvalue()) == before
    clock.now += 0.2
    renderer.output("phase1/test", "the last")
    assert "the last" in out.getvalue()[before:]


def test_between_steps_it_says_that_it_works(record) -> None:
    renderer, out, clock = live()
    record.start("phase1")
    feed(renderer, record)
    clock.now += 5
    renderer.tick()
    assert Screen(out.getvalue()).shown[-1].split() == ["●", "5.0s", "working"]


def test_a_thousand_steps_show_some_and_every_failure(record) -> None:
    renderer, out, clock = live()
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}", status=Status.FAILURE if number in (500, 999) else Status.SUCCESS)
    feed(renderer, record)
    clock.now += 1
    renderer.tick()
    assert f"   {998 - LISTED} more ended well" in Screen(out.getvalue()).shown
    assert renderer._running == {}
    record.end(Status.FAILURE, code=1)
    feed(renderer, record)
    renderer.close()
    shown = Screen(out.getvalue()).shown
    assert len(shown) == 1 + LISTED + 2 + 1
    assert [line.split()[1] for line in shown if "✗" in line] == ["s500", "s999"]
    assert shown[-1].strip() == f"✓ {998 - LISTED} more success"
    assert (renderer._unlisted, renderer._ended_well) == ({}, {})


def test_many_running_steps_take_half_of_the_terminal(record) -> None:
    renderer, out, clock = live(height=10)
    record.start("phase1")
    for number in range(20):
        record.add(Kind.STEP_STARTED, f"phase1/s{number}", attempt=1, command="c", log="l")
    feed(renderer, record)
    clock.now += 1
    renderer.tick()
    shown = Screen(out.getvalue()).shown
    assert len([line for line in shown if "●" in line]) == 5
    assert shown[-1] == "   and 15 more running"


def test_steps_of_another_phase_say_which(record) -> None:
    renderer, out, _ = live()
    record.start("phase1", "phase2")
    record.step("phase1/lint")
    feed(renderer, record)
    assert " ✓ phase1 lint        0.4s" in Screen(out.getvalue()).shown


def test_what_is_unusual_is_said(record) -> None:
    renderer, out, _ = live()
    record.add(Kind.RUN_STARTED, phases=[])
    record.add(Kind.RUN_TAKEN, attempt=2)
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="c", log="l")
    record.add(
        Kind.STEP_RETRIED, "phase1/test", attempt=1, status="timeout", reason="timed out", wait_ms=5000, duration_ms=9
    )
    record.add(Kind.RUN_CANCEL, by="mira")
    feed(renderer, record)
    renderer.close()
    shown = Screen(out.getvalue()).shown
    assert shown[0] == f"run {record.run}"
    assert shown[1] == f"run {record.run} is taken up again"
    assert shown[2].endswith("timed out; tried again in 5.0s")
    assert shown[3] == "cancelled by mira"


def test_long_lines_do_not_wrap(record) -> None:
    renderer, out, _ = live(width=50)
    record.start("phase1")
    record.step("phase1/" + "n" * 300, status=Status.FAILURE, reason="r" * 300)
    feed(renderer, record)
    renderer.close()
    assert all(len(line) <= 50 for line in Screen(out.getvalue()).shown)


def test_ascii_and_colour(record) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    renderer = LiveRenderer(out, symbols=ASCII, width=80, height=20)
    record.start("phase1")
    record.step("phase1/lint", status=Status.FAILURE, reason="naïve ✗")
    events = list(record.events)
    feed(renderer, record)
    renderer.close()
    written = out.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert " [FAIL] lint" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    assert "na?ve ?" in written
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", written)
    coloured, shown, _ = live(Symbols(colour=True))
    for event in events:
        coloured.event(event)
    coloured.close()
    assert re.search(r"\x1b\[[0-9;]*31m", shown.getvalue())


class Gone(io.StringIO):
    """A terminal that goes away."""

    away = False

    def write(self, text: str) -> int:
        if self.away:
            raise BrokenPipeError
        return super().write(text)


def test_a_terminal_that_went_away_does_not_end_the_run(record) -> None:
    out, clock = Gone(), Clock()
    renderer = LiveRenderer(out, clock=clock, width=80, height=20)
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="c", log="l")
    feed(renderer, record)
    out.away = True
    record.step("phase1/lint")
    feed(renderer, record)
    record.step("phase1/last")
    feed(renderer, record)
    clock.now += 9
    renderer.output("phase1/test", "line")
    renderer.tick()
    renderer.close()
    out.away = False


def test_a_mistake_of_ours_is_not_hidden(record) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise ValueError("a bug")

    renderer = LiveRenderer(Broken(), width=80, height=20)
    with pytest.raises(ValueError, match="a bug"):
        renderer.event(record.add(Kind.RUN_STARTED, phases=[]))


CHILD = """
import sys
from cli_multi_rapid.cli.console import renderer
from cli_multi_rapid.model.events import Event, Kind
shown = renderer()
event = Event(run="r", seq=1, step="phase1", attempt=0, kind=Kind.PHASE_STARTED, payload={"title": "One"},
              at="2026-03-14T00:00:00+00:00", prev="", hash="")
shown.event(event)
shown.close()
print(type(shown).__name__, "rich" in sys.modules)
"""


def test_rich_is_loaded_on_a_terminal_only(tmp_path) -> None:
    environ = {**os.environ, "TERM": "xterm-256color"}
    piped = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, env=environ)
    assert piped.stdout == "PlainRenderer False\n"
    assert piped.stderr == "phase1  started  One\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_real_terminal_it_is_live() -> None:
    import pty

    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True, env=environ
        )
    finally:
        os.close(theirs)
    written = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.stdout == "LiveRenderer True\n"
    assert "phase1" in Screen(written).shown[0]
    assert "\x1b[?1049h" not in written
    assert "\x1b[?25h" in written
