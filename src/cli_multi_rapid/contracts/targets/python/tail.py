"""The part of a Pydantic module that is the same for all contracts: reading, validating and writing documents."""

from collections.abc import Mapping

from cli_multi_rapid.contracts.targets.python.accepted import Classes
from cli_multi_rapid.contracts.targets.python.words import docstring_text, quoted

_CHUNK = 96
_USUAL_WIDTH = 88  # where ruff and black stop unless they are told otherwise; what is split stays split
_TYPING = ("Annotated", "Any", "Literal")
_PYDANTIC = (
    "MISSING", "BaseModel", "ConfigDict", "Field", "RootModel", "StrictBool", "StrictFloat", "StrictInt", "StrictStr",
    "ValidationError",
)  # fmt: skip
_HEAD = """\
from __future__ import annotations

import json
from functools import cache
from math import isfinite
TYPING

from jsonschema_rs import Draft202012Validator, RegexOptions, Registry
PYDANTIC"""
_METHOD = '''
    def to_json(self) -> str:
        """Return the object as JSON, validated by the schema. Keys that are `MISSING` are left out.

        Raises:
            NAMEError: the schema does not accept it.
        """
        return _written(self)'''
_TAIL = '''\
class NAMEError(ValueError):
    """This is no NAME: `pointer` says where (JSON pointer, empty for all of it), `reason` says why."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(pointer, reason)
        self.pointer = pointer
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.pointer}: {self.reason}" if self.pointer else self.reason


def parse(text: str | bytes) -> NAME:
    """Return what a JSON text says; bytes are UTF-8. Numbers such as 1.0 are whole numbers.

    Raises:
        NAMEError: it is not JSON, has a key twice, or the schema does not accept it.
    """
    value = _plain(_read(text), ())
    _validate(value)
    try:
        return NAME.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise NAMEError(_pointer(first["loc"]), first["msg"]) from wrong


def _written(model: NAME) -> str:
    value = _plain(model.model_dump(by_alias=True, warnings=False), ())
    _validate(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _read(text: str | bytes) -> Any:
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError as wrong:
        raise NAMEError("", f"it is nested more than {_DEEPEST} levels deep") from wrong
    except UnicodeError as wrong:
        raise NAMEError("", "it is not UTF-8") from wrong
    except NAMEError:
        raise
    except ValueError as wrong:
        raise NAMEError("", f"it is not JSON: {wrong}") from wrong


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NAMEError("", f"the key {twice[:80]!r} stands twice in one object")
    return made


def _no_number(word: str) -> Any:
    raise NAMEError("", f"{word} is not a number of JSON")


def _plain(value: Any, at: tuple[str | int, ...]) -> Any:
    """Return a value of JSON with whole numbers as `int`; at the same time check what the schema cannot see."""
    kind = type(value)
    if kind is str:
        if not value.isascii() and any("\\ud800" <= one <= "\\udfff" for one in value):
            raise NAMEError(_pointer(at), "half of a surrogate pair is no character")
        return value
    if kind is float:
        if not isfinite(value):
            raise NAMEError(_pointer(at), "the number is too large for double precision, or is none")
        return int(value) if value.is_integer() and -(2**63) <= value < 2**63 else value
    if value is None or kind is bool or kind is int:
        return value
    if len(at) >= _DEEPEST:
        raise NAMEError(_pointer(at), f"it is nested more than {_DEEPEST} levels deep")
    if kind is list:
        return [_plain(one, (*at, index)) for index, one in enumerate(value)]
    if kind is dict and all(type(key) is str for key in value):
        return {_plain(key, at): _plain(one, (*at, key)) for key, one in value.items()}
    raise NAMEError(_pointer(at), f"{kind.__name__} is no value of JSON")


def _validate(value: Any) -> None:
    validator = _validator()
    if not validator.is_valid(value):
        first = next(iter(validator.iter_errors(value)))
        raise NAMEError(_pointer(first.instance_path), first.message[:300])


def _pointer(path: Any) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


@cache
def _validator() -> Draft202012Validator:
    documents = json.loads(_DOCUMENTS)
    registry = Registry([(uri, document) for uri, document in documents], retriever=_outside)
    return Draft202012Validator(
        documents[0][1], registry=registry, retriever=_outside, validate_formats=True, ignore_unknown_formats=False,
        pattern_options=RegexOptions(),
    )  # fmt: skip


def _outside(uri: str) -> Any:
    raise ValueError(f"nothing is fetched: {uri}")


_DEEPEST = 100
'''


def module_text(name: str, classes: Classes, said: Mapping[str, str], *, documents: str, header: str) -> str:
    """Return the module of a contract whose class is `name`.

    Args:
        name: the class.
        classes: all classes.
        said: what the docstring of a class is, by its name.
        documents: JSON of the URIs and schemas that the validator is made of, the contract first.
        header: docstring of the module.
    """
    words = classes.words | {"Any", "ValidationError"}
    head = _HEAD.replace("TYPING", _imported("typing", _TYPING, words))
    head = head.replace("PYDANTIC", _imported("pydantic", _PYDANTIC, words))
    sources = [_class(text, said.get(one, ""), own=one == name) for one, text in classes.sources.items()]
    calls = ["\n".join(classes.calls)] if classes.calls else []
    chunks = [documents[start : start + _CHUNK] for start in range(0, len(documents), _CHUNK)]
    literal = "\n".join(["_DOCUMENTS = (", *(f"    {quoted(chunk)}" for chunk in chunks), ")"])
    tail = _TAIL.replace("NAME", name)
    return f"{header}\n" + "\n\n\n".join([head, *sources, *calls, tail]) + f"\n{literal}\n"


def _class(text: str, said: str, *, own: bool) -> str:
    """Return a class with its docstring; that of the contract has what writes it."""
    first, _, rest = text.partition("\n")
    docstring = [docstring_text(said, 4) + "\n"] if said else []
    name = first.removeprefix("class ").partition("(")[0]
    return "\n".join([first, *docstring, rest, *([_METHOD.replace("NAME", name)] if own else [])])


def _imported(module: str, words: tuple[str, ...], used: frozenset[str]) -> str:
    """Return an import in the form that sorters of imports leave alone, whatever length of lines they are set to."""
    listed = [word for word in words if word in used]
    line = f"from {module} import {', '.join(listed)}"
    return (
        line
        if len(line) <= _USUAL_WIDTH
        else "\n".join([f"from {module} import (", *(f"    {one}," for one in listed), ")"])
    )
