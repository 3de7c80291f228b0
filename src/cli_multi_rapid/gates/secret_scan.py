"""Scanning one file for secrets: kingfisher's rules on its bytes, our own on its text, both on what it says retold.

No text of a secret leaves this module: a sighting has the rule, the place, and a fingerprint from which the value
cannot be read. Comments that ask scanners to look away are not honoured.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING

from cli_multi_rapid.gates.byte_search import ByteSearch, Matches
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import Scanned, Sighting, counted, one_line
from cli_multi_rapid.gates.secret_assignments import EXPRESSION, assignment, is_plain
from cli_multi_rapid.gates.secret_joined import Retold
from cli_multi_rapid.gates.secret_retold import EXPRESSIONS, retold
from cli_multi_rapid.gates.secret_rules import MESSAGES, RULES, SecretRule, Value, named
from cli_multi_rapid.gates.secret_words import is_placeholder
from cli_multi_rapid.gates.sources import Source, text_of
from cli_multi_rapid.model.gate import Finding, Severity

if TYPE_CHECKING:
    from kingfisher_sdk import Finding as Known
    from kingfisher_sdk import Scanner

MAX_LISTED = 1_000
MAX_LIKELY = 10_000
MAX_CANDIDATES = 100_000
_TIMEOUT_S = 300.0
_ROUNDS = 2_000
_FIX = "remove it, revoke it where it was issued, and read the new one from the environment"
_URI = "generic-credential-uri"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A secret in a text: its rule and where it begins and ends. `mark` stands for its text in binary files."""

    rule: str
    message: str
    start: int
    end: int
    sure: bool
    mark: str = ""


class _Text:
    """The text of a file as UTF-8, and where its lines begin."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(rb"\n", self.data))]

    def line(self, offset: int) -> int:
        """Return the number, from 1, of the line in which an offset lies."""
        return bisect_right(self.starts, offset)

    def column(self, offset: int) -> int:
        """Return the column, from 1 and in characters, of an offset."""
        start = self.starts[self.line(offset) - 1]
        return len(self.data[start:offset].decode("utf-8", "replace")) + 1

    def lines(self, first: int, last: int) -> str:
        """Return the text of some lines."""
        end = self.starts[last] if last < len(self.starts) else len(self.data)
        return self.data[self.starts[first - 1] : end].decode("utf-8", "replace")

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; `line` counts from 1, `column` from 0 and in bytes."""
        return min(self.starts[min(line, len(self.starts)) - 1] + column, len(self.data))


class SecretScan:
    """Scans files for secrets; the result of a file follows from its path, its bytes and the rules alone.

    What is only likely a secret is not `sure`, and rated by the level afterwards.
    """

    def __init__(self, scanner: "Scanner") -> None:
        self._scanner = scanner
        self._search = ByteSearch([EXPRESSION, *(rule.expression for rule in RULES), *EXPRESSIONS])

    def file(self, source: Source) -> Scanned:
        """Return what one file has.

        Raises:
            EvidenceError: the scanner failed.
        """
        content = text_of(source.data)
        if content is None:
            return Scanned(sightings=tuple(self._binary(source)))
        text = _Text(content.encode("utf-8", "replace"))
        possible, spots = self._search.possible(text.data), _Spots()
        retold = self._retold(text.data, possible, spots)
        told = _Told(retold) if retold else None
        spots.add(self._known(source.data, text, source.path))
        if told is not None:
            spots.add(told.placed(self._known(told.text.data, told.text, source.path)))
        self._add_likely(spots, text, possible, source.path)
        if told is not None:
            also = _Spots()
            self._add_likely(also, told.text, self._search.possible(told.text.data), source.path)
            spots.add(told.placed(also.all))
            spots.cut |= also.cut
        return Scanned(sightings=tuple(_sightings(spots, text, source.path)))

    def _binary(self, source: Source) -> Iterator[Sighting]:
        for known in self._found(source.data, source.path)[:MAX_LISTED]:
            place = known.location
            rule = known.rule_id.removeprefix("betterleaks.")
            finding = _finding(rule, one_line(known.rule_name), source.path, place["line"], place["column"] + 1)
            yield Sighting(finding, _identity(str(known.fingerprint), source.path), known.confidence != "low")

    def _found(self, data: bytes, path: str) -> "list[Known]":
        try:
            return [known for known in self._scanner.scan(data, timeout=_TIMEOUT_S) if known.visible]
        except (RuntimeError, ValueError, OSError, TimeoutError) as problem:
            raise EvidenceError(
                f"the scanner failed on {path}: {type(problem).__name__}", fix="leave the file out with `exclude`"
            ) from problem

    def _known(self, data: bytes, text: _Text, path: str) -> Iterator[_Spot]:
        """Yield what kingfisher's rules find; where they are in doubt themselves it is only likely."""
        for known in self._found(data, path):
            place = known.location
            start = text.offset(place["line"], place["column"])
            end = text.offset(place["end_line"], place["end_column"] + 1)
            sure = known.confidence != "low"
            rule = known.rule_id.removeprefix("betterleaks.")
            if rule == _URI and not sure and _is_made_up(text.data, start, end):
                continue
            yield _Spot(rule=rule, message=one_line(known.rule_name), start=start, end=end, sure=sure)

    def _add_likely(self, spots: "_Spots", text: _Text, possible: Sequence[int], path: str) -> None:
        """Add what our own rules find: those with a form of their own first, because they know more of a value."""
        for number in sorted(possible, reverse=True):
            if number <= len(RULES):
                matches = self._search.matches(number, text.data, limit=MAX_CANDIDATES)
                spots.add(_likely(number, matches, text.data, path))
                spots.cut |= matches.cut

    def _retold(self, data: bytes, possible: Iterable[int], spots: "_Spots") -> list[Retold]:
        first, found = len(RULES) + 1, list[Retold]()
        for number in possible:
            if number >= first:
                matches = self._search.matches(number, data, limit=MAX_CANDIDATES)
                found += retold(data, number - first, matches)
                spots.cut |= matches.cut
        return found


