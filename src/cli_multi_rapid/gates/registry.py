"""Which check is done by what, and which settings it has. Nothing is imported before a gate of its kind runs."""

from collections.abc import Mapping
from importlib import import_module

from cli_multi_rapid.model.gate import GateResult
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.ports import EvaluateGate, GateInput


def settings_of(check: Check) -> frozenset[str]:
    """Return the names of the `GateSpec` fields, beside `check`, that a check looks at."""
    return _SETTINGS[check]


def _lazily(module: str) -> EvaluateGate:
    """Return the check that a module of this package defines; the module is imported when the first gate needs it."""

    def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
        found: EvaluateGate = import_module(f"cli_multi_rapid.gates.{module}").evaluate
        return found(name, spec, given)

    return evaluate


CHECKS: Mapping[Check, EvaluateGate] = {
    Check.COVERAGE: _lazily("coverage"),
    Check.TESTS: _lazily("junit"),
    Check.SECRETS: _lazily("secrets"),
    Check.DENYLIST: _lazily("denylist"),
    Check.COMMAND: _lazily("command"),
    Check.DIFF: _lazily("diff"),
    Check.EXPRESSION: _lazily("expression"),
    Check.PROJECT: _lazily("project"),
    Check.DEPENDENCIES: _lazily("dependencies"),
    Check.LICENCES: _lazily("licences"),
    Check.CONTRACTS: _lazily("contracts"),
}
"""What evaluates each kind of check."""

_SETTINGS: Mapping[Check, frozenset[str]] = {
    Check.COVERAGE: frozenset({"reports", "artifact", "min", "changed_min"}),
    Check.TESTS: frozenset({"reports", "artifact"}),
    Check.SECRETS: frozenset({"exclude", "history"}),
    Check.DENYLIST: frozenset({"default_set", "patterns", "exclude", "fail_on", "ruff"}),
    Check.COMMAND: frozenset({"reports", "artifact", "run", "format", "ok_codes", "fail_on", "timeout", "cache"}),
    Check.DIFF: frozenset({"allow", "deny", "max_files", "max_lines", "max_file_size"}),
    Check.EXPRESSION: frozenset({"assert_"}),
    Check.PROJECT: frozenset({"file", "fail_on", "timeout"}),
    Check.DEPENDENCIES: frozenset({"lock_files", "environment", "database", "max_age", "fail_on"}),
    Check.LICENCES: frozenset({"lock_files", "environment", "allow", "deny"}),
    Check.CONTRACTS: frozenset({"lint", "examples", "roundtrip", "compat", "mode", "require", "timeout"}),
}
