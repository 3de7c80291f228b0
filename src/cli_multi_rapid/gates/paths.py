"""Globs over the paths of a project: one meaning for every key of the gates file.

`*`, `?` and `[abc]` stay within one folder level; `**` as a whole level stands for any number of levels, also none.
A glob is matched from the root of the project: `*.py` means files at the top only, `**/*.py` files at any depth,
`src/**` (or `src/`) everything below `src`. Case matters. Unlike shells, names with a leading dot are matched too.
"""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

_MAGIC = re.compile(r"[*?\[]")


def matches(path: str, globs: tuple[str, ...]) -> bool:
    """Tell whether a POSIX path relative to the project matches any of the globs."""
    return bool(globs) and _union(globs).fullmatch(path) is not None


def has_magic(glob: str) -> bool:
    """Tell whether a text is a glob and not simply a path."""
    return _MAGIC.search(glob) is not None


def find(root: Path, glob: str) -> tuple[str, ...]:
    """Return the files below `root` that a glob matches, sorted, as POSIX paths relative to it.

    A path without wildcards is returned as it is, whether it exists or not. Linked folders are not entered.
    """
    glob = _tidy(glob)
    if not has_magic(glob):
        return (glob,)
    levels = glob.split("/")
    fixed = next(number for number, level in enumerate(levels) if has_magic(level))
    return tuple(sorted(path for path in _walk(root, "/".join(levels[:fixed])) if matches(path, (glob,))))


def _walk(root: Path, start: str) -> Iterator[str]:
    for folder, below, names in os.walk(root / start):
        below[:] = [name for name in below if name != ".git"]
        prefix = Path(folder).relative_to(root).as_posix()
        for name in names:
            yield name if prefix == "." else f"{prefix}/{name}"


@lru_cache(maxsize=1024)
def _union(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_translate(_tidy(glob))})" for glob in globs), re.DOTALL)


def _tidy(glob: str) -> str:
    glob = glob.removeprefix("./").lstrip("/")
    return f"{glob}**" if glob.endswith("/") else glob


def _translate(glob: str) -> str:
    """Translate a glob; every wildcard but the last of its kind is atomic, so that matching cannot blow up."""
    runs = [(deep, list(levels)) for deep, levels in groupby(glob.split("/"), key=lambda level: level == "**")]
    written = ""
    for number, (deep, levels) in enumerate(runs):
        last = number == len(runs) - 1
        if deep:
            written += ".+" if last else ""
            continue
        block = "/".join(_level(level) for level in levels)
        if number == 0:
            written += block + ("" if last else "/")
        elif last:
            written += f"(?:[^/]+/)*{block}"
        else:
            written += f"(?>(?:[^/]+/)*?{block}/)"
    return written


def _level(level: str) -> str:
    first, *rest = (_literal(piece) for piece in re.split(r"\*+", level))
    if not rest:
        return first
    middle = "".join(f"(?>[^/]*?{piece})" for piece in rest[:-1] if piece)
    return f"{first}{middle}[^/]*{rest[-1]}"


def _literal(piece: str) -> str:
    return re.sub(r"\[!?\]?[^\]]*\]|\?|.", _symbol, piece, flags=re.DOTALL)


def _symbol(found: re.Match[str]) -> str:
    text = found[0]
    if text == "?":
        return "[^/]"
    if len(text) < 3:
        return re.escape(text)
    negated = text[1] == "!" and len(text) > 3
    inside = re.sub(r"([\\\[\]&~|^])", r"\\\1", text[2 if negated else 1 : -1])
    return f"(?!/)[{'^' if negated else ''}{inside}]"
