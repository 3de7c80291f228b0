"""A run line by line."""

import io
import os

import pytest

from cli_multi_rapid.cli.plain import PlainRenderer
from cli_multi_rapid.documents.text import ASCII, Symbols
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level
from cli_multi_rapid.model.run import Status


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(record, **options: object) -> list[str]:
    """Return the lines that the recorded events make."""
    out = io.StringIO()
    renderer = PlainRenderer(out, **options)  # type: ignore[arg-type]
    for event in record.events:
        renderer.event(event)
    renderer.close()
    return out.getvalue().splitlines()


def test_one_line_for_each_event(record) -> None:
    record.start("phase1")
    record.step("phase1/lint")
    record.step("phase1/test", status=Status.FAILURE, code=1)
    record.finish("phase1/publish", status=Status.SKIPPED, attempt=0, reason="its condition is false")
    gate = GateResult(
        id="coverage", check="coverage", level=Level.STANDARD, status=GateStatus.FAIL, summary="too low", duration_ms=30
    )
    record.gate("phase1", gate)
    record.end(Status.FAILURE, code=1)
    assert shown(record) == [
        f"run {record.run}  phase1",
        "phase1  started  Title of phase1",
        "phase1 lint  started  $ tool --flag",
        "phase1 lint  success 0.4s",
        "phase1 test  started  $ tool --flag",
        "phase1 test  failure 0.4s  exit code 1",
        "phase1 publish  skipped  its condition is false",
        "phase1 gate coverage  fail 0.0s  too low",
        "phase1  failure 2m14s",
    ]


def test_what_is_unusual_is_said(record) -> None:
    record.start("phase1")
    record.add(Kind.RUN_TAKEN, attempt=2)
    record.add(Kind.STEP_EXPANDED, "phase1/test", matrix=[{"n": 1}, {"n": 2}])
    record.add(Kind.STEP_STARTED, "phase1/test[0]", attempt=1, command="first\nsecond", log="l")
    record.add(
        Kind.STEP_RETRIED, "phase1/test[0]", attempt=1, status="failure", signal=9, wait_ms=5000, duration_ms=700
    )
    record.step("phase1/test[0]", attempt=2, outcome=Status.FAILURE, reason="flaky")
    record.add(Kind.RUN_CANCEL, by="mira")
    record.add(Kind.RUN_INTERRUPTED, attempt=2, reason="SIGINT")
    assert shown(record)[2:] == [
        f"run {record.run}  taken up again",
        "phase1 test  2 combinations",
        "phase1 test[0]  started  $ first",
        "phase1 test[0]  failure 0.7s  killed by SIGKILL; tried again in 5.0s",
        "phase1 test[0]  started attempt 2  $ tool --flag",
        "phase1 test[0]  failure 0.4s  flaky; the spec allows it",
        f"run {record.run}  is cancelled by mira",
        f"run {record.run}  interrupted by SIGINT",
    ]


def test_a_gate_of_the_whole_project(record) -> None:
    record.add(Kind.RUN_STARTED, job="", targets=[])
    record.gate("", GateResult(id="secrets", check="secrets", level=Level.STANDARD, status=GateStatus.PASS))
    assert shown(record) == [f"run {record.run}", "gate secrets  pass 0.0s"]


def test_hostile_names_cannot_drive_the_terminal(record) -> None:
    record.add(Kind.PHASE_STARTED, "phase\x1b[2J1", title="\x1b]0;x\x07\u202etitle\nrun fake  success")
    assert shown(record) == ["phase1  started  \\u202etitle"]


def test_colour_only_where_it_is_forced(record) -> None:
    record.start("phase1")
    record.step("phase1/lint", status=Status.FAILURE, code=2)
    assert "\x1b" not in "".join(shown(record))
    assert "\x1b[31mfailure\x1b[0m" in "".join(shown(record, symbols=Symbols(colour=True)))


