"""Trust: nothing of a project runs before a person has approved the files that decide what runs.

What is approved is content, path by path; any change asks again. The approval and a copy of what was approved are
kept in the state folder, outside the project, so that the difference can be shown.

Compiled files (`__pycache__`) are not covered, because running the covered files writes them. Whoever runs Python
files of a project must therefore set `PYTHONPYCACHEPREFIX`, so that compiled files of the project are not read.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeGuard, cast

from cli_multi_rapid.errors import CouldNotRun, ProjectUntrusted
from cli_multi_rapid.model.contract import VALIDATORS as CONTRACT_VALIDATORS
from cli_multi_rapid.model.gate_settings import VALIDATORS
from cli_multi_rapid.system.files import PathRefused, read_inside, write_atomic

FOLDERS = ("workflows", "config", CONTRACT_VALIDATORS)
"""Folders that trust covers, with all below them."""

FILES = ("agentic_framework_v3.py", "scripts/compliance-checker.py", "scripts/workflow-runner.py")
"""Single files that trust covers."""

How = Literal["approved", "initialised"]
Standing = Literal["approved", "initialised", "environment", "none", "changed"]
Change = Literal["added", "removed", "changed"]

_FORMAT = 1
_LIMIT_BYTES = 16 << 20
_LIMIT_FILES = 10_000
_LIMIT_COMPARED = 4_000_000  # lines of one side times lines of the other
_SHOWN_CHANGES = 10
_KEPT_EARLIER = (f"{VALIDATORS}/", f"{CONTRACT_VALIDATORS}/")
_LIMIT_EARLIER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """The files that trust covers, as they are now: SHA-256 (hex) by POSIX path, and one digest over all."""

    files: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How a project stands, and what has changed since it was approved last (sorted by path)."""

    state: Standing
    changed: tuple[tuple[str, Change], ...] = ()
    covered: Covered = field(default_factory=lambda: Covered(files={}, digest=""))

    @property
    def given(self) -> bool:
        """Tell whether phases may run."""
        return self.state in ("approved", "initialised", "environment")


def fingerprint(root: Path) -> Covered:
    """Return what trust covers, as it is now.

    Raises:
        CouldNotRun: one of the files is a symbolic link, not a regular file, unreadable, or there are too many.
    """
    return _covered({path: sha256(data).hexdigest() for path, data in _contents(root)})


def trusted(root: Path, state: Path, environ: Mapping[str, str]) -> Trust:
    """Tell how a project stands.

    Approved content is trusted as such. Otherwise `CMR_TRUST=1` accepts the checkout as it is, which the result says.
    """
    now, before = fingerprint(root), _approved(root, state)
    if before is not None and before.covered.digest == now.digest:
        return Trust(state=before.how, covered=now)
    changed = _changes(before.covered.files if before else {}, now.files)
    if environ.get("CMR_TRUST") == "1":
        return Trust(state="environment", changed=changed, covered=now)
    return Trust(state="changed" if before else "none", changed=changed, covered=now)


def require_trust(root: Path, state: Path, environ: Mapping[str, str]) -> Trust:
    """Return how a trusted project stands.

    Raises:
        ProjectUntrusted: it is not trusted; the message names what has changed.
    """
    found = trusted(root, state, environ)
    if found.given:
        return found
    first = "it has changed since you approved it" if found.state == "changed" else "it has not been trusted yet"
    shown = [f"{change} {_escaped(path)}" for path, change in found.changed[:_SHOWN_CHANGES]]
    if len(found.changed) > len(shown):
        shown.append(f"and {len(found.changed) - len(shown)} more")
    raise ProjectUntrusted(f"{first}: {', '.join(shown) or 'nothing to run in it'}", where=str(root))


