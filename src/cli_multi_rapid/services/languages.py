"""The languages that contracts become code of: how their code is made, and what executes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Answer, Emitter
from cli_multi_rapid.contracts.loading import Contract, ContractSet


class Runtime(Protocol):
    """What executes generated code of a language; a module is one."""

    NOT_RUN: tuple[tuple[str, str], ...]
    """What is never executed here, by name, with the reason."""

    def unavailable(self, environment: Mapping[str, str]) -> str:
        """Return why nothing can be executed here; nothing where it can."""
        ...

    def executed(self, environment: Mapping[str, str]) -> str:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. `programs` are other names that people know its runtime by; `nul`: its texts can hold U+0000."""

    target: str
    programs: tuple[str, ...]
    files: Callable[[ContractSet, Contract, ir.Root], Mapping[str, str]]
    runtime: Runtime
    nul: bool = True


def emitted(emitter: Emitter, contract: Contract, root: ir.Root) -> Mapping[str, str]:
    """Return the files of a contract in one language by name, with those that they need.

    Raises:
        Refused: the language cannot express the contract.
    """
    return {**emitter.support(), emitter.file_name(contract): emitter.text(contract, root)}
