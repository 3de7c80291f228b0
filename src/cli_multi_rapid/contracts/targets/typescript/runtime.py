"""Generated TypeScript, executed: Node.js removes the types itself, from 22.18 on."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files as resources
from pathlib import Path

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.targets.exchange import exchanged
from cli_multi_rapid.contracts.targets.typescript.emitter import SUPPORT
from cli_multi_rapid.system.environment import find_program

NOT_RUN = (("tsc", "the types are removed and not checked: Node.js has no type checker"),)
NEEDED = "22.18 (or 23.6)"

_DRIVER = "driver.ts"
_ANSWER = re.compile(r"v(\d+)\.(\d+)\.(\d+)\S* (.+)")
_ASK_TIMEOUT_S = 30.0


def unavailable(environment: Mapping[str, str]) -> str:
    """Return why TypeScript cannot be executed here; empty where it can."""
    return _chosen(environment).reason


def executed(environment: Mapping[str, str]) -> str:
    """Return what executes it, in words."""
    return f"TypeScript by Node.js {_chosen(environment).shown}"


def answers(
    contract: Contract, files: Mapping[str, str], documents: Sequence[str], *,
    folder: Path, environment: Mapping[str, str], timeout: float,
) -> list[Answer]:  # fmt: skip
    """Return what the generated module of a contract makes of each document.

    Args:
        contract: whose module among `files` is asked.
        files: generated and support files by name.
        documents: JSON texts, or what is to be refused as none.
        folder: an empty folder; nothing outside of it can be read or written by the code.
        environment: with the PATH that Node.js is looked for on.
        timeout: seconds for all documents.

    Raises:
        RuntimeFailed: Node.js is not there, or did not answer every document.
    """
    node = _chosen(environment)
    if node.reason:
        raise RuntimeFailed(node.reason)
    here = folder.resolve()
    for name, text in {**files, _DRIVER: _driver(), "package.json": '{"type": "module"}\n'}.items():
        (here / name).write_text(text, "utf-8")
    (module,) = (name for name in files if name not in SUPPORT)
    argv = [
        node.program,
        "--no-warnings",
        "--permission",
        f"--allow-fs-read={here}{os.sep}*",
        _DRIVER,
        module,
        contract.name,
    ]
    return exchanged(argv, documents, folder=here, environ=_environ(environment), timeout_s=timeout)


def _driver() -> str:
    return resources(__package__).joinpath(_DRIVER).read_text("utf-8")


def _environ(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what Node.js needs: nothing that could load other code into it."""
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
    return {name: value for name, value in environment.items() if name in kept}


def _chosen(environment: Mapping[str, str]) -> "_Node":
    """Return the first Node.js that can run TypeScript, or why there is none."""
    beside = str(Path(sys.executable).parent)
    found = [find_program("node", path) for path in (environment.get("PATH", ""), beside)]
    asked = [(node, _asked(*_state(node))) for node in dict.fromkeys(found) if node is not None]
    enough = next((one for _, one in asked if _is_enough(one.version)), None)
    if enough is not None:
        return enough
    old = ", ".join(f"{node} {f'is {one.shown}' if one.version else 'does not say its version'}" for node, one in asked)
    return _Node(reason=f"{old or 'node is not on PATH'}; TypeScript needs Node.js {NEEDED} or later")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A Node.js: the program itself, where what is on PATH only starts it; or why there is none."""

    program: str = ""
    version: tuple[int, ...] = ()
    reason: str = ""

    @property
    def shown(self) -> str:
        return ".".join(map(str, self.version))


def _state(program: str) -> tuple[str, int, int]:
    state = Path(program).stat()
    return program, state.st_size, state.st_mtime_ns


@lru_cache(maxsize=16)
def _asked(program: str, _size: int, _time: int) -> _Node:
    """Ask a Node.js what it is, once while the file stays the same."""
    try:
        ended = subprocess.run(
            (program, "-p", "process.version + ' ' + process.execPath"), stdin=subprocess.DEVNULL, capture_output=True,
            check=False, timeout=_ASK_TIMEOUT_S, encoding="utf-8", errors="replace", env=_environ(os.environ),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return _Node()
    found = _ANSWER.fullmatch(ended.stdout.strip())
    if ended.returncode != 0 or found is None:
        return _Node()
    return _Node(program=found[4], version=tuple(map(int, found.groups()[:3])))


def _is_enough(version: tuple[int, ...]) -> bool:
    return (22, 18) <= version < (23,) or version >= (23, 6)
