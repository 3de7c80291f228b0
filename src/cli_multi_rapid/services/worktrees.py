"""Whether a phase can work in a worktree of a project."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.services.surroundings import Surroundings
from cli_multi_rapid.services.wiring import Project


def why_unfit(project: Project, phase: PhaseSpec, around: Surroundings) -> str:
    """Return why a phase cannot work in a worktree here, or nothing.

    An editable install of the project imports it from its own folder, so that tests in a worktree would judge the wrong
    files. A phase that sets up its checkouts itself, or says where modules are, is believed.
    """
    if phase.setup or "PYTHONPATH" in phase.env:
        return ""
    if around.python and (name := next(_editable(Path(around.python), project.root), "")):
        return (
            f"{name} is installed from {project.root} in editable form, so steps would import it from there: "
            f"give {phase.name}  env: {{PYTHONPATH: src}}  (where its packages are), or a  setup:  that installs it"
        )
    return ""


def _editable(python: Path, root: Path) -> Iterator[str]:
    """Give the names of what an environment has installed from a folder in editable form."""
    for record in python.parent.parent.glob("lib/python3*/site-packages/*.dist-info/direct_url.json"):
        try:
            found = json.loads(record.read_bytes())
            editable = bool(found["dir_info"]["editable"])
            place = Path(unquote(urlparse(str(found["url"])).path)).resolve()
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if editable and place.is_relative_to(root):
            yield record.parent.name.partition("-")[0]