def _is_made_up(data: bytes, start: int, end: int) -> bool:
    """Tell whether the password of a URL stands for another one, or is the user's name."""
    password, before = data[start:end], data[max(0, start - 80) : start]
    return is_placeholder(password.decode("utf-8", "replace")) or before.endswith(b"//" + password + b":")


def _likely(number: int, matches: Matches, data: bytes, path: str) -> Iterator[_Spot]:
    plain, held = is_plain(path), 0
    for match in matches:
        if held == MAX_LIKELY:
            matches.cut = True
            return
        found = _by_rule(match, RULES[number - 1], path) if number else _by_name(match, data, path, plain=plain)
        if found is not None:
            held += 1
            yield found


def _by_rule(match: "re.Match[bytes]", rule: SecretRule, path: str) -> _Spot | None:
    before = match[rule.before].decode("utf-8", "replace") if rule.before else ""
    value = Value(text=match[rule.value].decode("utf-8", "replace"), before=before, path=path)
    return _likely_spot(rule.judge(value), *match.span(rule.value))


def _by_name(match: "re.Match[bytes]", data: bytes, path: str, *, plain: bool) -> _Spot | None:
    found = assignment(data, *match.span(), operator=match[1] or b"", quote=match[2] or b"", plain=plain)
    if found is None:
        return None
    return _likely_spot(named(Value(text=found.value, before=found.name, path=path)), found.start, found.end)


def _likely_spot(rule: str, start: int, end: int) -> _Spot | None:
    return _Spot(rule=rule, message=MESSAGES[rule], start=start, end=end, sure=False) if rule else None


class _Told:
    """What a file says retold, as one text, and the way back to the file."""

    def __init__(self, retold: Sequence[Retold]) -> None:
        self._retold = retold
        self.text = _Text(b"\n".join(one.text.replace(b"\n", b" ") for one in retold))

    def placed(self, spots: Iterable[_Spot]) -> Iterator[_Spot]:
        """Yield spots at the places in the file that they are about."""
        for spot in spots:
            origin = self._retold[min(self.text.line(spot.start), len(self._retold)) - 1]
            yield replace(spot, start=origin.start, end=origin.end)


class _Spots:
    """Spots that do not overlap, by their place: what was added first, and so is known best, stays.

    `cut` tells that a file had more places to look at than were looked at.
    """

    def __init__(self) -> None:
        self.cut = False
        self.all: list[_Spot] = []
        self._starts: list[int] = []

    def add(self, spots: Iterable[_Spot]) -> None:
        for spot in sorted(spots, key=lambda spot: (spot.start, -spot.end)):
            at = bisect_right(self._starts, spot.start)
            if at and self.all[at - 1].end > spot.start:
                continue
            if at < len(self.all) and self.all[at].start < spot.end:
                continue
            self.all.insert(at, spot)
            self._starts.insert(at, spot.start)


def _sightings(spots: _Spots, text: _Text, path: str) -> Iterator[Sighting]:
    for spot in spots.all[:MAX_LISTED]:
        first, last = text.line(spot.start), text.line(max(spot.start, spot.end - 1))
        finding = _finding(spot.rule, spot.message, path, first, text.column(spot.start))
        yield Sighting(finding, _identity(text.lines(first, last), path), spot.sure)
    rest = spots.all[MAX_LISTED:]
    if rest:
        message = f"{counted(len(rest), 'more possible secret')} in this file"
        finding = _finding("more-secrets", message, path, 0, 0)
        yield Sighting(finding, "", any(spot.sure for spot in rest))
    if spots.cut:
        message = "so much in this file could be a secret that only a part of it was looked at"
        yield Sighting(_finding("searched-in-part", message, path, 0, 0), "", sure=False)


def _finding(rule: str, message: str, path: str, line: int, column: int) -> Finding:
    return Finding(
        rule=rule, message=message, path=path, line=line, column=column, severity=Severity.HIGH, fix=_FIX
    )  # fmt: skip


@lru_cache(maxsize=4_096)
def _identity(text: str, path: str) -> str:
    """Return what stands for the secret's lines in its fingerprint: slow to guess, and different for every file."""
    return pbkdf2_hmac("sha256", " ".join(text.split()).encode(), path.encode(), _ROUNDS).hex()
