"""Documents of a contract, made from its type: limits and rare forms first, then any. The same seed, the same texts."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.dice import Dice
from cli_multi_rapid.contracts.json_text import Form, Items, Members, Tree, quoted, written
from cli_multi_rapid.contracts.sample_texts import LONG, NoText, boundary_texts, random_text

EXACT = 2**53
"""Whole numbers up to here are the same as doubles; larger ones are never written with a fraction or an exponent."""

_VALUES = 3000  # in one document, where the contract allows fewer
_TOO_MANY = 20_000
_LONG_AFTER = 24
_LIMITS = 4
_FORMS: tuple[Form, ...] = ("plain", "escaped", "short")
_GAPS = ("", "", " ", "\n", "\t", "\r\n", "   ")
_WHOLE = (
    0, 1, -1, 10, 100, 1000, 7, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32 - 1,
    2**32, EXACT - 1, EXACT, EXACT + 1, -EXACT - 1, 10**15 + 1, 10**18, 123456789012345678, ir.INT64_MAX - 1,
    ir.INT64_MIN + 1, ir.INT64_MAX, ir.INT64_MIN,
)  # fmt: skip
_REAL = (
    "0", "1", "-1", "0.0", "-0.0", "-0", "1.0", "1e2", "1E+2", "100e-2", "0.07", "0.1", "0.30000000000000004", "19.99",
    "1e308", "1.7976931348623157e308", "-1.7976931348623157E+308", "5e-324", "-5e-324", "2.2250738585072014e-308",
    "2.225073858507201e-308", "1e-400", "0e999", "3.141592653589793", "2.718281828459045235360287471352662497757247",
    "0.333333333333333314829616256247390992939472198486328125", "123456789.123456789", "1e21", "1e22", "1e23", "1e-7",
    "123456789012345680000", "9007199254740992", "9007199254740993", "9007199254740993.0", "4.35", "1.15", "1e15",
    "1e16", "1e17", "100000000000000000000000", "0.000001", "4.9406564584124654e-324", "8.41e21", "9.5e-3",
)  # fmt: skip


Scalar = ir.BooleanType | ir.IntegerType | ir.NumberType | ir.ConstType


class NoDocument(ValueError):
    """A contract has no valid document that could be found."""


def documents(root: ir.Root, *, seed: int, count: int) -> Iterator[str]:
    """Yield valid documents as JSON texts: every value takes its limits first, one after the other, then any.

    One text without a limit of length has more than a million characters, in one document.

    Raises:
        NoDocument: a required text has contradicting limits, or every document would be too large.
    """
    sampling = Sampling(root, Dice("documents", seed))
    for number in range(count):
        sampling.long_wanted = sampling.long_wanted or number == _LONG_AFTER
        tree = sampling.tree()
        yield written(tree, _gaps(sampling.dice, number))


def integer_forms(value: int) -> list[str]:
    """Return ways to write a whole number, the usual one first."""
    forms = [str(value)]
    if abs(value) <= EXACT:
        forms += [
            f"{value}.0",
            f"{value}e0",
            f"{value}.000E+00",
            *([f"{value}0e-1"] if value else ["-0", "-0.0", "0e99"]),
        ]
        zeros = len(str(value)) - len(str(value).rstrip("0"))
        forms += [f"{value // 10**zeros}e{zeros}", f"{value // 10**zeros}.0E+{zeros}"] if value and zeros else []
        forms += [f"{str(value)[:-1]}.{str(value)[-1]}e1"] if abs(value) > 9 else []
    return forms


@dataclass(slots=True)
class Sampling:
    """Makes one document after the other, and remembers which values each place has had."""

    root: ir.Root
    dice: Dice
    usual: bool = False
    """Whether texts are written plainly, and keys stand in the order of the contract."""
    long_wanted: bool = False
    form: Form = "plain"
    _visits: Counter[str] = field(default_factory=Counter)
    _turns: dict[str, Sequence[str]] = field(default_factory=dict)
    _possible: dict[str, bool] = field(default_factory=dict)
    _left: int = _VALUES

    def tree(self) -> Tree:
        """Return the next document.

        Raises:
            NoDocument: there is none.
        """
        if not self._is_possible(self.root):
            raise NoDocument("a text or number that is required has limits that contradict each other")
        self._left = _VALUES
        self.form = "plain" if self.usual else _FORMS[self._visit("form") % len(_FORMS)]
        return self._value(self.root, "")

    def _value(self, one: ir.Type, path: str) -> Tree:
        self._left -= 1
        if self._left < -_TOO_MANY:
            raise NoDocument("every document would be too large")
        match one:
            case ir.ObjectType():
                return self._object(one, path)
            case ir.UnionType():
                cases = [(tag, case) for tag, case in one.cases if self._is_possible(case)]
                visit = self._visit(path)
                tag, case = cases[visit % len(cases)] if visit < 2 * len(cases) else self.dice.one_of(cases)
                return self._value(case, f"{path}<{tag}>")
            case ir.ArrayType():
                return self._array(one, path)
            case ir.StringType():
                return self._text(one, path)
            case ir.ConstType(value=value) if isinstance(value, str):
                return quoted(value, self.form)
        return self._scalar(one, path)

    def _object(self, one: ir.ObjectType, path: str) -> Tree:
        pairs = []
        for member in one.members:
            here = f"{path}/{member.key}"
            state = self._state(member, f"{here}?")
            if state == "missing":
                continue
            key = quoted(member.key, self.form if self.dice.below(2) else "plain")
            pairs.append((key, "null" if state == "null" else self._value(member.type, here)))
        order = 0 if self.usual else self._visit(f"{path}#") % 4
        return Members(tuple(pairs if order < 2 else pairs[::-1] if order == 2 else self.dice.mixed(pairs)))

    def _state(self, member: ir.Member, path: str) -> str:
        """Return whether a member is there, missing or null: in turn at first, so that it was each of them alone."""
        possible = self._is_possible(member.type)
        states = [*["value"] * possible, *["missing"] * (not member.required), *["null"] * member.nullable]
        if self._left < 0 and len(states) > 1:
            return states[-1]
        visit = self._visit(path)
        return states[visit] if visit < len(states) else states[0] if self.dice.below(4) else self.dice.one_of(states)

    def _array(self, one: ir.ArrayType, path: str) -> Tree:
        visit = self._visit(path)
        sizes = self._sizes(one)
        size = sizes[visit] if visit < len(sizes) else self.dice.one_of(sizes[:3])
        items: list[Tree] = []
        for index in range(size):
            null = one.item_nullable and (index == 1 if visit == 0 else not self.dice.below(4))
            null = null or not self._is_possible(one.item)
            items.append("null" if null else self._value(one.item, f"{path}[]"))
        return Items(tuple(items))

    def _sizes(self, one: ir.ArrayType) -> list[int]:
        low = one.min_items
        high = one.max_items if one.max_items is not None else low + 40
        if self._left < 0 or not (self._is_possible(one.item) or one.item_nullable):
            return [low]
        most = high if high - low <= self._left // (2 * _weight(one.item)) else low
        return list(dict.fromkeys([min(low + 2, high), low, min(low + 1, high), most]))

    def _text(self, one: ir.StringType, path: str) -> Tree:
        if self.long_wanted and one == ir.StringType(min_length=one.min_length) and one.min_length <= len(LONG):
            self.long_wanted = False
            return quoted(LONG)
        visit, known = self._visit(path), self._in_order(path, partial(boundary_texts, one))
        text = known[visit] if visit < len(known) else random_text(one, self.dice)
        return quoted(text, self.form)

    def _scalar(self, one: Scalar, path: str) -> str:
        visit, known = self._visit(path), self._in_order(path, partial(scalars, one))
        if visit < len(known):
            return known[visit]
        if isinstance(one, ir.IntegerType):
            return self.dice.one_of(integer_forms(_random_whole(one, self.dice)))
        if isinstance(one, ir.NumberType):
            return _random_real(one, self.dice)
        return self.dice.one_of(known)

    def _in_order(self, path: str, made: Callable[[], Sequence[str]]) -> Sequence[str]:
        """Return what stands at a place in its turn: the limits first, then the rest, in another order everywhere."""
        if path not in self._turns:
            known = made()
            mixed = Dice("turns", path).mixed(known[_LIMITS:])
            self._turns[path] = [*known[:_LIMITS], *mixed]
        return self._turns[path]

    def _visit(self, path: str) -> int:
        self._visits[path] += 1
        return self._visits[path] - 1

    def _is_possible(self, one: ir.Type) -> bool:
        match one:
            case ir.StringType():
                return _has_text(one)
            case ir.IntegerType():
                return one.minimum <= one.maximum
            case ir.NumberType():
                return bool(_reals(one))
            case ir.ArrayType():
                fits = one.max_items is None or one.min_items <= one.max_items
                return fits and (not one.min_items or one.item_nullable or self._is_possible(one.item))
            case ir.ObjectType() | ir.UnionType():
                if one.place not in self._possible:
                    self._possible[one.place] = self._all_possible(one)
                return self._possible[one.place]
        return True

    def _all_possible(self, one: ir.ObjectType | ir.UnionType) -> bool:
        if isinstance(one, ir.UnionType):
            return any(self._is_possible(case) for _, case in one.cases)
        needed = (member.type for member in one.members if member.required and not member.nullable)
        return all(map(self._is_possible, needed))


def scalars(one: Scalar) -> list[str]:
    """Return forms of a number, a truth value or a constant that is no text: those at its limits; all are valid."""
    match one:
        case ir.IntegerType(minimum=low, maximum=high):
            edges = (low, high, low + 1, high - 1, *_WHOLE)
            whole = [value for value in dict.fromkeys(edges) if low <= value <= high]
            turns = [integer_forms(value) for value in whole]
            return [str(value) for value in whole] + [form for forms in turns[:10] for form in forms[1:]]
        case ir.NumberType():
            return _reals(one)
        case ir.ConstType(value=value) if isinstance(value, bool):
            return [str(value).lower()]
        case ir.ConstType(value=value) if isinstance(value, int):
            return integer_forms(value)
    return ["true", "false"]


@lru_cache(maxsize=256)
def _reals(one: ir.NumberType) -> list[str]:
    low, high = one.minimum, one.maximum
    edges = [repr(edge) for edge in (low, high) if edge is not None]
    edges += [repr(math.nextafter(edge, toward)) for edge, toward in ((low, math.inf), (high, -math.inf))
              if edge is not None]  # fmt: skip
    plain = low is None and high is None  # near a limit, digits beyond a double's would be judged one by one
    tried = [text for text in (*edges, *_REAL) if plain or len(text) < 16 or not text.lstrip("-").isdigit()]
    return [text for text in dict.fromkeys(tried) if _within(one, float(text))]


def _within(one: ir.NumberType, value: float) -> bool:
    low_fits = one.minimum is None or value >= one.minimum
    return math.isfinite(value) and low_fits and (one.maximum is None or value <= one.maximum)


def _random_whole(one: ir.IntegerType, dice: Dice) -> int:
    span = one.maximum - one.minimum + 1
    if dice.below(2):
        return one.minimum + dice.below(span)
    small = dice.below(1 << 1 + dice.below(62)) * dice.one_of((1, -1))
    return min(one.maximum, max(one.minimum, small))


def _random_real(one: ir.NumberType, dice: Dice) -> str:
    digits = dice.below(10 ** (1 + dice.below(17)))
    text = f"{dice.one_of(('', '-'))}{digits}e{dice.below(40) - 30}"
    value = float(text)
    if one.minimum is not None and one.maximum is not None and not _within(one, value):
        value = one.minimum + (one.maximum - one.minimum) * (dice.below(1 << 53) / (1 << 53))
    return repr(value) if _within(one, value) else dice.one_of(_reals(one))


def _weight(one: ir.Type) -> int:
    if isinstance(one, ir.ObjectType):
        return 4 * len(one.members) + 1
    return 40 if isinstance(one, ir.UnionType | ir.ArrayType) else 1


def _has_text(one: ir.StringType) -> bool:
    try:
        return bool(boundary_texts(one))
    except NoText:
        return False


def _gaps(dice: Dice, number: int) -> Callable[[], str]:
    turn = number // len(_FORMS) % 3
    if turn == 0:
        return str
    return (lambda: " ") if turn == 1 else (lambda: dice.one_of(_GAPS))
