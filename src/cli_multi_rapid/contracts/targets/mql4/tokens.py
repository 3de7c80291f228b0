"""The tokens of MQL4 sources: what a C++ compiler would take for something else is none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FOREIGN = ("->*", "...", "<=>", "->", "::", ".*", "##", "??", "<:", ":>", "<%", "%>", "%:")
_SIGNS = (
    "++", "--", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "&&", "||", "<<", ">>",
    *"+-*/%=<>!&|^~?:;,.(){}[]#",
)  # fmt: skip
_NUMBER = r"(?:0[xX][0-9a-fA-F]+|(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.'])"
_ESCAPE = r"""\\[\\"'ntr]"""
_TOKEN = re.compile(
    r"(?P<space>[ \t\n]+)"
    r"|(?P<comment>//[^\n]*)"
    rf'|(?P<text>"(?:[^\x00-\x1f\x7f\\"]|{_ESCAPE})*")'
    rf"|(?P<char>'(?:[^\x00-\x1f\x7f\\']|{_ESCAPE})')"
    rf"|(?P<number>{_NUMBER})"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    rf"|(?P<foreign>{'|'.join(map(re.escape, _FOREIGN))})"
    rf"|(?P<sign>{'|'.join(map(re.escape, _SIGNS))})"
)


class NotMql4(Exception):
    """A source has what MQL4 does not have, or what is not known to be MQL4."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a source: space, comment, text, char, number, word or sign."""

    kind: str
    text: str
    line: int


def tokens(source: str) -> Iterator[Token]:
    """Yield the pieces of a source; joined they are the source.

    Raises:
        NotMql4: something is no token of MQL4.
    """
    at, line = 0, 1
    while at < len(source):
        found = _TOKEN.match(source, at)
        kind = found.lastgroup if found else None
        if found is None or kind is None or kind == "foreign" or not found[0].isascii():
            raise NotMql4(line, f"this is no token of MQL4: {source[at : at + 20].splitlines()[0]!r}")
        if kind == "comment" and found[0].endswith("\\"):
            raise NotMql4(line, "a comment that ends with a backslash goes on in the next line of C++")
        yield Token(kind, found[0], line)
        line += found[0].count("\n")
        at = found.end()


def code(source: str) -> list[Token]:
    """Return the tokens of a source that mean something: neither space nor comments."""
    return [one for one in tokens(source) if one.kind not in ("space", "comment")]
