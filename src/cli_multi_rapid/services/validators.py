"""Which source a validator of the project has when it judges: that of the base revision, and only what was trusted."""

from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.services.trust import approves
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.files import PathRefused, read_inside

if TYPE_CHECKING:
    from cli_multi_rapid.system.git import Repository

_LIMIT_BYTES = 2 << 20


def validator_source(
    project: Project, repository: "Repository | None", path: str, *, trusted_in: Project, base: str
) -> bytes:
    """Return the source of a validator: as the base commit has it, else, where it is new, as it is in the project.

    A change must not be able to loosen what judges it. `project` is what is judged, a checkout perhaps, with its
    repository; `trusted_in` is the project that was trusted.

    Raises:
        CouldNotRun: there is none, or nobody has approved what it says.
        GitFailed: git cannot say what the base has.
    """
    source = _in_base(repository, path, base)
    origin = f"as the base revision {base[:12]} has it" if source is not None else "as it is now"
    if source is None:
        source = _present(project.root, path)
    if approves(trusted_in.root, trusted_in.state, trusted_in.environ, path=path, data=source):
        return source
    raise CouldNotRun(
        f"{path} may not run {origin}: nobody has approved that",
        where=path,
        hint="look at it, and trust the project with it:  cli-multi-rapid trust",
    )


def _in_base(repository: "Repository | None", path: str, commit: str) -> bytes | None:
    from cli_multi_rapid.system.git_base import contents

    return contents(repository, commit, (path,)).get(path) if repository and commit else None


def _present(root: Path, path: str) -> bytes:
    try:
        return read_inside(root, path, limit_bytes=_LIMIT_BYTES)
    except PathRefused as refused:
        hint = (
            "write it: a function check(ctx) that returns findings" if refused.missing else "put a regular file there"
        )
        reason = "does not exist" if refused.missing else refused.reason
        raise CouldNotRun(f"{path} {reason}", where=path, hint=hint) from refused
