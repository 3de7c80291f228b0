"""Unions in MQL4: a struct that knows which of its cases it is, and has one member for each."""

from dataclasses import dataclass

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.naming import LIMIT, camel, pascal, unique
from cli_multi_rapid.contracts.targets.mql4 import spelling
from cli_multi_rapid.contracts.targets.mql4.names import mangled, reserved, words
from cli_multi_rapid.contracts.targets.mql4.shapes import Shapes
from cli_multi_rapid.contracts.targets.mql4.texts import enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: the text that tells it, its name in the enumeration, its member, and the type of that in words."""

    tag: str
    constant: str
    name: str
    struct: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The cases of a union, the key whose text tells them, and the enumeration of them."""

    key: str
    enumeration: str
    unset: str
    cases: tuple[Case, ...]


def cases(one: ir.UnionType, name: str, shapes: Shapes) -> Cases:
    """Return the cases of a union whose struct is `name`, with new names for them."""
    names = shapes.names
    local = name.removeprefix(f"{names.prefix}_") if name != names.prefix else ""
    tags = [tag for tag, _ in one.cases]
    wishes = {tag: mangled(camel(tag) if pascal(tag) != "N" else tag) for tag in tags}
    kept = {wish for wish in wishes.values() if reserved(wish)} | words() | {"kind"}
    members = unique(tags, lambda tag: wishes[tag], kept, LIMIT)
    enumeration, unset = names.take(f"{local}Kind"), names.take(f"{local}Kind_UNSET")
    return Cases(
        key=one.tag, enumeration=enumeration, unset=unset,
        cases=tuple(
            Case(
                tag=tag, constant=names.take(f"{local}Kind_{mangled(tag, empty='EMPTY')}"), name=members[tag],
                struct=shapes.structs[case.place], description=case.description,
            )
            for tag, case in one.cases
        ),
    )  # fmt: skip


def kind_enumeration(made: Cases) -> list[str]:
    """Return the enumeration of the cases."""
    return enum(made.enumeration, made.unset, [case.constant for case in made.cases])


def read_union(made: Cases) -> list[str]:
    """Return what reads a union: first the text that tells its case, then that."""
    key = spelling.text(made.key)
    lines = ["Clear();", 'string kind_="";', f"if(!reader_.PeekText({key},kind_))", "   return(false);"]
    for case in made.cases:
        lines += [
            f"if(kind_=={spelling.text(case.tag)})",
            "  {",
            f"   kind={case.constant};",
            f"   return({case.name}.Read(reader_));",
            "  }",
        ]
    listed = ", ".join(spelling.quoted(case.tag) for case in made.cases[:8])
    said = f"this is none of {listed}{', ...' if len(made.cases) > 8 else ''}"
    return [*lines, f"reader_.Fail({spelling.text(said)},reader_.start);", f"return(reader_.Below({key}));"]


def write_union(made: Cases) -> list[str]:
    """Return what writes the case that a union is."""
    lines = ["switch(kind)", "  {"]
    for case in made.cases:
        lines += [f"   case {case.constant}:", f"      return({case.name}.Write(writer_));"]
    return [*lines, "  }", 'return(writer_.Fail("this is none of the cases: set its kind"));']
