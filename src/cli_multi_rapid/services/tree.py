"""The present content of a project, as far as git does not ignore it."""

from dataclasses import dataclass

from cli_multi_rapid.services.wiring import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A project's files (POSIX paths, sorted) and what identifies their content; outside of git the id is empty."""

    files: tuple[str, ...]
    id: str = ""
    head: str = ""
    branch: str = ""
    git: bool = False
    warnings: tuple[str, ...] = ()


def tree_of(project: Project) -> Tree:
    """Return the present tree of a project."""
    from cli_multi_rapid.system.git import open_repository, walk_files

    repository = open_repository(project.root, environ=project.environ)
    if repository is None:
        return Tree(files=walk_files(project.root))
    written = repository.write_tree(project.state / "index")
    return Tree(
        files=repository.files(),
        id=written.id,
        head=repository.head() or "",
        branch=repository.branch() or "",
        git=True,
        warnings=written.warnings,
    )
