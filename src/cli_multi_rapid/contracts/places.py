"""Places that programs name when they refuse a document: whether there is such a place, and whether it is right.

A place is a JSON pointer, with `#` before it or not, and where it is known the character, or line and column or byte.
"""

import re
from collections.abc import Collection

_CHARACTER = r"character (?P<character>-?\d+)"
_LINE = r"line (?P<line>-?\d+) (?:column (?P<column>-?\d+)|byte (?P<byte>-?\d+))"
_PLACE = re.compile(rf"#?(?P<pointer>/.*?|)(?: ?\(?(?:{_CHARACTER}|{_LINE})\)?)?", re.DOTALL)


def misplaced(where: str, text: str, at: Collection[str]) -> str:
    """Return what is wrong with a place in a text; nothing where it is right.

    `at` are the JSON pointers of what is wrong in the document; nothing is known of what is no JSON.
    """
    found = _PLACE.fullmatch(where)
    if found is None or not where:
        return f"it was refused without a place: {where!r}"
    units = len(text.encode("utf-16-le")) // 2
    if found["character"] and not 1 <= int(found["character"]) <= units + 1:
        return f"it was refused at a character that is not there: {where}"
    most = len(text.encode("utf-8", errors="surrogatepass")) if found["byte"] else units
    if found["line"] and not (
        1 <= int(found["line"]) <= text.count("\n") + 1 and 1 <= int(found["column"] or found["byte"]) <= most + 1
    ):
        return f"it was refused at a line and column that are not there: {where}"
    pointer = "" if found["pointer"] == "/" and "" in at else _on_one_line(found["pointer"])
    right = not at or any(pointer == one or pointer.startswith(f"{one}/") for one in map(_on_one_line, at))
    return "" if right else f"it was refused at {where}, but what is wrong is at {' or '.join(at)}"


def _on_one_line(pointer: str) -> str:
    """Return a pointer as programs may have to show it, on one line, with `?` or a blank for a newline."""
    return "".join(one if one.isprintable() and one != " " else "?" for one in pointer)
