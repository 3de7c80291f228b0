"""A program that reads one file and writes another: run to its end, or ended with what it started."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.system.git_process import one_line

_SHOWN_BYTES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it ended. `code` is None where the time was over, and negative for a signal."""

    code: int | None
    complaint: str


def run_batch(
    argv: Sequence[str], *, folder: Path, environ: Mapping[str, str], given: Path, made: Path, timeout_s: float
) -> Ended:
    """Run a program in a folder with `given` as its standard input and `made` as its output.

    When the time is over, whatever it started ends with it, as far as it stayed in its process group.

    Raises:
        CouldNotRun: it could not be started.
    """
    with given.open("rb") as source, made.open("wb") as target, (folder / "complaints").open("w+b") as complaints:
        try:
            process = subprocess.Popen(
                list(argv), cwd=folder, env=dict(environ), stdin=source, stdout=target, stderr=complaints,
                start_new_session=True,
            )  # fmt: skip
        except OSError as failed:
            raise CouldNotRun(f"{argv[0]} could not be started: {failed.strerror}") from failed
        try:
            code: int | None = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        complaints.seek(0)
        return Ended(code=code, complaint=one_line(complaints.read(_SHOWN_BYTES)))


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)  # it leads its group and has not been waited for: the group is its own
    else:
        process.kill()
    process.wait()
