"""A run line by line, for logs and pipes: one line an event, a sign of life in silence, nothing that moves."""

import time
from collections.abc import Callable
from typing import TextIO

from cli_multi_rapid.cli.lines import STEP_ENDS, Line, line_of, named, one_line, remark_line
from cli_multi_rapid.documents.payload import Reader, reader_of
from cli_multi_rapid.documents.text import UNICODE, Symbols, duration, printable, tone
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status

SILENCE_S = 30.0
_NAMED = 5


class PlainRenderer:
    """Writes one line for each event. Keeps nothing but what runs now."""

    def __init__(
        self,
        stream: TextIO,
        *,
        symbols: Symbols = UNICODE,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._symbols = symbols
        self._verbose = verbose
        self._clock = clock
        self._silence_s = silence_s
        self._running: dict[str, float] = {}
        self._phase = ""
        self._open = False
        self._last = clock()
        self._gone = False

    def event(self, event: Event) -> None:
        """Write what has happened."""
        if event.kind is Kind.STEP_STARTED:
            self._running[event.step] = self._clock()
        elif event.kind in STEP_ENDS:
            self._running.pop(event.step, None)
        line = line_of(event)
        if line is not None:
            self._write(self._ended(line))
        elif begun := self._begun(event):
            self._write(begun)
        self._follow(event)

    def output(self, step: str, line: str) -> None:
        """Write lines of a step's output, if all of them are wanted."""
        if self._verbose:
            phase, name = named(step)
            head = f"{phase} {name} {self._symbols.bar} "
            self._write(head + _harmless(line).replace("\n", f"\n{head}"))

    def tick(self) -> None:
        """Say what runs if nothing was written for a while."""
        now = self._clock()
        if not self._open or now - self._last < self._silence_s:
            return
        running = [f"{' '.join(named(key))} ({duration((now - since) * 1000)})" for key, since in self._running.items()]
        more = f" and {len(running) - _NAMED} more" if len(running) > _NAMED else ""
        what = ", ".join(running[:_NAMED]) + more
        self._write(f"still running: {what}" if running else f"still working on {self._phase or 'the run'}")

    def close(self) -> None:
        """Write nothing more."""
        self._open = False
        self._running.clear()

    def _begun(self, event: Event) -> str:
        read = reader_of(event)
        phase, name = named(event.step)
        if event.kind is Kind.STEP_STARTED:
            again = f" attempt {event.attempt}" if event.attempt > 1 else ""
            command = one_line(read.text(forms.STEP_STARTED.payload(event).get("command")))
            return f"{phase} {name}  started{again}  $ {command}"
        if said := remark_line(event):
            return said
        if event.kind is Kind.STEP_EXPANDED:
            return f"{phase} {name}  {len(read.items(forms.STEP_EXPANDED.payload(event).get('matrix')))} combinations"
        if event.kind is Kind.PHASE_STARTED:
            return f"{phase}  started  {one_line(read.text(forms.PHASE_STARTED.payload(event).get('title')))}".rstrip()
        return _of_run(event, read)

    def _follow(self, event: Event) -> None:
        if event.kind is Kind.PHASE_STARTED:
            self._phase = named(event.step)[0]
        self._open = event.kind is not Kind.RUN_FINISHED

    def _ended(self, line: Line) -> str:
        quiet = line.status in (Status.SUCCESS, GateStatus.PASS)
        word = line.status.value if quiet else self._symbols.paint(line.status.value, tone(line.status))
        detail = f"  {line.detail}" if line.detail else ""
        return f"{line.key}  {word} {line.took}".rstrip() + detail

    def _write(self, text: str) -> None:
        self._last = self._clock()
        if self._gone:
            return
        try:
            self._stream.write(text.encode(self._encoding, "replace").decode(self._encoding) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            if not isinstance(error, OSError) and not self._stream.closed:
                raise
            self._gone = True  # nobody reads any more; the run goes on


def _harmless(lines: str) -> str:
    """Return lines made printable, each by itself. In a flood most are, and looking at all of them at once is fast."""
    if lines.isascii() and lines.replace("\n", "").isprintable():
        return lines
    return "\n".join(printable(line) for line in lines.split("\n"))


def _of_run(event: Event, read: Reader) -> str:
    if event.kind is Kind.RUN_STARTED:
        start = forms.RUN_STARTED.payload(event)
        what = read.text(start.get("job")) or ", ".join(read.texts(start.get("targets")))
        return f"run {event.run}  {printable(what)}".rstrip()
    if event.kind is Kind.RUN_TAKEN and event.attempt > 1:
        return f"run {event.run}  taken up again"
    if event.kind is Kind.RUN_CANCEL:
        who = one_line(read.text(forms.RUN_CANCEL.payload(event).get("by"))) or "somebody"
        return f"run {event.run}  is cancelled by {who}"
    if event.kind is Kind.RUN_INTERRUPTED:
        return (
            f"run {event.run}  interrupted by {one_line(read.text(forms.RUN_INTERRUPTED.payload(event).get('reason')))}"
        )
    return ""