def approve(
    root: Path, state: Path, *, how: How = "approved", expected: str | None = None, now: datetime | None = None
) -> Covered:
    """Record that the present content of a project is approved, and keep a copy of it.

    Args:
        root: the project's folder.
        state: its state folder, which must exist.
        how: approved by a person, or written by `init` for one.
        expected: the digest of what the person was shown; content that differs by now is not approved.
        now: the time that is recorded.

    Raises:
        ProjectUntrusted: the content is no longer what was shown.
    """
    contents = dict(_contents(root))
    covered = _covered({path: sha256(data).hexdigest() for path, data in contents.items()})
    if expected not in (None, covered.digest):
        raise ProjectUntrusted("it changed while you were reading; nothing was approved", where=str(root))
    objects = _objects(state)
    objects.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, data in contents.items():
        if _kept(state, covered.files[path]) is None:
            write_atomic(objects / covered.files[path], data, mode=0o600)
    record = {
        "format": _FORMAT, "project": os.path.realpath(root), "how": how, "digest": covered.digest,
        "at": (now or datetime.now(UTC)).isoformat(), "files": covered.files,
        "earlier": _earlier(_approved(root, state), covered),
    }  # fmt: skip
    write_atomic(_record(state), json.dumps(record, indent=1).encode(), mode=0o600)
    _forget_objects(objects, keep=frozenset(covered.files.values()))
    return covered


def approves(root: Path, state: Path, environ: Mapping[str, str], *, path: str, data: bytes) -> bool:
    """Tell whether some content of a covered file may run: what is approved now, or was before, by the same path.

    A base revision has earlier content of files. With `CMR_TRUST=1` all that the checkout has may run.
    """
    found = _approved(root, state)
    digest = sha256(data).hexdigest()
    if found is not None and (found.covered.files.get(path) == digest or digest in found.earlier.get(path, ())):
        return True
    return environ.get("CMR_TRUST") == "1"


def revoke(state: Path) -> bool:
    """Take an approval back, and tell whether there was one."""
    record = _record(state)
    existed = record.exists()
    record.unlink(missing_ok=True)
    if _objects(state).is_dir():
        _forget_objects(_objects(state), keep=frozenset())
    return existed


