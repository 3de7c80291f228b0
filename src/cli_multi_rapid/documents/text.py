"""Text that people read: safe to print, with words and signs for every status. No input or output."""

import re
import unicodedata
from dataclasses import dataclass

from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.run import Status

PROGRAM = "cli-multi-rapid"

_ESCAPES = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    "|\x9b[0-?]*[ -/]*[@-~]"
    "|[\x9d\x90\x98\x9e\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"  # OSC, DCS, SOS, PM, APC in their one-byte forms
    "|\x1b[\\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"  # the same, introduced by ESC
    "|\x1b[ -/]+[0-~]"  # character sets
)
# Marks that reorder or hide text. The joiners U+200C and U+200D stay: ordinary writing and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("\r\n|\r")
_ANSI = {"good": "32", "bad": "31", "warn": "33", "busy": "36", "quiet": "2", "strong": "1"}
_TONES: dict[Status | GateStatus, str] = {
    Status.SUCCESS: "good",
    GateStatus.PASS: "good",
    Status.FAILURE: "bad",
    Status.ERROR: "bad",
    Status.TIMEOUT: "bad",
    Status.STUCK: "bad",
    GateStatus.FAIL: "bad",
    GateStatus.ERROR: "bad",
    GateStatus.WARN: "warn",
    GateStatus.WAIVED: "warn",
    Status.INTERRUPTED: "warn",
    Status.CANCELLED: "warn",
    Status.WAITING: "warn",
    Status.RUNNING: "busy",
    Status.PENDING: "quiet",
    Status.SKIPPED: "quiet",
    GateStatus.SKIPPED: "quiet",
}


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text that cannot drive a terminal or reorder what stands beside it.

    Terminal sequences are removed; other control characters, bidirectional marks and bytes that were no UTF-8 become
    visible (``\x1b``, ``\u202e``). With `lines`, line breaks are kept and a lone carriage return is one, too.
    """
    if text.isascii() and text.isprintable():
        return text
    clean = _ESCAPES.sub("", text)
    clean = _BREAKS.sub("\n", clean) if lines else clean.replace("\r", "\\r").replace("\n", "\\n")
    return _HIDDEN.sub(_visible, clean.replace("\t", "    " if lines else " "))


def cells(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_cell(char) for char in text)


def crop(text: str, width: int, *, ellipsis: str = "…") -> str:
    """Return the text, cut to at most `width` columns with an ellipsis where something is missing."""
    room = max(width - cells(ellipsis), 0)
    if text.isascii():
        return text if len(text) <= width else (text[:room] + ellipsis)[: max(width, 0)]
    used, cut = 0, len(text)
    for place, char in enumerate(text):
        used += _cell(char)
        if used > room:
            cut = min(cut, place)
        if used > width:
            return (text[:cut] + ellipsis)[: max(width, 0)]
    return text


def pad(text: str, width: int) -> str:
    """Return the text, filled with blanks to `width` columns."""
    return text + " " * (width - cells(text))


def duration(ms: float) -> str:
    """Return a duration as people say it: ``0.4s``, ``12s``, ``2m14s``, ``1h03m``, ``2d04h``."""
    if ms < 9950:
        return f"{max(ms, 0) / 1000:.1f}s"
    seconds = int(ms + 500) // 1000
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    minutes = seconds // 60
    if minutes < 48 * 60:
        return f"{minutes // 60}h{minutes % 60:02}m"
    return f"{minutes // 1440}d{minutes % 1440 // 60:02}h"


def number(value: float) -> str:
    """Return a measured value with all digits that distinguish it from its threshold, never rounded up to it."""
    return f"{value:.15g}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 gate``, ``2 gates``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The signs that a stream can show, and whether it shows colour."""

    good: str = "✓"
    bad: str = "✗"
    busy: str = "●"
    waiting: str = "…"
    skipped: str = "–"  # noqa: RUF001  a dash is meant
    warn: str = "!"
    stopped: str = "■"
    dot: str = "·"
    ellipsis: str = "…"
    arrow: str = "→"
    bar: str = "│"
    colour: bool = False

    def sign(self, status: Status | GateStatus) -> str:
        """Return the sign of a status, without colour."""
        if status in (Status.INTERRUPTED, Status.CANCELLED):
            return self.stopped
        if status in (Status.PENDING, Status.WAITING):
            return self.waiting
        if status in (Status.SKIPPED, GateStatus.SKIPPED):
            return self.skipped
        return {"good": self.good, "bad": self.bad, "warn": self.warn, "busy": self.busy}[tone(status)]

    def mark(self, status: Status | GateStatus) -> str:
        """Return the sign of a status, coloured where the stream shows colour."""
        return self.paint(self.sign(status), tone(status))

    def paint(self, text: str, tone_name: str) -> str:
        """Return the text in the colour of a tone (good, bad, warn, busy, quiet, strong)."""
        return f"\x1b[{_ANSI[tone_name]}m{text}\x1b[0m" if self.colour else text

    @property
    def width(self) -> int:
        """Return the columns that the widest sign of a status takes."""
        return max(map(cells, (self.good, self.bad, self.busy, self.waiting, self.skipped, self.warn, self.stopped)))


UNICODE = Symbols()
ASCII = Symbols(
    good="[ok]",
    bad="[FAIL]",
    busy="[..]",
    waiting="[wait]",
    skipped="[skip]",
    warn="[warn]",
    stopped="[stop]",
    dot="-",
    ellipsis="...",
    arrow="->",
    bar="|",
)
GLYPHS = "✓✗●…–■·→│"  # noqa: RUF001  a dash is meant
"""Every sign outside ASCII that the program itself writes."""


def tone(status: Status | GateStatus) -> str:
    """Return what a status means to people: good, bad, warn, busy or quiet."""
    # Both enums are text with equal values ("error", "skipped") of equal meaning, so that one table serves both.
    return _TONES[status]


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cell(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d\ufe0e\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
