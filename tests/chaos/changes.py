"""What the writing steps of the sample project change, and what its files hold after each of them.

The content of the project is a function of the steps that have ended and of nothing else. That is the oracle for
everything about files.
"""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Change = tuple[str, ...]
"""A verb (append, create, delete, move, mode, link, replace), a path and, for most verbs, one more text."""

ODD_NAME = "docs/größe 日本.txt"
NOTES = "src/notes.txt"
"""A file that a step may change by its globs, and none does."""

PERSONAL = "person.txt"
"""A file that no step may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or a link; `mode` is that of the file, 0 for a link, whose target is `content`."""

    content: bytes
    mode: int = 0o644

    def plain(self) -> list[object]:
        """Return the entry as values that JSON can hold."""
        return [self.mode, self.content.hex()]


Tree = dict[str, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A step that changes files: the globs that it declares, and its changes in their order."""

    name: str
    writes: tuple[str, ...]
    changes: tuple[Change, ...]


BASE: Tree = {
    "src/alpha.txt": Entry(content=b"alpha\n"),
    "src/beta.txt": Entry(content=b"beta\r\nwith the line ends of another system\r\n"),
    "src/gamma.txt": Entry(content=b"gamma\n" * 50),
    "src/old.txt": Entry(content=b"not needed any more\n"),
    "src/deep/inner.txt": Entry(content=b"in a folder\n"),
    NOTES: Entry(content=b"notes\n"),
    "docs/guide.md": Entry(content=b"# Guide\n"),
    "data/table.csv": Entry(content=b"a,b\n1,2\n"),
    "data/binary.bin": Entry(content=bytes(range(256)) * 4),
    "bin/tool.sh": Entry(content=b"#!/bin/sh\necho tool\n"),
    "bin/run.sh": Entry(content=b"#!/bin/sh\necho run\n", mode=0o755),
    PERSONAL: Entry(content=b"of a person\n"),
}

WRITERS: tuple[Writer, ...] = (
    Writer(
        name="edit",
        writes=("src/**",),
        changes=(
            ("append", "src/alpha.txt", "edited\n"),
            ("create", "src/new.txt", "new\n"),
            ("delete", "src/old.txt"),
            ("append", "src/beta.txt", "edited\r\n"),
        ),
    ),
    Writer(
        name="move",
        writes=("src/**", "docs/**"),
        changes=(
            ("move", "src/gamma.txt", "docs/gamma.txt"),
            ("append", "docs/guide.md", "moved\n"),
            ("create", ODD_NAME, "naïve\n"),
            ("append", "src/new.txt", "moved\n"),
        ),
    ),
    Writer(
        name="mark",
        writes=("bin/**", "data/*"),
        changes=(
            ("mode", "bin/tool.sh", "755"),
            ("link", "bin/latest", "tool.sh"),
            ("mode", "bin/run.sh", "644"),
            ("append", "data/table.csv", "3,4\n"),
        ),
    ),
    Writer(
        name="daemons",
        writes=("data/**",),
        changes=(
            ("append", "data/binary.bin", "\0\r\n"),
            ("create", "data/of/daemons.txt", "daemons\n"),
            ("append", "data/table.csv", "5,6\n"),
        ),
    ),
    Writer(
        name="rewrite",
        writes=("src/**", "bin/latest", "docs/*.txt"),
        changes=(
            ("replace", "src/deep", "a file where a folder was\n"),
            ("link", "bin/latest", "run.sh"),
            ("append", ODD_NAME, "rewritten\n"),
            ("delete", "src/new.txt"),
            ("append", "src/alpha.txt", "rewritten\n"),
        ),
    ),
)


def touched(writer: Writer) -> tuple[str, ...]:
    """Return the paths that a writer changes."""
    paths = [path for change in writer.changes for path in _paths(change)]
    return tuple(dict.fromkeys(path for path in paths if path in BASE or not _is_folder(path)))


def tree_before(name: str) -> Tree:
    """Return what the project holds when the writer of that name begins."""
    return _after(names=_names_before(name))


def final_tree() -> Tree:
    """Return what the project holds when all steps have ended."""
    return _after(names=[writer.name for writer in WRITERS])


def read_tree(root: Path, *, without: Iterable[str] = ()) -> Tree:
    """Return the files and links below a folder, except those in the folders `without`."""
    left_out = set(without)
    found: Tree = {}
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if (here / name).relative_to(root).as_posix() not in left_out]
        for name in [*files, *(name for name in folders if (here / name).is_symlink())]:
            found[(here / name).relative_to(root).as_posix()] = read_entry(here / name)
    return found


def read_entry(path: Path) -> Entry:
    """Return what a path holds."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return Entry(content=os.fsencode(path.readlink()), mode=0)
    return Entry(content=path.read_bytes(), mode=stat.S_IMODE(status.st_mode))


def write_tree(root: Path, tree: Mapping[str, Entry]) -> None:
    """Write files into a folder."""
    for path, entry in tree.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(entry.content)
        file.chmod(entry.mode)


def differences(wanted: Mapping[str, Entry], found: Mapping[str, Entry]) -> list[str]:
    """Say of each path that is not as wanted how it differs."""
    said: list[str] = []
    for path in sorted({*wanted, *found}):
        one, other = wanted.get(path), found.get(path)
        if one is None:
            said.append(f"{path} is there and should not be")
        elif other is None:
            said.append(f"{path} is missing")
        elif one.content != other.content:
            said.append(f"{path} holds {_from_difference(other.content, one.content)}")
        elif one.mode != other.mode:
            said.append(f"{path} has mode {other.mode:o} instead of {one.mode:o}")
    return said


def _from_difference(found: bytes, wanted: bytes) -> str:
    """Show two contents from where they differ on."""
    pairs = enumerate(zip(found, wanted, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(found), len(wanted)))
    return f"{found[at:][:40]!r} instead of {wanted[at:][:40]!r} at byte {at}"


def _names_before(name: str) -> list[str]:
    names = [writer.name for writer in WRITERS]
    return names[: names.index(name)]


def _after(*, names: Iterable[str]) -> Tree:
    tree = dict(BASE)
    wanted = set(names)
    for writer in WRITERS:
        if writer.name in wanted:
            for change in writer.changes:
                _apply(tree, change)
    return tree


def _apply(tree: Tree, change: Change) -> None:
    verb, path, *rest = change
    if verb == "append":
        tree[path] = Entry(content=tree[path].content + rest[0].encode(), mode=tree[path].mode)
    elif verb == "delete":
        del tree[path]
    elif verb == "move":
        tree[rest[0]] = tree.pop(path)
    elif verb == "mode":
        tree[path] = Entry(content=tree[path].content, mode=int(rest[0], 8))
    elif verb == "link":
        tree[path] = Entry(content=rest[0].encode(), mode=0)
    else:
        for inner in [known for known in tree if known.startswith(f"{path}/")]:
            del tree[inner]
        tree[path] = Entry(content=rest[0].encode())


def _paths(change: Change) -> tuple[str, ...]:
    if change[0] == "move":
        return (change[1], change[2])
    if change[0] == "replace":
        return (change[1], *(path for path in BASE if path.startswith(f"{change[1]}/")))
    return (change[1],)


def _is_folder(path: str) -> bool:
    return any(known.startswith(f"{path}/") for known in BASE)
