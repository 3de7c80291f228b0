"""What keeping the state of a project costs, beside the same by git's plumbing alone."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

CHANGES = (0, 1, 50)
"""How many files are changed before a state is kept."""

_PLUMBING = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "core.fsync=all")


@dataclass(slots=True, kw_only=True)
class Kept:
    """Times in milliseconds by the number of changed files: ours, and those of the plumbing."""

    files: int
    ours: dict[int, list[float]] = field(default_factory=dict)
    floor: dict[int, list[float]] = field(default_factory=dict)

    def ratio(self, changed: int) -> float | None:
        """Return the median of ours over that of the plumbing."""
        ours, floor = self.ours.get(changed), self.floor.get(changed)
        return median(ours) / median(floor) if ours and floor else None


def measured(scratch: Path, environ: Mapping[str, str], *, files: int, rounds: int) -> Kept:
    """Keep states of a repository of so many files, ours and the plumbing's taking turns."""
    from cli_multi_rapid.system.checkpoints import GitCheckpoints
    from cli_multi_rapid.system.git import open_repository
    from cli_multi_rapid.system.git_refs import Refs

    root = scratch / "repository"
    paths = [root / f"d{number % 40}" / f"f{number}.py" for number in range(files)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name}\n" * 20, "utf-8")
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run(("git", *arguments), cwd=root, env=dict(environ), check=True, stdout=subprocess.DEVNULL)
    (scratch / "kept").mkdir()
    repository = open_repository(root, environ=environ)
    assert repository is not None
    kept, refs = scratch / "kept", Refs(repository, "bench")
    keeper = GitCheckpoints(repository, refs=refs, work=kept / "work", kept=kept / "index")
    floor = _Plumbing(root, scratch / "floor-index", environ)
    found = Kept(files=files)
    contenders: tuple[tuple[dict[int, list[float]], Callable[[], object]], ...] = (
        (found.ours, lambda: keeper.take("state")), (found.floor, floor.take),
    )  # fmt: skip
    version = 0
    for number in range(rounds + 1):  # the first round fills caches
        for changed in CHANGES:
            for times, take in contenders:
                version += 1
                take()  # what the other one's turn has changed does not count
                for path in paths[:changed]:
                    path.write_text(f"version {version}\n" * 20, "utf-8")
                start = time.perf_counter()
                take()
                if number:
                    times.setdefault(changed, []).append((time.perf_counter() - start) * 1000)
    return found


class _Plumbing:
    """A state as git's own plumbing keeps it at the least: no check of what it is asked to keep, no second parent."""

    def __init__(self, root: Path, index: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = {**environ, "GIT_INDEX_FILE": str(index)}
        self._count = 0
        index.write_bytes((root / ".git" / "index").read_bytes())
        self._git("update-index", "-q", "--refresh")

    def take(self) -> None:
        """List what changed, hash it, write index, tree, commit and ref."""
        listed = [
            name for name in self._git("ls-files", "-z", "-m", "-d", "-o", "--exclude-standard").split(b"\0") if name
        ]
        if listed:
            objects = self._git("hash-object", "-w", "--no-filters", "--stdin-paths", given=b"\n".join(listed) + b"\n")
            lines = [b"100644 %b\t%b\0" % pair for pair in zip(objects.split(), listed, strict=True)]
            self._git("update-index", "-z", "--index-info", given=b"".join(lines))
        tree = self._git("write-tree").decode().strip()
        commit = self._git("commit-tree", tree, "-p", "HEAD", given=b"state").decode().strip()
        self._count += 1
        self._git("update-ref", f"refs/floor/{self._count}", commit, "0" * 40)

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        return subprocess.run(
            ("git", *_PLUMBING, *arguments), cwd=self._root, env=self._environ, input=given, capture_output=True,
            check=True,
        ).stdout  # fmt: skip


def table(found: Kept) -> list[str]:
    """Return what was measured as lines of a table."""
    head = f"a state of {found.files:,} files is kept"
    lines = [f"{head + ' (ms)':<46}{'ours':>8}{'plumbing':>10}{'ratio':>8}{'n':>5}"]
    for changed in found.ours:
        name = f"  {changed} changed" if changed else "  unchanged"
        ours, floor = median(found.ours[changed]), median(found.floor[changed])
        lines.append(f"{name:<46}{ours:>8.1f}{floor:>10.1f}{ours / floor:>8.2f}{len(found.ours[changed]):>5}")
    return lines


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(measured(Path(folder), os.environ, files=2000, rounds=15))))
