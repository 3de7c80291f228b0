"""Versions of Python and npm packages: whether they can be compared, which comes first, and how they are spelled."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, total_ordering

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.(?:0|[1-9][0-9]{0,9}))*")
_MAX_LENGTH = 256
_NUMBER = "[0-9]{1,18}"
_SEMANTIC = re.compile(
    rf"[v=]*({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]*)?"
)


class Ecosystem(StrEnum):
    """Where packages come from, by the names that OSV uses."""

    PYPI = "PyPI"
    NPM = "npm"


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version of one ecosystem. Those of different ecosystems are never compared.

    A local version of a Python package (`2.1.0+cu121`) is the public one with a patch: compared with a version that
    has no local part it is equal to it.
    """

    text: str
    _key: object
    _public: object

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same version, however they are spelled."""
        if not isinstance(other, Version):
            return NotImplemented
        ours, theirs = self._against(other)
        return bool(ours == theirs)

    def __lt__(self, other: "Version") -> bool:
        """Tell whether this one comes first."""
        ours, theirs = self._against(other)
        return bool(ours < theirs)  # type: ignore[operator]  # keys of one ecosystem can be compared

    def __hash__(self) -> int:
        """Return the same for equal versions."""
        return hash(self._public)

    def _against(self, other: "Version") -> tuple[object, object]:
        both_local = self._key != self._public and other._key != other._public  # noqa: SLF001  its own kind
        return (self._key, other._key) if both_local else (self._public, other._public)  # noqa: SLF001


@lru_cache(maxsize=8192)
def version_of(ecosystem: Ecosystem, text: str) -> Version | None:
    """Return a version that can be compared, or None where the text is none by the rules of its ecosystem."""
    if len(text) > _MAX_LENGTH:
        return None
    keys = _KEYS[ecosystem](text.strip())
    return Version(text, *keys) if keys else None


def spelled(ecosystem: Ecosystem, text: str) -> str:
    """Return a version in the one spelling under which equal versions are the same text."""
    return _SPELLINGS[ecosystem](text.strip()[:_MAX_LENGTH])


def name_of(ecosystem: Ecosystem, text: str) -> str:
    """Return the name of a package as its ecosystem compares it."""
    return str(canonicalize_name(text)) if ecosystem is Ecosystem.PYPI else text


def _python_keys(text: str) -> tuple[object, object] | None:
    try:
        version = PythonVersion(text)
    except (InvalidVersion, ValueError):  # more digits than Python makes a number of
        return None
    return version, PythonVersion(version.public) if version.local else version


def _semantic_keys(text: str) -> tuple[object, object] | None:
    found = _SEMANTIC.fullmatch(text)
    if found is None:
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    before = found.group(4)
    # Without a pre-release part it comes after all of those; numbers come before words.
    parts = tuple((0, int(one), "") if one.isdecimal() else (1, 0, one) for one in (before or "").split("."))
    key = (*numbers, before is None, parts)
    return key, key


def _python_spelling(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        return str(canonicalize_version(text.partition("+")[0] if "+" in text else text))
    while text.endswith(".0"):
        text = text[:-2]
    return text


def _semantic_spelling(text: str) -> str:
    return text.lstrip("v=").partition("+")[0]


_KEYS: Mapping[Ecosystem, Callable[[str], tuple[object, object] | None]] = {
    Ecosystem.PYPI: _python_keys,
    Ecosystem.NPM: _semantic_keys,
}
_SPELLINGS: Mapping[Ecosystem, Callable[[str], str]] = {
    Ecosystem.PYPI: _python_spelling,
    Ecosystem.NPM: _semantic_spelling,
}
