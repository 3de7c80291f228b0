"""The refs of runs, `refs/cmr/RUN/NUMBER.LABEL`: only ever made, never moved, deleted with their run."""

import re
import threading
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import Fenced, GitFailed
from cli_multi_rapid.system.git import Repository
from cli_multi_rapid.system.git_process import Git

if TYPE_CHECKING:
    from collections.abc import Iterator

REFS = "refs/cmr"
CACHE = f"{REFS}/cache"
OUR_NAME = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "cli-multi-rapid"), ("EMAIL", "cli-multi-rapid@localhost"))
}
"""Variables by which git commits in our name."""

_LABEL = re.compile(r"[^A-Za-z0-9_-]+")


class Refs:
    """Makes the refs of one run, whichever of its checkouts they come from.

    Raises:
        Fenced: somebody else makes refs of this run: its next number is taken.
        GitFailed: git refuses.
    """

    def __init__(self, repository: Repository, run: str) -> None:
        self.run = run
        self._git = recording(repository)
        self._nothing = repository.places.nothing
        self._numbers: Iterator[int] | None = None
        self._lock = threading.Lock()

    def make(self, label: str, commit: str) -> str:
        """Make a ref to a commit, and return its name."""
        with self._lock:
            self._numbers = self._numbers or count(self._last() + 1)
            ref = f"{REFS}/{self.run}/{next(self._numbers):04d}.{_name(label)}"
            made = self._git.ask("update-ref", ref, commit, self._nothing)
        if "already exists" in made.complaint and made.code != 0:
            raise Fenced(f"run {self.run} was taken up by another orchestrator")
        if made.code != 0:
            raise GitFailed(f"git update-ref failed: {made.complaint}", where=self._git.folder)
        return ref

    def find(self, label: str) -> str:
        """Return the commit that the newest ref with a label is of, or nothing."""
        name = _name(label)
        listed = self._git.call("for-each-ref", "--format=%(refname) %(objectname)", f"{REFS}/{self.run}/").decode()
        pairs = (line.split(" ") for line in reversed(listed.splitlines()))
        return next((commit for ref, commit in pairs if ref.partition(f"{self.run}/")[2].partition(".")[2] == name), "")

    def _last(self) -> int:
        listed = self._git.call("for-each-ref", "--format=%(refname)", f"{REFS}/{self.run}/").decode().split()
        return max((int(ref.split("/")[3].partition(".")[0]) for ref in listed), default=0)


def user_git(git: Git) -> Git:
    """Return git that commits in the user's name, or in ours where it knows none."""
    known = git.ask("var", "GIT_COMMITTER_IDENT").code == 0 and git.ask("var", "GIT_AUTHOR_IDENT").code == 0
    return git if known else replace(git, variables={**git.variables, **OUR_NAME})


def _name(label: str) -> str:
    return _LABEL.sub(".", label).strip(".")


def recording(repository: Repository) -> Git:
    """Return git that makes what it writes durable, and keeps no log of refs."""
    git = repository.git
    return replace(git, settings={**git.settings, "core.fsync": "all", "core.logAllRefUpdates": "false"})


def runs_with_refs(repository: Repository) -> frozenset[str]:
    """Return the runs that have refs."""
    return frozenset(ref.split("/")[2] for ref, _ in _of_runs(repository))


def forget(repository: Repository, *, keep: frozenset[str]) -> int:
    """Delete the refs of all runs but those to keep; return how many. Git removes their objects in its own time."""
    old = [(ref, commit) for ref, commit in _of_runs(repository) if ref.split("/")[2] not in keep]
    if old:
        repository.git.call(
            "update-ref", "--stdin", given="".join(f"delete {ref} {commit}\n" for ref, commit in old).encode()
        )
    return len(old)


def _of_runs(repository: Repository) -> list[tuple[str, str]]:
    listed = repository.git.call("for-each-ref", "--format=%(refname) %(objectname)", f"{REFS}/").decode()
    pairs = (line.split(" ") for line in listed.splitlines())
    return [(ref, commit) for ref, commit in pairs if not ref.startswith(f"{CACHE}/")]
