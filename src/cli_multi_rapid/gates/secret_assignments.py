"""Names and the values that are given to them, in whatever language a file is written."""

import re
from dataclasses import dataclass

from cli_multi_rapid.gates.secret_words import is_key

NAME = rb"(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|key)"
EXPRESSION = (
    NAME + rb"[\w.-]{0,40}\\{0,2}[\"'`\])]{0,3}[ \t]{0,20}"
    rb"(?:(?::[ \t]{0,4}[A-Z_][\w.\[\]|, ]{0,40})?(={1,3}|!={1,2}|:=|=>|\?=|->)|:{1,2}|,|\(|)"
    rb"[ \t(]{0,20}(?:[@$A-Z]{0,2}(\\{0,2}[\"'`]))?"
)
"""Begins with a key word in the name and ends where the value begins; group 2 is the quote that opens it."""

_MIN_VALUE = 8
_MAX_VALUE = 1_024
_MAX_NAME = 60
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-"
_NAME_HERE = re.compile(rb"[\w.-]+")
_BARE = re.compile(rb"[^\s\"'`<>,;&|(){}\[\]]+")
_LINE = re.compile(rb"[^\n]*")
_COMMENT = re.compile(rb"\s+[#;].*$")
# Formats in which a value needs no quotes. What is left are languages, in which a word without quotes is a name.
_PLAIN = re.compile(
    r"(?i)(?:^|/)(?:\.?env(?:\.[\w.-]+)?|[\w.-]*\.(?:env|properties|props|ini|cfg|conf|config|cnf|ya?ml|toml|sh|bash|zsh|ksh"
    r"|bat|cmd|txt|md|rst|log|list|tfvars|netrc|npmrc|pypirc|pgpass|plist|csv|http|rest|example|sample|dist|local|prod)"
    r"|\.[\w-]+rc|dockerfile[\w.-]*|containerfile|makefile|procfile|jenkinsfile|\.netrc|_netrc|credentials|config|[\w-]+)$"
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A name and its value, and where in the bytes the value begins and ends."""

    name: str
    value: str
    start: int
    end: int


def is_plain(path: str) -> bool:
    """Tell whether values need no quotes in a file of that name."""
    return _PLAIN.search(path) is not None


def assignment(data: bytes, start: int, end: int, *, operator: bytes, quote: bytes, plain: bool) -> Assignment | None:
    """Return the assignment that a match of `EXPRESSION` begins, or None where there is no value.

    `start` and `end` are those of the match, `operator` and `quote` its groups. Without quotes a value counts where the
    format is plain, or where it looks like nothing else than a key.
    """
    separator = data[start:end].rstrip(b" \t\"'`\\@$")[-1:]
    if quote:
        at, value = end, _quoted(data, end, quote)
    elif not operator and separator != b":":
        return None
    else:
        at, value = end, (_rest_of_line(data, end) if plain else _bare(data, end))
    if not _MIN_VALUE <= len(value) <= _MAX_VALUE:
        return None
    name, text = _name(data, start), value.decode("utf-8", "replace")
    if name.lower() == "pass" and not operator:
        return None  # an English word
    if not quote and not plain and not (len(text) >= 20 and is_key(text)):
        return None
    if separator in (b",", b"(") and not is_key(text) and not _is_odd(text):
        return None
    return Assignment(name, text, at, at + len(value))


def _name(data: bytes, start: int) -> str:
    before = data[max(0, start - _MAX_NAME) : start]
    before = before[len(before.rstrip(_NAME_BYTES)) :]
    here = _NAME_HERE.match(data, start, start + _MAX_NAME)
    return (before + (here[0] if here else b"")).decode("ascii", "replace")


def _quoted(data: bytes, start: int, quote: bytes) -> bytes:
    end = data.find(quote, start, start + _MAX_VALUE + 2)
    if end < 0 or data.find(b"\n", start, end) >= 0:
        return b""
    return data[start:end]


def _rest_of_line(data: bytes, start: int) -> bytes:
    """Return what stands in a line of a plain format: one word, perhaps with a comment behind it."""
    found = _LINE.match(data, start, start + _MAX_VALUE + 1)
    value = _COMMENT.sub(b"", found[0]).rstrip() if found else b""
    if not re.search(rb"\s", value) and not value.endswith((b",", b";", b"}")):
        return value
    return _bare(data, start)


def _bare(data: bytes, start: int) -> bytes:
    found = _BARE.match(data, start, start + _MAX_VALUE + 1)
    return found[0] if found else b""


def _is_odd(text: str) -> bool:
    """Tell whether a text, which may be a mere neighbour of a name, has what only passwords have: digits and signs."""
    return any(map(str.isdigit, text)) and bool(set(text) & set("!#%*+?$^&"))
