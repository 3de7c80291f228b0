"""Contracts and what they refer to: read from the project only, never fetched from anywhere."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from cli_multi_rapid.contracts.schema_tree import Schema, at_pointer, normal, places, schemas
from cli_multi_rapid.contracts.strict_json import LIMIT_BYTES, read_json
from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.contract import EVENTS
from cli_multi_rapid.system.files import PathRefused

FOLDER = EVENTS
EXAMPLES = f"{FOLDER}/examples"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
DRAFT_07 = "http://json-schema.org/draft-07/schema"
"""What a contract refers to may be of this draft, too: a schema that somebody else has made."""

_NAME = re.compile(r"(?P<name>[A-Z][A-Za-z0-9]{0,47})@(?P<version>(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3}))\.json")
_LONGEST = 4096
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

Reader = Callable[[str], bytes]
"""Returns the content of a file of the project, or raises `PathRefused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract: its name, version (`1.0`), path in the project and `$id`."""

    name: str
    version: str
    path: str
    id: str

    @property
    def key(self) -> str:
        """Return name and version as its file has them, such as `OrderIntent@1.2`."""
        return f"{self.name}@{self.version}"

    @property
    def suffix(self) -> str:
        """Return the version as the end of a name in code, such as `v1_2`."""
        return f"v{self.version.replace('.', '_')}"

    def examples(self, kind: str) -> str:
        """Return the folder of its examples that are `valid` or `invalid`."""
        return f"{EXAMPLES}/{self.key}/{kind}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a `$ref` leads to: a file of the project, and the JSON pointer of a schema in it."""

    path: str
    fragment: str

    def __str__(self) -> str:
        return f"{self.path}#{self.fragment}"


@dataclass(slots=True)
class ContractSet:
    """The contracts of a project, all documents they are made of by path, and every problem found on the way."""

    contracts: list[Contract] = field(default_factory=list)
    documents: dict[str, object] = field(default_factory=dict)
    references: dict[Target, Target] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _places: dict[str, dict[str, str]] = field(default_factory=dict)
    _closures: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def closure(self, contract: Contract) -> tuple[str, ...]:
        """Return the paths of all documents that a contract is made of, its own first, the others sorted."""
        if contract.path in self._closures:
            return self._closures[contract.path]
        leads: dict[str, set[str]] = {}
        for source, target in self.references.items():
            leads.setdefault(source.path, set()).add(target.path)
        reached: set[str] = set()
        todo = [contract.path]
        while todo:
            here = todo.pop()
            if here not in reached:
                reached.add(here)
                todo += leads.get(here, ())
        self._closures[contract.path] = (contract.path, *sorted(reached - {contract.path}))
        return self._closures[contract.path]

    def resolved(self, target: Target) -> object | None:
        """Return the schema at a place; None where there is none."""
        return at_pointer(self.documents.get(target.path), target.fragment)

    def draft(self, path: str) -> str:
        """Return the draft of JSON Schema that a document is written in, as its `$schema` names it."""
        return _draft(self.documents.get(path))

    def place(self, path: str, fragment: str) -> Target | None:
        """Return the place of the schema that a fragment, a JSON pointer or an anchor, leads to; None where to none."""
        if path not in self._places:
            self._places[path] = dict(_fragments(self.documents.get(path)))
        wanted = normal(fragment) if fragment.startswith("/") else fragment
        found = self._places[path].get(wanted)
        return None if found is None else Target(path, found)


def load_contracts(names: Iterable[str], read: Reader) -> ContractSet:
    """Read the contracts of these file names in `contracts/events`, and every file they refer to."""
    found = ContractSet()
    ids: dict[str, str] = {}
    for name in sorted(names):
        contract = contract_named(name)
        if contract is None:
            said = "the file of a contract is called Name@MAJOR.MINOR.json, with at most 48 letters and digits in Name"
            _blame(found, "CONTRACT-NAME", f"{FOLDER}/{name}", said, "rename it")
            continue
        if _read(contract.path, found, read) is None:
            continue
        if found.draft(contract.path) != DRAFT:
            said = "the `$schema` of a contract is that of draft 2020-12"
            _blame(found, "CONTRACT-SCHEMA", contract.path, said, "put the schema elsewhere, and refer to its file")
        found.contracts.append(contract)
        ids[contract.id] = contract.path
        _check_id(contract, found)
    todo = list(found.documents)
    while todo:
        todo += _follow(todo.pop(), found, ids, read)
    found.problems += _duplicates(found)
    return found


def contract_named(name: str) -> Contract | None:
    """Return the contract whose file in `contracts/events` has a name; None where it is not that of a contract."""
    path = f"{FOLDER}/{name}"
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    title, version = match["name"], match["version"]
    return Contract(name=title, version=version, path=path, id=f"urn:cmr:contract:{title}:{version}")


def _read(path: str, found: ContractSet, read: Reader) -> object | None:
    try:
        value = read_json(read(path), path)
    except PathRefused as refused:
        fix = f"put a regular file of at most {LIMIT_BYTES >> 20} MiB there, not a link"
        _blame(found, "CONTRACT-FILE", path, f"it {refused.reason}", fix)
        return None
    except SpecInvalid as invalid:
        found.problems += invalid.problems
        return None
    if not isinstance(value, dict):
        _blame(found, "CONTRACT-SCHEMA", path, "a contract is a JSON object", "write a schema")
        return None
    draft = _draft(value)
    if draft not in (DRAFT, DRAFT_07):
        _blame(found, "CONTRACT-SCHEMA", path, "`$schema` is not that of draft 2020-12", f'"$schema": "{DRAFT}"')
        return None
    found.documents[path] = value
    return value


def _draft(document: object) -> str:
    return str(document.get("$schema", DRAFT)).removesuffix("#") if isinstance(document, dict) else DRAFT


def _check_id(contract: Contract, found: ContractSet) -> None:
    document = found.documents[contract.path]
    given = document.get("$id") if isinstance(document, dict) else None
    if given != contract.id:
        said = f"`$id` is {str(given)[:80]!r}" if given is not None else "`$id` is missing"
        _blame(found, "CONTRACT-ID", contract.path, f"{said}; the name of the file says otherwise",
               f'"$id": "{contract.id}"')  # fmt: skip


def _duplicates(found: ContractSet) -> list[Problem]:
    owners: dict[str, str] = {}
    problems = []
    for path, document in sorted(found.documents.items()):
        given = document.get("$id") if isinstance(document, dict) else None
        if isinstance(given, str) and owners.setdefault(given, path) != path:
            message = f"`$id` {given[:80]!r} is that of {owners[given]} already"
            problems.append(Problem(code="CONTRACT-ID", message=message, path=path, fix="give each its own"))
    return problems


def _follow(path: str, found: ContractSet, ids: Mapping[str, str], read: Reader) -> list[str]:
    """Note where each `$ref` of a document leads; return the paths of documents that were read for it."""
    new: list[str] = []
    _check_names(path, found)
    for pointer, schema in schemas(found.documents[path]):
        for key in ("$ref", "$dynamicRef"):
            if key not in schema:
                continue
            target = _target(schema[key], path, ids)
            if isinstance(target, str):
                _blame(found, "CONTRACT-REF", f"{path}#{pointer}", target, "refer to a schema inside the project")
                continue
            if target.path not in found.documents:
                if any(one.path == target.path for one in found.problems) or _read(target.path, found, read) is None:
                    continue
                new.append(target.path)
            place = found.place(target.path, target.fragment)
            if place is None:
                said = f"there is no schema at {str(target)[:160]}"
                _blame(found, "CONTRACT-REF", f"{path}#{pointer}", said, "correct it")
                continue
            found.references[Target(path, pointer)] = place
    return new


def _check_names(path: str, found: ContractSet) -> None:
    """Check that what schemas are called by, and refer by, means one thing."""
    anchors: set[str] = set()
    for pointer, schema in schemas(found.documents[path]):
        here = f"{path}#{pointer}"
        for anchor in _anchors(schema):
            if anchor in anchors:
                _blame(found, "CONTRACT-REF", here, f"the anchor {anchor[:80]!r} stands twice", "rename one of them")
            anchors.add(anchor)
        if pointer and "$id" in schema:
            said = "a schema inside another has no `$id` of its own"
            _blame(found, "CONTRACT-ID", here, said, "move it to a file, or remove the `$id`")
        if "$ref" in schema and "$dynamicRef" in schema:
            said = "`$ref` and `$dynamicRef` stand beside each other"
            _blame(found, "CONTRACT-REF", here, said, "put one of them into `allOf`")


def _target(reference: object, path: str, ids: Mapping[str, str]) -> Target | str:
    """Return what a reference leads to, or why it is refused."""
    if not isinstance(reference, str):
        return "a reference is text"
    shown = repr(reference[:80])
    if len(reference) > _LONGEST:
        return f"{shown}... is too long"
    place, _, fragment = reference.partition("#")
    fragment = unquote(fragment)
    if not place:
        return Target(path, fragment)
    if place in ids:
        return Target(ids[place], fragment)
    if place.startswith("urn:cmr:contract:"):
        return f"there is no contract {shown}"
    if _SCHEME.match(place) or place.startswith(("/", "\\")) or "?" in place:
        return f"{shown} leads outside the project; nothing is fetched"
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(place)))
    if joined.startswith("../") or joined == "..":
        return f"{shown} leads outside the project; nothing is fetched"
    return Target(joined, fragment)


def _fragments(document: object) -> Iterator[tuple[str, str]]:
    """Yield what leads to the schemas of a document, JSON pointers and anchors, with the pointer of each."""
    for pointer in places(document):
        yield pointer, pointer
    for pointer, schema in schemas(document):
        yield from ((one, pointer) for one in _anchors(schema))


def _anchors(schema: Schema) -> list[str]:
    given = [one for one in (schema.get("$anchor"), schema.get("$dynamicAnchor")) if isinstance(one, str) and one]
    return list(dict.fromkeys(given))


def _blame(found: ContractSet, code: str, path: str, message: str, fix: str) -> None:
    found.problems.append(Problem(code=code, message=message, path=path, fix=fix))
