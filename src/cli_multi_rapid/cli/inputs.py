"""Files that users name on the command line, to be read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cli_multi_rapid.errors import UsageError


@contextmanager
def opened(file: Path, *, folder: Path) -> Iterator[BinaryIO]:
    """Open a file, seen from a folder, or standard input for `-`.

    Raises:
        UsageError: it cannot be opened.
    """
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = (folder / file).open("rb")
    except OSError as failed:
        hint = "name a file, or - for standard input"
        raise UsageError(f"{file} cannot be read: {failed.strerror}", hint=hint) from failed
    with stream:
        yield stream
