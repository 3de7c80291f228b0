"""The same in plain words: what files say in markup, in pairs, in pieces or in code, told as `name = "value"`.

Rules know assignments and bare tokens. Elements of XML, a name and its value on two lines, joined literals, and text in
base 64 or hexadecimal are retold in that form and searched with the same rules.
"""

import base64
from collections.abc import Iterator
from html import unescape

from cli_multi_rapid.gates.byte_search import Matches
from cli_multi_rapid.gates.secret_joined import JOINT, Retold, joined

_ELEMENT = rb"<([A-Za-z_][\w.:-]{0,80})(?:[ \t\r\n][^<>]{0,300})?>[ \t\r\n]{0,40}[^<>\s]"
_ATTRIBUTES = (
    rb"(?i)<[\w.:-]{1,80}[ \t\r\n][^<>]{0,200}\b(?:key|name|id)[ \t]{0,4}=[ \t]{0,4}[\"']([\w.: -]{2,100})[\"']"
    rb"[^<>]{0,200}(?:\bvalue[ \t]{0,4}=[ \t]{0,4}[\"']([^\"'<>\n]{8,400})[\"']|>[ \t\r\n]{0,40}([^<>\s]{8,400})</)"
)
_PLIST = rb"<key>([\w.: -]{2,100})</key>[ \t\r\n]{0,80}<string>([^<>\s]{8,400})</string>"
_PAIR = (
    rb"(?i)[\"']?\b(?:name|key)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?"
    rb"([\w.-]{0,60}(?:pass|pwd|secret|token|key|cred)[\w.-]{0,40})[\"']?[ \t]{0,4}[,;]?[ \t\r]{0,4}\n?"
    rb"[ \t]{0,60}[\"']?\bvalue[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?([^\s\"'{}]{8,400})"
)
# Every byte of ASCII has a zero for its highest bit, which decides what its digits can be.
_HEX = rb"(?:^|[^0-9A-Za-z])((?:[2-7][0-9A-Fa-f]){12}[0-9A-Fa-f]*)"
_QUAD = rb"[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_BASE64 = rb"(?:^|[^A-Za-z0-9+/_-])((?:" + _QUAD + rb"){3}[A-Za-z0-9+/_-]{3}[A-Za-z0-9+/_-]*)"

EXPRESSIONS = (_ELEMENT, _ATTRIBUTES, _PLIST, _PAIR, _HEX, _BASE64, JOINT)
"""What finds places that can be retold."""

_PRINTABLE = bytes(range(32, 127)) + b"\t\n\r"
_MAX_CODED = 64 << 10
_MAX_VALUE = 4_096
_MAX_BEFORE = 80
_LEAST = 8
_STANDARD = bytes.maketrans(b"-_", b"+/")


def retold(data: bytes, number: int, matches: Matches) -> Iterator[Retold]:
    """Yield what a file (UTF-8) says in other forms where one of `EXPRESSIONS`, by its number, matches."""
    return _TELLERS[number](data, matches)


def _elements(data: bytes, matches: Matches) -> Iterator[Retold]:
    for match in matches:
        start = match.end() - 1
        end = data.find(b"<", start, start + _MAX_VALUE)
        if end - start >= _LEAST and data[end : end + 2] == b"</" and b"\n" not in (value := data[start:end].rstrip()):
            yield _assigned(match[1], value, start, start + len(value))


def _attributes(_data: bytes, matches: Matches) -> Iterator[Retold]:
    for match in matches:
        group = 2 if match[2] is not None else 3
        yield _assigned(match[1], match[group], match.start(group), match.end(group))


def _pairs(_data: bytes, matches: Matches) -> Iterator[Retold]:
    for match in matches:
        yield _assigned(match[1], match[2], match.start(2), match.end(2))


def _hexadecimal(data: bytes, matches: Matches) -> Iterator[Retold]:
    for match in matches:
        coded = match[1]
        if len(coded) <= _MAX_CODED and len(coded) % 2 == 0 and _is_text(plain := bytes.fromhex(coded.decode())):
            yield _decoded(data, plain, match.start(1), match.end(1))


def _base64(data: bytes, matches: Matches) -> Iterator[Retold]:
    for match in matches:
        coded = match[1].translate(_STANDARD)
        if len(coded) % 4 == 1 or len(coded) > _MAX_CODED:
            continue
        plain = base64.b64decode(coded + b"=" * (-len(coded) % 4))
        if _is_text(plain):
            yield _decoded(data, plain, match.start(1), match.end(1))


def _joined(data: bytes, matches: Matches) -> Iterator[Retold]:
    return joined(data, ((match.start() + 1, match.end()) for match in matches))


def _assigned(name: bytes, value: bytes, start: int, end: int) -> Retold:
    name = name.rpartition(b":")[2].replace(b" ", b"_")
    plain = unescape(value.decode("utf-8", "replace")).strip().encode() if b"&" in value else value.strip()
    return Retold(name + b' = "' + plain + b'"', start, end)


def _decoded(data: bytes, plain: bytes, start: int, end: int) -> Retold:
    line = data.rfind(b"\n", max(0, start - _MAX_BEFORE), start) + 1
    before = data[max(line, start - _MAX_BEFORE) : start]
    if before.endswith((b'"', b"'")):
        before = before[:-1]
    quote = b"'" if b'"' in plain else b'"'
    return Retold(before + quote + plain + quote, start, end)


def _is_text(plain: bytes) -> bool:
    return len(plain) >= _LEAST and plain.isascii() and not plain.translate(None, _PRINTABLE)


_TELLERS = (_elements, _attributes, _pairs, _pairs, _hexadecimal, _base64, _joined)
