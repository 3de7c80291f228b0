"""What a contract becomes in Python."""

from dataclasses import dataclass

from cli_multi_rapid.contracts.loading import Contract, ContractSet
from cli_multi_rapid.contracts.naming import snake
from cli_multi_rapid.contracts.targets.python.models import model_text
from cli_multi_rapid.contracts.targets.python.reading import shapes_of
from cli_multi_rapid.contracts.targets.python.typed import typed_text
from cli_multi_rapid.contracts.targets.python.words import MADE_FROM, one_line
from cli_multi_rapid.contracts.validation import standing
from cli_multi_rapid.model.contract import PythonStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonEmitter:
    """Makes a module of any contract, within the profile or not: it needs the schemas, not only their types."""

    style: PythonStyle = PythonStyle.PYDANTIC

    def file_name(self, contract: Contract) -> str:
        """Return the name of the module that a contract becomes, such as order_intent_v1_2.py."""
        return f"{snake(contract.name)}_{contract.suffix}.py"

    def text(self, found: ContractSet, contract: Contract) -> str:
        """Return the module of a contract: the same for the same contract, without time or place.

        Raises:
            Refused: the generator of Pydantic models cannot write it.
            ToolMissing: that generator is not installed.
        """
        shapes = shapes_of(found, contract)
        if self.style is PythonStyle.TYPED_DICT:
            return typed_text(contract, shapes, header=header(contract))
        return model_text(contract, shapes, standing(found, contract), header=header(contract))


def header(contract: Contract) -> str:
    """Return the docstring of a module."""
    file = contract.path.rpartition("/")[2]
    said = f"{contract.name} {contract.version}{MADE_FROM}{file}; edit that file, not this one."
    return f'"""{one_line(said)}"""\n'
