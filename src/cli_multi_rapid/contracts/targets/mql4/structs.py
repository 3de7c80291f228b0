"""Structs of MQL4 for the objects and unions of a contract."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.schema_tree import escaped
from cli_multi_rapid.contracts.targets.mql4 import spelling
from cli_multi_rapid.contracts.targets.mql4.names import member_names
from cli_multi_rapid.contracts.targets.mql4.shapes import Shape, Shapes
from cli_multi_rapid.contracts.targets.mql4.unions import Case, cases, kind_enumeration, read_union, write_union
from cli_multi_rapid.contracts.targets.shared import rule

_DOCUMENT = """
   string            error;          // why FromJson or ToJson has failed; empty where it has not
   int               errorPosition;  // at which character of the document, from 0; -1 where at none
   string            errorPath;      // at which value: a JSON pointer
"""
_METHODS = """
   // Reads a document. Where it is not what the contract says: false, and the error is set.
   bool              FromJson(string document_)
     {
      CmrReader reader_;
      reader_.Open(document_);
      bool good_=(Read(reader_) && reader_.End());
      if(!good_)
         Clear();
      error=reader_.error;
      errorPosition=reader_.errorPosition;
      errorPath=reader_.errorPath;
      return(good_);
     }

   // Writes the document. Where it would not be what the contract says: an empty text, and the error is set.
   string            ToJson()
     {
      CmrWriter writer_;
      writer_.Open();
      bool good_=Write(writer_);
      error=writer_.error;
      errorPosition=-1;
      errorPath=writer_.errorPath;
      if(!good_)
         return("");
      return(writer_.text);
     }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """A member of an object: what the contract says, its name, and its shape."""

    member: ir.Member
    name: str
    shape: Shape

    @property
    def literal(self) -> str:
        return spelling.text(self.member.key)


def struct(one: ir.ObjectType | ir.UnionType, shapes: Shapes, *, is_root: bool) -> list[list[str]]:
    """Return the struct of an object or a union, after what it needs."""
    if isinstance(one, ir.UnionType):
        return _union(one, shapes, is_root=is_root)
    names = member_names([member.key for member in one.members], shapes.names.prefix)
    slots = [
        _Slot(
            member=member, name=names[member.key],
            shape=shapes.shape(member.type, f"{one.place}/properties/{escaped(member.key)}", member.key),
        )
        for member in one.members
    ]  # fmt: skip
    name = shapes.structs[one.place]
    body = [
        *(line for slot in slots for line in _declared(slot)),
        *_common(name, is_root=is_root),
        *_method("void", "Clear()", [*(line for slot in slots for line in _cleared(slot)), *_no_error(is_root)]),
        "",
        *_method("bool", "Read(CmrReader &reader_)", _read(slots)),
        "",
        *_method("bool", "Write(CmrWriter &writer_)", _written(slots)),
    ]
    return [_struct(name, one.description, body, is_root=is_root)]


def _declared_case(case: Case) -> list[str]:
    told = [*spelling.commented(case.description, "   "), *spelling.commented(f"of the kind {case.constant}", "   ")]
    return [*told, f"   {case.struct + ' ':<18}{case.name};"]


def _struct(name: str, description: str, body: Sequence[str], *, is_root: bool) -> list[str]:
    methods = _METHODS.rstrip("\n").split("\n") if is_root else []
    return [*spelling.commented(description, ""), f"struct {name}", "  {", *body, *methods, "  };"]


def _common(name: str, *, is_root: bool) -> list[str]:
    document = _DOCUMENT.rstrip("\n").split("\n") if is_root else []
    return [*document, "", f"                     {name}() {{ Clear(); }}", ""]


def _no_error(is_root: bool) -> list[str]:  # noqa: FBT001 - the only thing it is told
    return ['error="";', "errorPosition=-1;", 'errorPath="";'] if is_root else []


def _method(returned: str, head: str, body: Sequence[str]) -> list[str]:
    return [
        f"   {returned:<18}{head}",
        "     {",
        *(f"      {line}" if line else "" for line in body),
        "     }",
    ]


