"""What an emitter of code is given, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.model.contract import Violation


class Refused(Exception):
    """A target cannot express a contract: the places and the reasons."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{one.place}: {one.reason}" for one in violations))
        self.violations = violations


class Emitter(Protocol):
    """One target language whose code is made of the types of the profile."""

    @property
    def target(self) -> str:
        """The language as in `generate-models --target`; also the folder in `contracts/models`."""
        ...

    def file_name(self, contract: Contract) -> str:
        """Return the name of the file that a contract becomes."""
        ...

    def text(self, contract: Contract, root: ir.Root) -> str:
        """Return the content of that file: the same for the same contract, without time or place.

        Raises:
            Refused: the language cannot express it.
        """
        ...

    def support(self) -> Mapping[str, str]:
        """Return the files, by name, that the generated ones need beside them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a program in a target language made of one document: the document written again, or why and where not."""

    text: str = ""
    error: str = ""
    where: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the document was read."""
        return not self.error


class RuntimeFailed(Exception):
    """A program in a target language could not be built, ended too early or took too long: there is no verdict."""
