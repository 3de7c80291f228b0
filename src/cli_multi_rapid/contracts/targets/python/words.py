"""Texts of people nobody knows as Python writes them: they stay text whatever they hold."""

import json
import textwrap

WIDTH = 120
MADE_FROM = ", made from contracts/events/"
"""What the first line of every module says."""


def quoted(text: str) -> str:
    """Return a text as a literal in the quotes that need fewer escapes; what is not printable is escaped."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    made = "".join(one if one.isprintable() else _escape(one) for one in text.replace("\\", "\\\\"))
    return mark + made.replace(mark, f"\\{mark}") + mark


def one_line(text: str) -> str:
    """Return a text on one line that can stand within three double quotes."""
    shown = "".join(one if one.isprintable() else " " for one in " ".join(text.split()))
    safe = shown.strip().replace("\\", "\\\\")
    return (safe.replace('"', '\\"') if '"""' in safe or safe.endswith('"') else safe) or "No description."


def docstring_text(text: str, indent: int) -> str:
    """Return a text as a docstring."""
    margin = " " * indent
    safe = one_line(text)
    if len(safe) + indent + 6 <= WIDTH:
        return f'{margin}"""{safe}"""'
    rows = textwrap.wrap(safe, WIDTH - indent - 3, break_on_hyphens=False, break_long_words=False)
    rest = "".join(f"\n{margin}{row}" for row in rows[1:])
    return f'{margin}"""{rows[0]}{rest}\n{margin}"""'


def _escape(one: str) -> str:
    if one in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[one]
    number = ord(one)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def compact(value: object) -> str:
    """Return a value as JSON without blanks, in ASCII, its keys in the order they have."""
    return json.dumps(value, separators=(",", ":"))
