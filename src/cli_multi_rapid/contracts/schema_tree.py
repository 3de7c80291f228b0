"""The schemas inside of a JSON Schema: where a keyword holds schemas, and where it holds data."""

from collections.abc import Iterator, Mapping

IN_PLACE_ONE = frozenset({"not", "if", "then", "else"})
IN_PLACE_LIST = frozenset({"allOf", "anyOf", "oneOf"})
_ONE = frozenset({
    "items", "additionalProperties", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    "contentSchema", "additionalItems",
})  # fmt: skip
_LIST = frozenset({"prefixItems"})
_MAP = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_IN_PLACE_MAP = frozenset({"dependentSchemas", "dependencies"})  # the latter is of older drafts; the validator knows it

HOLDERS = IN_PLACE_ONE | IN_PLACE_LIST | _ONE | _LIST | _MAP | _IN_PLACE_MAP
"""The keywords that hold schemas."""

Schema = Mapping[str, object]


def escaped(key: str) -> str:
    """Return a key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def children(schema: Schema) -> Iterator[tuple[str, object, bool]]:
    """Yield pointer below the schema, inner schema, and whether it judges the same value as the schema itself."""
    for key, value in schema.items():
        if key == "items" and isinstance(value, list):  # as draft-07 has it
            yield from ((f"/items/{index}", one, False) for index, one in enumerate(value))
        elif key in IN_PLACE_ONE or key in _ONE:
            yield f"/{escaped(key)}", value, key in IN_PLACE_ONE
        elif (key in IN_PLACE_LIST or key in _LIST) and isinstance(value, list):
            for index, one in enumerate(value):
                yield f"/{key}/{index}", one, key in IN_PLACE_LIST
        elif (key in _MAP or key in _IN_PLACE_MAP) and isinstance(value, dict):
            for name, one in value.items():
                yield f"/{escaped(key)}/{escaped(name)}", one, key in _IN_PLACE_MAP


def schemas(root: object) -> Iterator[tuple[str, Schema]]:
    """Yield every object schema of a document with its JSON pointer, outer ones first."""
    todo: list[tuple[str, object]] = [("", root)]
    while todo:
        pointer, here = todo.pop()
        if isinstance(here, dict):
            yield pointer, here
            todo += [(pointer + below, inner) for below, inner, _ in children(here)]


def places(root: object) -> Iterator[str]:
    """Yield the JSON pointers of all schemas of a document, also of those that are only true or false."""
    if isinstance(root, bool):
        yield ""
    for pointer, here in schemas(root):
        yield pointer
        yield from (pointer + below for below, inner, _ in children(here) if isinstance(inner, bool))


def normal(pointer: str) -> str:
    """Return a JSON pointer in the spelling that this program makes."""
    return "".join(f"/{escaped(part.replace('~1', '/').replace('~0', '~'))}" for part in pointer.split("/")[1:])


def at_pointer(root: object, pointer: str) -> object | None:
    """Return what a JSON pointer leads to; None where there is nothing."""
    here: object = root
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            return None
    return here
