"""The git repository that a project lies in: read without executing anything of it, and written only as objects."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.errors import GitFailed
from cli_multi_rapid.system.git_places import Places
from cli_multi_rapid.system.git_process import Git, find_git
from cli_multi_rapid.system.git_tree import WrittenTree, write_tree

_SKIPPED_FOLDERS = frozenset({
    ".bzr", ".cache", ".cmr", ".eggs", ".git", ".hg", ".hypothesis", ".mypy_cache", ".nox", ".pytest_cache",
    ".ruff_cache", ".svn", ".tox", ".venv", "__pycache__", "node_modules",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A project's repository. `prefix` is the project's folder in it, empty or ending in a slash.

    `user` are the name and the e-mail address of the person that git works for here, empty where git knows none.

    All paths are relative to the project, POSIX, and decoded with surrogate escapes (`os.fsencode` gives the bytes).
    """

    root: Path
    prefix: str
    git: Git
    places: Places
    user: tuple[str, str] = ("", "")

    def head(self) -> str | None:
        """Return the id of the commit that is checked out, or None where there is none yet."""
        answer = self.git.ask("rev-parse", "--quiet", "--verify", "HEAD")
        return answer.out.decode().strip() if answer.code == 0 else None

    def author(self) -> tuple[str, str]:
        """Return name and e-mail address of the author of the commit that is checked out; empty where there is none."""
        answer = self.git.ask("cat-file", "commit", "HEAD")
        lines = os.fsdecode(answer.out).partition("\n\n")[0].split("\n") if answer.code == 0 else []
        line = next((line for line in lines if line.startswith("author ")), "author ")
        name, _, rest = line.removeprefix("author ").rpartition(">")[0].partition("<")
        return name.strip(), rest.strip()

    def branch(self) -> str | None:
        """Return the name of the branch that is checked out, or None where HEAD is detached."""
        answer = self.git.ask("symbolic-ref", "--quiet", "HEAD")
        return os.fsdecode(answer.out).strip().removeprefix("refs/heads/") if answer.code == 0 else None

    def files(self) -> tuple[str, ...]:
        """Return the project's files, sorted: tracked ones that exist, and others that git does not ignore.

        Symbolic links are among them. Submodules and repositories inside the project are not.
        """
        listed = self.git.names(
            "ls-files",
            "-z",
            "-s",
            "-t",
            "-c",
            "-d",
            "-o",
            "--exclude-standard",
            *(("--", self.prefix) if self.prefix else ()),
        )
        present: set[str] = set()
        absent: set[str] = set()
        for item in listed:
            tag, rest = item[0], item[2:]
            facts, _, path = rest.partition("\t") if tag != "?" else ("", "", rest)
            if path.endswith("/") or facts.startswith("160000"):
                continue
            (absent if tag == "R" or (tag == "S" and not self._exists(path)) else present).add(path)
        return tuple(sorted(path.removeprefix(self.prefix) for path in present - absent))

    def write_tree(self, index: Path) -> WrittenTree:
        """Write the present content of the project as a git tree, and return its id.

        The tree holds what `files` lists, byte by byte as on disk (no filters, no line end conversion), with modes
        and symbolic links; it is the same whatever is staged. Submodules, repositories inside the project,
        unreadable files and untracked files above 100 MB are left out, each with a warning.

        The repository's index, HEAD and working files are not touched; only objects are added, durably.

        Args:
            index: where the state of the last call is kept, so that the next one is fast. Its folder is made.

        Raises:
            GitFailed: git could not read or write the repository.
            StateUnwritable: the folder of `index` cannot be written.
        """
        return write_tree(self.git, self.places, prefix=self.prefix, index=index)

    def changed_paths(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted. A renamed file counts as two paths."""
        arguments = ("diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--name-only")
        return tuple(sorted(self.git.names(*arguments, before, after, "--")))

    def _exists(self, path: str) -> bool:
        return os.path.lexists(Path(self.git.folder) / path)


def open_repository(root: Path, *, environ: Mapping[str, str] | None = None) -> Repository | None:
    """Open the repository that a folder lies in; None where there is none, or no git.

    Raises:
        GitFailed: there is one, but it belongs to somebody else, is damaged, or its files are elsewhere.
    """
    environ = os.environ if environ is None else environ
    root = Path(os.path.realpath(root))
    top = _top(root)
    if top is None:
        return None
    program = find_git(environ.get("PATH", ""), top)
    if program is None:
        return None
    bare = Git(program=program, folder=str(top), environ={**environ})
    places = _places(bare)
    if places is None:
        return None
    settings = _settings(bare)
    prefix = "" if root == top else root.relative_to(top).as_posix() + "/"
    blanked = {name: _blank(name) for name in settings if name.startswith("filter.")}
    git = Git(program=program, folder=str(top), environ=bare.environ, settings=blanked)
    user = (settings.get("user.name", ""), settings.get("user.email", ""))
    return Repository(root=root, prefix=prefix, git=git, places=places.with_settings(settings), user=user)


def walk_files(root: Path) -> tuple[str, ...]:
    """Return the files below a folder that is in no repository: POSIX paths relative to it, sorted.

    Repositories' own folders, caches, virtual environments and `node_modules` are skipped. Symbolic links are listed,
    not followed; pipes, sockets and devices are left out, as are folders that cannot be read.
    """
    found: list[str] = []
    pending = [""]
    while pending:
        prefix = pending.pop()
        for entry in _entries(root / prefix):
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED_FOLDERS and not os.path.lexists(Path(entry.path) / "pyvenv.cfg"):
                    pending.append(f"{path}/")
            elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                found.append(path)
    return tuple(sorted(found))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _top(root: Path) -> Path | None:
    """Return the nearest folder, from `root` upward, that has a `.git`."""
    return next((folder for folder in (root, *root.parents) if _is_marked(folder)), None)


def _is_marked(folder: Path) -> bool:
    try:
        mode = (folder / ".git").stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) or stat.S_ISREG(mode)


def _places(git: Git) -> Places | None:
    """Ask where a repository keeps what; None where git says that there is none."""
    names = ("index", "objects", "info/exclude", "info/attributes", "HEAD", "logs/HEAD")
    answer = git.ask(
        "rev-parse",
        "--show-object-format",
        "--show-toplevel",
        *(part for name in names for part in ("--git-path", name)),
    )
    if answer.code != 0:
        if answer.complaint.startswith("fatal: not a git repository"):
            return None
        raise _refused(git, answer.complaint)
    lines = os.fsdecode(answer.out).split("\n")
    if len(lines) != len(names) + 3:
        raise GitFailed("a folder name with a newline is not supported", where=repr(git.folder))
    object_format, top, *paths = lines[:-1]
    if os.path.realpath(top) != git.folder:
        raise GitFailed(
            "the repository's configuration moves its files elsewhere (core.worktree)", where=top,
            hint="git config --unset core.worktree",
        )  # fmt: skip
    joined = [os.path.join(git.folder, path) for path in paths]  # noqa: PTH118  kept as git's text
    index, objects, exclude, attributes, head, head_log = joined
    return Places(
        object_format=object_format, index=index, objects=objects, exclude=exclude, attributes=attributes, head=head,
        head_log=head_log,
    )  # fmt: skip


def _refused(git: Git, complaint: str) -> GitFailed:
    if "dubious ownership" not in complaint:
        return GitFailed(f"git cannot read this repository: {complaint}", where=git.folder)
    return GitFailed(
        "git does not read this repository because its folder belongs to another user", where=git.folder,
        hint=f"if you trust it:  git config --global --add safe.directory '{git.folder}'",
    )  # fmt: skip


def _settings(git: Git) -> dict[str, str]:
    """Return the settings in force by name; of several values the last. A name without a value counts as true."""
    settings: dict[str, str] = {}
    for item in git.names("config", "--list", "-z"):
        name, newline, value = item.partition("\n")
        settings[name] = value if newline else "true"
    return settings


def _blank(name: str) -> str:
    return "false" if name.endswith(".required") else ""
