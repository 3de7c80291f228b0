"""Errors in one shape, data on standard output, colour by the rules, and text that cannot drive the terminal."""

import io
import json
import sys

import pytest

from cli_multi_rapid.cli.console import (
    emit,
    error_data,
    error_text,
    is_terminal,
    note,
    renderer,
    say,
    show_error,
    symbols,
    wants_colour,
)
from cli_multi_rapid.cli.plain import PlainRenderer
from cli_multi_rapid.cli.streams import use_utf8
from cli_multi_rapid.documents.text import ASCII, UNICODE, Symbols
from cli_multi_rapid.errors import CouldNotRun, PhaseUnknown, Problem, SpecInvalid
from cli_multi_rapid.model.run import Status


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def stream(encoding: str) -> io.TextIOWrapper:
    """Return a stream of an encoding."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


PROBLEMS = (
    Problem(
        code="SPEC-KEY-UNKNOWN", message="'tiemout' is not a key of a step", path="workflows/phase1.yaml",
        line=7, column=5, text="    tiemout: 10m", fix="did you mean 'timeout'?",
    ),
    Problem(code="SPEC-KEY-MISSING", message="'name' is missing", path="workflows/phase1.yaml"),
)  # fmt: skip


def test_the_shape_of_an_error() -> None:
    error = PhaseUnknown(
        "phase 'phase9' is not defined", where="workflows/phase_definitions/", hint="use one of: phase0, phase1"
    )
    assert error_text(error) == (
        "error[PHASE-UNKNOWN]: phase 'phase9' is not defined\n"
        "  where  workflows/phase_definitions/\n"
        "  fix    use one of: phase0, phase1   (cli-multi-rapid explain PHASE-UNKNOWN)"
    )


def test_an_error_without_place_and_fix() -> None:
    assert error_text(CouldNotRun("no")) == "error[COULD-NOT-RUN]: no\n  help   cli-multi-rapid explain COULD-NOT-RUN"


def test_every_problem_of_a_file_has_the_shape() -> None:
    assert error_text(SpecInvalid(PROBLEMS)).split("\n") == [
        "error[SPEC-KEY-UNKNOWN]: 'tiemout' is not a key of a step",
        "  where  workflows/phase1.yaml:7:5",
        "      7 │     tiemout: 10m",
        "        │     ^",
        "  fix    did you mean 'timeout'?   (cli-multi-rapid explain SPEC-KEY-UNKNOWN)",
        "error[SPEC-KEY-MISSING]: 'name' is missing",
        "  where  workflows/phase1.yaml",
        "  help   cli-multi-rapid explain SPEC-KEY-MISSING",
    ]


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ("a: 日本 !x", 7, ["      3 | a: 日本 !x", "        |         ^"]),
        ("\ta: \x1b[31mx", 2, ["      3 |  a: x", "        |  ^"]),
        ("short", 40, ["      3 | short"]),
        ("short", 6, ["      3 | short", "        |      ^"]),
        ("", 1, []),
        ("two\nlines", 1, []),
    ],
)
def test_the_caret_stands_below_the_column(text: str, column: int, shown: list[str]) -> None:
    problem = Problem(code="SPEC-VALUE", message="m", path="p.yaml", line=3, column=column, text=text)
    lines = error_text(SpecInvalid((problem,)), symbols=ASCII).split("\n")
    assert lines[2:-1] == shown


def test_a_long_line_is_cut_around_its_column() -> None:
    text = "x" * 5000 + "!" + "y" * 5000
    problem = Problem(code="SPEC-VALUE", message="m", path="p.yaml", line=3, column=5001, text=text)
    source, caret = error_text(SpecInvalid((problem,))).split("\n")[2:4]
    assert len(source) < 120
    assert source[caret.index("^")] == "!"


def test_no_line_of_a_hostile_message_passes_for_ours() -> None:
    error = CouldNotRun("bad\nerror[OTHER]: forged\x1b[2J", where="a\n  fix    rm -rf", hint="b\u202e")
    lines = error_text(error).split("\n")
    assert lines == [
        "error[COULD-NOT-RUN]: bad",
        "         error[OTHER]: forged",
        "  where  a",
        "           fix    rm -rf",
        "  fix    b\\u202e   (cli-multi-rapid explain COULD-NOT-RUN)",
    ]


def test_errors_as_data() -> None:
    data = error_data(SpecInvalid(PROBLEMS))["error"]
    assert isinstance(data, dict)
    assert (data["code"], data["where"], data["fix"]) == (
        "SPEC-INVALID",
        "workflows/phase1.yaml:7:5",
        "did you mean 'timeout'?",
    )
    assert data["problems"][0] == {
        "code": "SPEC-KEY-UNKNOWN",
        "message": "'tiemout' is not a key of a step",
        "path": "workflows/phase1.yaml",
        "line": 7,
        "column": 5,
        "text": "    tiemout: 10m",
        "fix": "did you mean 'timeout'?",
    }
    assert error_data(CouldNotRun("no")) == {
        "error": {"code": "COULD-NOT-RUN", "message": "no", "where": "", "fix": "", "problems": []}
    }


def test_people_read_errors_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(CouldNotRun("no"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error[COULD-NOT-RUN]: no\n")


def test_programs_read_errors_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(CouldNotRun("no"), as_json=True)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["code"] == "COULD-NOT-RUN"
    assert shown.err == ""


def test_a_traceback_only_for_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise CouldNotRun("no") from OSError("the cause")
    except CouldNotRun as error:
        show_error(error, debug=True)
    shown = capsys.readouterr().err
    assert "OSError: the cause" in shown
    assert "Traceback" in shown


def test_data_words_and_notes_go_where_they_belong(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"status": Status.SUCCESS, "text": "é\x9b"})
    say("asked for")
    note("beside")
    shown = capsys.readouterr()
    assert shown.out == '{\n  "status": "success",\n  "text": "é\\u009b"\n}\nasked for\n'
    assert shown.err == "beside\n"


def test_streams_become_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = stream("cp1252"), stream("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    use_utf8()
    say("✓ 日本 \udcff")
    note("✗")
    assert out.buffer.getvalue() == "✓ 日本 ?\n".encode()  # type: ignore[attr-defined]
    assert err.buffer.getvalue() == "✗\n".encode()  # type: ignore[attr-defined]


def test_streams_that_cannot_be_changed_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    use_utf8()


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", UNICODE), ("cp1252", ASCII), ("ascii", ASCII), ("latin-1", ASCII)]
)
def test_signs_that_the_stream_can_encode(encoding: str, expected: Symbols) -> None:
    assert symbols(stream(encoding), {}) == expected


def test_a_stream_without_encoding_gets_ascii() -> None:
    assert symbols(io.StringIO(), {}) == ASCII


@pytest.mark.parametrize(
    ("environ", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False),
        ({"CLICOLOR": "0"}, False, False),
    ],
)
def test_colour(environ: dict[str, str], terminal: bool, pipe: bool) -> None:
    assert wants_colour(Terminal(), environ) is terminal
    assert wants_colour(io.StringIO(), environ) is pipe
    assert symbols(Terminal(), environ).colour is terminal


def test_an_error_is_coloured_on_a_terminal_only() -> None:
    error = CouldNotRun("no")
    assert error_text(error, symbols=Symbols(colour=True)).startswith("\x1b[31merror[COULD-NOT-RUN]\x1b[0m: no")
    assert "\x1b" not in error_text(error)


def test_a_closed_stream_is_no_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    assert not is_terminal(closed, {})


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"}])
def test_nothing_moves_where_there_is_no_terminal(environ: dict[str, str]) -> None:
    out = Terminal() if environ.get("TERM") else io.StringIO()
    assert isinstance(renderer(out, environ), PlainRenderer)


def test_verbose_output_is_never_animated() -> None:
    assert isinstance(renderer(Terminal(), {}, verbose=True), PlainRenderer)
