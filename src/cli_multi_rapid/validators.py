"""What the Python files in `workflows/validators/` of a project are written with."""

from cli_multi_rapid.gates.validating import Context, Result
from cli_multi_rapid.model.gate import Finding, Level, Severity

__all__ = ["Context", "Finding", "Level", "Result", "Severity"]
