"""What a child process is asked to do, and how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

OutputSink = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One child process to run under supervision.

    `log` is the file that its masked, capped output is appended to (standard output and standard error together).
    With `stdout` the standard output goes to that file instead, also masked and capped, and only the rest to the log.
    `tag` marks every process of this attempt, so that the ones it leaves behind can be found again.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    log: str
    tag: str
    timeout_s: float
    stdout: str = ""
    secrets: tuple[str, ...] = ()
    cap_bytes: int = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a child process ended. Exactly one of `code`, `signal` and `error` is set.

    `error` says why it could not be started; `missing` that this was because the program does not exist.
    `leftover` counts the processes that it had left behind and that were killed with it.
    `output_bytes` is what it wrote; `truncated` tells that the log holds less.
    """

    code: int | None = None
    signal: int | None = None
    error: str = ""
    missing: bool = False
    timed_out: bool = False
    truncated: bool = False
    leftover: int = 0
    output_bytes: int = 0
    duration_ms: int = 0


class ProcessRunner(Protocol):
    """Runs children so that none of them outlives its timeout, its step or the orchestrator."""

    async def run(self, command: Command, *, on_output: OutputSink | None = None) -> Exit:
        """Run one command to its end.

        `on_output` gets masked, complete lines as they come, joined by newlines where several came at once. Cancelling
        the task stops the child's whole tree (SIGTERM, then SIGKILL after a grace of one second) before the
        cancellation goes on.
        """
        ...

    async def close(self) -> None:
        """Kill whatever still runs and end the supervision. Idempotent."""
        ...
