"""The project's files as the scanning checks read them: regular files inside the project only, links not followed."""

import codecs
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError, NotRegularError, TooLargeError, inside, read_regular
from cli_multi_rapid.gates.outcome import counted
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.globs import matches

LIMIT_BYTES = 50 << 20
_SAMPLE_BYTES = 8 << 10
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the project, its path as it is shown, and its bytes."""

    path: str
    data: bytes


class SourceTree:
    """Reads the project's files, and remembers which ones it could not read. `paths` are those to look at.

    Links, pipes, devices and files that have gone meanwhile are passed over and counted; `large` names files above
    50 MiB.
    """

    def __init__(self, given: GateInput, exclude: tuple[str, ...]) -> None:
        self.read = 0
        self.passed_over = 0
        self.large: list[str] = []
        self._unreadable: list[str] = []
        self._root = Path(given.root)
        self._only = given.only
        kept = given.files if given.only is None else sorted(given.only.intersection(given.files))
        self.paths = [path for path in kept if not matches(path, exclude)]
        self._is_inside = lru_cache(maxsize=None)(lambda folder: inside(self._root, folder / "_"))

    def is_regular(self, path: str) -> bool:
        """Tell whether one of the files is a regular one inside the project, reached without a link."""
        file = self._root / path
        try:
            return self._is_inside(file.parent) and stat.S_ISREG(file.lstat().st_mode)
        except (OSError, ValueError):
            return False

    def source(self, path: str) -> Source | None:
        """Return one of the files, or None where there is nothing to read, which is remembered."""
        data = self._data(path)
        if data is None:
            return None
        self.read += 1
        return Source(printable(path), data)

    def counted(self, files: int) -> str:
        """Return a number of files in words."""
        return counted(files, "file" if self._only is None else "changed file")

    def check(self, *, known: int = 0) -> None:
        """Refuse a verdict where a file could not be read, or where there was none; `known` need not be read.

        Raises:
            EvidenceError: names the files.
        """
        if self._unreadable:
            names = ", ".join(self._unreadable[:_NAMED]) + (", …" if len(self._unreadable) > _NAMED else "")
            raise EvidenceError(
                f"{counted(len(self._unreadable), 'file')} cannot be read: {names}",
                fix="make them readable, or leave them out with `exclude`",
            )
        if not self.read and not known and not self.large and self._only is None:
            raise EvidenceError("there is no file to scan", fix="check `exclude` of this gate, and what git ignores")

    def _data(self, path: str) -> bytes | None:
        file = self._root / path
        try:
            if not self._is_inside(file.parent):
                raise NotRegularError(path)
            return read_regular(file, limit_bytes=LIMIT_BYTES)[0]
        except (FileNotFoundError, NotADirectoryError, NotRegularError):
            self.passed_over += 1
        except TooLargeError:
            self.large.append(printable(path))
        except (OSError, ValueError):
            self._unreadable.append(printable(path))
        return None


def printable(path: str) -> str:
    """Return a path as it is shown and kept: bytes that are no UTF-8, in a file's name, as `\\xff`."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def text_of(data: bytes) -> str | None:
    """Return the text of a file with `\\n` between its lines, or None where it is binary.

    UTF-16 and UTF-32 are recognised by their mark, UTF-16 also by its pattern of zero bytes. Bytes that are no text
    in the encoding become replacement characters.
    """
    encoding = _encoding(data)
    if encoding is None:
        return None
    return data.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")


def _encoding(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = data[:_SAMPLE_BYTES]
    if b"\0" not in sample:
        return "utf-8-sig"
    # Text that is mostly ASCII has its zero bytes nearly all on one side of each pair.
    even, odd, pairs = sample[0::2].count(0), sample[1::2].count(0), max(len(sample) // 2, 1)
    if odd > pairs * 0.6 and even < pairs * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.6 and odd < pairs * 0.05 else None
