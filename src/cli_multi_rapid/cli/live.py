"""A run on a terminal: what ended goes to the scrollback at once, what runs is redrawn below it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from cli_multi_rapid.cli.lines import STEP_ENDS, Line, line_of, named, one_line, remark_line
from cli_multi_rapid.documents.payload import reader_of
from cli_multi_rapid.documents.text import UNICODE, Symbols, cells, crop, duration, pad, tone
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status

REFRESH_S = 0.125
LISTED = 30
"""How many steps of a phase that ended well are listed; further ones are counted."""
_STYLES = {"good": "green", "bad": "bold red", "warn": "yellow", "busy": "cyan", "quiet": "dim"}
_NARROW, _NAME = 16, 24


@dataclass(slots=True)
class _Running:
    since: float
    said: str


class _Terminal(Console):
    """A console that says when its reader is gone, where rich would exit the whole program."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class LiveRenderer:
    """Shows a run on a terminal, never on the alternate screen. Memory depends on what runs, not on what ended."""

    def __init__(
        self,
        stream: TextIO,
        *,
        symbols: Symbols = UNICODE,
        clock: Callable[[], float] = time.monotonic,
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._symbols = symbols
        self._clock = clock
        self._open = False
        self._phase = ""
        self._since = clock()
        self._running: dict[str, _Running] = {}
        self._ended_well: Counter[str] = Counter()
        self._unlisted: dict[str, Counter[str]] = {}
        self._drawn = 0.0
        self._gone = False
        self._console = _Terminal(
            file=stream, force_terminal=True, no_color=not symbols.colour, highlight=False, markup=False, emoji=False,
            width=width, height=height,
        )  # fmt: skip
        self._live = Live(
            get_renderable=self._frame, console=self._console, screen=False, auto_refresh=False, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip

    def event(self, event: Event) -> None:
        """Show what has happened."""
        if self._gone:
            return
        self._open = event.kind is not Kind.RUN_FINISHED
        with self._terminal():
            self._live.start()
            self._take(event)
            self._draw()

    def output(self, step: str, line: str) -> None:
        """Show the last line of a running step beside it."""
        running = self._running.get(step)
        last = line.rstrip().rpartition("\n")[2]
        if running is not None and last and not self._gone:
            running.said = one_line(last.rpartition("\r")[2])
            with self._terminal():
                self._draw()

    def tick(self) -> None:
        """Redraw what runs, with its time."""
        with self._terminal():
            self._draw()

    def close(self) -> None:
        """Remove what was redrawn and keep what was printed."""
        self._running.clear()
        self._open = False
        if not self._gone:
            with self._terminal():
                self._live.stop()
        self._gone = True

    def _take(self, event: Event) -> None:
        read = reader_of(event)
        if event.kind is Kind.STEP_STARTED:
            again = f"attempt {event.attempt}: " if event.attempt > 1 else ""
            said = f"{again}$ {one_line(read.text(forms.STEP_STARTED.payload(event).get('command')))}"
            self._running[event.step] = _Running(since=self._clock(), said=said)
        elif event.kind in STEP_ENDS:
            self._running.pop(event.step, None)
        elif event.kind is Kind.PHASE_STARTED:
            self._heading(event, one_line(read.text(forms.PHASE_STARTED.payload(event).get("title"))))
        elif event.kind is Kind.RUN_STARTED and not read.items(forms.RUN_STARTED.payload(event).get("phases")):
            self._print(Text(f"run {event.run}", style="dim"))
        elif event.kind is Kind.RUN_TAKEN and event.attempt > 1:
            self._print(Text(f"run {event.run} is taken up again", style="dim"))
        elif event.kind is Kind.RUN_CANCEL:
            who = one_line(read.text(forms.RUN_CANCEL.payload(event).get("by"))) or "somebody"
            self._print(Text(f"cancelled by {who}", style="yellow"))
        elif said := remark_line(event):
            self._console.print(self._encodable(Text(said, style="yellow")), soft_wrap=True)
        line = line_of(event)
        if line is not None:
            self._show(line)

    def _heading(self, event: Event, title: str) -> None:
        self._phase, self._since = named(event.step)[0], self._clock()
        self._print(Text.assemble((self._phase, "bold"), f" {title}" if title else "", (f"   run {event.run}", "dim")))

    def _show(self, line: Line) -> None:
        if not line.name:
            self._phase_ended(line)
            return
        if line.status in (Status.SUCCESS, Status.SKIPPED) and not line.name.startswith("gate "):
            self._ended_well[line.phase] += 1
            if self._ended_well[line.phase] > LISTED:
                self._unlisted.setdefault(line.phase, Counter())[line.status.value] += 1
                return
        self._print(self._row(line.status, self._name(line), line.took, line.detail))

    def _phase_ended(self, line: Line) -> None:
        unlisted = self._unlisted.pop(line.phase, None)
        self._ended_well.pop(line.phase, None)
        if unlisted:
            counts = ", ".join(f"{count:,} more {word}" for word, count in unlisted.items())
            self._print(self._row(Status.SUCCESS, counts, "", ""))
        if line.status in (Status.SKIPPED, Status.CANCELLED):
            self._print(self._row(line.status, line.phase, "", f"{line.status.value}: {line.detail}".rstrip(": ")))
        if line.phase == self._phase:
            self._since = self._clock()

    def _frame(self) -> Group:
        """Return what runs now, the longest first, in at most half of the terminal."""
        if not self._open:
            return Group()
        now = self._clock()
        room = max(self._console.height // 2, 1)
        rows = [
            self._row(Status.RUNNING, self._name_of(key), duration((now - one.since) * 1000), one.said)
            for key, one in list(self._running.items())[:room]
        ]
        if len(self._running) > room:
            rows.append(Text(f"   and {len(self._running) - room} more running", style="dim"))
        quiet = sum(sum(counter.values()) for counter in self._unlisted.values())
        if quiet:
            rows.append(Text(f"   {quiet:,} more ended well", style="dim"))
        if not rows:
            rows.append(self._row(Status.RUNNING, "", duration((now - self._since) * 1000), "working"))
        return Group(*rows)

    def _row(self, status: Status | GateStatus, name: str, took: str, detail: str) -> Text:
        sign = pad(self._symbols.sign(status), self._symbols.width)
        shown = pad(
            crop(name, _NAME * 2, ellipsis=self._symbols.ellipsis), _NARROW if cells(name) <= _NARROW else _NAME
        )
        style = "" if status in (Status.SUCCESS, GateStatus.PASS) and not detail else "dim"
        if tone(status) in ("bad", "warn"):
            style = _STYLES[tone(status)].removeprefix("bold ")
        row = Text(no_wrap=True, overflow="crop")
        row.append(f" {sign} ", style=_STYLES[tone(status)])
        row.append(f"{shown} {took:>6}")
        if detail:
            room = self._console.width - cells(row.plain) - 6  # a terminal that echoes ^C must not wrap the row
            row.append(f"  {crop(detail, max(room, 10), ellipsis=self._symbols.ellipsis)}", style=style)
        return self._encodable(row)

    def _encodable(self, row: Text) -> Text:
        """Replace what the stream cannot encode, one character by one, so that styles stay in place."""
        row.plain = row.plain.encode(self._encoding, "replace").decode(self._encoding)
        return row

    def _name(self, line: Line) -> str:
        return line.name if line.phase == self._phase else line.key

    def _name_of(self, key: str) -> str:
        phase, name = named(key)
        return name if phase == self._phase else f"{phase} {name}"

    def _print(self, text: Text) -> None:
        self._console.print(self._encodable(text), soft_wrap=False, crop=True)

    def _draw(self) -> None:
        now = self._clock()
        if self._open and not self._gone and now - self._drawn >= REFRESH_S:
            self._drawn = now
            self._live.refresh()

    @contextmanager
    def _terminal(self) -> Iterator[None]:
        """Write to the terminal; once it is gone, the run goes on in silence."""
        try:
            yield
        except (OSError, ValueError) as error:
            if not isinstance(error, OSError) and not self._stream.closed:
                raise
            self._gone = True
