"""Which check is done by what, and which settings it has. Nothing is imported before a gate of its kind runs."""

from collections.abc import Mapping

from cli_multi_rapid.model.gate import GateResult
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.ports import EvaluateGate, GateInput


def settings_of(check: Check) -> frozenset[str]:
    """Return the names of the `GateSpec` fields, beside `check`, that a check looks at."""
    return _SETTINGS[check]


def _coverage(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import coverage

    return coverage.evaluate(name, spec, given)


def _tests(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import junit

    return junit.evaluate(name, spec, given)


def _secrets(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import secrets

    return secrets.evaluate(name, spec, given)


def _denylist(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import denylist

    return denylist.evaluate(name, spec, given)


def _command(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import command

    return command.evaluate(name, spec, given)


def _diff(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import diff

    return diff.evaluate(name, spec, given)


def _expression(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import expression

    return expression.evaluate(name, spec, given)


def _project(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import project

    return project.evaluate(name, spec, given)


def _dependencies(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import dependencies

    return dependencies.evaluate(name, spec, given)


def _licences(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    from cli_multi_rapid.gates import licences

    return licences.evaluate(name, spec, given)


CHECKS: Mapping[Check, EvaluateGate] = {
    Check.COVERAGE: _coverage,
    Check.TESTS: _tests,
    Check.SECRETS: _secrets,
    Check.DENYLIST: _denylist,
    Check.COMMAND: _command,
    Check.DIFF: _diff,
    Check.EXPRESSION: _expression,
    Check.PROJECT: _project,
    Check.DEPENDENCIES: _dependencies,
    Check.LICENCES: _licences,
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
}
