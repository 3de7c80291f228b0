"""What the Python files in `workflows/validators/` and `contracts/validators/` of a project are written with."""

from cli_multi_rapid.contracts.judging import ContractContext
from cli_multi_rapid.gates.validating import Context, Result
from cli_multi_rapid.model.contract import Violation
from cli_multi_rapid.model.gate import Finding, Level, Severity

__all__ = ["Context", "ContractContext", "Finding", "Level", "Result", "Severity", "Violation"]
