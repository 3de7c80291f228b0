"""Secrets that only the history has: what commits have added is searched, each content once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import Scanned, Sighting, counted
from cli_multi_rapid.gates.scanning import FileScan, cache_of, digested, read_back, written
from cli_multi_rapid.gates.sources import LIMIT_BYTES, Source, printable
from cli_multi_rapid.model.gate import Finding, Severity
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.system.git import Repository, open_repository
from cli_multi_rapid.system.git_base import commit_of, is_shallow
from cli_multi_rapid.system.git_history import Addition, Contents, additions, commit_count
from cli_multi_rapid.system.globs import matches

Identity = tuple[str, str, str]
"""What is one secret: its rule, its path, and what stands for its text."""

_BATCH = 2_000
_FIX = "revoke it where it was issued; whoever has the repository has it"
_WHOLE = "fetch the whole history:  git fetch --unshallow"


@dataclass(frozen=True, slots=True)
class Past:
    """A secret in the history, and the id of the first commit that has it."""

    sighting: Sighting
    commit: str


class PastSecrets:
    """Searches what the commits that `HEAD` has, and `since` has not, have added.

    `commits` and `contents` count what was looked at, once it has been; what was found in `known` contents was kept
    from before, for the `scope`: everything that decides what is found beside path and content. A content that lies in
    the project now, by git's id of it, is not searched again, and a secret that is `present` there is not named again.
    """

    def __init__(self, given: GateInput, exclude: tuple[str, ...], *, scope: object, present: set[Identity]) -> None:
        self.commits = 0
        self.contents = 0
        self.known = 0
        self._given = given
        self._exclude = exclude
        self._seen = present
        self._cache = cache_of(given, ["history", scope])
        self._fresh: list[tuple[str, str, str]] = []
        self._since = given.policy.base if given.only is not None else ""

    def search(self, scan: Callable[[], FileScan], *, present: set[str]) -> Iterator[Past]:
        """Yield each secret once, from the oldest commit on; `present` are contents that were searched already.

        Raises:
            EvidenceError: this is no repository, its history is not whole, or a content could not be searched.
            GitFailed: git cannot read it.
        """
        repository = self._repository()
        if not commit_of(repository, "HEAD"):
            return
        self.commits = commit_count(repository, since=self._since)
        before = self._cache.known() if self._cache else {}
        scanner: FileScan | None = None
        with Contents(repository) as contents:
            for added in self._wanted(repository, present):
                self.contents += 1
                if kept := before.get(_key(added)):
                    self.known += 1
                    yield from self._unseen(read_back(added.path, kept[1]), added)
                else:
                    scanner = scanner or scan()
                    yield from self._found(scanner, added, contents)
        self._keep()

    def _wanted(self, repository: Repository, present: set[str]) -> Iterator[Addition]:
        for added in additions(repository, since=self._since):
            if self._given.stopped():
                raise EvidenceError("the run was stopped")
            path = printable(added.path)
            if added.blob not in present and not matches(path, self._exclude):
                present.add(added.blob)
                yield replace(added, path=path)

    def _repository(self) -> Repository:
        repository = open_repository(Path(self._given.root), environ=self._given.env)
        if repository is None:
            raise EvidenceError("this is no git repository, so it has no history to search", fix="set `history: false`")
        if is_shallow(repository):
            raise EvidenceError("the history is not whole: this is a shallow clone", fix=_WHOLE)
        return repository

    def _found(self, scanner: FileScan, added: Addition, contents: Contents) -> Iterator[Past]:
        data = contents.read(added.blob, limit_bytes=LIMIT_BYTES)
        if data is None:
            yield Past(_too_large(added), added.commit)
            return
        scanned = digested(scanner.file(Source(added.path, data)))
        self._fresh.append((_key(added), added.blob, written(scanned)))
        if len(self._fresh) >= _BATCH:
            self._keep()
        yield from self._unseen(scanned, added)

    def _unseen(self, scanned: Scanned, added: Addition) -> Iterator[Past]:
        for sighting in scanned.sightings:
            identity = identity_of(sighting)
            if identity not in self._seen:
                self._seen.add(identity)
                yield Past(_named(sighting, added), added.commit)

    def _keep(self) -> None:
        if self._cache and self._fresh:
            self._cache.keep(self._fresh)
        self._fresh.clear()


def _key(added: Addition) -> str:
    return f"{added.blob} {added.path}"


def _named(sighting: Sighting, added: Addition) -> Sighting:
    found = sighting.finding
    message = f"{found.message} (in commit {added.commit[:12]})"
    return replace(sighting, finding=replace(found, message=message, fix=_FIX))


def _too_large(added: Addition) -> Sighting:
    finding = Finding(
        rule="file-too-large",
        message=f"larger than {LIMIT_BYTES >> 20} MiB, not searched (in commit {added.commit[:12]})",
        path=added.path,
        severity=Severity.HIGH,
        fix="look at it yourself, or leave it out with `exclude`",
    )
    return Sighting(finding, sure=False)


def identity_of(sighting: Sighting) -> Identity:
    """Return what makes a secret the same one in another commit."""
    found = sighting.finding
    return found.rule, found.path, sighting.text or found.message


def in_words(past: PastSecrets) -> str:
    """Return what was looked at as people read it."""
    return f"{counted(past.contents, 'earlier content')} of {counted(past.commits, 'commit')}"
