"""What the commits of a repository have added: read as a stream, in little memory, without executing anything of it."""

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import IO

from cli_multi_rapid.errors import GitFailed, GitTimeout
from cli_multi_rapid.system.git import Repository
from cli_multi_rapid.system.git_process import Git, one_line

_LIMIT_S = 3_600.0
_CHUNK_BYTES = 1 << 16
_FILES = frozenset({b"100644", b"100755", b"100664"})
_HIDDEN = {"GIT_GRAFT_FILE": os.devnull}
# Grafts and a commit-graph, files that nobody checks, could tell of other parents than the commits themselves do.
_SETTINGS = {"core.commitGraph": "false", "diff.renames": "false"}
_LISTING = ("rev-list", "--reverse", "--topo-order")
_CHANGES = (
    "diff-tree", "--stdin", "-r", "-c", "--root", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-textconv",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Addition:
    """A content (git's id of it) that a commit has at a path, and that none of its parents has there.

    A path outside of the project begins with `:/`, the root of the repository in git's words.
    """

    commit: str
    path: str
    blob: str


def commit_count(repository: Repository, *, since: str = "") -> int:
    """Return how many commits `HEAD` has, without those that `since` has too."""
    return int(_git(repository).call("rev-list", "--count", *_range(since)))


def additions(repository: Repository, *, since: str = "") -> Iterator[Addition]:
    """Yield what every commit that `HEAD` has, and `since` has not, has added: parents before their children.

    Symbolic links and submodules are left out.

    Raises:
        GitFailed: a commit or a tree is missing or damaged.
        GitTimeout: it took more than an hour.
    """
    git = _git(repository)
    commit = ""
    with _stream(git, since) as stream:
        tokens = _tokens(stream, git)
        for token in tokens:
            if not token.startswith(b":"):
                commit = token.decode("ascii", "replace").strip()
                continue
            parents = len(token) - len(token.lstrip(b":"))
            facts = token[parents:].split(b" ")
            path = next(tokens, b"")
            if len(facts) < 2 * parents + 2:
                raise GitFailed("git does not say what a commit has changed", where=git.folder)
            if facts[parents] in _FILES:
                yield Addition(commit, _within(os.fsdecode(path), repository.prefix), facts[2 * parents + 1].decode())


class Contents(AbstractContextManager["Contents"]):
    """Reads contents one after the other from one process of git."""

    def __init__(self, repository: Repository) -> None:
        self._git = repository.git
        self._process = self._git.started("cat-file", "--batch", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._process)

    def read(self, blob: str, *, limit_bytes: int) -> bytes | None:
        """Return a content, or None where it has more bytes than are wanted.

        Raises:
            GitFailed: it is missing, or git ended.
        """
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        try:
            requests.write(blob.encode() + b"\n")
            requests.flush()
        except OSError as gone:
            raise GitFailed("git cat-file ended early", where=self._git.folder) from gone
        head = answers.readline().split()
        if len(head) != 3 or head[1] != b"blob" or not head[2].isdigit():
            raise GitFailed(
                f"the history is incomplete: the content {blob[:12]} is missing or damaged", where=self._git.folder,
                hint="fetch all of it:  git fetch --refetch",
            )  # fmt: skip
        size = int(head[2])
        data = self._take(answers, size + 1, keep=size <= limit_bytes)
        return data[:-1] if size <= limit_bytes else None

    def _take(self, answers: IO[bytes], size: int, *, keep: bool) -> bytes:
        kept, left = [], size
        while left:
            chunk = answers.read(min(left, _CHUNK_BYTES << 4))
            if not chunk:
                raise GitFailed("git cat-file ended early", where=self._git.folder)
            left -= len(chunk)
            if keep:
                kept.append(chunk)
        return b"".join(kept)


def _git(repository: Repository) -> Git:
    git = repository.git
    return replace(git, variables={**git.variables, **_HIDDEN}, settings={**git.settings, **_SETTINGS})


def _range(since: str) -> tuple[str, ...]:
    return ("HEAD", *((f"^{since}",) if since else ()), "--")


def _within(path: str, prefix: str) -> str:
    return path.removeprefix(prefix) if path.startswith(prefix) else f":/{path}"


@contextmanager
def _stream(git: Git, since: str) -> Iterator[IO[bytes]]:
    """Yield what two processes of git say, one of which names the commits to the other."""
    with tempfile.TemporaryFile() as complaints:
        listing = git.started(*_LISTING, *_range(since), stdin=subprocess.DEVNULL, stderr=complaints)
        running = [listing]
        late = threading.Timer(_LIMIT_S, _kill, args=(running,))
        late.daemon = True
        late.start()
        try:
            assert listing.stdout is not None
            changes = git.started(*_CHANGES, stdin=listing.stdout, stderr=complaints)
            running.append(changes)
            listing.stdout.close()
            assert changes.stdout is not None
            yield changes.stdout
            codes = (listing.wait(), changes.wait())
        finally:
            timely = late.is_alive()
            late.cancel()
            for process in running:
                _end(process)
        if any(codes):
            raise _failed(git, complaints, timely=timely)


def _failed(git: Git, complaints: IO[bytes], *, timely: bool) -> GitFailed:
    if not timely:
        return GitTimeout(f"reading the history took more than {_LIMIT_S / 60:.0f} minutes", where=git.folder)
    complaints.seek(0)
    return GitFailed(f"the history cannot be read: {one_line(complaints.read(_CHUNK_BYTES))}", where=git.folder)


def _tokens(stream: IO[bytes], git: Git) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        raise GitFailed("git ended in the middle of the history", where=git.folder)


def _kill(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    for process in processes:
        process.kill()


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    if process.poll() is None:
        process.kill()
    process.wait()
