"""The present content of a project, as far as git does not ignore it."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.services.wiring import Project

if TYPE_CHECKING:
    from cli_multi_rapid.system.git import Repository
    from cli_multi_rapid.system.git_tree import WrittenTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What identifies the content of a project; outside of git the id is empty.

    `user` are the name and the e-mail address of the person that git works for.
    """

    id: str = ""
    head: str = ""
    branch: str = ""
    git: bool = False
    user: tuple[str, str] = ("", "")
    warnings: tuple[str, ...] = ()


def opened(project: Project) -> "Repository | None":
    """Open the repository that a project lies in; None where there is none. Whoever asks it much opens it once."""
    from cli_multi_rapid.system.git import open_repository

    return open_repository(project.root, environ=project.environ)


def tree_of(project: Project) -> Tree:
    """Return the present tree of a project."""
    return tree_in(project, opened(project))


def tree_in(project: Project, repository: "Repository | None", *, index: Path | None = None) -> Tree:
    """Return the present tree of a project; `index` is where git's index of it is kept, by default with its state."""
    if repository is None:
        return Tree()
    written = _written(project, repository, index)
    return Tree(
        id=written.id,
        head=repository.head() or "",
        branch=repository.branch() or "",
        git=True,
        user=repository.user,
        warnings=written.warnings,
    )


def tree_id(project: Project, repository: "Repository | None", *, index: Path | None = None) -> str:
    """Return the id alone of the present tree, which takes fewer questions; see `tree_in`."""
    return _written(project, repository, index).id if repository else ""


def _written(project: Project, repository: "Repository", index: Path | None) -> "WrittenTree":
    return repository.write_tree(index or project.state / "index")


def file_hasher(project: Project) -> Callable[..., str]:
    """Return the function `hashFiles` of expressions, as on GitHub.

    It takes globs (one that begins with `!` takes files out again) and returns the SHA-256, in hex, of the digests of
    all files that match, in order of their paths; nothing where none matches. Links are not followed.
    """
    from cli_multi_rapid.system.files import digest_inside
    from cli_multi_rapid.system.globs import matches

    def hash_files(*patterns: str) -> str:
        wanted = tuple(one for one in patterns if not one.startswith("!"))
        refused = tuple(one.removeprefix("!") for one in patterns if one.startswith("!"))
        whole = sha256()
        found = [path for path in files_of(project) if matches(path, wanted) and not matches(path, refused)]
        for path in found:
            if not (project.root / path).is_symlink():
                whole.update(bytes.fromhex(digest_inside(project.root, path)[0]))
        return whole.hexdigest() if found else ""

    return hash_files


def files_of(project: Project) -> tuple[str, ...]:
    """Return the files of a project that git does not ignore, sorted."""
    return files_in(project, opened(project))


def files_in(project: Project, repository: "Repository | None") -> tuple[str, ...]:
    """Return the files of a project that git does not ignore, sorted."""
    from cli_multi_rapid.system.git import walk_files

    return repository.files() if repository else walk_files(project.root)
