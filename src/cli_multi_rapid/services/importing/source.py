"""A workflow file as the import looks at it: values with their places, and the list of what is left out."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli_multi_rapid.system.positions import Document, Trail

_SHOWN_CHARACTERS = 120


class Refused(Exception):
    """Something cannot be carried over. Whoever knows its place puts it on the list.

    `needle` is the text in the value that is refused, if it is not the whole value.
    """

    def __init__(self, why: str, fix: str = "", *, needle: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.fix = fix
        self.needle = needle


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One thing that was not carried over: `file:line:column`, the text there, why, and what to do instead."""

    where: str
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A value of a file; `value` is None where the file has none there."""

    document: Document
    trail: Trail = ()
    value: object = None

    def at(self, *keys: str | int) -> "Source":
        """Return a value inside of this one."""
        value, trail = self.value, self.trail
        for key in keys:
            trail = (*trail, key)
            if isinstance(value, dict) and isinstance(key, str):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                value = None
        return Source(document=self.document, trail=trail, value=value)

    def has(self, key: str) -> bool:
        """Tell whether this is a mapping with that key, also where nothing stands behind it."""
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> Iterator[tuple[str, "Source"]]:
        """Yield the keys of a mapping with their values; nothing of all else."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield str(key), self.at(str(key))

    def members(self) -> Iterator["Source"]:
        """Yield the values of a list; nothing of all else."""
        if isinstance(self.value, list):
            for number in range(len(self.value)):
                yield self.at(number)

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts, or one text as a list; what is no text is not in it."""
        found = self.value if isinstance(self.value, list) else [self.value]
        return tuple(one for one in found if isinstance(one, str))

    @property
    def text(self) -> str:
        """Return the text, or nothing where there is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def line(self) -> int:
        """Return the line where it begins, with its key."""
        return self.document.position(self.trail, key=True)[0]


class Report:
    """Collects what is left out, in order of position, each thing once."""

    def __init__(self) -> None:
        self._found: dict[LeftOut, tuple[str, int, int]] = {}

    def add(self, source: Source, why: str, fix: str = "", *, needle: str = "") -> None:
        """Note that a value, or the place in it where `needle` stands, is not carried over."""
        document = source.document
        line, column = document.position(source.trail, key=True)
        if needle:
            line, column = document.position_of(source.trail, needle)
        item = LeftOut(
            where=f"{document.path}:{line}:{column}",
            what=document.problem("", "", at=(line, column)).text.strip()[:_SHOWN_CHARACTERS],
            why=why,
            fix=fix,
        )
        self._found.setdefault(item, (document.path, line, column))

    def refused(self, source: Source, refusal: Refused) -> None:
        """Note what was refused in a value."""
        self.add(source, refusal.why, refusal.fix, needle=refusal.needle)

    def take(self, other: "Report") -> None:
        """Note all that another list has."""
        self._found |= other._found  # noqa: SLF001  the same class

    @property
    def items(self) -> tuple[LeftOut, ...]:
        """Return all that is left out, by file and position."""
        return tuple(sorted(self._found, key=self._found.__getitem__))
