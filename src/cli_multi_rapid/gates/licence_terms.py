"""What a package says about its licence as an SPDX expression, and whether lists of licences permit it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cli_multi_rapid.gates.licence_names import NAMES, TEXTS
from cli_multi_rapid.gates.packages import Terms

UNKNOWN = "unknown"
_MAX_LENGTH = 500
_LONG = 120
_FILLER = re.compile(r"\b(?:the|an?|gnu|licen[cs]e[ds]?|under|version|ver|terms|of)\b|[^a-z0-9.+]+")
_LATER = re.compile(r"\s*\bor\W+(?:\(?at your option\)?\W+)?(?:any\s+)?(?:later|newer|greater)(?:\s+versions?)?")
_BEFORE_NUMBER = re.compile(r"\bv\.?\s*(?=\d)|(?<=[a-z])v?[\s.]*(?=\d)")
_ZEROS = re.compile(r"(?<=\d)(?:\.0)+(?![\d.])")
_JOINED = re.compile(r"\s+(?:and|&)\s+|\s*[/;,]\s*", re.IGNORECASE)
_CHOSEN = re.compile(r"\s+or\s+", re.IGNORECASE)
_OLD_FAMILY = re.compile(r"([AL]?GPL-\d\.\d|GFDL-\d\.\d)(\+?)")
_OLD_EXCEPTIONS = {
    "GPL-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "GPL-2.0-with-bison-exception": "GPL-2.0-only WITH Bison-exception-2.2",
    "GPL-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "GPL-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "GPL-2.0-with-GCC-exception": "GPL-2.0-only WITH GCC-exception-2.0",
    "GPL-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "GPL-3.0-with-GCC-exception": "GPL-3.0-only WITH GCC-exception-3.1",
}
_CLASSIFIER = "License :: "
_TOKEN = re.compile(r"[()]|[^\s()]+")


def expression_of(terms: Terms | None) -> str | None:
    """Return the licence of a package as an SPDX expression in its normal form, or None where it cannot be told.

    An expression counts before all else. Texts and classifiers that name different licences all hold.
    """
    if terms is None:
        return None
    if terms.expression:
        return spdx(terms.expression)
    texts = [found for text in terms.texts if (found := normalised(text))]
    if len(texts) < len(terms.texts) and terms.choice:
        return None
    named = [found for text in terms.classifiers if (found := normalised(_of_classifier(text)))]
    if texts and (not named or _identifiers(texts) & _identifiers(named)):
        named = []
    return _joined([*texts, *named], " OR " if terms.choice else " AND ") or None


def spdx(text: str) -> str | None:
    """Return an SPDX expression in its normal form, or None where the text is none.

    The old ids of the GNU family become those that say whether later versions are meant.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if len(text) > _MAX_LENGTH or text.count("(") > 20:
        return None
    try:
        found = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None
    return _TOKEN.sub(lambda token: _modern(token.group()), found)


@lru_cache(maxsize=4096)
def normalised(text: str) -> str | None:
    """Return the SPDX expression that the free text of a package stands for, or None where nobody can tell."""
    text = " ".join(text.split()) if len(text) <= _LONG else text
    if len(text) > _LONG:
        words = " ".join(text.lower().split())
        return next((found for parts, found in TEXTS if all(part in words for part in parts)), None)
    if found := spdx(text) or _names().get(_key(text)):
        return found
    if "(" in text and _CHOSEN.search(text) and _JOINED.search(text):
        return None  # what belongs together would be guessed
    for pattern, joined in ((_CHOSEN, " OR "), (_JOINED, " AND ")):
        parts = [one.strip("() ") for one in pattern.split(text)]
        if len(parts) > 1:
            each = [found for one in parts if (found := normalised(one))]
            return _joined(each, joined) if len(each) == len(parts) else None
    return None


def permitted(expression: str, allow: Sequence[str], deny: Sequence[str]) -> bool:
    """Tell whether lists permit a licence: of a choice one alternative must be, of what holds together all.

    A single licence is permitted if `deny` does not name it, and `allow` does or is empty. With an exception
    (`GPL-2.0-only WITH Classpath-exception-2.0`) it is also what the list says of it as a whole.
    """
    allowed = _listed(allow) if allow else None
    return _Evaluation(_TOKEN.findall(expression), allow=allowed, deny=_listed(deny)).choice()


def known_entry(text: str) -> bool:
    """Tell whether an entry of a list is one SPDX id, one with an exception, or `unknown`."""
    found = spdx(text)
    return text == UNKNOWN or (found is not None and " AND " not in found and " OR " not in found and "(" not in found)


@lru_cache(maxsize=64)
def _listed_entry(text: str) -> tuple[str, ...]:
    """Return what an entry of a list stands for: a bare id of the GNU family for both of its forms."""
    family = _OLD_FAMILY.fullmatch(text.strip())
    if family and not family.group(2):
        return f"{family.group(1)}-only", f"{family.group(1)}-or-later"
    found = spdx(text)
    return (found.removesuffix("+"),) if found else ()


def _listed(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(one for entry in entries for one in _listed_entry(entry))


@dataclass(slots=True)
class _Evaluation:
    """Evaluates the tokens of an expression in its normal form, from the left; AND binds more than OR."""

    tokens: list[str]
    allow: frozenset[str] | None
    deny: frozenset[str]
    at: int = 0

    def choice(self) -> bool:
        result = self.together()
        while self.next_is("OR"):
            other = self.together()
            result = result or other
        return result

    def together(self) -> bool:
        result = self.single()
        while self.next_is("AND"):
            other = self.single()
            result = result and other
        return result

    def single(self) -> bool:
        if self.next_is("("):
            result = self.choice()
            self.next_is(")")
            return result
        id_ = self.tokens[self.at]
        self.at += 1
        if not self.next_is("WITH"):
            return self.permits(id_.removesuffix("+"))
        whole = f"{id_} WITH {self.tokens[self.at]}"
        self.at += 1
        if whole in self.deny:
            return False
        return (self.allow is not None and whole in self.allow) or self.permits(id_.removesuffix("+"))

    def permits(self, id_: str) -> bool:
        return id_ not in self.deny and (self.allow is None or id_ in self.allow)

    def next_is(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found


def _joined(expressions: Iterable[str], joined: str) -> str:
    other = " OR " if joined == " AND " else " AND "
    return joined.join(f"({one})" if other in one else one for one in dict.fromkeys(expressions))


def _modern(token: str) -> str:
    family = _OLD_FAMILY.fullmatch(token)
    if family is None:
        return _OLD_EXCEPTIONS.get(token, token)
    return f"{family.group(1)}-{'or-later' if family.group(2) else 'only'}"


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {_key(name): expression for name, expression in NAMES.items()}


def _key(text: str) -> str:
    """Return the name of a licence without filler words, spelled in one way: `apache 2`, `gpl 3+`, `bsd 3 clause`."""
    words = _FILLER.sub(" ", _LATER.sub("+", text.lower()))
    words = _ZEROS.sub("", _BEFORE_NUMBER.sub(" ", words))
    each = words.replace(" +", "+").split()
    half = len(each) // 2
    return " ".join(each[:half] if each[:half] == each[half:] else each)


def _of_classifier(text: str) -> str:
    """Return the name that a classifier of PyPI ends in; nothing where it only says that there is a licence."""
    name = text.removeprefix(_CLASSIFIER).rpartition(" :: ")[2].strip()
    return "" if name == "OSI Approved" else name


def _identifiers(expressions: Iterable[str]) -> set[str]:
    return {token for one in expressions for token in _TOKEN.findall(one)} - {"AND", "OR", "WITH", "(", ")"}
