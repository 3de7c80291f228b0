"""The base revision of a change: which commit it is, what it holds, and how the project differs from it."""

import os
import re
from collections.abc import Iterator, Sequence

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.model.change import ChangedFile, ChangeKind
from cli_multi_rapid.system.git import Repository

_PLAIN = ("-r", "--no-ext-diff", "--no-textconv", "--no-color", "-M")
_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_KINDS = {"A": ChangeKind.ADDED, "D": ChangeKind.DELETED, "R": ChangeKind.RENAMED, "C": ChangeKind.ADDED}


def commit_of(repository: Repository, revision: str) -> str:
    """Return the id of the commit that a revision stands for; nothing where there is none."""
    asked = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    answer = repository.git.ask(*asked)
    return answer.out.decode().strip() if answer.code == 0 else ""


def tags_of(repository: Repository, commit: str) -> list[str]:
    """Return the whole names of the tags that a commit or an ancestor of it has."""
    listed = repository.git.call("for-each-ref", f"--merged={commit}", "--format=%(refname)", "refs/tags/")
    return os.fsdecode(listed).splitlines()


def merge_base(repository: Repository, one: str, other: str) -> str:
    """Return the best common ancestor of two commits; nothing where they have none."""
    answer = repository.git.ask("merge-base", one, other)
    return answer.out.decode().split("\n")[0] if answer.code == 0 else ""


def contents(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Return the content that files of the project have in a commit; those that it does not have are left out.

    Raises:
        GitFailed: git answered something else than was asked.
    """
    asked = "".join(f"{commit}:{repository.prefix}{path}\n" for path in paths)
    answer = repository.git.call("cat-file", "--batch", given=os.fsencode(asked))
    found: dict[str, bytes] = {}
    for path in paths:
        head, _, answer = answer.partition(b"\n")
        if head.endswith(b" missing"):
            continue
        kind, size = head.split(b" ")[-2:]
        if not size.isdigit():
            raise GitFailed(f"git does not say what {path} is", where=str(repository.root))
        if kind == b"blob":
            found[path] = answer[: int(size)]
        answer = answer[int(size) + 1 :]
    return found


def blobs(repository: Repository, tree: str) -> dict[str, str]:
    """Return git's id of the content of every regular file of a tree, by its path from the root of the tree."""
    found = {}
    for item in repository.git.names("ls-tree", "-r", "-z", tree):
        facts, _, path = item.partition("\t")
        mode, _, name = facts.split(" ")
        if mode.startswith("100"):
            found[path] = name
    return found


def tree_in(repository: Repository, commit: str) -> str:
    """Return the id of the tree that the project's folder is in a commit; that of the empty one where it has none."""
    folder = f"{commit}:{repository.prefix.rstrip('/')}" if repository.prefix else f"{commit}^{{tree}}"
    answer = repository.git.ask("rev-parse", "--quiet", "--verify", folder)
    found = answer.out if answer.code == 0 else repository.git.call("hash-object", "-t", "tree", "--stdin")
    return found.decode().strip()


def difference(repository: Repository, before: str, after: str) -> dict[str, ChangedFile]:
    """Return how two trees differ, by path.

    Raises:
        GitFailed: git's two accounts of the difference do not match.
    """
    named = list(_named(repository.git.names("diff-tree", "-z", "--raw", *_PLAIN, before, after)))
    patch = repository.git.call("diff-tree", "-p", "-U0", "--full-index", *_PLAIN, before, after)
    parts = iter(re.split(rb"^diff --git ", patch, flags=re.MULTILINE)[1:])
    found = {}
    for letter, old, path in named:
        # A file that became a link, or the reverse, is one that was deleted and another that was added.
        own = [next(parts, None) for _ in range(2 if letter == "T" else 1)]
        if None in own:
            raise GitFailed("git does not say how the project differs from its base", where=str(repository.root))
        found[path] = _changed(letter, old, b"".join(part or b"" for part in own))
    return found


def same_submodules(repository: Repository, commit: str, paths: Sequence[str]) -> set[str]:
    """Return those of some paths that are a submodule at the same commit in a commit and in the index."""
    if not paths:
        return set()
    wanted, same = {f"{repository.prefix}{path}": path for path in paths}, set()
    for item in repository.git.names("ls-files", "-z", "-s"):
        facts, _, path = item.partition("\t")
        mode, name, _ = facts.split(" ")
        if mode == "160000" and path in wanted:
            before = repository.git.ask("rev-parse", "--quiet", "--verify", "--end-of-options", f"{commit}:{path}")
            if before.out.decode().strip() == name:
                same.add(wanted[path])
    return same


def line_authors(repository: Repository, commit: str, path: str) -> list[frozenset[str]]:
    """Return name and e-mail address of whoever wrote each line of a file as it is in a commit, in lower case.

    A line has none where history ends before the commit that wrote it, as it does in a shallow clone. Files of the
    project that tell git other names (`.mailmap`) or to pass over commits do not count.
    """
    # Without --no-textconv a program that the repository names would convert the file.
    asked = ("blame", "--no-textconv", "--ignore-revs-file=", "--line-porcelain", commit, "--")
    wrote, fresh = [], True
    for line in repository.git.call(*asked, f"{repository.prefix}{path}").split(b"\n"):
        if fresh and line:
            wrote.append(line.partition(b" ")[0].decode())
        fresh = line.startswith(b"\t")
    unknown: set[str] = set()
    if is_shallow(repository):
        unknown.update(repository.git.call("rev-list", "--max-parents=0", commit).decode().split())
    authors = {one: _author(repository, one) for one in set(wrote) - unknown}
    return [authors.get(one, frozenset()) for one in wrote]


def _author(repository: Repository, commit: str) -> frozenset[str]:
    """Return name and e-mail address of the author of a commit as it was recorded."""
    head = os.fsdecode(repository.git.call("cat-file", "commit", commit)).partition("\n\n")[0]
    line = next((line for line in head.split("\n") if line.startswith("author ")), "author ")
    name, _, address = line.removeprefix("author ").rpartition(">")[0].partition("<")
    return frozenset({name.strip().casefold(), address.strip().casefold()})


def is_shallow(repository: Repository) -> bool:
    """Tell whether the repository has only the newest part of its history."""
    return repository.git.call("rev-parse", "--is-shallow-repository").strip() == b"true"


def _named(items: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield git's letter, old path and present path of each difference. A deleted file is called by its old path."""
    rest = iter(items)
    for facts in rest:
        letter = facts.split(" ")[-1][:1]
        old = next(rest)
        yield letter, old, next(rest) if letter in "RC" else old


def _changed(letter: str, before: str, part: bytes) -> ChangedFile:
    kind = _KINDS.get(letter, ChangeKind.MODIFIED)
    lines: set[int] = set()
    removed = 0
    for found in _HUNK.finditer(part):  # a line of a file has a sign before it
        start, count = int(found[2]), int(found[3] or 1)
        removed += int(found[1] or 1)
        lines.update(range(start, start + count))
    return ChangedFile(
        kind=kind, before="" if kind is ChangeKind.ADDED else before, lines=frozenset(lines), removed=removed,
        binary=b"\nBinary files " in part,
    )  # fmt: skip
