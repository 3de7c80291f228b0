"""What the program says: data to standard output, words for people to standard error, errors in one shape."""

import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, TextIO

from cli_multi_rapid.documents.reports import json_text
from cli_multi_rapid.documents.text import ASCII, GLYPHS, PROGRAM, UNICODE, Symbols, cells, printable
from cli_multi_rapid.errors import CmrError, CouldNotRun, Problem, SpecInvalid
from cli_multi_rapid.model.events import Event

_COLUMNS = 100
_OFF = ("", "0", "false", "no")


class Renderer(Protocol):
    """Shows a run as it happens. It may fail to show, but never ends the run: a closed terminal makes it silent."""

    def event(self, event: Event) -> None:
        """Show an event that has just been committed."""
        ...

    def output(self, step: str, line: str) -> None:
        """Take a masked line of a step's output, or several joined by newlines."""
        ...

    def tick(self) -> None:
        """Take note that some time has passed; called a few times a second."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was, with what has been shown in its scrollback. Idempotent."""
        ...


def emit(data: object) -> None:
    """Print data as JSON on standard output."""
    say(json_text(data))


def say(text: str) -> None:
    """Print text that was asked for on standard output.

    Raises:
        BrokenPipeError: nobody reads it any more.
        CouldNotRun: it cannot be written, because the disk behind it is full.
    """
    try:
        print(text, flush=True)  # noqa: T201  this module is the one that prints
    except BrokenPipeError:
        raise
    except OSError as failed:
        raise CouldNotRun(
            f"standard output cannot be written: {failed.strerror}", hint="write it elsewhere"
        ) from failed


def note(text: str) -> None:
    """Print text beside the data, on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201  this module is the one that prints


def show_error(error: CmrError, *, as_json: bool = False, debug: bool = False) -> None:
    """Show an error on standard error, or as JSON on standard output; with `debug` its traceback on standard error."""
    if debug:
        note("".join(traceback.format_exception(error)).rstrip())
    if as_json:
        emit(error_data(error))
    else:
        note(error_text(error, symbols=symbols(sys.stderr)))


def error_data(error: CmrError) -> dict[str, object]:
    """Return an error as the data that `--json` prints."""
    problems = error.problems if isinstance(error, SpecInvalid) else ()
    return {
        "error": {
            "code": error.code,
            "message": str(error),
            "where": error.where,
            "fix": error.hint,
            "problems": [_problem_data(problem) for problem in problems],
        }
    }


def error_text(error: CmrError, *, symbols: Symbols = UNICODE) -> str:
    """Return an error in the shape that people see, every problem of a file on its own."""
    if not isinstance(error, SpecInvalid):
        return _shape(error.code, str(error), where=error.where, fix=error.hint, symbols=symbols)
    return "\n".join(
        _shape(one.code, one.message, where=one.where, fix=one.fix, symbols=symbols, source=_source(one, symbols))
        for one in error.problems
    )


def symbols(stream: TextIO, environ: Mapping[str, str] | None = None) -> Symbols:
    """Return the signs that a stream can encode, with colour where it is wanted there."""
    try:
        GLYPHS.encode(getattr(stream, "encoding", None) or "ascii")
        found = UNICODE
    except (UnicodeEncodeError, LookupError):
        found = ASCII
    return replace(found, colour=wants_colour(stream, environ))


def wants_colour(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether to colour: NO_COLOR forbids it, FORCE_COLOR and CLICOLOR_FORCE demand it, else a terminal has it."""
    given = os.environ if environ is None else environ
    if given.get("NO_COLOR"):
        return False
    if "FORCE_COLOR" in given:
        return given["FORCE_COLOR"].lower() not in _OFF
    if given.get("CLICOLOR_FORCE", "").lower() not in _OFF:
        return True
    return given.get("CLICOLOR") != "0" and is_terminal(stream, given)


def is_terminal(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether a stream is a terminal that can move its cursor."""
    given = os.environ if environ is None else environ
    try:
        return stream.isatty() and given.get("TERM") != "dumb"
    except ValueError:
        return False  # the stream is closed


def renderer(
    stream: TextIO | None = None, environ: Mapping[str, str] | None = None, *, verbose: bool = False
) -> Renderer:
    """Return what shows a run on a stream (default: standard error): live on a terminal, else line by line.

    With `verbose` the lines that steps write are shown, too, where nothing is animated.
    """
    out = sys.stderr if stream is None else stream
    signs = symbols(out, environ)
    if is_terminal(out, environ) and not verbose:
        from cli_multi_rapid.cli.live import LiveRenderer

        return LiveRenderer(out, symbols=signs)
    from cli_multi_rapid.cli.plain import PlainRenderer

    return PlainRenderer(out, symbols=signs, verbose=verbose)


def _shape(code: str, message: str, *, where: str, fix: str, symbols: Symbols, source: str = "") -> str:
    kept = partial(_indented, width=9)
    lines = [f"{symbols.paint(f'error[{code}]', 'bad')}: {kept(message)}"]
    if where:
        lines.append(f"  where  {kept(where)}")
    if source:
        lines.append(source)
    explain = f"{PROGRAM} explain {code}"
    lines.append(f"  fix    {kept(fix)}   ({explain})" if fix else f"  help   {explain}")
    return "\n".join(lines)


def _indented(text: str, width: int) -> str:
    """Return text made harmless, its further lines indented so that none can pass for a line of ours."""
    return printable(text, lines=True).replace("\n", "\n" + " " * width)


def _source(problem: Problem, symbols: Symbols) -> str:
    """Return the line of the file with a caret below the column, cut to what a terminal shows."""
    line = problem.text.rstrip("\r\n")
    if not line.strip() or "\n" in line:
        return ""
    column = problem.column - 1 if 0 < problem.column <= len(line) + 1 else -1
    start = max(column - _COLUMNS // 2, 0)
    shown = printable(line[start : start + _COLUMNS])
    number = str(problem.line or "")
    text = f"{number:>7} {symbols.bar} {shown}"
    if column < 0:
        return text
    before = cells(printable(line[start:column]))
    return f"{text}\n{'':>7} {symbols.bar} {' ' * before}{symbols.paint('^', 'bad')}"


def _problem_data(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "message": problem.message,
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "text": problem.text,
        "fix": problem.fix,
    }


__all__ = [
    "Renderer",
    "Symbols",
    "emit",
    "error_data",
    "error_text",
    "is_terminal",
    "note",
    "printable",
    "renderer",
    "say",
    "show_error",
    "symbols",
    "wants_colour",
]
