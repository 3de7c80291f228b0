"""Finds the files of a project that a glob stands for; `system.globs` says what globs mean."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cli_multi_rapid.system.globs import matches

_MAGIC = re.compile(r"[*?\[\\]|/$")


def has_magic(glob: str) -> bool:
    """Tell whether a text is a glob and not simply a path."""
    return _MAGIC.search(glob) is not None


def find(root: Path, glob: str) -> tuple[str, ...]:
    """Return the files below `root` that a glob matches, sorted, as POSIX paths relative to it.

    A path without wildcards is returned as it is, whether it exists or not. Linked folders are not entered.
    """
    glob = glob.removeprefix("./").removeprefix("/")
    if not has_magic(glob):
        return (glob,)
    levels = glob.split("/")
    fixed = next((number for number, level in enumerate(levels) if has_magic(level)), len(levels) - 1)
    return tuple(sorted(path for path in _walk(root, "/".join(levels[:fixed])) if matches(path, (glob,))))


def _walk(root: Path, start: str) -> Iterator[str]:
    for folder, below, names in os.walk(root / start):
        below[:] = [name for name in below if name != ".git"]
        prefix = Path(folder).relative_to(root).as_posix()
        for name in names:
            yield name if prefix == "." else f"{prefix}/{name}"
