"""Functions of MQL4 that read and write arrays, and the structs for arrays inside of arrays."""

from typing import TYPE_CHECKING

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.targets.mql4 import spelling

if TYPE_CHECKING:
    from cli_multi_rapid.contracts.targets.mql4.shapes import Shape


def list_functions(kind: ir.ArrayType, item: "Shape", read: str, write: str) -> list[list[str]]:
    """Return the function that reads an array and the one that writes it."""
    return [_read(kind, item, read), _write(kind, item, write)]


def row_struct(inner: "Shape", name: str) -> list[str]:
    """Return the struct that holds an array which is an item of another one."""
    nulls = ["   bool              items_nulls[];"] if inner.has_nulls else []
    return [
        f"struct {name}",
        "  {",
        f"   {inner.declared + ' ':<18}items[];",
        *nulls,
        "",
        f"   void              Clear() {{ {inner.clear('items')} }}",
        f"   bool              Read(CmrReader &reader_) {{ return({inner.read('items')}); }}",
        f"   bool              Write(CmrWriter &writer_) {{ return({inner.write('items')}); }}",
        "  };",
    ]


def _read(kind: ir.ArrayType, item: "Shape", name: str) -> list[str]:
    lines = [
        f"bool {name}(CmrReader &reader_,{item.declared} &items[]{_flags(kind)})",
        "  {",
        "   int count=0;",
        "   ArrayResize(items,0);",
        *(["   ArrayResize(nulls,0);"] if kind.item_nullable else []),
        "   if(!reader_.BeginArray())",
        "      return(false);",
        "   int start=reader_.start;",
        "   while(reader_.NextItem())",
        "     {",
    ]
    if kind.max_items is not None and kind.max_items < spelling.INT_MAX:
        lines += [
            f"      if(count>={kind.max_items})",
            f'         return(reader_.Fail("there are more than {_items(kind.max_items)}",start));',
        ]
    lines += [
        "      if(ArrayResize(items,count+1,count)<0)",
        '         return(reader_.Fail("there is not enough memory",start));',
        *_read_item(kind, item),
        "         return(reader_.BelowItem(count));",
        "      count++;",
        "     }",
        "   if(reader_.failed)",
        "      return(false);",
    ]
    if kind.min_items:
        lines += [
            f"   if(count<{min(kind.min_items, spelling.INT_MAX)})",
            f'      return(reader_.Fail("there are fewer than {_items(kind.min_items)}",start));',
        ]
    return [*lines, "   return(true);", "  }"]


def _read_item(kind: ir.ArrayType, item: "Shape") -> list[str]:
    if not kind.item_nullable:
        return [f"      if(!({item.read('items[count]')}))"]
    return [
        "      ArrayResize(nulls,count+1,count);",
        "      nulls[count]=reader_.TakeNull();",
        "      bool good=nulls[count];",
        "      if(good)",
        f"         {item.clear('items[count]')}",
        "      else",
        f"         good=({item.read('items[count]')});",
        "      if(!good)",
    ]


def _write(kind: ir.ArrayType, item: "Shape", name: str) -> list[str]:
    lines = [
        f"bool {name}(CmrWriter &writer_,{item.declared} &items[]{_flags(kind)})",
        "  {",
        "   int count=ArraySize(items);",
    ]
    if kind.min_items:
        lines += [
            f"   if(count<{min(kind.min_items, spelling.INT_MAX)})",
            f'      return(writer_.Fail("there are fewer than {_items(kind.min_items)}"));',
        ]
    if kind.max_items is not None and kind.max_items < spelling.INT_MAX:
        lines += [
            f"   if(count>{kind.max_items})",
            f'      return(writer_.Fail("there are more than {_items(kind.max_items)}"));',
        ]
    return [
        *lines,
        '   writer_.Begin("[");',
        "   for(int i=0; i<count; i++)",
        "     {",
        "      writer_.NextItem();",
        *(_null_item() if kind.item_nullable else ()),
        f"      if(!({item.write('items[i]')}))",
        "         return(writer_.BelowItem(i));",
        "     }",
        '   writer_.End("]");',
        "   return(!writer_.failed);",
        "  }",
    ]


def _null_item() -> list[str]:
    return [
        "      bool absent=false;",
        "      if(i<ArraySize(nulls))",
        "         absent=nulls[i];",
        "      if(absent)",
        "        {",
        "         writer_.Null();",
        "         continue;",
        "        }",
    ]


def _flags(kind: ir.ArrayType) -> str:
    return ",bool &nulls[]" if kind.item_nullable else ""


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"
