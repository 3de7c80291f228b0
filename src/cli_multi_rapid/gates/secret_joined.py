"""String literals that a program puts together, put together here: a secret in two halves is one.

Joined are neighbours with `+`, `.`, `..` or `&` between them, over line ends too, and neighbours with nothing between
them, as in Python, in C and in a shell. To join too much does no harm: what is joined is only searched.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

JOINT = (
    rb"[^\"'\s(,\[{][\"'][ \t]{0,8}(?:\+|\.{1,2}|&)?"
    rb"(?:[ \t]{0,8}\\?\r?\n[ \t]{0,120}(?:\+|\.{1,2}|&)?)?[ \t]{0,8}[\"']"
)
"""The last character of a literal, its quote, what joins, and the quote that begins the next one."""

_MAX_LITERAL = 8 << 10
_MAX_JOINED = 64 << 10
_MAX_BEFORE = 160
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Retold:
    """A text that says the same in another form, and from where to where in the file it says it."""

    text: bytes
    start: int
    end: int


@dataclass(slots=True)
class _Chain:
    """Literals that belong together: their texts, where the first and the last quote is, and how long they are."""

    parts: list[bytes]
    start: int
    end: int
    size: int


def joined(data: bytes, joints: Iterable[tuple[int, int]]) -> Iterator[Retold]:
    """Yield the chains of literals that joints hold together, each as the line that it would be in one piece.

    A joint goes from the quote that closes a literal to where the text of the next one begins.
    """
    chain: _Chain | None = None
    for start, end in joints:
        if chain is not None and chain.end == start:
            chain = _extended(chain, data, end)
            continue
        if chain is not None:
            yield from _retold(chain, data)
            chain = None
        if chain is None:
            chain = _begun(data, start, end)
    if chain is not None:
        yield from _retold(chain, data)


def _begun(data: bytes, start: int, end: int) -> _Chain | None:
    """Return the chain of the literals on both sides of a joint; None where there are none."""
    quote = data[start : start + 1]
    least = max(0, start - _MAX_LITERAL)
    opened = data.rfind(quote, least, start)
    while opened > 0 and _is_escaped(data, opened):
        opened = data.rfind(quote, least, opened)
    if opened < 0 or data.find(b"\n", opened, start) >= 0 or opened + 1 == start or _is_escaped(data, start):
        return None
    closed = _closing(data, end)
    if closed < 0:
        return None
    return _Chain([data[opened + 1 : start], data[end:closed]], opened, closed, size=start - opened + closed - end)


def _extended(chain: _Chain, data: bytes, end: int) -> _Chain:
    closed = _closing(data, end)
    if closed >= 0 and chain.size < _MAX_JOINED:
        chain.parts.append(data[end:closed])
        chain.size += closed - end
        chain.end = closed
    return chain


def _closing(data: bytes, start: int) -> int:
    """Return where the quote is that closes the literal whose text begins at `start`; -1 where there is none."""
    quote, last = data[start - 1 : start], start + _MAX_LITERAL
    at = data.find(quote, start, last)
    while at > 0 and _is_escaped(data, at):
        at = data.find(quote, at + 1, last)
    return -1 if at <= start or data.find(b"\n", start, at) >= 0 else at


def _is_escaped(data: bytes, at: int) -> bool:
    slashes = 0
    while data[at - 1 - slashes : at - slashes] == b"\\" and slashes < at:
        slashes += 1
    return slashes % 2 == 1


def _retold(chain: _Chain, data: bytes) -> Iterator[Retold]:
    if _is_split(chain.parts):
        text = b"".join(chain.parts)
        quote = b"'" if b'"' in text else b'"'
        yield Retold(_before(data, chain.start) + quote + text + quote, chain.start, chain.end + 1)


def _is_split(parts: Sequence[bytes]) -> bool:
    """Tell whether a word, or a private key, goes across a joint: prose is split between its words."""
    for one, other in pairwise(parts):
        left, right = one.rsplit(maxsplit=1), other.split(maxsplit=1)
        across = len(left[-1]) + len(right[0]) if left and right else 0
        if across >= _LEAST and not one[-1:].isspace() and not other[:1].isspace():
            return True
    return b"PRIVATE KEY" in b"".join(parts)


def _before(data: bytes, start: int) -> bytes:
    """Return what stands before a literal: in its line or, where there is nothing, in the line before that has text."""
    line = data.rfind(b"\n", max(0, start - _MAX_BEFORE), start) + 1
    before = data[max(line, start - _MAX_BEFORE) : start]
    if not before.strip(b" \t("):
        above = data[max(0, start - _MAX_BEFORE) : start].rstrip(b" \t\r\n(\\")
        before = above[above.rfind(b"\n") + 1 :] + b" "
    return before
