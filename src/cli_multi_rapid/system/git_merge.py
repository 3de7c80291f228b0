"""Commits made without files: git's own three-way merge of two, and a commit of a tree in the user's name."""

import os

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.system.git_process import Git
from cli_multi_rapid.system.git_refs import user_git


def contains(git: Git, commit: str, part: str) -> bool:
    """Tell whether a commit is another one or comes after it."""
    return git.ask("merge-base", "--is-ancestor", part, commit).code == 0


def merged_tree(git: Git, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    """Return the tree of two commits joined, or no tree and the paths in conflict, from the top of the repository.

    Raises:
        GitFailed: git cannot join them.
    """
    answer = git.ask("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    tree, *names = os.fsdecode(answer.out).rstrip("\0").split("\0")
    if answer.code == 1:
        return "", tuple(dict.fromkeys(name for name in names if name))
    if answer.code != 0:
        raise GitFailed(f"git merge-tree failed: {answer.complaint}", where=git.folder)
    return tree, ()


def commit_tree(git: Git, tree: str, *parents: str, message: str) -> str:
    """Make a commit in the name of the user.

    Raises:
        GitFailed: git refuses.
    """
    arguments = [part for parent in parents for part in ("-p", parent)]
    return user_git(git).call("commit-tree", tree, *arguments, given=message.encode()).decode().strip()