def test_output_is_shown_on_demand_only(record) -> None:
    out = io.StringIO()
    PlainRenderer(out).output("phase1/lint", "line")
    assert out.getvalue() == ""
    PlainRenderer(out, verbose=True, symbols=ASCII).output("phase1/lint", "\x1b[31mline\x07")
    assert out.getvalue() == "phase1 lint | line\\x07\n"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("first\n\nlast", ["first", "", "last"]),
        ("\x1b]0;title\n\té\nlast\x07", ["\\x1b]0;title", " é", "last\\x07"]),
    ],
)
def test_several_lines_are_each_marked_and_made_harmless_by_themselves(given: str, shown: list[str]) -> None:
    out = io.StringIO()
    PlainRenderer(out, verbose=True, symbols=ASCII).output("phase1/lint", given)
    assert out.getvalue().split("\n") == [*(f"phase1 lint | {line}" for line in shown), ""]


def test_a_sign_of_life_after_half_a_minute_of_silence(record) -> None:
    clock, out = Clock(), io.StringIO()
    renderer = PlainRenderer(out, clock=clock)
    renderer.tick()
    record.start("phase1")
    record.add(Kind.STEP_STARTED, "phase1/test", attempt=1, command="pytest", log="l")
    for event in record.events:
        renderer.event(event)
    out.truncate(0)
    out.seek(0)
    for second in range(100):
        clock.now = 100.0 + second
        renderer.tick()
    assert out.getvalue().splitlines() == [
        "still running: phase1 test (30s)",
        "still running: phase1 test (1m00s)",
        "still running: phase1 test (1m30s)",
    ]


def test_silence_between_steps_is_named_and_many_steps_are_counted(record) -> None:
    clock, out = Clock(), io.StringIO()
    renderer = PlainRenderer(out, clock=clock)
    record.start("phase1")
    for event in record.events:
        renderer.event(event)
    clock.now += 31
    renderer.tick()
    assert out.getvalue().splitlines()[-1] == "still working on phase1"
    for number in range(8):
        renderer.event(record.add(Kind.STEP_STARTED, f"phase1/s{number}", attempt=1, command="c", log="l"))
    clock.now += 31
    renderer.tick()
    assert out.getvalue().splitlines()[-1].endswith("phase1 s4 (31s) and 3 more")


def test_nothing_is_said_after_the_end(record) -> None:
    clock, out = Clock(), io.StringIO()
    renderer = PlainRenderer(out, clock=clock)
    record.start("phase1")
    record.end(Status.SUCCESS)
    for event in record.events:
        renderer.event(event)
    before = out.getvalue()
    clock.now += 100
    renderer.tick()
    renderer.close()
    renderer.close()
    assert out.getvalue() == before


def test_a_thousand_steps_leave_nothing_behind(record) -> None:
    out = io.StringIO()
    renderer = PlainRenderer(out)
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}")
    for event in record.events:
        renderer.event(event)
    assert len(out.getvalue().splitlines()) == 2002
    assert renderer._running == {}


def test_a_reader_that_went_away_does_not_end_the_run(record) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    record.start("phase1")
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        renderer = PlainRenderer(out)
        for event in record.events:
            renderer.event(event)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, out.fileno())
        os.close(null)


def test_a_closed_stream_does_not_end_the_run(record) -> None:
    out = io.StringIO()
    out.close()
    record.start("phase1")
    renderer = PlainRenderer(out)
    for event in record.events:
        renderer.event(event)


def test_another_mistake_is_not_hidden(record) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise ValueError("a bug")

    record.start("phase1")
    with pytest.raises(ValueError, match="a bug"):
        PlainRenderer(Broken()).event(record.events[0])


def test_what_a_stream_cannot_encode_is_replaced(record) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    record.add(Kind.PHASE_STARTED, "phase1", title="naïve ✓")
    PlainRenderer(out).event(record.events[0])
    assert out.buffer.getvalue() == b"phase1  started  na?ve ?\n"  # type: ignore[attr-defined]
