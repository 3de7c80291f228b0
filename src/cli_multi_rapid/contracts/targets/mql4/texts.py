"""Functions of MQL4 that judge texts: lengths, patterns, formats, and enumerations of texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Refused
from cli_multi_rapid.contracts.patterns import Automaton, automaton
from cli_multi_rapid.contracts.targets.mql4 import spelling
from cli_multi_rapid.contracts.targets.mql4.names import Globals, mangled
from cli_multi_rapid.model.contract import Violation

MAX_STATES = 400
"""What a pattern may need, so that its function stays of a size that can be compiled everywhere."""

_FORMATS = {"date-time": "CmrIsDateTime", "date": "CmrIsDate", "time": "CmrIsTime", "uuid": "CmrIsUuid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumeration:
    """The names of an enumeration's functions and of its member for no value, and the code."""

    read: str
    write: str
    unset: str
    blocks: list[list[str]]


def check_function(kind: ir.StringType, place: str, name: str, names: Globals) -> list[list[str]]:
    """Return the function that says what is wrong with a text, and those that it needs before it.

    Raises:
        Refused: the pattern is too large.
    """
    blocks: list[list[str]] = []
    lines = [f"string {name}(string text)", "  {"]
    if kind.min_length or kind.max_length is not None:
        lines += ["   int length=CmrLength(text);", *_lengths(kind)]
    if kind.pattern:
        words = _local(name, names).removeprefix("Check")
        step, matches = names.take(f"Step{words}"), names.take(f"Matches{words}")
        blocks += _pattern_functions(_automaton(kind.pattern, place), step, matches)
        said = f"this does not match {spelling.shortened(kind.pattern)}"
        lines += [f"   if(!{matches}(text))", f"      return({spelling.text(said)});"]
    if kind.format:
        lines += [f"   if(!{_FORMATS[kind.format]}(text))", f'      return("this is no {kind.format}");']
    return [*blocks, [*lines, '   return("");', "  }"]]


def enumeration(kind: ir.StringType, name: str, names: Globals, check: str) -> Enumeration:
    """Return an enumeration and its functions from and to text, from and to JSON."""
    values = tuple(dict.fromkeys(kind.enum))
    members = {value: names.take(f"{_local(name, names)}_{mangled(value, empty='EMPTY')}") for value in values}
    unset = names.take(f"{_local(name, names)}_UNSET")
    from_text, to_text = names.take(f"{_local(name, names)}FromText"), names.take(f"{_local(name, names)}ToText")
    read, write = names.take(f"Read{_local(name, names)}"), names.take(f"Write{_local(name, names)}")
    checked = f" && reader.Check({check}(text))" if check else ""
    also = f" && writer.Check({check}({to_text}(value)))" if check else ""
    said = spelling.text("this is none of " + _listed(values))
    blocks = [
        enum(name, unset, list(members.values())),
        [
            f"bool {from_text}(string text,{name} &value)", "  {", f"   value={unset};",
            *(line for value in values
              for line in (f"   if(text=={spelling.text(value)})", f"      value={members[value]};")),
            f"   return(value!={unset});", "  }",
        ],
        [
            f"string {to_text}({name} value)", "  {", "   switch(value)", "     {",
            *(line for value in values
              for line in (f"      case {members[value]}:", f"         return({spelling.text(value)});")),
            "     }", '   return("");', "  }",
        ],
        [
            f"bool {read}(CmrReader &reader,{name} &value)", "  {", '   string text="";',
            f"   return(reader.ReadText(text){checked} && reader.Require({from_text}(text,value),{said}));", "  }",
        ],
        [
            f"bool {write}(CmrWriter &writer,{name} value)", "  {",
            f"   if(value<0 || value>{len(values) - 1})",
            '      return(writer.Fail("this has no value of the enumeration"));',
            f"   return(writer.Text({to_text}(value)){also});", "  }",
        ],
    ]  # fmt: skip
    return Enumeration(read=read, write=write, unset=unset, blocks=blocks)


def enum(name: str, unset: str, members: Sequence[str]) -> list[str]:
    """Return an enumeration; its member for no value comes first."""
    *most, last = members
    return [f"enum {name}", "  {", f"   {unset}=-1,", *(f"   {one}," for one in most), f"   {last}", "  };"]


def _local(name: str, names: Globals) -> str:
    return name.removeprefix(f"{names.prefix}_")


def _listed(values: tuple[str, ...]) -> str:
    shown = ", ".join(spelling.quoted(one) for one in values[:8])
    return f"{shown}, ..." if len(values) > 8 else shown


def _lengths(kind: ir.StringType) -> Iterator[str]:
    if kind.min_length:
        yield f"   if(length<{_count(kind.min_length)})"
        yield f'      return("this is shorter than {_characters(kind.min_length)}");'
    if kind.max_length is not None and kind.max_length < spelling.INT_MAX:
        yield f"   if(length>{kind.max_length})"
        yield f'      return("this is longer than {_characters(kind.max_length)}");'


def _count(value: int) -> str:
    """Return a number of characters; no text has as many as an int can count."""
    return str(min(value, spelling.INT_MAX))


def _characters(count: int) -> str:
    return f"{count} character{'' if count == 1 else 's'}"


def _automaton(pattern: str, place: str) -> Automaton:
    made = automaton(pattern)
    if len(made.edges) > MAX_STATES:
        reason = f"the pattern needs {len(made.edges)} states; for MQL4 {MAX_STATES} are possible"
        raise Refused(Violation(place=place, reason=f"{reason}: shorten its repetitions, or use maxLength"))
    return made


def _pattern_functions(made: Automaton, step: str, matches: str) -> list[list[str]]:
    steps = [f"int {step}(int state,int code)", "  {", "   switch(state)", "     {"]
    for state, edges in enumerate(made.edges):
        if edges:
            steps.append(f"      case {state}:")
            steps += [line for low, high, after in edges for line in _edge(low, high, after)]
            steps.append("         return(-1);")
    steps += ["     }", "   return(-1);", "  }"]
    accepted = [f"      case {state}:" for state in sorted(made.accepting)]
    judging = ["   switch(state)", "     {", *accepted, "         return(true);", "     }"] if accepted else []
    return [
        steps,
        [
            f"bool {matches}(string text)", "  {", "   int size=StringLen(text);", "   int state=0;",
            "   for(int i=0; i<size; i++)", "     {", "      int code=CmrCode(text,i);",
            f"      state={step}(state,code);", "      if(state<0)", "         return(false);",
            "      if(code>0xFFFF)", "         i++;", "     }", *judging, "   return(false);", "  }",
        ],
    ]  # fmt: skip


def _edge(low: int, high: int, after: int) -> tuple[str, str]:
    condition = f"code=={low}" if low == high else f"code>={low} && code<={high}"
    return f"         if({condition})", f"            return({after});"
