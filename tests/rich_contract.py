"""A contract with everything that the profile has, and small ones; a program in no language that reads documents."""

import json
from dataclasses import dataclass

from cli_multi_rapid.contracts.emitting import Answer
from cli_multi_rapid.contracts.loading import FOLDER, load_contracts
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.roundtrip import Judge
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.contracts.validation import compiled, pointer_of
from cli_multi_rapid.errors import SpecInvalid

INT64 = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}


def closed(required=(), **properties):
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


LEG = closed(("k", "v"), k={"type": "string"}, v=INT64, weight={"type": ["number", "null"]})
RICH = {
    **closed(
        ("id", "n", "legs", "kind", "maybe"),
        id={"type": "string", "format": "uuid"},
        n=INT64,
        small={"type": "integer", "minimum": 1, "maximum": 1000},
        ratio={"type": "number"},
        unit={"type": ["number", "null"], "minimum": 0, "maximum": 1},
        amount={"type": "string", "pattern": "^-?[0-9]{1,15}([.][0-9]{1,8})?$"},
        symbol={"type": "string", "pattern": "^[A-Z]{3,6}$"},
        note={"type": ["string", "null"]},
        maybe={"type": ["string", "null"], "maxLength": 5},
        short={"type": "string", "minLength": 2, "maxLength": 8},
        at={"type": "string", "format": "date-time"},
        day={"type": "string", "format": "date"},
        clock={"type": "string", "format": "time"},
        side={"type": "string", "enum": ["buy", "sell", "Buy", "short sell", 'o"dd']},
        rare={"type": ["string", "null"], "enum": ["a", None]},
        flag={"type": "boolean"},
        one={"const": 1},
        yes={"const": True},
        fixed={"const": "v1"},
        legs={"type": "array", "items": {"$ref": "#/$defs/Leg"}, "maxItems": 4},
        tags={"type": "array", "items": {"type": ["string", "null"], "maxLength": 3}, "minItems": 1, "maxItems": 3},
        grid={"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}},
        kind={
            "oneOf": [
                closed(("type", "price"), type={"const": "limit"}, price={"type": "string", "pattern": "^[0-9]+$"}),
                closed(("type",), type={"const": "market"}, leg={"$ref": "#/$defs/Leg"}),
            ]
        },
        **{"a-b": INT64, "a_b": INT64, "class": {"type": "string"}, "é": {"type": "boolean"}, 'say "x"\\': INT64},
    ),
    "$defs": {"Leg": LEG},
}


@dataclass(frozen=True)
class Opened:
    """A contract that was read, its type, and who judges its documents."""

    found: object
    contract: object
    judge: Judge


def opened(schema, name="A@1.0"):
    title, _, version = name.partition("@")
    text = json.dumps({"$id": f"urn:cmr:contract:{title}:{version}", **schema})
    found = load_contracts([f"{name}.json"], {f"{FOLDER}/{name}.json": text.encode()}.__getitem__)
    assert not found.problems
    (contract,) = found.contracts
    validator = compiled(found, contract)
    made = lowered(found, contract)
    assert not made.violations
    return Opened(found=found, contract=contract, judge=Judge(type=made.type, validator=validator))


def reader(judge, write=json.dumps, read=None):
    """Return a program that reads strictly, judges by the validator, and writes; `read` and `write` may have bugs."""

    def answer(text):
        try:
            value = (read or (lambda one: read_json(one.encode(), "")))(text)
            wrong = next(judge.validator.iter_errors(value), None)
        except (SpecInvalid, ValueError, RecursionError) as wrong:
            return Answer(error=str(wrong), where="#")
        if wrong is not None:
            return Answer(error=wrong.message, where=f"#{pointer_of(wrong.instance_path)}")
        return Answer(text=write(value))

    return lambda documents: [answer(one) for one in documents]
