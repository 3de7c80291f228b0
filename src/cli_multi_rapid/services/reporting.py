"""Reports of recorded runs, rendered from what is stored and from nothing else."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.reports import RunView, log_tails, render_json, verify_evidence
from cli_multi_rapid.errors import EvidenceMissing, FolderUnwritable
from cli_multi_rapid.services.history import find_events, log_end, one, planned_by, started_of
from cli_multi_rapid.services.wiring import Project

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted


class Form(StrEnum):
    """Formats of a report. JSON is the canonical one."""

    HTML = "html"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MARKDOWN = "md"


def rendered(project: Project, wanted: str, *, form: Form, now: datetime) -> tuple[str, RunView]:
    """Return the report of a run and its view.

    Raises:
        EvidenceMissing: there are no results, or evidence that they rest on is gone or was changed.
    """
    events = find_events(project, wanted)
    record = started_of(events)
    view = one(project, events[0].run, planned=planned_by(record))
    problems = verify_evidence(view, _read)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise EvidenceMissing(problems[0] + more, hint="judge again:  cli-multi-rapid validate-compliance")
    return _text(project, view, record, form=form, now=now), view


def _text(project: Project, view: RunView, record: "RunStarted", *, form: Form, now: datetime) -> str:
    if form is Form.JSON:
        return render_json(view)
    if form is Form.SARIF:
        from cli_multi_rapid.documents.sarif import render_sarif

        return render_sarif(view)
    if form is Form.JUNIT:
        from cli_multi_rapid.documents.junit import render_junit

        return render_junit(view)
    if form is Form.MARKDOWN:
        from cli_multi_rapid.documents.markdown import render_markdown
        from cli_multi_rapid.services.planning import graph_of_run

        return render_markdown(view, nodes=graph_of_run(record, view))
    from cli_multi_rapid.documents.html import render_html

    folder = project.folder(view.run)
    logs = log_tails(view, lambda path: log_end(folder / path), folder=str(folder), everything=True)
    return render_html(view, generated_at=now, logs=logs)


def default_path(project: Project, view: RunView, form: Form) -> Path:
    """Return where a report goes if the user does not say: `.cmr/reports/RUN.FORMAT` in the project."""
    suffix = {Form.JUNIT: "junit.xml"}.get(form, form.value)
    return project.root / ".cmr" / "reports" / f"{view.run}.{suffix}"


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
