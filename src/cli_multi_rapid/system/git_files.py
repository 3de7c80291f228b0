"""Files of the project as a commit has them: read from git's objects, never from a checkout."""

from contextlib import AbstractContextManager
from types import TracebackType

from cli_multi_rapid.system.files import PathRefused
from cli_multi_rapid.system.git import Repository
from cli_multi_rapid.system.git_history import Contents

_FILES = frozenset({"100644", "100755", "100664"})
_LONGEST = 4096
_KINDS = {"120000": "is a symbolic link", "040000": "is a folder", "160000": "is a repository of its own"}


class CommittedFiles(AbstractContextManager["CommittedFiles"]):
    """Reads files of the project in one commit, whose id is given. What is no regular file there is refused."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self._commit = commit
        self._contents = Contents(repository)
        self._known: dict[str, tuple[str, str]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._contents.__exit__(kind, error, trace)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, also of links and folders, sorted; none where it is absent.

        Raises:
            PathRefused: it is there, but is no folder.
            GitFailed: the commit is not there.
        """
        if self._entry(folder) is None:
            return []
        mode, _ = self._known[folder]
        if mode != "040000":
            raise PathRefused(folder, _KINDS.get(mode, "is no folder"))
        inside = self._listed(f"{folder}/")
        self._known.update(inside)
        return sorted(path.rpartition("/")[2] for path in inside)

    def read(self, path: str, *, limit_bytes: int) -> bytes:
        """Return the content of a file.

        Raises:
            PathRefused: it is absent, no regular file, or larger.
            GitFailed: its content is missing or damaged.
        """
        entry = self._entry(path)
        if entry is None:
            raise PathRefused(path, "does not exist", missing=True)
        mode, blob = entry
        if mode not in _FILES:
            raise PathRefused(path, _KINDS.get(mode, "is no regular file"))
        data = self._contents.read(blob, limit_bytes=limit_bytes)
        if data is None:
            raise PathRefused(path, f"is larger than {limit_bytes} bytes")
        return data

    def _entry(self, path: str) -> tuple[str, str] | None:
        """Return mode and object id of a path; None where there is nothing."""
        if path not in self._known:
            parts = path.split("/")
            if len(path) > _LONGEST or "\0" in path or any(part in ("", ".", "..") for part in parts):
                raise PathRefused(path[:_LONGEST], "is no path in the project")
            self._known.update(self._listed(path))
        return self._known.get(path)

    def _listed(self, path: str) -> dict[str, tuple[str, str]]:
        prefix = self._repository.prefix
        made = {}
        for item in self._repository.git.names("ls-tree", "-z", "--full-tree", self._commit, "--", prefix + path):
            facts, _, name = item.partition("\t")
            mode, _, blob = facts.split(" ")
            made[name.removeprefix(prefix)] = (mode, blob)
        return made
