"""How each type of a contract is declared, cleared, read and written in MQL4, with the functions that this needs."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.naming import pascal
from cli_multi_rapid.contracts.targets.mql4 import spelling
from cli_multi_rapid.contracts.targets.mql4.lists import list_functions, row_struct
from cli_multi_rapid.contracts.targets.mql4.names import Globals
from cli_multi_rapid.contracts.targets.mql4.texts import check_function, enumeration

Expression = Callable[[str], str]
"""Makes an expression or statement for a variable of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A type of MQL4. Of an array, `declared` is the type of its items, and names stand for the array.

    `read` and `write` make expressions that are false where they fail; `clear` makes a statement.
    """

    declared: str
    clear: Expression
    read: Expression
    write: Expression
    is_array: bool = False
    has_nulls: bool = False


@dataclass(slots=True)
class Shapes:
    """The shapes of one contract, and the code that they need, in order."""

    names: Globals
    structs: dict[str, str]
    blocks: list[list[str]] = field(default_factory=list)
    _known: dict[Hashable, Shape] = field(default_factory=dict)

    def shape(self, kind: ir.Type, place: str, words: str) -> Shape:
        """Return the shape of a type; `words` name what it first stands for, `place` says where that is."""
        known = identity(kind)
        if known not in self._known:
            self._known[known] = self._made(kind, place, words)
        return self._known[known]

    def _made(self, kind: ir.Type, place: str, words: str) -> Shape:
        match kind:
            case ir.BooleanType():
                return Shape(
                    declared="bool", clear=lambda x: f"{x}=false;", read=lambda x: f"reader_.ReadBoolean({x})",
                    write=lambda x: f"writer_.Boolean({x})",
                )  # fmt: skip
            case ir.IntegerType(minimum=low, maximum=high):
                return _integer(low, high, 0)
            case ir.NumberType():
                return _number(kind)
            case ir.StringType():
                return self._enumeration(kind, place, words) if kind.enum else self._text(kind, place, words)
            case ir.ConstType():
                return _constant(kind)
            case ir.ArrayType():
                return self._array(kind, place, words)
            case ir.ObjectType() | ir.UnionType():
                return Shape(
                    declared=self.structs[kind.place], clear=lambda x: f"{x}.Clear();",
                    read=lambda x: f"{x}.Read(reader_)", write=lambda x: f"{x}.Write(writer_)",
                )  # fmt: skip

    def _text(self, kind: ir.StringType, place: str, words: str) -> Shape:
        check = self._check(kind, place, words)

        def read(x: str) -> str:
            return f"reader_.ReadText({x})" + (f" && reader_.Check({check}({x}))" if check else "")

        def write(x: str) -> str:
            return (f"writer_.Check({check}({x})) && " if check else "") + f"writer_.Text({x})"

        return Shape(declared="string", clear=lambda x: f'{x}="";', read=read, write=write)

    def _check(self, kind: ir.StringType, place: str, words: str) -> str:
        """Return the name of a function that says what is wrong with a text; nothing where every text is right."""
        if not (kind.min_length or kind.max_length is not None or kind.pattern or kind.format):
            return ""
        name = self.names.take(f"Check{pascal(words)}")
        self.blocks += check_function(kind, place, name, self.names)
        return name

    def _enumeration(self, kind: ir.StringType, place: str, words: str) -> Shape:
        check = self._check(kind, place, words)
        name = self.names.take(pascal(words))
        made = enumeration(kind, name, self.names, check)
        self.blocks += made.blocks
        return Shape(
            declared=name, clear=lambda x: f"{x}={made.unset};", read=lambda x: f"{made.read}(reader_,{x})",
            write=lambda x: f"{made.write}(writer_,{x})",
        )  # fmt: skip

    def _array(self, kind: ir.ArrayType, place: str, words: str) -> Shape:
        item = self.shape(kind.item, place, f"{words} Item" if isinstance(kind.item, ir.ArrayType) else words)
        if item.is_array:
            row = self.names.take(f"{pascal(words)}Row")
            self.blocks.append(row_struct(item, row))
            item = Shape(
                declared=row, clear=lambda x: f"{x}.Clear();", read=lambda x: f"{x}.Read(reader_)",
                write=lambda x: f"{x}.Write(writer_)",
            )  # fmt: skip
        read, write = self.names.take(f"Read{pascal(words)}"), self.names.take(f"Write{pascal(words)}")
        self.blocks += list_functions(kind, item, read, write)

        def nulls(x: str) -> str:
            return f",{x}_nulls" if kind.item_nullable else ""

        return Shape(
            declared=item.declared, is_array=True, has_nulls=kind.item_nullable,
            clear=lambda x: f"ArrayResize({x},0);" + (f" ArrayResize({x}_nulls,0);" if kind.item_nullable else ""),
            read=lambda x: f"{read}(reader_,{x}{nulls(x)})", write=lambda x: f"{write}(writer_,{x}{nulls(x)})",
        )  # fmt: skip


def identity(kind: ir.Type) -> Hashable:
    """Return what is the same for types that share their code. What an object holds is not looked at."""
    if isinstance(kind, ir.ObjectType | ir.UnionType):
        return kind.place
    if isinstance(kind, ir.ArrayType):
        return identity(kind.item), kind.min_items, kind.max_items, kind.item_nullable
    return (type(kind.value), kind.value) if isinstance(kind, ir.ConstType) else kind


def _integer(low: int, high: int, start: int) -> Shape:
    is_int = low >= spelling.INT_MIN and high <= spelling.INT_MAX
    bounds = f"{spelling.integer(low)},{spelling.integer(high)}"
    read = "ReadInt" if is_int else "ReadLong"
    return Shape(
        declared="int" if is_int else "long", clear=lambda x: f"{x}={spelling.integer(start)};",
        read=lambda x: f"reader_.{read}({x},{bounds})", write=lambda x: f"writer_.Integer({x},{bounds})",
    )  # fmt: skip


def _number(kind: ir.NumberType) -> Shape:
    limits = []
    if kind.minimum is not None:
        limits.append(("AtLeast", ">=", spelling.number(kind.minimum), f"this is less than {kind.minimum!r}"))
    if kind.maximum is not None:
        limits.append(("AtMost", "<=", spelling.number(kind.maximum), f"this is more than {kind.maximum!r}"))

    def read(x: str) -> str:
        within = (f"reader_.{test}({x},{limit},{spelling.text(said)})" for test, _, limit, said in limits)
        return " && ".join([f"reader_.ReadNumber({x})", *within])

    def write(x: str) -> str:
        within = (f"writer_.Require({x}{sign}{limit},{spelling.text(said)})" for _, sign, limit, said in limits)
        return " && ".join([*within, f"writer_.Number({x})"])

    return Shape(declared="double", clear=lambda x: f"{x}=0.0;", read=read, write=write)


def _constant(kind: ir.ConstType) -> Shape:
    value = kind.value
    if isinstance(value, int) and not isinstance(value, bool):
        return _integer(value, value, value)
    said = spelling.text(f"this is not {spelling.quoted(value)}")
    if isinstance(value, bool):
        spelled = "true" if value else "false"
        return Shape(
            declared="bool", clear=lambda x: f"{x}={spelled};",
            read=lambda x: f"reader_.ReadBoolean({x}) && reader_.Require({x}=={spelled},{said})",
            write=lambda x: f"writer_.Require({x}=={spelled},{said}) && writer_.Boolean({x})",
        )  # fmt: skip
    literal = spelling.text(value)
    return Shape(
        declared="string", clear=lambda x: f"{x}={literal};",
        read=lambda x: f"reader_.ReadText({x}) && reader_.Require({x}=={literal},{said})",
        write=lambda x: f"writer_.Require({x}=={literal},{said}) && writer_.Text({x})",
    )  # fmt: skip
