"""Pydantic models of a contract: datamodel-code-generator writes the classes, we what reads and writes documents.

The generator is given shapes, spelled as a schema of a few keywords: nothing that a contract says beside them reaches
it, and what it returns is taken apart and compared with what was asked for, before any of it is used.
"""

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cli_multi_rapid.contracts.emitting import Refused
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.naming import place_names, snake, unique
from cli_multi_rapid.contracts.targets.python.accepted import Asked, NotAccepted, accepted_classes
from cli_multi_rapid.contracts.targets.python.generator import GENERATOR, generated
from cli_multi_rapid.contracts.targets.python.shapes import (
    Anything,
    Choice,
    Entry,
    Named,
    Record,
    Scalar,
    Sequence,
    Shape,
    Shapes,
    Table,
    Values,
)  # fmt: skip
from cli_multi_rapid.contracts.targets.python.tail import module_text
from cli_multi_rapid.contracts.targets.python.words import compact
from cli_multi_rapid.model.contract import Violation

_TYPES = frozenset({
    "Annotated", "Any", "Literal", "BaseModel", "ConfigDict", "Field", "MISSING", "RootModel", "StrictBool",
    "StrictFloat", "StrictInt", "StrictStr",
})  # fmt: skip
_OURS = frozenset({
    "Draft202012Validator", "RegexOptions", "Registry", "RecursionError", "UnicodeError", "ValidationError",
    "ValueError", "TypeError", "None", "True", "False",
})  # fmt: skip
RESERVED = frozenset({
    "construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema", "schema_json",
    "update_forward_refs", "validate", "Config", "to_json", "root", "str", "list",
})  # fmt: skip
"""What a model has under its own name already (`model_...` aside), and the types that fields are written with."""


def model_text(contract: Contract, shapes: Shapes, documents: list[tuple[str, object]], *, header: str) -> str:
    """Return a module with a model for every object of known keys, the one of the contract by its name.

    Raises:
        Refused: the generator cannot write it.
        ToolMissing: it is not installed.
    """
    own = contract.name
    reserved = {*_TYPES, *_OURS, f"{own}Error", f"{own}2Error"}
    place = shapes.root.place if isinstance(shapes.root, Named) else f"{shapes.place}="
    names = place_names(own, place, [place, *shapes.records], reserved=reserved, joint="")
    asked = _asked(shapes, names, names[place])
    try:
        classes = accepted_classes(generated(asked), asked)
    except NotAccepted as wrong:
        raise Refused(Violation(place=shapes.place, reason=f"{GENERATOR}: {wrong}")) from wrong
    said = {names[at]: record.description for at, record in shapes.records.items() if record.description}
    return module_text(names[place], classes, said, documents=compact(documents), header=header)


def _asked(shapes: Shapes, names: Mapping[str, str], root: str) -> Asked:
    fields = {names[place]: _fields(record, names.values()) for place, record in shapes.records.items()}
    writing = _Writing(names=names, root=root)
    definitions = {names[place]: writing.record(record) for place, record in shapes.records.items()}
    top = definitions.pop(root) if isinstance(shapes.root, Named) else writing.schema(shapes.root)
    if not isinstance(shapes.root, Named):
        fields[root] = {}
    return Asked(root=root, schema={**top, "$defs": definitions}, fields=fields)


def _fields(record: Record, classes: Iterable[str]) -> dict[str, str]:
    """Return the attribute for each key of a record: none has the name of another key."""
    taken = {*_TYPES, *RESERVED, *keyword.kwlist, *classes}
    keys = [entry.key for entry in record.entries]
    plain = {key: key for key in keys if _wish(key) == key and key not in taken}
    return plain | unique([key for key in keys if key not in plain], wish=_wish, reserved={*taken, *keys})


def _wish(key: str) -> str:
    if key.isascii() and key.isidentifier() and not key.startswith(("_", "model_")):
        return key
    made = snake(key)
    return f"field_{made}" if made.startswith("model_") else made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    """Spells shapes as a schema for the generator."""

    names: Mapping[str, str]
    root: str

    def record(self, record: Record) -> dict[str, object]:
        return {
            "type": "object",
            "properties": {entry.key: self._property(entry) for entry in record.entries},
            "required": [entry.key for entry in record.entries if entry.required],
            "additionalProperties": record.open,
        }

    def schema(self, shape: Shape) -> dict[str, object]:
        match shape:
            case Scalar(kind=kind):
                return {"type": kind}
            case Values(values=values):
                return {"enum": list(values)}
            case Sequence(item=item):
                return {"type": "array", "items": self.schema(item)}
            case Table(value=value):
                inner = True if isinstance(value, Anything) else self.schema(value)
                return {"type": "object", "additionalProperties": inner}
            case Named(place=place):
                name = self.names[place]
                return {"$ref": "#" if name == self.root else f"#/$defs/{name}"}
            case Choice(parts=parts):
                return {"anyOf": [self.schema(one) for one in parts]}
            case Anything():
                return {}

    def _property(self, entry: Entry) -> dict[str, object]:
        """Return the schema of a property. Bounds stand only here: elsewhere the generator makes classes of them."""
        made = self.schema(entry.shape)
        return {**made, **dict(entry.shape.bounds)} if isinstance(entry.shape, Scalar | Sequence) else made