def _declared(slot: _Slot) -> Iterator[str]:
    said = rule(slot.member.type, nullable=slot.member.nullable)
    yield from spelling.commented(slot.member.description, "   ")
    yield from spelling.commented(said if slot.member.required else f"optional: {said}", "   ")
    end = "[]" if slot.shape.is_array else ""
    key = "" if slot.name == slot.member.key else f"  // {spelling.comment(spelling.quoted(slot.member.key))}"
    yield f"   {slot.shape.declared + ' ':<18}{slot.name}{end};{key}"
    if slot.shape.has_nulls:
        yield f"   bool              {slot.name}_nulls[];"
    if not slot.member.required:
        yield f"   bool              {slot.name}_present;"
    if slot.member.nullable:
        yield f"   bool              {slot.name}_null;"


def _cleared(slot: _Slot) -> Iterator[str]:
    yield slot.shape.clear(slot.name)
    if not slot.member.required:
        yield f"{slot.name}_present=false;"
    if slot.member.nullable:
        yield f"{slot.name}_null=false;"


def _read(slots: Sequence[_Slot]) -> list[str]:
    lines = ["Clear();", "if(!reader_.BeginObject())", "   return(false);"]
    if slots:
        lines += [f"bool seen_[{len(slots)}];", "ArrayInitialize(seen_,false);"]
    lines += ['string key_="";', "while(reader_.NextKey(key_))", "  {", "   int index_=-1;"]
    for index, slot in enumerate(slots):
        lines += [f"   if(key_=={slot.literal})", f"      index_={index};"]
    lines += [
        "   if(index_<0)",
        '      return(reader_.Fail("the contract has no key "+CmrQuoted(key_),reader_.start));',
    ]
    if slots:
        lines += [
            "   if(seen_[index_])",
            '      return(reader_.Fail("the key "+CmrQuoted(key_)+" stands here for the second time",reader_.start));',
            "   seen_[index_]=true;",
            "   bool good_=false;",
            "   switch(index_)",
            "     {",
            *(f"      {line}" for index, slot in enumerate(slots) for line in _read_case(slot, index)),
            "     }",
            "   if(!good_)",
            "      return(reader_.Below(key_));",
        ]
    lines += ["  }", "if(reader_.failed)", "   return(false);"]
    for index, slot in enumerate(slots):
        if slot.member.required:
            lines += [f"if(!seen_[{index}])", f"   return(reader_.Missing({slot.literal}));"]
    return [*lines, "return(true);"]


def _read_case(slot: _Slot, index: int) -> Iterator[str]:
    yield f"case {index}:"
    if not slot.member.required:
        yield f"   {slot.name}_present=true;"
    read = f"good_=({slot.shape.read(slot.name)});"
    if slot.member.nullable:
        yield f"   {slot.name}_null=reader_.TakeNull();"
        yield f"   good_={slot.name}_null;"
        yield "   if(!good_)"
        yield f"      {read}"
    else:
        yield f"   {read}"
    yield "   break;"


def _written(slots: Sequence[_Slot]) -> list[str]:
    lines = ['writer_.Begin("{");']
    for slot in slots:
        inner = list(_write_member(slot))
        if slot.member.required:
            lines += inner
        else:
            lines += [f"if({slot.name}_present)", "  {", *(f"   {line}" for line in inner), "  }"]
    return [*lines, 'writer_.End("}");', "return(!writer_.failed);"]


def _write_member(slot: _Slot) -> Iterator[str]:
    yield f"writer_.Key({spelling.text(spelling.as_json(slot.member.key))});"
    failing = [f"if(!({slot.shape.write(slot.name)}))", f"   return(writer_.Below({slot.literal}));"]
    if not slot.member.nullable:
        yield from failing
        return
    yield f"if({slot.name}_null)"
    yield "   writer_.Null();"
    yield "else"
    yield "  {"
    yield from (f"   {line}" for line in failing)
    yield "  }"


def _union(one: ir.UnionType, shapes: Shapes, *, is_root: bool) -> list[list[str]]:
    name = shapes.structs[one.place]
    made = cases(one, name, shapes)
    cleared = [f"kind={made.unset};", *(f"{case.name}.Clear();" for case in made.cases), *_no_error(is_root)]
    body = [
        *spelling.commented(f"which of the following it is, told by the key {spelling.quoted(made.key)}", "   "),
        f"   {made.enumeration + ' ':<18}kind;",
        *(line for case in made.cases for line in _declared_case(case)),
        *_common(name, is_root=is_root),
        *_method("void", "Clear()", cleared),
        "",
        *_method("bool", "Read(CmrReader &reader_)", read_union(made)),
        "",
        *_method("bool", "Write(CmrWriter &writer_)", write_union(made)),
    ]
    return [kind_enumeration(made), _struct(name, one.description, body, is_root=is_root)]
