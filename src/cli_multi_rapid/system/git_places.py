"""Where a repository keeps what, and git working on it with settings of our own.

Our git has a folder of its own: its objects are the repository's, its index and its settings ours. So nothing that the
repository configures takes part (filters, line end conversion, hooks), and nothing of it is touched.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cli_multi_rapid.system.files import PathRefused, read_inside
from cli_multi_rapid.system.git_process import Git

_EXCLUDE_LIMIT_BYTES = 4 << 20
_FORWARDED = ("core.excludesfile", "core.filemode", "core.ignorecase", "core.precomposeunicode", "core.symlinks")
_ATTRIBUTES = "* -crlf -eol -filter -ident -text -working-tree-encoding\n"

Mark = tuple[int, int, int] | None
"""What tells one state of a file from another: time of change (ns), size and inode; None where there is no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a repository keeps what (absolute paths), and those of its settings that decide what its content is."""

    object_format: str
    index: str
    objects: str
    exclude: str
    attributes: str
    head: str
    head_log: str
    forwarded: Mapping[str, str] = field(default_factory=dict)
    converts: bool = False
    partial: bool = False

    @property
    def nothing(self) -> str:
        """Return the object id that stands for none."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    def with_settings(self, settings: Mapping[str, str]) -> "Places":
        """Return these places with the settings of the repository."""
        return replace(
            self,
            forwarded={name: settings[name] for name in _FORWARDED if name in settings},
            converts=settings.get("core.autocrlf", "false").lower() not in ("false", "no", "off", "0", ""),
            partial=any(name.startswith("remote.") and name.endswith(".promisor") for name in settings),
        )


def own_git(git: Git, places: Places, work: Path) -> Git:
    """Return git with a repository of ours, in the folder `work`, around the objects and files of the project's one."""
    folder = work / "git"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "info").mkdir(exist_ok=True)
    (folder / "HEAD").write_text("ref: refs/heads/none\n", "utf-8")
    extension = "[extensions]\nobjectFormat = sha256\n" if places.object_format == "sha256" else ""
    (folder / "config").write_text(f"[core]\nrepositoryFormatVersion = {1 if extension else 0}\n{extension}", "utf-8")
    (folder / "info" / "attributes").write_text(_ATTRIBUTES, "utf-8")
    settings = {
        **places.forwarded,
        "core.attributesFile": os.devnull,
        "core.autocrlf": "false",
        "core.fsync": "objects",
        "core.fsyncMethod": "batch",
        "core.protectHFS": "false",  # a name that would be dangerous on another system is still content here
        "core.protectNTFS": "false",
        "core.splitIndex": "false",
    }
    variables = {
        "GIT_DIR": str(folder),
        "GIT_WORK_TREE": git.folder,
        "GIT_OBJECT_DIRECTORY": places.objects,
        "GIT_INDEX_FILE": str(work / "index"),
    }
    return replace(git, settings=settings, variables=variables)


def copy_excludes(places: Places, work: Path) -> None:
    """Let our git ignore what the repository's own `info/exclude` says."""
    (work / "git" / "info" / "exclude").write_bytes(_excluded(Path(places.exclude)))


def mark_of(path: str | Path) -> Mark:
    """Return what tells this state of a file from another one."""
    try:
        found = os.stat(path)  # noqa: PTH116  called often, with text
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def copy_with_times(source: Path, target: Path) -> None:
    """Copy an index. Git doubts entries that are not older than their index, so its time is part of its meaning."""
    with source.open("rb") as file:
        times = os.fstat(file.fileno())
        target.write_bytes(file.read())
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def _excluded(path: Path) -> bytes:
    try:
        return read_inside(path.parent, path.name, limit_bytes=_EXCLUDE_LIMIT_BYTES)
    except PathRefused:
        return b""
