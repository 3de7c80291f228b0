"""Checks that look at one file at a time: what they find in it is kept by its content, so that it is found once.

What a file's result follows from is its path, its bytes, and the scope: tool, version and rules. A file whose content
git knows by an id is not even read again while that id and the scope stay the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import new, sha256
from pathlib import Path
from typing import Protocol

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import Scanned, Sighting
from cli_multi_rapid.gates.sources import Source, SourceTree, printable
from cli_multi_rapid.model.gate import Finding, Severity
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.version import VERSION
from cli_multi_rapid.system.findings_cache import FindingsCache
from cli_multi_rapid.system.own_code import code_digest

_SHA1_CHARACTERS = 40


class FileScan(Protocol):
    """Searches one file; the result follows from the path, the bytes and the scope alone."""

    def file(self, source: Source) -> Scanned:
        """Return what one file has."""
        ...


MakeScan = Callable[[Sequence[str]], FileScan]


class Scanning:
    """Searches the files of a tree, each content once. Made for one evaluation of one gate.

    `scope` is everything beside path and content that decides what is found; `scan` makes what searches, and gets the
    paths of the files that must be. `searched` and `known` count files, `binary` those that hold no text.
    """

    def __init__(self, given: GateInput, tree: SourceTree, *, scope: object, scan: MakeScan) -> None:
        self.searched = 0
        self.known = 0
        self.binary = 0
        self._blobs = given.blobs
        self._stopped = given.stopped
        self._tree = tree
        self._scan = scan
        self._cache = cache_of(given, scope)

    def __iter__(self) -> Iterator[Sighting]:
        """Yield what was found, file by file. Texts are replaced by their digests, so that none is kept.

        Raises:
            EvidenceError: a file could not be searched.
        """
        before = self._cache.known() if self._cache else {}
        fresh: list[tuple[str, str, str]] = []
        scan: FileScan | None = None
        known = {path for path in self._tree.paths if self._is_known(path, before)}
        for path in self._tree.paths:
            if self._stopped():
                raise EvidenceError("the run was stopped")
            content, name = self._blobs.get(path, ""), printable(path)
            if path in known:
                self.known += 1
                scanned = read_back(name, before[name][1])
            else:
                source = self._tree.source(path)
                if source is None:
                    continue
                scan = scan or self._scan([one for one in self._tree.paths if one not in known])
                scanned = digested(scan.file(source))
                self.searched += 1
                if content and _blob_id(source.data, like=content) == content:
                    fresh.append((name, content, written(scanned)))
            self.binary += scanned.binary
            yield from scanned.sightings
        gone = before.keys() - set(map(printable, self._blobs))
        if self._cache and (fresh or gone):
            self._cache.keep(fresh, gone=gone)

    def _is_known(self, path: str, before: Mapping[str, tuple[str, str]]) -> bool:
        kept, content = before.get(printable(path)), self._blobs.get(path)
        return kept is not None and content is not None and kept[0] == content

    @property
    def files(self) -> int:
        """Return how many files were looked at, now or before."""
        return self.searched + self.known

    @property
    def cached(self) -> bool:
        """Tell whether every file's result was known."""
        return self.known > 0 and not self.searched


def cache_of(given: GateInput, scope: object) -> FindingsCache | None:
    """Return where results of a scope are kept, or None where none are."""
    digest = sha256(json.dumps([VERSION, code_digest("gates"), scope], sort_keys=True).encode()).hexdigest()
    return FindingsCache(Path(given.findings), digest) if given.findings else None


def digested(scanned: Scanned) -> Scanned:
    """Return a result with digests in place of texts."""
    sightings = tuple(
        replace(one, text=sha256(" ".join(one.text.split()).encode("utf-8", "replace")).hexdigest())
        if one.text
        else one
        for one in scanned.sightings
    )
    return replace(scanned, sightings=sightings)


def written(scanned: Scanned) -> str:
    """Return a result as the text that is kept of it."""
    if not scanned.sightings:
        return "binary" if scanned.binary else ""
    rows = [
        [one.rule, one.message, one.line, one.column, one.severity.value, one.fix, sighting.text, sighting.sure]
        for sighting in scanned.sightings
        for one in (sighting.finding,)
    ]
    return json.dumps([scanned.binary, rows], ensure_ascii=True, separators=(",", ":"))


def read_back(path: str, text: str) -> Scanned:
    """Return the result that was kept as a text."""
    if text in ("", "binary"):
        return Scanned(binary=text == "binary")
    binary, rows = json.loads(text)
    sightings = (
        Sighting(
            Finding(
                rule=rule, message=message, path=path, line=line, column=column, severity=Severity(severity), fix=fix
            ),
            text,
            sure,
        )
        for rule, message, line, column, severity, fix, text, sure in rows
    )
    return Scanned(binary=binary, sightings=tuple(sightings))


def _blob_id(data: bytes, *, like: str) -> str:
    """Return git's id of some content, in the format of another one: the file may have changed since it was listed."""
    algorithm = "sha1" if len(like) == _SHA1_CHARACTERS else "sha256"
    return new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
