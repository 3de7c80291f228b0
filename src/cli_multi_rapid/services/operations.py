"""Looking after the program: health."""

import os
from collections.abc import Mapping
from pathlib import Path

from cli_multi_rapid.errors import ProjectMissing
from cli_multi_rapid.monitoring.health import Health, Place, check_all
from cli_multi_rapid.services.project import state_base
from cli_multi_rapid.services.wiring import open_project


def health(folder: Path, environ: Mapping[str, str] | None = None) -> tuple[Health, ...]:
    """Check the program, and the project of a folder if there is one."""
    environ = os.environ if environ is None else environ
    try:
        project = open_project(folder, environ)
    except ProjectMissing:
        return check_all(Place(root=None, state=state_base(environ), environ=environ))
    return check_all(Place(root=project.root, state=project.state, environ=environ))
