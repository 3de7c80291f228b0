"""Bringing commits onto the user's own branches: forward, by a merge, as a new branch, and back again."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from cli_multi_rapid.model.words import few
from cli_multi_rapid.system.git import Repository
from cli_multi_rapid.system.git_merge import commit_tree, contains, merged_tree
from cli_multi_rapid.system.git_refs import Refs, recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What became of a branch: where it was and is, and how; or why nothing was done, and on which paths it failed."""

    branch: str
    before: str = ""
    after: str = ""
    how: str = ""
    refused: str = ""
    fix: str = ""


class Landing:
    """Moves branches of a repository. A branch that is checked out somewhere takes its files along.

    Raises:
        GitFailed: by every call, when git cannot do what is asked.
    """

    def __init__(self, repository: Repository, refs: Refs) -> None:
        self._repository = repository
        self._refs = refs
        self._git = recording(repository)

    def join(self, branch: str, commit: str, *, key: str, message: str) -> Landed:
        """Join a commit into a branch. Done again after an interruption, it finds what it had done.

        `key` is the step's; where the branch was is kept under its name before it is moved.
        """
        tip = self._tip(branch)
        if not tip:
            known = few([ref.removeprefix("refs/heads/") for ref in self._branches()])
            return Landed(branch=branch, refused=f"there is no branch {branch!r}", fix=f"use one of: {known}")
        label = f"{key} landing"
        if contains(self._git, tip, commit):
            before = self._refs.find(label) or tip
            how = "nothing to do: the branch has all of it" if before == tip else "joined before the interruption"
            return Landed(branch=branch, before=before, after=tip, how=how)
        how = "moved forward"
        new = commit
        if not contains(self._git, commit, tip):
            how = "merged"
            tree, conflicts = merged_tree(self._git, tip, commit)
            if conflicts:
                return Landed(
                    branch=branch, before=tip, refused=f"conflicts with {branch}: {few(conflicts)}",
                    fix=f"merge it by hand:  git merge {commit[:12]}",
                )  # fmt: skip
            new = commit_tree(self._git, tree, tip, commit, message=message)
        self._refs.make(label, tip)
        refused = self._move(branch, tip, new)
        fix = "commit or stash what is changed there, then run it again" if refused else ""
        return Landed(branch=branch, before=tip, after="" if refused else new, how=how, refused=refused, fix=fix)

    def leave(self, branch: str, commit: str) -> Landed:
        """Make a branch of a commit; one that is there already may only move forward."""
        tip = self._tip(branch)
        if tip and not contains(self._git, commit, tip):
            fix = "give another name, or delete the branch"
            return Landed(branch=branch, before=tip, refused=f"the branch {branch!r} holds other commits", fix=fix)
        if self._git.ask("check-ref-format", "--branch", branch).code != 0:
            return Landed(branch=branch, refused=f"{branch!r} cannot be the name of a branch")
        refused = "" if tip == commit else self._move(branch, tip or self._repository.places.nothing, commit)
        return Landed(branch=branch, before=tip, after=commit, how="left as a branch", refused=refused)

    def take_back(self, branch: str, before: str, after: str, *, message: str) -> Landed:
        """Bring a branch back to the content that it had, by a further commit, if nothing has come on top since."""
        tip = self._tip(branch)
        if tip != after:
            if tip and self._tree(tip) == self._tree(before) and contains(self._git, tip, after):
                return Landed(branch=branch, before=after, after=tip, how="taken back before the interruption")
            return Landed(
                branch=branch, before=tip, refused=f"{branch} has moved on since: {tip[:12] or 'it is gone'}",
                fix=f"look at it, then:  git revert {after[:12]}",
            )  # fmt: skip
        if before == after:
            return Landed(branch=branch, before=tip, after=tip, how="there was nothing to take back")
        new = commit_tree(self._git, self._tree(before), after, message=message)
        refused = self._move(branch, after, new)
        return Landed(branch=branch, before=after, after="" if refused else new, how="taken back", refused=refused)

    def remove(self, branch: str, commit: str) -> Landed:
        """Delete a branch that was made for a commit, if nothing has come on top and nobody works on it."""
        tip, folder = self._tip(branch), self._checked_out(branch)
        if tip and (tip != commit or folder):
            why = f"is checked out in {folder}" if folder else f"has moved on since: {tip[:12]}"
            fix = f"look at it, then:  git branch -D {branch}"
            return Landed(branch=branch, before=tip, refused=f"{branch} {why}", fix=fix)
        if tip:
            self._git.call("update-ref", "-d", f"refs/heads/{branch}", commit)
        return Landed(branch=branch, before=commit, how="deleted")

    # -- parts

    def _tip(self, branch: str) -> str:
        answer = self._git.ask("rev-parse", "--quiet", "--verify", f"refs/heads/{branch}^{{commit}}")
        return answer.out.decode().strip() if answer.code == 0 else ""

    def _branches(self) -> list[str]:
        return self._git.call("for-each-ref", "--format=%(refname)", "refs/heads/").decode().split()

    def _tree(self, commit: str) -> str:
        return self._git.call("rev-parse", f"{commit}^{{tree}}").decode().strip()

    def _move(self, branch: str, old: str, new: str) -> str:
        """Move a branch from one commit to another; return why that was refused."""
        folder = self._checked_out(branch)
        if not folder:
            self._git.call("update-ref", f"refs/heads/{branch}", new, old)
            return ""
        git = replace(self._git, folder=folder)
        answer = git.ask("merge", "--ff-only", "--quiet", "--no-verify-signatures", new)
        return "" if answer.code == 0 else f"{branch} is checked out in {folder}: {answer.complaint}"

    def _checked_out(self, branch: str) -> str:
        """Return the folder in which a branch is checked out, or nothing."""
        folder = ""
        for item in os.fsdecode(self._git.call("worktree", "list", "--porcelain", "-z")).split("\0"):
            if item.startswith("worktree "):
                folder = item.removeprefix("worktree ")
            elif item == f"branch refs/heads/{branch}" and Path(folder).is_dir():
                return folder
        return ""
