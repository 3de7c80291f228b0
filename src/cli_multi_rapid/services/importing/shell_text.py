"""Where in the text of a POSIX shell something stands, so that a variable can be put there as data.

A reader of the shell's quoting, not of its whole grammar: quotes, comments, here-documents, substitutions, arithmetic.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from cli_multi_rapid.services.importing.source import Refused

MARKS = ("\ue000", "\uf8ff")
"""Between these characters (of private use) lie the marks that stand for expressions while a text is looked at."""


class Quoting(Enum):
    """What surrounds a place in the text."""

    NONE = "none"
    DOUBLE = "double"
    SINGLE = "single"
    HERE = "here-document"
    COMMENT = "comment"
    FIXED = "fixed"
    ARITHMETIC = "arithmetic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a mark stands: its quoting, the command before its word (with its beginning), and the rest of the line."""

    quoting: Quoting
    before: str
    after: str = ""

    @property
    def runs(self) -> bool:
        """Tell whether what stands here is run: as the command itself, or as code for another program."""
        if self.quoting in {Quoting.HERE, Quoting.FIXED}:
            return bool(_HERE_CODE.search(_QUOTES.sub("", self.before)))
        words = _ASSIGNMENTS.sub("", self.before)
        return self._runs_after(words) or self._runs_after(_VANISHING.sub("", words))

    def _runs_after(self, words: str) -> bool:
        first = not self.assigned and not re.search(r"\s", _QUOTED.sub("", words))
        plain = _QUOTES.sub("", words)
        return first or any(one.search(plain) for one in (_RUN_BY, _CODE_OF, _ALL_CODE))

    @property
    def assigned(self) -> bool:
        """Tell whether it is the value of an assignment."""
        return bool(re.search(r"(^|\s)[A-Za-z_][A-Za-z0-9_]*\+?=\S*$", self.before))

    @property
    def interpreted(self) -> bool:
        """Tell whether the shell itself looks into the value: numbers, patterns and names in `[[ ]]`."""
        if self.quoting is Quoting.ARITHMETIC:
            return True
        if "[[" not in self.before:
            return False
        numbers = _NUMBERS.search(self.before) or _NUMBERS.search(self.after.partition("]]")[0])
        return bool(numbers or re.search(r"=~|\s-[vR]\s*$", self.before))


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\\.", re.DOTALL)
_QUOTES = re.compile(r"[\"'\\]")
# Words that are nothing where what they stand for is empty, so that the next word takes their place.
_VANISHING = re.compile(r"(?<!\S)(?:\$\w+|\$[@*]|\$\{[^}\s]*\}|\$\([^()]*\)|`[^`]*`)+\s+")
_ASSIGNMENTS = re.compile(r"^\s*(?:[A-Za-z_][A-Za-z0-9_]*\+?=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*\s+)*")
_INTERPRETERS = (
    r"(?:^|[\s/])(?:python[0-9.]*|pypy[0-9.]*|node|deno|bun|perl|ruby|php|lua|R|Rscript|bash|sh|dash|zsh|ksh|pwsh|su"
    r"|psql|mysql|sqlite3|nix-shell)"
)
_RUN_BY = re.compile(
    r"(?:^|\s)(?:eval|exec|source|\.|command|sudo|env|nohup|time|xargs|ssh|awk|sed|jq|trap)(?:\s+-\S+)*\s+\S*$"
)
_CODE_OF = re.compile(rf"{_INTERPRETERS}(?:\s+-\S+)*(?:\s+(?:-\S*[cepr]|--(?:eval|command|run|print))[\s=]+|\s+)\S*$")
_ALL_CODE = re.compile(r"(?:^|\s)(?:eval|ssh)\s")
_NUMBERS = re.compile(r"\s-(?:eq|ne|lt|le|gt|ge)\s")
_HERE_CODE = re.compile(rf"{_INTERPRETERS}(?![A-Za-z0-9_.-])|(?:^|\s)(?:ssh|eval|xargs|sudo)\s")
_HERE = re.compile(r"<<(-?)[ \t]*(\\?[A-Za-z0-9_.!+-]+|'[^'\n]*'|\"[^\"\n]*\")")
_KEYWORDS = re.compile(r"\b(?:then|do|else|elif|if|while|until)\s+$|(?:^|\s)[!{]\s+$")
_ENDS = ";&|\n"
_LOST = "the quotes of the text could not be followed to their end"


@dataclass(frozen=True, slots=True, kw_only=True)
class _HereDocument:
    """A here-document that begins after the line: its last line, and the line that it is for."""

    word: str
    quoted: bool
    tabs: bool
    line: str


