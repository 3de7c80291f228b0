"""Strict readers of JSON and XML evidence: whatever is broken, ambiguous or hostile is an `EvidenceError`."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from cli_multi_rapid.gates.evidence import EvidenceError

_RERUN = "run the tool that writes it again"
_MAX_DEPTH = 100
_MAX_TEXT = 64 << 10


@dataclass(slots=True)
class Element:
    """One XML element. `text` is its own text, at most 64 KiB of it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""


def read_json(data: bytes, *, path: str) -> object:
    """Return the value of a JSON text in UTF-8, UTF-16 or UTF-32.

    Raises:
        EvidenceError: it is not JSON, too deep, has a key twice or a number that JSON does not know.
    """
    try:
        text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as problem:
        raise EvidenceError(f"{path} is nested too deeply", fix=_RERUN) from problem
    except ValueError as problem:
        raise EvidenceError(f"{path} is not valid JSON: {problem}", fix=_RERUN) from problem


def mapping(value: object, *, what: str) -> Mapping[str, object]:
    """Return the value as a JSON object, or raise `EvidenceError`."""
    if not isinstance(value, dict):
        raise EvidenceError(f"{what} is not an object", fix=_RERUN)
    return value


def sequence(value: object, *, what: str) -> Sequence[object]:
    """Return the value as a JSON array, or raise `EvidenceError`."""
    if not isinstance(value, list):
        raise EvidenceError(f"{what} is not a list", fix=_RERUN)
    return value


def read_xml(data: bytes, *, path: str, skip: frozenset[str] = frozenset()) -> Element:
    """Return the root element of an XML document, without elements called as in `skip` and what is in them.

    A reference to an external document type (as Cobertura writes it) is tolerated and never fetched; one that
    declares anything itself is refused, so no entity is ever expanded.

    Raises:
        EvidenceError: it is not well formed, too deep, or declares entities or a document type of its own.
    """
    builder = _Builder(path, skip)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise EvidenceError(f"{path} is not valid XML: {problem}", fix=_RERUN) from problem
    except (ValueError, LookupError) as problem:
        raise EvidenceError(f"{path} is in an unknown encoding: {problem}", fix=_RERUN) from problem
    if builder.root is None:
        raise EvidenceError(f"{path} has no XML element", fix=_RERUN)
    return builder.root


class _Builder:
    def __init__(self, path: str, skip: frozenset[str]) -> None:
        self.root: Element | None = None
        self._path = path
        self._skip = skip
        self._skipped = 0  # how many levels deep in what is left out
        self._open: list[Element] = []
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._entity

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) + self._skipped >= _MAX_DEPTH:
            raise EvidenceError(f"{self._path} is nested too deeply", fix=_RERUN)
        name = tag.rpartition(":")[2]
        if self._skipped or (name in self._skip and self._open):
            self._skipped += 1
            return
        element = Element(name, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._skipped:
            return
        here = self._open[-1]
        if len(here.text) < _MAX_TEXT and (here.text or not text.isspace()):
            here.text += text[:_MAX_TEXT]

    def _doctype(self, _name: str, _system: str | None, _public: str | None, internal: int) -> None:
        if internal:
            raise EvidenceError(f"{self._path} declares a document type of its own; refused", fix=_RERUN)

    def _entity(self, *_what: object) -> None:
        raise EvidenceError(f"{self._path} declares or uses entities; refused", fix=_RERUN)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return made


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number")
