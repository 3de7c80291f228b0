"""Reports of recorded runs, rendered from what is stored and from nothing else."""

from datetime import datetime
from pathlib import Path

from cli_multi_rapid.documents.reports import RunView, log_tails, render_json, verify_evidence
from cli_multi_rapid.errors import EvidenceMissing, FolderUnwritable
from cli_multi_rapid.services.history import find_events, log_end, one, planned_by
from cli_multi_rapid.services.wiring import Project


def rendered(project: Project, wanted: str, *, form: str, now: datetime) -> tuple[str, RunView]:
    """Return the report of a run and its view.

    Raises:
        EvidenceMissing: there are no results, or evidence that they rest on is gone or was changed.
    """
    record = find_events(project, wanted)[0].payload
    view = one(project, wanted, planned=planned_by(record))
    problems = verify_evidence(view, _read)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise EvidenceMissing(problems[0] + more, hint="judge again:  cli-multi-rapid validate-compliance")
    if form == "json":
        return render_json(view), view
    from cli_multi_rapid.documents.html import render_html

    folder = project.folder(view.run)
    logs = log_tails(view, lambda path: log_end(folder / path), folder=str(folder), everything=True)
    return render_html(view, generated_at=now, logs=logs), view


def default_path(project: Project, view: RunView, form: str) -> Path:
    """Return where a report goes if the user does not say: `.cmr/reports/RUN.FORMAT` in the project."""
    return project.root / ".cmr" / "reports" / f"{view.run}.{form}"


def write_report(path: Path, text: str) -> None:
    """Write a report, making the folders above it; `.cmr` keeps itself out of git.

    Raises:
        FolderUnwritable: the system refused.
    """
    from cli_multi_rapid.system.files import write_atomic

    own = path.parent.parent.name == ".cmr"
    for folder in (path.parent.parent, path.parent) if own else ():
        if folder.is_symlink():  # a repository could lead out of the project with it
            raise FolderUnwritable("the report's folder is a link", where=str(folder), hint="-o FILE writes elsewhere")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if own:
            keep_out_of_git(path.parent.parent)
        write_atomic(path, text.encode())
    except OSError as failed:
        raise FolderUnwritable(
            f"the report cannot be written: {failed.strerror}", where=str(path), hint="-o FILE writes elsewhere"
        ) from failed


def keep_out_of_git(folder: Path) -> None:
    """Make git ignore a folder, from inside it."""
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")


def _read(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None
