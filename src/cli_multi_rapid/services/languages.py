"""The languages that contracts become code of: how their code is made, and what executes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Answer
from cli_multi_rapid.contracts.loading import Contract, ContractSet
from cli_multi_rapid.model.contract import ModelTarget


class Runtime(Protocol):
    """What executes generated code of a language; a module is one."""

    @property
    def NOT_RUN(self) -> Sequence[tuple[str, str]]:  # noqa: N802  a constant of a module
        """What is never executed here, by name, with the reason."""
        ...

    def unavailable(self, environment: Mapping[str, str], /) -> str:
        """Return why nothing can be executed here; nothing where it can."""
        ...

    def executed(self, environment: Mapping[str, str], /) -> str:
        """Return what is executed, in words, with its version."""
        ...

    def answers(
        self, contract: Contract, files: Mapping[str, str], documents: Sequence[str], *,
        folder: Path, environment: Mapping[str, str], timeout: float,
    ) -> list[Answer]:  # fmt: skip
        """Return what the generated code of a contract makes of each document, in an empty folder.

        Raises:
            RuntimeFailed: there is no verdict.
        """
        ...


class Compiled(Protocol):
    """Asks programs that are compiled, and kept in a folder so that they are compiled once."""

    def __call__(
        self, contract: Contract, files: Mapping[str, str], documents: Sequence[str], *,
        folder: Path, environment: Mapping[str, str], timeout: float, cache: Path | None,
    ) -> list[Answer]:  # fmt: skip
        """Return what the generated code of a contract makes of each document, in an empty folder.

        Raises:
            RuntimeFailed: there is no verdict.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. `programs` are other names that people know its runtime by; `nul`: its texts can hold U+0000.

    Where its programs are compiled, `compiled` asks them.
    """

    target: str
    programs: tuple[str, ...]
    files: Callable[[ContractSet, Contract, ir.Root], Mapping[str, str]]
    runtime: Runtime
    nul: bool = True
    compiled: Compiled | None = None


@cache
def languages() -> tuple[Language, ...]:
    """Return the languages that the round trip goes through, Python first."""
    from cli_multi_rapid.contracts.targets.mql4 import runtime as mql4
    from cli_multi_rapid.contracts.targets.powershell import runtime as powershell
    from cli_multi_rapid.contracts.targets.python import runtime as python
    from cli_multi_rapid.contracts.targets.typescript import runtime as typescript

    return (
        Language(target="python", programs=("pydantic",), files=_python_files, runtime=python),
        Language(
            target="mql4", programs=("g++",), files=partial(_files, ModelTarget.MQL4), runtime=mql4, nul=False,
            compiled=mql4.answers,
        ),
        Language(
            target="powershell", programs=("pwsh",), files=partial(_files, ModelTarget.POWERSHELL), runtime=powershell
        ),
        Language(
            target="typescript", programs=("node",), files=partial(_files, ModelTarget.TYPESCRIPT), runtime=typescript
        ),
    )  # fmt: skip


def _files(target: ModelTarget, _found: ContractSet, contract: Contract, root: ir.Root) -> Mapping[str, str]:
    from cli_multi_rapid.contracts.targets.registry import emitter_of

    emitter = emitter_of(target)
    return {**emitter.support(), emitter.file_name(contract): emitter.text(contract, root)}


def _python_files(found: ContractSet, contract: Contract, _root: ir.Root) -> Mapping[str, str]:
    from cli_multi_rapid.contracts.targets.python.emitter import PythonEmitter

    emitter = PythonEmitter()
    return {emitter.file_name(contract): emitter.text(found, contract)}
