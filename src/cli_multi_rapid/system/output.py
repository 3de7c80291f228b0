"""What a child writes: read as it comes, masked, capped and stored, in constant memory."""

import asyncio
import errno
import os
import stat
from collections.abc import Callable

from cli_multi_rapid.model.process import OutputSink
from cli_multi_rapid.system.redact import Masker

_CHUNK_BYTES = 1 << 16  # all that a pipe holds
_LINE_LIMIT_BYTES = 1 << 16
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class Outlet:
    """The file that one stream of a child ends up in.

    It is created with mode 0600 and appended to, or emptied first if `fresh`. At most `cap_bytes` are stored, then one
    line that says so; reading goes on, so that the child never blocks. `sink` gets complete lines, joined by newlines
    where several came at once; it must not raise. A full disk does not disturb the child; it shows in `truncated`.
    `size_bytes` is what the child wrote.

    Raises:
        OSError: the file cannot be opened, or is not a regular one.
    """

    def __init__(
        self,
        path: str,
        *,
        cap_bytes: int,
        secrets: tuple[str, ...],
        sink: OutputSink | None = None,
        fresh: bool = False,
    ) -> None:
        self.truncated = False
        self.size_bytes = 0
        self._cap_bytes = cap_bytes
        self._room_bytes = cap_bytes
        self._last = b"\n"
        self._masker = Masker(secrets)
        self._lines = _Lines(sink) if sink is not None else None
        self._pipe = -1
        self._file = -1
        try:
            self._file = _open(path, fresh=fresh)
        except OSError as error:
            if error.errno not in _DISK_FULL:
                raise
            self.truncated = True

    def connect(self, loop: asyncio.AbstractEventLoop, *, ended: Callable[[], None]) -> int:
        """Return the descriptor for the child to write to. From now on `loop` reads; `ended` is called at its end."""
        self._pipe, far_end = os.pipe()
        os.set_blocking(self._pipe, False)
        loop.add_reader(self._pipe, self._read, loop, ended)
        return far_end

    @property
    def is_open(self) -> bool:
        """Tell whether there may be more to read."""
        return self._pipe >= 0

    def finish(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop reading, and store what was held back. Idempotent."""
        self._hang_up(loop)
        self._take(self._masker.flush())
        if self._lines is not None:
            self._lines.flush()
            self._lines = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self, loop: asyncio.AbstractEventLoop, ended: Callable[[], None]) -> None:
        try:
            data = os.read(self._pipe, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._hang_up(loop)
            ended()
            return
        self.size_bytes += len(data)
        if self._file >= 0 or self._lines is not None:
            self._take(self._masker.feed(data))

    def _hang_up(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._pipe >= 0:
            loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = -1

    def _take(self, data: bytes) -> None:
        if self._lines is not None:
            self._lines.feed(data)
        if self._file < 0 or not data:
            return
        kept = data[: self._room_bytes]
        self._room_bytes -= len(kept)
        self._last = kept[-1:] or self._last
        self._store(kept)
        if len(kept) < len(data):
            note = f"[output truncated at {self._cap_bytes} bytes]\n".encode()
            self._store(note if self._last == b"\n" else b"\n" + note)
            self._stop_storing()

    def _store(self, data: bytes) -> None:
        try:
            while data and self._file >= 0:
                data = data[os.write(self._file, data) :]
        except OSError:  # no space, a quota, a broken disk: the step goes on, its log does not
            self._stop_storing()

    def _stop_storing(self) -> None:
        self.truncated = True
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class _Lines:
    """Cuts a stream into lines of text for a sink; longer ones than the limit come in pieces.

    All lines that have come go in one call: a flood of short lines would otherwise take a minute for 100 MB.
    """

    def __init__(self, sink: OutputSink) -> None:
        self._sink = sink
        self._rest = b""

    def feed(self, data: bytes) -> None:
        for at in range(0, len(data), _LINE_LIMIT_BYTES):
            self._take(data[at : at + _LINE_LIMIT_BYTES])

    def flush(self) -> None:
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _take(self, data: bytes) -> None:
        """Take at most as much as a line may have, so that only the line that was begun before can be too long."""
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._rest = self._cut(self._rest + rest)
            return
        first, newline, more = whole.partition(b"\n")
        self._emit(self._cut(self._rest + first) + newline + more)
        self._rest = rest

    def _cut(self, line: bytes) -> bytes:
        """Hand over full pieces of a line and return what is below the limit, cutting between characters."""
        while len(line) > _LINE_LIMIT_BYTES:
            cut = _LINE_LIMIT_BYTES
            while cut > _LINE_LIMIT_BYTES - 4 and line[cut] & 0xC0 == 0x80:
                cut -= 1
            self._emit(line[:cut])
            line = line[cut:]
        return line

    def _emit(self, lines: bytes) -> None:
        self._sink(lines.decode("utf-8", "replace"))


def _open(path: str, *, fresh: bool) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if fresh:
            os.ftruncate(descriptor, 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
