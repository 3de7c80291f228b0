"""What the tests of promises share: the program at work in the background, and an oracle outside of the project."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 30.0


def wait_until(true: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    """Wait until something is true, and fail where it does not become so."""
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The program at work. What it says is in a file, so that it never waits for a reader."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        return self.said.read_text("utf-8", errors="replace")

    def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true while the program works."""

        def seen() -> bool:
            ended = self.process.poll() is not None
            return bool(true()) or (ended and pytest.fail(f"the program has ended:\n{self.text()}"))

        wait_until(seen)

    def kill(self) -> None:
        """Kill it for good, as the system does when memory is out."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """Wait for its own end and return the exit code."""
        return self.process.wait(PATIENCE_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """A file outside of the project in which steps say that they started. The program knows nothing of it."""

    path: Path

    def step(self, name: str, then: str = ":") -> str:
        """Return the command of a step that says its name and then does something, as YAML."""
        return f"""[sh, -c, 'echo {name} >> "{self.path}"; {then}']"""

    def starts(self) -> Counter[str]:
        return Counter(self.path.read_text().split()) if self.path.exists() else Counter()


@pytest.fixture
def oracle(tmp_path: Path) -> Oracle:
    return Oracle(path=tmp_path / "oracle")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Working]]:
    """Return a function that starts the program in a folder; what still runs in the end is killed."""
    begun: list[Working] = []

    def start(root: Path, *arguments: str, env: dict[str, str] | None = None) -> Working:
        said = tmp_path / f"said-{len(begun)}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                (sys.executable, "-m", "cli_multi_rapid", *arguments), cwd=root, stdin=subprocess.DEVNULL,
                env={**os.environ, "CMR_TRUST": "1", **(env or {})}, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        begun.append(Working(process=process, said=said))
        return begun[-1]

    yield start
    for working in begun:
        working.process.kill()
        working.process.wait()


@pytest.fixture
def state() -> Path:
    """Return the folder that all states of this test are in."""
    return Path(os.environ["CMR_STATE_DIR"])
