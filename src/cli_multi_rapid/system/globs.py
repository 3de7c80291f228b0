"""Globs over POSIX paths relative to a project's root: the one meaning that every `write:`, `paths:`, `exclude:` has.

* A glob is matched against the whole path, from the root on: `*.py` is top level only, `**/*.py` any depth.
* `*` is any number of characters and `?` exactly one, never a `/`. A leading dot is a character like any other.
* `[abc]`, `[a-z]`, `[!a-z]` (or `[^a-z]`) is one character, never a `/`. A `]` that comes first stands for itself;
  a `[` without its `]` is an ordinary character; a range that runs backwards is empty.
* `**` as a whole segment is any number of segments: `a/**/b` matches `a/b` and `a/x/y/b`; `src/**` matches everything
  below `src`, not `src` itself; `**` alone matches every path. Beside other characters (`a**`) it is the same as `*`.
* `src/` is short for `src/**`. A leading `/` or `./` says what holds anyway and is ignored.
* A backslash takes the special meaning from the character behind it.
* Upper and lower case differ, on every system. There is no `!` for exceptions and no `{a,b}`. An empty glob matches
  nothing; so does an empty list.

Matching takes at most quadratic time in the length of the path, whatever the globs: no pattern can hang it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

_FOLDERS = "(?:[^/]+/)*"
_NEVER = "(?!)"


def matches(path: str, globs: Sequence[str]) -> bool:
    """Tell whether a POSIX path relative to the root matches at least one of the globs."""
    return _compiled(tuple(globs)).fullmatch(path) is not None


def literal(path: str) -> str:
    """Return the glob that matches exactly one path."""
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in path)


def reaches(folder: str, globs: Sequence[str]) -> bool:
    """Tell whether at least one of the globs may match something below a folder (its POSIX path without a slash)."""
    return any(_reaches(folder.split("/"), glob) for glob in globs)


def _reaches(folder: list[str], glob: str) -> bool:
    glob = glob.removeprefix("./").removeprefix("/")
    segments = [part for part in (f"{glob}**" if glob.endswith("/") else glob).split("/") if part]
    for part in folder:
        if not segments or segments[0] == "**":
            return bool(segments)
        if re.fullmatch(_segment(segments.pop(0)), part) is None:
            return False
    return bool(segments)


@lru_cache(maxsize=256)
def _compiled(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_expression(glob)})" for glob in globs) or _NEVER)


def _expression(glob: str) -> str:
    """Translate one glob to a regular expression.

    Between two wildcards the leftmost place that fits is as good as any later one, because what follows can only win
    by starting earlier. So it is taken once and for all, in an atomic group, and nothing is ever tried twice.
    """
    glob = glob.removeprefix("./").removeprefix("/")
    if not glob:
        return _NEVER
    if glob.endswith("/"):
        glob += "**"
    runs = _runs([part for part in glob.split("/") if part])
    first, *others = ["/".join(map(_segment, run)) for run in runs]
    if not others:
        return first
    *middle, last = others
    start = f"{first}/" if first else ""
    found = "".join(f"(?>(?:[^/]+/)*?{run}/)" for run in middle if run)
    end = f"{_FOLDERS}{last}" if last else f"{_FOLDERS}[^/]+"
    return f"{start}{found}{end}"


def _runs(segments: list[str]) -> list[list[str]]:
    """Split segments at `**` into runs of ordinary ones; the first and the last may be empty."""
    runs: list[list[str]] = [[]]
    for segment in segments:
        if segment == "**":
            runs.append([])
        else:
            runs[-1].append(segment)
    return runs


def _segment(segment: str) -> str:
    """Translate one segment, which is not `**`."""
    pieces = [""]
    index = 0
    while index < len(segment):
        if segment[index] == "*":
            pieces.append("")
            index += 1
            continue
        text, index = _character(segment, index)
        pieces[-1] += text
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    found = "".join(f"(?>[^/]*?{piece})" for piece in middle if piece)
    return f"(?=[^/]){first}{found}[^/]*{last}"


def _character(segment: str, index: int) -> tuple[str, int]:
    """Translate what stands for one character, and return where the next one begins."""
    here = segment[index]
    if here == "?":
        return "[^/]", index + 1
    if here == "[":
        end = segment.find("]", index + (3 if segment[index + 1 : index + 2] in ("!", "^") else 2))
        if end > 0:
            return _class(segment[index + 1 : end]), end + 1
    if here == "\\" and index + 1 < len(segment):
        return re.escape(segment[index + 1]), index + 2
    return re.escape(here), index + 1


def _class(body: str) -> str:
    """Translate the inside of `[...]`."""
    negated = body[:1] in ("!", "^")
    body = body[1:] if negated else body
    parts = []
    while body:
        if len(body) > 2 and body[1] == "-":
            low, high, body = body[0], body[2], body[3:]
            if low <= high:
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            parts.append(re.escape(body[0]))
            body = body[1:]
    if not parts:
        return "[^/]" if negated else _NEVER
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]"
