"""What sources may have before a C++ compiler gets them: only what is known to be MQL4.

A C++ compiler lets pass what MQL4 does not have. So every word is one of the language, built in, or declared in the
sources, and what else C++ writes with the same signs (pointers, lambdas, templates, ...) is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cli_multi_rapid.contracts.targets.mql4.tokens import NotMql4, Token, code

TYPES = frozenset({"bool", "color", "datetime", "double", "int", "long", "string", "uchar", "uint", "ulong", "ushort"})
STATEMENTS = frozenset({
    "break", "case", "continue", "default", "do", "else", "for", "if", "return", "switch", "while",
})  # fmt: skip
KEYWORDS = TYPES | STATEMENTS | frozenset({"const", "enum", "false", "static", "struct", "true", "void"})
DIRECTIVES = frozenset({"define", "endif", "ifndef", "include", "property"})
BUILT_IN = frozenset({
    "ArrayInitialize", "ArrayResize", "ArraySize", "INT_MAX", "INT_MIN", "IntegerToString", "LONG_MAX", "LONG_MIN",
    "MathFloor", "MathIsValidNumber", "Print", "ShortToString", "StringFormat", "StringGetCharacter", "StringLen",
    "StringSubstr", "StringToDouble", "TimeGMT",
})  # fmt: skip
"""What the shim has of what MQL4 has built in."""

MAX_NAME = 63
_NOTHING = Token("", "", 0)


@dataclass(frozen=True, slots=True)
class Declared:
    """What sources declare: structs, enumerations, and all names with them."""

    structs: frozenset[str]
    enums: frozenset[str]
    names: frozenset[str]

    @property
    def types(self) -> frozenset[str]:
        """Return every name of a type."""
        return TYPES | self.structs | self.enums


def check_sources(*sources: str) -> None:
    """Check that sources, which belong together, have only what is known to be MQL4.

    Raises:
        NotMql4: with the line and what stands there.
    """
    read = [code(source) for source in sources]
    declared = _declared(read)
    for source in read:
        checking = _Checking(source, declared)
        for index in range(len(source)):
            checking.check(index)


def _declared(sources: Sequence[Sequence[Token]]) -> Declared:
    def named(keyword: str) -> frozenset[str]:
        return frozenset(
            after.text for source in sources for one, after in pairwise(source)
            if one.text == keyword and after.kind == "word"
        )  # fmt: skip

    structs, enums = named("struct"), named("enum")
    types = TYPES | structs | enums | {"void", "define", "ifndef"}
    names = set(structs | enums)
    for source in sources:
        in_enum = False
        for index, one in enumerate(source):
            before = source[index - 1] if index else _NOTHING
            in_enum = (in_enum and one.text != "}") or (one.text == "{" and before.text in enums)
            typed = source[index - 2].text if before.text == "&" and index > 1 else before.text
            if one.kind == "word" and (typed in types or (in_enum and before.text in ("{", ","))):
                names.add(one.text)
    return Declared(structs, enums, frozenset(names - KEYWORDS))


@dataclass(slots=True)
class _Checking:
    source: Sequence[Token]
    declared: Declared
    braces: list[str] = field(default_factory=list)
    """What every open brace belongs to: struct, enum or code."""
    opened: list[int] = field(default_factory=list)
    """Where the open parentheses are."""
    closed: int = 0
    """Where the parenthesis was opened that has been closed last."""

    def at(self, index: int) -> Token:
        return self.source[index] if 0 <= index < len(self.source) else _NOTHING

    def check(self, index: int) -> None:
        """Check one token, after all before it."""
        one = self.at(index)
        if one.kind == "word":
            self._word(index)
        elif one.kind == "text":
            self._text(index)
        elif one.kind == "sign":
            self._sign(index)

    def _refuse(self, index: int, reason: str) -> NotMql4:
        return NotMql4(self.at(index).line, reason)

    def _word(self, index: int) -> None:
        word, before, after = self.at(index).text, self.at(index - 1), self.at(index + 1)
        if len(word) > MAX_NAME:
            raise self._refuse(index, f"a name has at most {MAX_NAME} characters: {word}")
        if before.text == "#":
            self._directive(index)
        elif before.text != "property" or word != "strict":
            if word not in KEYWORDS and word not in BUILT_IN and word not in self.declared.names:
                raise self._refuse(index, f"{word} is not known to be MQL4, and is not declared")
            if word in ("struct", "enum") and self.braces:
                raise self._refuse(index, f"an {word} inside of another type or a function")
            if word in self.declared.structs and after.kind == "word":
                self._struct(index)

    def _directive(self, index: int) -> None:
        word = self.at(index).text
        if word not in DIRECTIVES:
            raise self._refuse(index, f"#{word} is not known to be MQL4")
        if word == "include" and self.at(index + 1).kind != "text":
            raise self._refuse(index, "only files beside it are included")

    def _struct(self, index: int) -> None:
        word = self.at(index).text
        if self.at(index - 1).text in ("(", ","):
            raise self._refuse(index, f"{word} is passed by value; structs are passed by reference only")
        if self.at(index + 2).text == "(":
            raise self._refuse(index, f"{self.at(index + 1).text} returns a struct")

    def _text(self, index: int) -> None:
        before, after = self.at(index - 1), self.at(index + 1)
        if before.kind == "word" and before.text not in ("include", "return", "case"):
            raise self._refuse(index, f"{before.text} stands before a text")
        if after.kind == "word" and self.at(index - 1).text != "include":
            raise self._refuse(index, f"{after.text} stands behind a text")

    def _sign(self, index: int) -> None:
        sign = self.at(index).text
        if sign in ("{", "}"):
            self._brace(index)
        elif sign in ("(", ")"):
            self._parenthesis(index)
        elif sign == "[":
            self._bracket(index)
        elif sign in ("&", "&&", "*", "<", ">", ">>"):
            self._operator(index)
        elif sign == ":":
            self._colon(index)
        elif sign == "=" and self.braces and self.braces[-1] == "struct" and not self.opened:
            raise self._refuse(index, "a member of a struct has no value where it is declared")

    def _brace(self, index: int) -> None:
        if self.at(index).text == "}":
            if self.braces:
                self.braces.pop()
            return
        before, earlier = self.at(index - 1), self.at(index - 2).text
        if before.kind == "word" and earlier in ("struct", "enum"):
            self.braces.append(earlier)
            return
        if before.text == ")":
            call = self.at(self.closed - 1)
            fits = call.kind == "word" and call.text not in ("return", "case", *self.declared.types)
            fits = fits or (call.text in self.declared.structs and self.braces[-1:] == ["struct"])
        else:
            fits = before.text in ("else", "do", ";", "{", "}", ":")
        if not fits:
            raise self._refuse(index, "a brace opens where MQL4 has none: a list of values, a lambda or the like")
        self.braces.append("code")

    def _parenthesis(self, index: int) -> None:
        if self.at(index).text == "(":
            self.opened.append(index)
            if self.at(index - 1).text == "]":
                raise self._refuse(index, "a lambda, or a call of an item")
        elif self.opened:
            self.closed = self.opened.pop()

    def _bracket(self, index: int) -> None:
        before, after = self.at(index - 1), self.at(index + 1)
        if before.text not in ("]", ")") and (before.kind != "word" or before.text in KEYWORDS):
            raise self._refuse(index, "a lambda, an attribute or a list")
        is_declared = self.at(index - 2).text in self.declared.types
        if is_declared and after.kind != "number" and after.text != "]":
            raise self._refuse(index, "the size of an array is a number, or none")

    def _operator(self, index: int) -> None:
        sign, before, after = self.at(index).text, self.at(index - 1), self.at(index + 1)
        typed = before.text in self.declared.types
        if sign == "&" and typed:
            behind = self.at(index + 2).text
            if not self.opened or after.kind != "word" or behind not in (",", ")", "["):
                raise self._refuse(index, "only parameters are references")
        elif typed or after.text in self.declared.types:
            raise self._refuse(index, f"a pointer, a template or the like: {before.text} {sign} {after.text}")
        elif not self._is_value(before):
            raise self._refuse(index, f"{sign} takes an address, or follows one")

    def _is_value(self, one: Token) -> bool:
        if one.kind == "word":
            return one.text not in KEYWORDS or one.text in ("true", "false")
        return one.kind != "sign" or one.text in (")", "]")

    def _colon(self, index: int) -> None:
        for back in range(index - 1, -1, -1):
            text = self.at(back).text
            if text in ("case", "default", "?"):
                return
            if text in (";", "{", "}", ":"):
                break
        raise self._refuse(index, "a colon that is neither of a case nor of a choice")
