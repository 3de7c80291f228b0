"""Strict JSON: no key twice, no NaN, no lone surrogate, a limit of depth; every error has line and column."""

import json
import re
from collections.abc import Iterator

from cli_multi_rapid.errors import Problem, SpecInvalid

MAX_DEPTH = 100
LIMIT_BYTES = 1 << 20
_SAFE_DIGITS = 308
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)


def read_json(data: bytes, path: str) -> object:
    """Return the value of a JSON text in UTF-8.

    Raises:
        SpecInvalid: it is not JSON, too deep, has a key twice, or holds what no other program could read.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise _invalid(data[: wrong.start].decode("utf-8"), path, "this is not UTF-8", at=-1) from wrong
    for at, reason in _faults(text):
        raise _invalid(text, path, reason, at=at)
    try:
        return json.loads(text, parse_float=_finite, parse_int=_whole)
    except ValueError as wrong:
        at = wrong.pos if isinstance(wrong, json.JSONDecodeError) else 0
        reason = wrong.msg if isinstance(wrong, json.JSONDecodeError) else str(wrong)
        raise _invalid(text, path, f"this is not JSON: {reason}", at=at) from wrong


def _faults(text: str) -> Iterator[tuple[int, str]]:
    """Yield what `json.loads` would let pass. What is no JSON at all is left to it."""
    scopes: list[set[str] | None] = []
    last: tuple[int, str] | None = None
    for found in _TOKEN.finditer(text):
        at, sign = found.start(), found[0]
        if sign == '"':  # text without an end
            return
        if sign in "{[":
            scopes.append(set() if sign == "{" else None)
            if len(scopes) > MAX_DEPTH:
                yield at, f"this is nested more than {MAX_DEPTH} levels deep"
        elif sign in "}]" and scopes:
            scopes.pop()
        elif sign in ("NaN", "Infinity", "-Infinity"):
            yield at, f"{sign} is not a number of JSON"
        elif sign == ":" and last and scopes and scopes[-1] is not None:
            if last[1] in scopes[-1]:
                yield last[0], f"the key {last[1][:80]!r} stands here for the second time"
            scopes[-1].add(last[1])
        last = (at, _value(sign)) if sign[0] == '"' else None
        if last and not last[1].isascii() and _SURROGATE.search(last[1]):
            yield at, "half of a surrogate pair is no character"


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is too large for a number of double precision")
    return number


def _whole(text: str) -> int:
    if len(text) > _SAFE_DIGITS:
        _finite(text)
    return int(text)


def _value(sign: str) -> str:
    if "\\" not in sign:
        return sign[1:-1]
    try:
        return str(json.loads(sign, strict=False))
    except ValueError:
        return sign


def _invalid(text: str, path: str, reason: str, *, at: int) -> SpecInvalid:
    before = text if at < 0 else text[:at]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    fix = "write JSON as RFC 8259 has it, every key once"
    return SpecInvalid((Problem(code="CONTRACT-JSON", message=reason, path=path, line=line, column=column, fix=fix),))
