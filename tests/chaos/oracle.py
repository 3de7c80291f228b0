"""What the steps themselves noted while they ran, read from the file outside of the project and its state."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Instance = tuple[str, int, int, str, str]
"""One attempt as it ran: step, attempt, process, namespace, run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fact. `pid` is a number of the process namespace `namespace`."""

    what: str
    key: str
    attempt: int
    pid: int
    namespace: str
    run: str
    detail: Any

    @property
    def instance(self) -> Instance:
        """Return which attempt noted it; for a child it is of no use."""
        return (self.key, self.attempt, self.pid, self.namespace, self.run)


def read_lines(path: Path) -> list[Line]:
    """Return all facts in their order. A line that is still being written is left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [_line(one) for one in text.splitlines(keepends=True) if one.endswith("\n")]


def starts(lines: Iterable[Line]) -> Counter[tuple[str, str]]:
    """Count how often each step (run, key) began."""
    return Counter((line.run, line.key) for line in lines if line.what == "start")


def overlaps(lines: Iterable[Line]) -> Iterator[str]:
    """Say where an attempt went on although a later one of the same step had begun."""
    newest: dict[str, Line] = {}
    reported: set[Instance] = set()
    for line in lines:
        if line.what == "child":
            continue
        if line.what == "start":
            newest[line.key] = line
        last = newest.get(line.key)
        if last is None or last.instance == line.instance or line.instance in reported:
            continue
        reported.add(line.instance)
        yield (
            f"attempt {line.attempt} of {line.key} (process {line.pid}) noted {line.what!r} after attempt "
            f"{last.attempt} (process {last.pid}) had begun"
        )


def unended(lines: Iterable[Line]) -> set[str]:
    """Return the steps whose newest attempt began and did not end."""
    running: set[str] = set()
    for line in lines:
        if line.what == "start":
            running.add(line.key)
        elif line.what == "end":
            running.discard(line.key)
    return running


def _line(text: str) -> Line:
    what, key, attempt, pid, namespace, run, detail = text.rstrip("\n").split(" ", 6)
    return Line(
        what=what, key=key, attempt=int(attempt), pid=int(pid), namespace=namespace, run=run,
        detail=json.loads(detail),
    )  # fmt: skip
