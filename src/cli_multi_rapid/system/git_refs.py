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
            ref = f"{REFS}/{self.run}/{next(self._numbers):04d}.{_LABEL.sub('.', label).strip('.')}"
            made = self._git.ask("update-ref", ref, commit, self._nothing)
        if "already exists" in made.complaint and made.code != 0:
            raise Fenced(f"run {self.run} was taken up by another orchestrator")
        if made.code != 0:
            raise GitFailed(f"git update-ref failed: {made.complaint}", where=self._git.folder)
        return ref

    def _last(self) -> int:
        listed = self._git.call("for-each-ref", "--format=%(refname)", f"{REFS}/{self.run}/").decode().split()
        return max((int(ref.split("/")[3].partition(".")[0]) for ref in listed), default=0)


def recording(repository: Repository) -> Git:
    """Return git that makes what it writes durable, and keeps no log of refs."""
    git = repository.git
    return replace(git, settings={**git.settings, "core.fsync": "all", "core.logAllRefUpdates": "false"})


def forget(repository: Repository, *, keep: frozenset[str]) -> int:
    """Delete the refs of all runs but those to keep; return how many. Git removes their objects in its own time."""
    git = repository.git
    listed = git.call("for-each-ref", "--format=%(refname) %(objectname)", f"{REFS}/").decode().split("\n")
    refs = [line.split(" ") for line in listed if line]
    old = [(ref, commit) for ref, commit in refs if ref.split("/")[2] not in keep]
    if old:
        git.call("update-ref", "--stdin", given="".join(f"delete {ref} {commit}\n" for ref, commit in old).encode())
    return len(old)
