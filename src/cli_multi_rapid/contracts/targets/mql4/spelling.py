"""Texts, numbers and comments as MQL4 spells them: in ASCII, so that no editor can misread the file.

What is spelled comes from contracts, written by people whom nobody needs to trust.
"""

import json
import re
import unicodedata

from cli_multi_rapid.contracts import ir

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
WIDTH = 116
_PIECE = 200
_SHOWN = 60
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PARTS = re.compile(r"[ -~\n\r\t]+|[^ -~\n\r\t]")


def text(value: str) -> str:
    """Return an expression for a text; what is beyond ASCII is made of its units of UTF-16."""
    parts = []
    for part in _PARTS.findall(value):
        if len(part) > 1 or part in _ESCAPES or " " <= part <= "~":
            pieces = (part[at : at + _PIECE] for at in range(0, len(part), _PIECE))
            parts.append(" ".join(f'"{"".join(_ESCAPES.get(char, char) for char in piece)}"' for piece in pieces))
        else:
            parts += [f"ShortToString(0x{unit:04X})" for unit in units(part)]
    return "+".join(parts) or '""'


def units(value: str) -> list[int]:
    """Return the units of UTF-16 that a text is made of."""
    data = value.encode("utf-16-le")
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


def integer(value: int) -> str:
    """Return a whole number within int64; the smallest ones have no spelling of their own."""
    return {INT_MIN: "INT_MIN", ir.INT64_MIN: "LONG_MIN"}.get(value, str(value))


def number(value: float) -> str:
    """Return a number of double precision."""
    made = repr(value)
    return made if "." in made or "e" in made else f"{made}.0"


def quoted(value: object) -> str:
    """Return a value as JSON for a message, shortened."""
    return json.dumps(shortened(value) if isinstance(value, str) else value)


def as_json(value: str) -> str:
    """Return a text as JSON in ASCII."""
    return json.dumps(value)


def shortened(value: str) -> str:
    """Return a text with what fits into a message."""
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."


def comment(said: str) -> str:
    """Return words for the rest of a line behind `//`: in ASCII, without an end that would go on in the next line."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", said) if not unicodedata.combining(char))
    made = "".join(char if " " <= char <= "~" else "?" for char in plain).rstrip()
    return f"{made}." if made.endswith(("\\", "??/")) else made


def commented(said: str, indent: str) -> list[str]:
    """Return words as lines of comments."""
    lines, line = [], ""
    for word in comment(said).split():
        if line and len(indent) + 4 + len(line) + len(word) > WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [f"{indent}// {comment(one)}" for one in [*lines, line] if one]
