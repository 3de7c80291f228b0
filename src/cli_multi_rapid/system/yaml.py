"""Read YAML 1.2 as plain values with the line and column of every key and value. No tags, no merges, bounded."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from yaml import YAMLError
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the documented place of libyaml's parser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.system.positions import UNPRINTABLE, Document, Trail, in_order, place, problem_at

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 50_000
MAX_DIGITS = 19
MAX_PROBLEMS = 200


def decode(data: bytes, path: str) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises:
        SpecInvalid: the bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        at = place(before, len(before))
        fix = "save the file as UTF-8"
        problem = problem_at(path, before, code="YAML-SYNTAX", message=message, at=at, fix=fix)
        raise SpecInvalid((problem,)) from error


def parse(source: str | bytes, path: str) -> Document:
    """Read a file that is wholly valid.

    Raises:
        SpecInvalid: with every problem found.
    """
    document = scan(source, path)
    if document.problems:
        raise SpecInvalid(document.problems)
    return document


def scan(source: str | bytes, path: str) -> Document:
    """Read as much of a file as can be read; the problems are in the document, in order of position."""
    try:
        text = decode(source, path) if isinstance(source, bytes) else source.removeprefix("\ufeff")
    except SpecInvalid as error:
        return Document(path=path, text="", problems=error.problems)
    reader = _Reader(text, path)
    values: object = None
    complete = False
    try:
        values = reader.read()
        complete = True
    except SpecInvalid as error:
        reader.problems.extend(error.problems)
    return Document(
        path=path,
        text=text,
        values=values,
        complete=complete,
        problems=in_order(reader.problems),
        marks=reader.marks,
        keys=reader.keys,
        floats=reader.floats,
        aliases=reader.aliases,
    )


_Event = Any  # an event of libyaml: which attributes it has depends on its class
_Mark = Any  # line and column of libyaml, both from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    value: object
    trail: Trail
    nodes: int
    height: int


_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_WORDS = dict.fromkeys(_NULL) | dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
_NUMBER_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)|0(o[0-7]+|x[0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_ASIDE: Trail = (-1,)
_FIX = "check this line and the one before it: indentation, quotes, brackets, colons"
_FIXES = {
    "mapping values are not allowed in this context": "quote text that contains ': '",
    "found character that cannot start any token": "indent with spaces, and quote text that starts with @ ` % or a tab",
    "found undefined tag handle": "remove the tag",
    "did not find expected key": "check the indentation of this line and the quotes before it",
    "did not find expected '-' indicator": "check the indentation of this line",
    "did not find expected ',' or": "close the bracket, and quote text that contains , : [ ] { or }",
    "found unexpected end of stream": "close the quote or bracket",
}


class _Reader:
    """Builds values from libyaml's events. Problems that leave the rest readable are collected, others are raised."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.problems: list[Problem] = []
        self.marks: dict[Trail, tuple[int, int]] = {}
        self.keys: dict[Trail, tuple[int, int]] = {}
        self.floats: dict[Trail, str] = {}
        self.aliases: dict[Trail, Trail] = {}
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._deepest = 0

    def read(self) -> object:
        """Return the value of the only document."""
        try:
            data = self.text.encode()
        except UnicodeEncodeError as error:
            raise self._unprintable(error.start) from error
        if len(data) > MAX_BYTES:
            message = f"the file has {len(data)} bytes; at most {MAX_BYTES} are read"
            raise self._stop("YAML-LIMIT", message, (1, 1), fix="split it")
        try:
            self._next: Callable[[], _Event] = CParser(data).get_event
            return self._document()
        except YAMLError as error:
            raise self._translated(error) from error

    def _document(self) -> object:
        self._next()
        event = self._next()
        value = None
        if type(event) is DocumentStartEvent:
            value = self._node(self._next(), (), 1)
            self._next()
            event = self._next()
        if type(event) is DocumentStartEvent:
            fix = "keep one document in a file: remove '---' and what follows it"
            raise self._stop("YAML-DOCUMENTS", "a second document starts here", _at(event.start_mark), fix=fix)
        if value is None and not self.problems:
            raise self._stop("YAML-EMPTY", "the file is empty", (1, 1), fix="write it, or delete it")
        return value

    def _node(self, event: _Event, trail: Trail, depth: int) -> object:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event, trail, depth)
        mark = event.start_mark
        self.marks[trail] = (mark.line + 1, mark.column + 1)
        self._count(1, mark)
        if event.tag is not None:
            message = f"the tag '{event.tag}' is not allowed"
            self._note("YAML-TAG", message, _at(mark), fix="remove the tag; quote the value if it is to stay text")
        if event.anchor is not None:
            return self._anchored(event, trail, depth)
        if kind is ScalarEvent:
            return self._quoted(event) if event.style else self._plain(event, trail)
        return self._collection(event, trail, depth)

    def _collection(self, event: _Event, trail: Trail, depth: int) -> object:
        self._descend(depth, event.start_mark)
        return self._mapping(trail, depth) if type(event) is MappingStartEvent else self._list(trail, depth)

    def _list(self, trail: Trail, depth: int) -> list[object]:
        found: list[object] = []
        while type(event := self._next()) is not SequenceEndEvent:
            found.append(self._node(event, (*trail, len(found)), depth + 1))
        return found

    def _mapping(self, trail: Trail, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while type(event := self._next()) is not MappingEndEvent:
            name = self._key(event, found, depth)
            if name is None:
                self._node(self._next(), _ASIDE, depth + 1)
                continue
            mark = event.start_mark
            here = (*trail, name)
            self.keys[here] = (mark.line + 1, mark.column + 1)
            found[name] = self._node(self._next(), here, depth + 1)
        return found

    def _key(self, event: _Event, found: Mapping[str, object], depth: int) -> str | None:
        """Return the key, or note why it is refused."""
        mark = event.start_mark
        if type(event) is not ScalarEvent:
            self._node(event, _ASIDE, depth + 1)
            self._note("YAML-KEY", "a key must be text", _at(mark), fix="write the key out as text")
            return None
        self._count(1, mark)
        name = event.value
        plain = not event.style
        if event.tag is not None:
            self._note("YAML-TAG", f"the tag '{event.tag}' is not allowed", _at(mark), fix="remove the tag")
        elif plain and name == "<<":
            self._note("YAML-MERGE", "merge keys ('<<') are not allowed", _at(mark), fix="repeat the keys")
        elif plain and name in _NULL:
            self._note("YAML-KEY", "a key must not be empty", _at(mark), fix="write a key, or quote it")
        elif name in found:
            fix = f"remove one of the two, or rename this '{name}'"
            self._note("YAML-DUPLICATE", f"the key '{name}' stands here for the second time", _at(mark), fix=fix)
        else:
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchor(value=name, trail=_ASIDE, nodes=1, height=0)
            return str(name)
        return None

    def _anchored(self, event: _Event, trail: Trail, depth: int) -> object:
        nodes, deepest = self._nodes - 1, self._deepest
        self._deepest = depth
        if type(event) is ScalarEvent:
            value: object = self._quoted(event) if event.style else self._plain(event, trail)
        else:
            value = self._collection(event, trail, depth)
        height = self._deepest - depth
        self._anchors[event.anchor] = _Anchor(value=value, trail=trail, nodes=self._nodes - nodes, height=height)
        self._deepest = max(deepest, self._deepest)
        return value

    def _alias(self, event: _Event, trail: Trail, depth: int) -> object:
        anchor = self._anchors.get(event.anchor)
        mark = event.start_mark
        if anchor is None:
            self.marks[trail] = _at(mark)
            message = f"the alias '*{event.anchor}' has no finished '&{event.anchor}' before it"
            self._note("YAML-SYNTAX", message, _at(mark), fix="quote text that starts with '*', or define the anchor")
            return None
        self._count(anchor.nodes, mark)
        self._descend(depth + anchor.height, mark)
        self.aliases[trail] = anchor.trail
        return anchor.value

    def _count(self, nodes: int, mark: _Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"there are more than {MAX_NODES} values, those that aliases repeat included"
            raise self._stop("YAML-LIMIT", message, _at(mark), fix="split the file, or repeat less by aliases")

    def _descend(self, depth: int, mark: _Mark) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > MAX_DEPTH:
            message = f"values are nested more than {MAX_DEPTH} deep"
            raise self._stop("YAML-LIMIT", message, _at(mark), fix="nest them less")

    def _quoted(self, event: _Event) -> str:
        text: str = event.value
        if "\0" in text:
            message = "the text contains a NUL character, which no program can be given"
            self._note("YAML-SYNTAX", message, _at(event.start_mark), fix="remove it")
        return text

    def _plain(self, event: _Event, trail: Trail) -> object:
        """Resolve an unquoted scalar by the core schema of YAML 1.2. Numbers that would not be kept whole stay text."""
        text: str = event.value
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMBER_START:
            return text
        if whole := _INTEGER.fullmatch(text):
            return int(text, 0) if len(whole[1] or whole[2]) <= MAX_DIGITS else text
        if _NOT_FINITE.fullmatch(text):
            return self._number(event, float(text.replace(".", "").lower()))
        if _FLOAT.fullmatch(text):
            self.floats[trail] = text
            return self._number(event, float(text))
        return text

    def _number(self, event: _Event, number: float) -> float | None:
        if isfinite(number):
            return number
        message = f"{event.value} is not a finite number"
        self._note("YAML-NUMBER", message, _at(event.start_mark), fix=f'write a number, or quote it: "{event.value}"')
        return None

    def _note(self, code: str, message: str, at: tuple[int, int], *, fix: str = "") -> None:
        self.problems.append(problem_at(self.path, self.text, code=code, message=message, at=at, fix=fix))
        if len(self.problems) >= MAX_PROBLEMS:
            raise self._stop("YAML-LIMIT", "there are too many problems to go on", at, fix="mend the first ones")

    def _stop(self, code: str, message: str, at: tuple[int, int], *, fix: str = "") -> SpecInvalid:
        return SpecInvalid((problem_at(self.path, self.text, code=code, message=message, at=at, fix=fix),))

    def _unprintable(self, index: int) -> SpecInvalid:
        number = ord(self.text[index])
        if 0xDC80 <= number <= 0xDCFF:  # how Python decodes a foreign byte with `surrogateescape`
            message = f"byte 0x{number - 0xDC00:02x} is not UTF-8 text"
            return self._stop("YAML-SYNTAX", message, place(self.text, index), fix="save the file as UTF-8")
        message = f"the character U+{number:04X} is not allowed"
        return self._stop("YAML-SYNTAX", message, place(self.text, index), fix="remove it, or write it as an escape")

    def _translated(self, error: YAMLError) -> SpecInvalid:
        """Return libyaml's error with its place."""
        if found := UNPRINTABLE.search(self.text):
            return self._unprintable(found.start())
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        reason = str(getattr(error, "problem", None) or error)
        fix = next((fix for start, fix in _FIXES.items() if reason.startswith(start)), _FIX)
        began = getattr(error, "context_mark", None)
        if mark and began and began.line < mark.line:
            reason += f", in what begins at line {began.line + 1}, column {began.column + 1}"
        return self._stop("YAML-SYNTAX", f"not valid YAML: {reason}", _at(mark) if mark else (1, 1), fix=fix)


def _at(mark: _Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
