"""What the emitters share: names that begin with the contract, patterns, and what a contract says in words."""

import json
from collections.abc import Callable, Collection

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Refused
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.naming import LIMIT, type_names, unique
from cli_multi_rapid.contracts.patterns import Automaton, PatternRefused, automaton
from cli_multi_rapid.model.contract import Violation

_SHOWN = 200


def visible(text: str) -> str:
    """Return text without characters that break lines, turn the direction of reading or are not seen."""
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)


def rule(kind: ir.Type, *, nullable: bool = False) -> str:
    """Return what values of a type are, such as `a whole number from 0 to 9`."""
    said = _rule(kind)
    return visible(f"{said}, or null" if nullable else said)


def local_names(
    contract: Contract, root: ir.Root, *, reserved: Collection[str] = (), same: Callable[[str], str] = str
) -> dict[str, str]:
    """Return a name for every object and union by its place. All begin with the name of the contract."""
    names = type_names(contract.name, root)
    wishes = {place: name if name.startswith(contract.name) else contract.name + name for place, name in names.items()}
    return unique(wishes, lambda place: wishes[place], reserved, LIMIT, same)


def automata(contract: Contract, root: ir.Root) -> dict[str, Automaton]:
    """Return the automaton of every pattern of a contract.

    Raises:
        Refused: a pattern is none, or means different things in different languages.
    """
    kinds = [member.type for one in ir.objects(root) if isinstance(one, ir.ObjectType) for member in one.members]
    texts = [one for one in map(_innermost, kinds) if isinstance(one, ir.StringType) and one.pattern]
    made: dict[str, Automaton] = {}
    for one in texts:
        try:
            made[one.pattern] = automaton(one.pattern)
        except PatternRefused as refused:
            raise Refused(Violation(place=contract.path, reason=f"{one.pattern[:80]!r}: {refused}")) from refused
    return made


def _innermost(kind: ir.Type) -> ir.Type:
    while isinstance(kind, ir.ArrayType):
        kind = kind.item
    return kind


def _rule(kind: ir.Type) -> str:
    match kind:
        case ir.BooleanType():
            return "true or false"
        case ir.IntegerType(minimum=low, maximum=high):
            return f"a whole number from {low} to {high}"
        case ir.NumberType():
            return f"a number{_limits(kind)}"
        case ir.ConstType(value=value):
            return f"always {json.dumps(value, ensure_ascii=False)}"
        case ir.ArrayType(min_items=low, max_items=high):
            return f"{_count(low, high, 'item')}: {rule(kind.item, nullable=kind.item_nullable)}"
        case ir.StringType():
            return _text(kind)
        case ir.UnionType(tag=tag):
            return f"one of several objects, told apart by the key {tag}"
        case ir.ObjectType():
            return "an object"


def _limits(kind: ir.NumberType) -> str:
    low = "" if kind.minimum is None else f" of at least {kind.minimum!r}"
    high = "" if kind.maximum is None else f" of at most {kind.maximum!r}"
    return f"{low} and{high}" if low and high else low + high


def _text(kind: ir.StringType) -> str:
    said = f"a {kind.format}" if kind.format else "text"
    if kind.enum:
        shown = ", ".join(json.dumps(one, ensure_ascii=False) for one in dict.fromkeys(kind.enum))
        said = f"one of {shown}" if len(shown) <= _SHOWN else f"one of {len(set(kind.enum))} texts"
    if kind.min_length or kind.max_length is not None:
        said += f" of {_count(kind.min_length, kind.max_length, 'character')}"
    return f"{said} that matches {kind.pattern}" if kind.pattern else said


def _count(low: int, high: int | None, what: str) -> str:
    """Return how many there are, such as `1 to 3 items`."""
    many = what if (low if high is None else high) == 1 else f"{what}s"
    if high is None:
        return f"at least {low} {many}" if low else many
    if low == high:
        return f"{low} {many}"
    return f"{low} to {high} {many}" if low else f"at most {high} {many}"