def difference(root: Path, state: Path) -> str:
    """Return what has changed since the last approval as a unified diff; without one everything is new.

    Control characters, and those that change the direction or the look of text, are escaped: what is shown is what
    is there. The text is empty where nothing has changed.
    """
    before = _approved(root, state)
    old = before.covered.files if before else {}
    now = dict(_contents(root))
    digests = {path: sha256(data).hexdigest() for path, data in now.items()}
    pieces: list[str] = []
    for path, change in _changes(old, digests):
        was = _kept(state, old[path]) if change != "added" else None
        pieces.extend(_file_difference(_escaped(path), change, was, now.get(path)))
    return "".join(f"{line}\n" for line in pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approval:
    """What was approved. `earlier` has the SHA-256 of what validators were when they were approved before."""

    how: How
    covered: Covered
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _record(state: Path) -> Path:
    return state / "trust" / "approved.json"


def _objects(state: Path) -> Path:
    return state / "trust" / "objects"


def _approved(root: Path, state: Path) -> _Approval | None:
    """Return the recorded approval of a project. One that cannot be read, or was for another folder, counts as none."""
    try:
        record = json.loads(read_inside(state, "trust/approved.json", limit_bytes=_LIMIT_BYTES))
    except (PathRefused, ValueError):
        return None
    if (
        not isinstance(record, dict)
        or record.get("format") != _FORMAT
        or record.get("project") != os.path.realpath(root)
    ):
        return None
    files, how = record.get("files"), record.get("how")
    if not isinstance(files, dict) or how not in ("approved", "initialised"):
        return None
    covered = _covered({str(path): str(digest) for path, digest in files.items()})
    if covered.digest != record.get("digest"):
        return None
    earlier = record.get("earlier")
    known = {str(path): tuple(map(str, before)) for path, before in earlier.items()} if _is_lists(earlier) else {}
    return _Approval(how=cast("How", how), covered=covered, earlier=known)


def _is_lists(value: object) -> TypeGuard[dict[object, list[object]]]:
    return isinstance(value, dict) and all(isinstance(one, list) for one in value.values())


def _earlier(before: _Approval | None, now: Covered) -> dict[str, list[str]]:
    """Return by path what validators were when they were approved before, the newest last."""
    if before is None:
        return {}
    found = {path: list(digests) for path, digests in before.earlier.items()}
    for path, digest in before.covered.files.items():
        if path.startswith(_KEPT_EARLIER) and now.files.get(path) != digest:
            known = [one for one in found.get(path, []) if one != digest]
            found[path] = [*known, digest][-_LIMIT_EARLIER:]
    return found


def _covered(files: Mapping[str, str]) -> Covered:
    digest = sha256()
    for path in sorted(files):
        digest.update(os.fsencode(path) + b"\0" + files[path].encode() + b"\n")
    return Covered(files=files, digest=digest.hexdigest())


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every covered file with its content, sorted by path, reading each exactly once."""
    paths = sorted(_paths(root))
    if len(paths) > _LIMIT_FILES:
        raise CouldNotRun(f"trust would cover {len(paths)} files; {_LIMIT_FILES} is the limit", where=str(root))
    for path in paths:
        try:
            yield path, read_inside(root, path, limit_bytes=_LIMIT_BYTES)
        except PathRefused as refused:
            raise CouldNotRun(
                f"a file that decides what runs {refused.reason}", where=_escaped(path),
                hint="put a regular file in its place",
            ) from refused  # fmt: skip


def _paths(root: Path) -> Iterator[str]:
    """Yield the names of what is covered: all that is not a folder, so that links and pipes are met and refused."""
    pending = []
    for folder in FOLDERS:
        _refuse_links(root, folder)
        if (root / folder).is_dir():
            pending.append(folder)
    for path in FILES:
        _refuse_links(root, path.rpartition("/")[0])
        if os.path.lexists(root / path):
            yield path
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as entries:
                found = list(entries)
        except OSError as failed:
            raise CouldNotRun(
                f"a folder that decides what runs cannot be read: {failed.strerror}", where=folder
            ) from failed
        for entry in found:
            path = f"{folder}/{entry.name}"
            if not entry.is_dir(follow_symlinks=False):
                yield path
            elif entry.name != "__pycache__":
                pending.append(path)


def _refuse_links(root: Path, folder: str) -> None:
    parts = [part for part in folder.split("/") if part]
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count])
        if (root / path).is_symlink():
            raise CouldNotRun(
                "a folder that decides what runs is a symbolic link", where=path, hint="use a real folder"
            )


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[tuple[str, Change], ...]:
    found: list[tuple[str, Change]] = []
    for path in sorted({*before, *now}):
        if path not in before:
            found.append((path, "added"))
        elif path not in now:
            found.append((path, "removed"))
        elif before[path] != now[path]:
            found.append((path, "changed"))
    return tuple(found)


def _kept(state: Path, digest: str) -> bytes | None:
    """Return the copy of an approved file, or None where it is gone or no longer what was approved."""
    try:
        data = read_inside(_objects(state), digest, limit_bytes=_LIMIT_BYTES)
    except PathRefused:
        return None
    return data if sha256(data).hexdigest() == digest else None


def _forget_objects(objects: Path, *, keep: frozenset[str]) -> None:
    for path in objects.iterdir():
        if path.name not in keep:
            path.unlink(missing_ok=True)


def _file_difference(path: str, change: Change, was: bytes | None, now: bytes | None) -> Iterator[str]:
    yield f"--- {'/dev/null' if change == 'added' else f'a/{path}'}"
    yield f"+++ {'/dev/null' if change == 'removed' else f'b/{path}'}"
    if was is None and change != "added":
        yield "(the copy of what was approved is missing; all of the present content is shown)"
    old, new = _lines(was), _lines(now)
    if len(old) * len(new) > _LIMIT_COMPARED:  # comparing would take too long, so all of both is shown
        yield f"@@ -1,{len(old)} +1,{len(new)} @@"
        yield from (f"-{line}" for line in old)
        yield from (f"+{line}" for line in new)
        return
    from difflib import unified_diff

    yield from list(unified_diff(old, new, lineterm=""))[2:]


def _lines(data: bytes | None) -> list[str]:
    """Return the lines of a file, escaped for display."""
    if not data:
        return []
    text = data.decode("utf-8", errors="surrogateescape")
    *lines, rest = text.split("\n")
    escaped = [_escaped(line) for line in lines]
    return [*escaped, f"{_escaped(rest)}\\ (no newline at the end)"] if rest else escaped


def _escaped(text: str) -> str:
    """Return text with everything escaped that is not plainly visible: control, direction and invisible characters."""
    return "".join(char if char.isprintable() or char == "\t" else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