@dataclass(slots=True)
class _Frame:
    """One level of nesting: what closes it, and where the command that is being read in it begins."""

    kind: str
    close: str
    command: int


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.spots: dict[int, Spot] = {}
        self.frames = [_Frame("plain", "", 0)]
        self.pending: list[_HereDocument] = []

    def read(self) -> Mapping[int, Spot]:
        while self.at < len(self.text):
            frame = self.frames[-1]
            step = {"plain": self._plain, "double": self._double, "arithmetic": self._arithmetic}[frame.kind]
            step(frame)
        if len(self.frames) > 1 or self.pending:
            raise Refused(_LOST)
        return self.spots

    def _note(self, quoting: Quoting, end: int | None = None) -> None:
        frame = next(one for one in reversed(self.frames) if one.kind == "plain")
        stop = self.at if end is None else end
        begin = frame.command
        before = self.text[begin:stop]
        keyword = _KEYWORDS.search(before)
        before = before[keyword.end() :] if keyword else before
        after = self.text[self.at + 1 :].partition("\n")[0]
        self.spots[self.at] = Spot(quoting=quoting, before=before, after=after)

    def _plain(self, frame: _Frame) -> None:
        here = self.text[self.at]
        if here == "\\":
            self.at += 2
        elif here == "'":
            self._single(dollar=self.text[self.at - 1 : self.at] == "$")
        elif here == '"':
            self._push("double", '"')
        elif here == frame.close:
            self._pop()
        elif here == "#" and (self.at == 0 or self.text[self.at - 1] in " \t\n;&|("):
            self._until_newline()
        elif not self._opened(here):
            self._other(frame, here)

    def _other(self, frame: _Frame, here: str) -> None:
        if is_mark(here):
            self._note(Quoting.NONE)
        elif here in _ENDS:
            frame.command = self.at + 1
        elif here == "(":
            self._push("plain", ")")
            return
        self.at += 1
        if here == "\n" and self.pending:
            self._here_documents()

    def _opened(self, here: str) -> bool:
        """Enter what opens at this place; tell whether something does."""
        rest = self.text[self.at : self.at + 3]
        if rest.startswith("$(("):
            self._push("arithmetic", "))", 3)
        elif rest.startswith("$("):
            self._push("plain", ")", 2)
        elif rest.startswith("${"):
            self._push("plain", "}", 2)
        elif rest.startswith("((") and self.frames[-1].kind == "plain":
            self._push("arithmetic", "))", 2)
        elif here == "`":
            self._push("plain", "`")
        elif rest == "<<<":
            self.at += 3
        elif (found := _HERE.match(self.text, self.at)) and self.frames[-1].kind == "plain":
            self._begin_here_document(found)
        else:
            return False
        return True

    def _double(self, frame: _Frame) -> None:
        here = self.text[self.at]
        if here == "\\":
            self.at += 2
        elif here == '"':
            self._pop()
        elif here in "$`" and self._opened(here):
            return
        else:
            if is_mark(here):
                self._note(Quoting.DOUBLE, frame.command - 1)
            self.at += 1

    def _arithmetic(self, frame: _Frame) -> None:
        here = self.text[self.at]
        if self.text.startswith("))", self.at):
            self._pop(2)
        elif here == "(":
            self._push("arithmetic", ")")
        elif here == frame.close:
            self._pop()
        else:
            if is_mark(here):
                self._note(Quoting.ARITHMETIC)
            self.at += 1

    def _single(self, *, dollar: bool) -> None:
        start, self.at = self.at, self.at + 1
        while self.at < len(self.text) and self.text[self.at] != "'":
            if dollar and self.text[self.at] == "\\":
                self.at += 1
            elif is_mark(self.text[self.at]):
                self._note(Quoting.FIXED if dollar else Quoting.SINGLE, start)
            self.at += 1
        if self.at >= len(self.text):
            raise Refused(_LOST)
        self.at += 1

    def _until_newline(self) -> None:
        while self.at < len(self.text) and self.text[self.at] != "\n":
            if is_mark(self.text[self.at]):
                self._note(Quoting.COMMENT)
            self.at += 1

    def _begin_here_document(self, found: re.Match[str]) -> None:
        word = found[2]
        line = self.text[self.text.rfind("\n", 0, self.at) + 1 :].partition("\n")[0]
        self.pending.append(
            _HereDocument(word=word.strip("'\"\\"), quoted=word[0] in "'\"\\", tabs=bool(found[1]), line=line)
        )
        self.at = found.end()

    def _here_documents(self) -> None:
        for document in self.pending:
            while self._here_line(document):
                pass
        self.pending = []
        self.frames[-1].command = self.at

    def _here_line(self, document: _HereDocument) -> bool:
        """Read one line of a here-document; tell whether another one follows."""
        if self.at >= len(self.text):
            raise Refused(_LOST)
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        line = self.text[self.at : end]
        for place in range(self.at, end):
            if is_mark(self.text[place]):
                quoting = Quoting.FIXED if document.quoted else Quoting.HERE
                self.spots[place] = Spot(quoting=quoting, before=document.line)
        self.at = end + 1
        return (line.lstrip("\t") if document.tabs else line) != document.word

    def _push(self, kind: str, close: str, length: int = 1) -> None:
        self.frames.append(_Frame(kind, close, self.at + length))
        self.at += length

    def _pop(self, length: int = 1) -> None:
        self.frames.pop()
        self.at += length


def is_mark(character: str) -> bool:
    """Tell whether a character stands for an expression."""
    return MARKS[0] <= character <= MARKS[1]


def spots(text: str) -> Mapping[int, Spot]:
    """Return where each mark of a text stands, by its index.

    Raises:
        Refused: the quoting of the text cannot be followed.
    """
    return _Reader(text).read()
