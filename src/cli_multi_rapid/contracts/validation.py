"""Validation by jsonschema-rs: formats asserted, linear-time patterns, nothing fetched."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cli_multi_rapid.contracts.loading import Contract, ContractSet, Target
from cli_multi_rapid.contracts.schema_tree import children
from cli_multi_rapid.errors import Problem, SpecInvalid

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_BASE = "cmr://project/"
_SAFE = "/~!$&'()*+,;=:@?"  # what RFC 3986 lets stand in a fragment


def compiled(found: ContractSet, contract: Contract) -> "Draft202012Validator":
    """Return the validator of a contract.

    Raises:
        SpecInvalid: the contract, or what it refers to, is no valid schema.
    """
    from jsonschema_rs import Draft202012Validator, ReferencingError, RegexOptions, Registry, ValidationError

    pairs = standing(found, contract)
    try:
        for path in found.closure(contract):
            _check_meta(path, found.documents[path])
        registry = Registry(pairs, retriever=_deny)
        return Draft202012Validator(
            pairs[0][1], registry=registry, retriever=_deny, validate_formats=True,
            ignore_unknown_formats=False, pattern_options=RegexOptions(),
        )  # fmt: skip
    except ValidationError as wrong:
        raise _invalid(contract.path, f"{pointer_of(wrong.instance_path)}: {wrong.message}") from wrong
    except (ReferencingError, ValueError) as wrong:
        raise _invalid(contract.path, str(wrong)) from wrong


def standing(found: ContractSet, contract: Contract) -> list[tuple[str, Any]]:
    """Return the URIs and documents that a validator of a contract alone is made of, the contract itself first."""
    return [(_uri(path), _standing(found, path, found.documents[path])) for path in found.closure(contract)]


def pointer_of(path: list[str | int]) -> str:
    """Return a path of keys and indexes as a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _check_meta(path: str, document: Any) -> None:
    from jsonschema_rs import ValidationError, meta

    try:
        meta.validate(document)
    except ValidationError as wrong:
        raise _invalid(f"{path}#{pointer_of(wrong.instance_path)}", wrong.message) from wrong


def _standing(found: ContractSet, path: str, document: object) -> Any:
    """Return a document that names itself and what it refers to by where they are in the project."""
    made = _rewritten(found, Target(path, ""), document)
    return {**made, "$schema": found.draft(path), "$id": _uri(path)} if isinstance(made, Mapping) else made


def _rewritten(found: ContractSet, here: Target, schema: object) -> object:
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    target = found.references.get(here)
    if target is not None and "$ref" in made and not str(made["$ref"]).startswith("#"):
        made["$ref"] = f"{_uri(target.path)}#{quote(target.fragment, safe=_SAFE)}"
    for below, inner, _ in children(schema):
        _put(made, schema, below, _rewritten(found, Target(here.path, here.fragment + below), inner))
    return made


def _put(made: dict[str, object], schema: Mapping[str, object], below: str, value: object) -> None:
    """Set an inner schema in a copy; its container is copied once, the original stays as it is."""
    keyword, *rest = [part.replace("~1", "/").replace("~0", "~") for part in below.split("/")[1:]]
    if not rest:
        made[keyword] = value
        return
    holder = made[keyword]
    if holder is schema[keyword]:
        holder = made[keyword] = list(holder) if isinstance(holder, list) else dict(holder)  # type: ignore[call-overload]
    if isinstance(holder, list):
        holder[int(rest[0])] = value
    elif isinstance(holder, dict):
        holder[rest[0]] = value


def _uri(path: str) -> str:
    return _BASE + quote(path)


def _deny(uri: str) -> Any:
    raise ValueError(f"$ref outside the project: {uri}")


def _invalid(path: str, message: str) -> SpecInvalid:
    return SpecInvalid((Problem(code="CONTRACT-SCHEMA", message=message[:300], path=path, fix="correct the schema"),))
