"""What steps did, kept in the state folder; what they changed, as commits under `refs/cmr/cache/`."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from cli_multi_rapid.errors import StateUnwritable
from cli_multi_rapid.model.caching import Cached
from cli_multi_rapid.model.run import Artifact
from cli_multi_rapid.system.files import PathRefused, digest_inside, write_atomic
from cli_multi_rapid.system.git import Repository
from cli_multi_rapid.system.git_refs import CACHE, recording

_ENTRY = "entry.json"


class FolderCache:
    """A cache of steps in one folder; implements `model.caching.StepCache`. An entry is whole or not there."""

    def __init__(self, folder: Path, repository: Repository) -> None:
        self._folder = folder
        self._repository = repository
        self._git = recording(repository)

    def find(self, key: str) -> Cached | None:
        """Return what is kept under a key; an entry of which something is gone or altered is as good as none."""
        folder = self._folder / key
        try:
            values = json.loads((folder / _ENTRY).read_bytes())
            artifacts = {name: Artifact(**made) for name, made in values.pop("artifacts").items()}
            found = Cached(**{**values, "changed": tuple(values["changed"]), "artifacts": artifacts})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        whole = {name: replace(one, path=str(folder / "out" / one.path)) for name, one in found.artifacts.items()}
        if not all(self._same(folder, one) for one in found.artifacts.values()) or not self._has(found.commit):
            return None
        os.utime(folder / _ENTRY)
        log = folder / "log"
        return replace(found, artifacts=whole, log=str(log))

    def keep(self, key: str, cached: Cached) -> None:
        """Keep what a step did. What is kept under the key already stays."""
        folder = self._folder / key
        fresh = self._folder / f".{key}.{os.urandom(4).hex()}"
        try:
            fresh.mkdir(parents=True)
            artifacts = {}
            for name, artifact in cached.artifacts.items():
                inner = os.path.relpath(artifact.path, Path(cached.log).with_suffix(""))
                target = fresh / "out" / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(artifact.path, target)
                artifacts[name] = replace(artifact, path=inner)
            if Path(cached.log).is_file():
                shutil.copyfile(cached.log, fresh / "log")
            else:
                (fresh / "log").touch()
            if cached.changed:
                self._git.call("update-ref", f"{CACHE}/{key}", cached.commit)
            entry = replace(cached, artifacts=artifacts, log="", commit=cached.commit if cached.changed else "")
            write_atomic(fresh / _ENTRY, json.dumps(asdict(entry)).encode())
            fresh.rename(folder)
        except FileExistsError:
            shutil.rmtree(fresh, ignore_errors=True)
        except OSError as failed:
            shutil.rmtree(fresh, ignore_errors=True)
            if not (folder / _ENTRY).exists():
                raise StateUnwritable(f"the cache cannot be written: {failed.strerror}", where=str(folder)) from failed

    def inputs(self, tree: str) -> Mapping[str, str]:
        """Return mode and object id of every file of a tree."""
        found = {}
        for item in self._git.names("ls-tree", "-r", "-z", "--full-tree", tree):
            facts, _, path = item.partition("\t")
            mode, _, name = facts.split(" ")
            found[path] = f"{mode} {name}"
        return found

    def prune(self, *, older_than_s: float) -> tuple[int, int]:
        """Remove what nobody has used for so long; return how many entries, and how many bytes they took."""
        count = size = 0
        for folder, used in list(self._entries()):
            if time.time() - used >= older_than_s:
                size += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                count += 1
                shutil.rmtree(folder, ignore_errors=True)
                self._git.ask("update-ref", "-d", f"{CACHE}/{folder.name}")
        return count, size

    def _entries(self) -> Iterator[tuple[Path, float]]:
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                yield folder, (folder / _ENTRY).stat().st_mtime
            except OSError:
                yield folder, 0.0

    def _same(self, folder: Path, artifact: Artifact) -> bool:
        try:
            return digest_inside(folder / "out", artifact.path) == (artifact.sha256, artifact.size)
        except PathRefused:
            return False

    def _has(self, commit: str) -> bool:
        return not commit or self._git.ask("cat-file", "-e", f"{commit}^{{commit}}").code == 0
