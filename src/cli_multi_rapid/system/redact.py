"""Masking of declared secrets, in every form in which programs print them."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Protocol, cast
from urllib.parse import quote, quote_plus

MASK = "***"
MIN_SECRET_CHARS = 4
_MASK = MASK.encode()
_HEAD_BYTES = 4
_PATTERN_MEMORY_BYTES = 256 << 20  # a limit, not what it takes
_WRAP_COLUMNS = (64, 76)  # where PEM and MIME break lines


def check_secret(name: str, value: str) -> None:
    """Refuse a secret that is too short to be masked: its characters are everywhere.

    Raises:
        ValueError: with a message for the user; it never contains the value.
    """
    if len(value.strip()) < MIN_SECRET_CHARS:
        raise ValueError(f"the secret {name} is shorter than {MIN_SECRET_CHARS} characters, too short to be masked")


class Masker:
    """Replaces secrets in a stream of bytes, however it is cut into chunks, or in a text.

    Masked are the values as they are and as base64, URL-quoted, JSON and hexadecimal text, line by line where they
    have several. Secrets that overlap become one mask. A value too short (see `check_secret`) is left alone.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        wanted = tuple(secrets)
        self._needles = _compile(wanted) if wanted else None
        self._held = b""
        self._covered = 0  # how much of what is held belongs to a mask that was already given out

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return those that are decided. At most the longest form less one byte is held back."""
        if self._needles is None:
            return chunk
        data = self._held + chunk if self._held else chunk
        end = self._needles.decided(data)
        masked, reached = self._needles.mask(data, start=self._covered, end=end)
        self._held = data[end:]
        self._covered = max(0, reached - end)
        return masked

    def flush(self) -> bytes:
        """Return what was held back, masked. The stream may begin anew."""
        if self._needles is None:
            return b""
        masked, _ = self._needles.mask(self._held, start=self._covered, end=len(self._held))
        self._held, self._covered = b"", 0
        return masked

    def mask_text(self, text: str) -> str:
        """Return a whole text, masked. Independent of the stream."""
        if self._needles is None:
            return text
        data = _encode(text)
        masked, _ = self._needles.mask(data, start=0, end=len(data))
        return text if masked == data else masked.decode("utf-8", "surrogateescape")


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...


class _Pattern(Protocol):
    def search(self, data: bytes, start: int = 0, /) -> _Match | None: ...


class _Needles:
    """All forms of all secrets: an automaton to find them, and their heads to find those that are cut off."""

    def __init__(self, forms: list[bytes]) -> None:
        self._pattern = _automaton(forms)
        self._longest = len(forms[0])
        self._by_head: dict[bytes, list[bytes]] = {}
        for form in forms:
            for size in range(1, _HEAD_BYTES + 1):
                self._by_head.setdefault(form[:size], []).append(form)

    def decided(self, data: bytes) -> int:
        """Return where the end of `data` could be the beginning of a secret; its length if nowhere."""
        size = len(data)
        for start in range(max(0, size - self._longest + 1), size):
            for form in self._by_head.get(data[start : start + _HEAD_BYTES], ()):
                if len(form) > size - start and form.startswith(data[start:]):
                    return start
        return size

    def mask(self, data: bytes, *, start: int, end: int) -> tuple[bytes, int]:
        """Return `data[start:end]` with every secret that begins before `end` replaced, and how far they reach.

        What lies before `start` is covered by a mask already.
        """
        parts: list[bytes] = []
        reached = start
        for first, after in self._found(data, end):
            if first >= reached:
                parts += [data[reached:first], _MASK]
            reached = max(reached, after)
        if not parts and reached == 0 and end == len(data):
            return data, 0
        parts.append(data[reached:end])
        return b"".join(parts), reached

    def _found(self, data: bytes, end: int) -> Iterator[tuple[int, int]]:
        """Give the places of all secrets in order, overlapping ones too."""
        match = self._pattern.search(data)
        while match is not None:
            first, after = match.span()
            if first >= end:
                return
            yield first, after
            match = self._pattern.search(data, first + 1)


@lru_cache(maxsize=16)
def _compile(secrets: tuple[str, ...]) -> _Needles | None:
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= MIN_SECRET_CHARS}
    return _Needles(sorted(forms, key=len, reverse=True)) if forms else None


def _automaton(forms: list[bytes]) -> _Pattern:
    """Build one linear automaton; Python's own expressions try form after form (3 MiB/s for 240 of them)."""
    import re2  # only runs with secrets need it

    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY_BYTES
    options.log_errors = False
    options.longest_match = True
    options.encoding = re2.Options.Encoding.LATIN1
    return cast("_Pattern", re2.compile(b"|".join(re2.escape(form) for form in forms), options=options))


def _forms(secret: str) -> Iterator[bytes]:
    pieces = {piece.strip() for piece in (secret, *secret.splitlines())} | {secret}
    for piece in pieces:
        if len(piece.strip()) >= MIN_SECRET_CHARS:
            yield from _text_forms(piece)
            yield from _byte_forms(_encode(piece))


def _text_forms(text: str) -> Iterator[bytes]:
    yield _encode(text)
    for ascii_only in (True, False):
        yield _encode(json.dumps(text, ensure_ascii=ascii_only)[1:-1])
    raw = _encode(text)
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield quoted.encode()
        yield _lower_escapes(quoted).encode()


def _byte_forms(raw: bytes) -> Iterator[bytes]:
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            yield from _base64_forms(raw, offset, encode=encode)


def _base64_forms(raw: bytes, offset: int, *, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Give the base64 of a value that stands `offset` bytes (modulo 3) after the beginning of what is encoded.

    Characters that also depend on what is around the value are left out, except at the end, where nothing may follow.
    """
    first = (0, 2, 3)[offset]
    padded = encode(bytes(offset) + raw)[first:]
    inner = padded[: (offset + len(raw)) * 8 // 6 - first]
    yield inner
    yield padded
    yield padded.rstrip(b"=")
    for columns in _WRAP_COLUMNS if offset == 0 else ():
        if len(padded) > columns:
            yield from (text[at : at + columns] for text in (inner, padded) for at in range(0, len(text), columns))


def _lower_escapes(quoted: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), quoted)


def _encode(text: str) -> bytes:
    """Return the bytes behind a text: undecodable ones as they were, and lone surrogates, which have none, somehow."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
