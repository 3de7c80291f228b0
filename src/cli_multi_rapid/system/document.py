"""Read a file as a frozen dataclass, checked against its published JSON Schema; all problems at once, in words."""

import json
import pkgutil
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.system.faults import Fault, Schema, explain
from cli_multi_rapid.system.positions import Document, Trail, in_order
from cli_multi_rapid.system.shapes import build
from cli_multi_rapid.system.yaml import MAX_PROBLEMS, scan

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

FORMATS = ("phase", "gates", "waivers", "config")
"""The file formats with a published JSON Schema that people write."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[T]):
    """A file as far as it could be read, and what its schema says against it.

    `draft` is there for further checks even where the file has problems: what is missing or wrong in it is empty or at
    its default. It is None if nothing could be read.
    """

    document: Document
    draft: T | None
    faults: tuple[Fault, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return every problem, in order of position."""
        return in_order((*self.document.problems, *(fault.problem for fault in self.faults)))

    @property
    def value(self) -> T | None:
        """Return the whole content, or None if there is any problem."""
        return None if self.problems else self.draft


class Findings:
    """Collects the problems of one file that its schema cannot express, without repeating what the schema said."""

    def __init__(self, loaded: Loaded[T]) -> None:
        self.document = loaded.document
        self._faults = list(loaded.faults)
        self._wrong = {fault.trail for fault in loaded.faults}

    def add(
        self,
        code: str,
        trail: Trail,
        message: str,
        *,
        fix: str = "",
        key: bool = False,
        at: tuple[int, int] | None = None,
    ) -> None:
        """Note a problem of a value (or its key), unless the schema has already refused the value or what it is in."""
        if not self.refused(trail):
            place = at or self.document.position(trail, key=key)
            self._faults.append(Fault(trail=trail, problem=self.document.problem(code, message, at=place, fix=fix)))

    def refused(self, trail: Trail) -> bool:
        """Tell whether the schema has refused a value or what it is in."""
        return bool(self._wrong) and any(trail[:end] in self._wrong for end in range(len(trail) + 1))

    def replace(self, trail: Trail, *, code: str = "", message: str = "", fix: str = "") -> None:
        """Say something better, or with no message nothing, where the schema has refused a value."""
        self._faults = [fault for fault in self._faults if fault.trail != trail]
        if message:
            at = self.document.position(trail, key=True)
            problem = self.document.problem(code, message, at=at, fix=fix)
            self._faults.append(Fault(trail=trail, problem=problem))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return every problem of the file, in order of position."""
        return in_order((*self.document.problems, *(fault.problem for fault in self._faults)))

    def check(self) -> None:
        """Do nothing if there is no problem.

        Raises:
            SpecInvalid: with every problem of the file.
        """
        if problems := self.problems:
            raise SpecInvalid(problems)


def load_document(source: str | bytes, path: str, *, shape: type[T], schema: str) -> Loaded[T]:
    """Read a file whose content has the shape of a dataclass. `schema` names one of `FORMATS`."""
    document = scan(source, path)
    if not document.complete:
        return Loaded(document=document, draft=None)
    faults = tuple(_faults(document, schema))
    if not isinstance(document.values, dict):
        return Loaded(document=document, draft=None, faults=faults)
    return Loaded(document=document, draft=build(shape, document.values), faults=faults)


def schema_text(name: str) -> str:
    """Return the published JSON Schema of a format."""
    data = pkgutil.get_data("cli_multi_rapid.model", f"schemas/{name}.schema.json")
    assert data is not None
    return data.decode()


@cache
def _schema(name: str) -> Schema:
    loaded: dict[str, Any] = json.loads(schema_text(name))
    return loaded


@cache
def _validator(name: str) -> "Draft202012Validator":
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(schema_text(name))


def _faults(document: Document, schema: str) -> list[Fault]:
    errors = islice(_validator(schema).iter_errors(document.values), MAX_PROBLEMS)
    return [fault for error in errors for fault in explain(error, document, _schema(schema))]
