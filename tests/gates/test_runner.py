import subprocess
import sys
import threading
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest

from cli_multi_rapid.errors import ToolMissing
from cli_multi_rapid.gates.registry import CHECKS, settings_of
from cli_multi_rapid.gates.runner import evaluate
from cli_multi_rapid.model.gate import GateResult, GateStatus
from cli_multi_rapid.model.gate_settings import Check, GateSpec, ReportFormat

TESTS = GateSpec(check=Check.TESTS, reports=("junit.xml",))


def passed(name, spec, given, /) -> GateResult:
    return GateResult(id=name, check=spec.check.value, level=given.level, status=GateStatus.PASS)


def test_results_come_in_the_declared_order_and_are_stamped(project) -> None:
    project.write("junit.xml", '<testsuite><testcase name="a"/></testsuite>')
    gates = {"z": TESTS, "a": GateSpec(check=Check.COVERAGE), "m": TESTS}
    results = evaluate(gates, lambda _name: project.given(), parallel=3)
    assert [(result.id, result.status) for result in results] == [
        ("z", GateStatus.PASS),
        ("a", GateStatus.ERROR),
        ("m", GateStatus.PASS),
    ]
    for result in results:
        assert datetime.fromisoformat(result.started).utcoffset() == timedelta(0)
        assert result.started.endswith("Z") and result.duration_ms >= 0


@pytest.mark.parametrize("parallel", [0, 1, 8])
def test_any_width_gives_the_same(project, parallel) -> None:
    gates = {str(number): TESTS for number in range(5)}
    results = evaluate(gates, lambda _name: project.given(), parallel=parallel, checks={Check.TESTS: passed})
    assert [result.id for result in results] == list(gates)


def test_no_gates(project) -> None:
    assert evaluate({}, lambda _name: project.given(), parallel=2) == ()


def test_gates_run_side_by_side(project) -> None:
    together = threading.Barrier(3, timeout=20)

    def waits(name, spec, given, /) -> GateResult:
        together.wait()
        return passed(name, spec, given)

    gates = dict.fromkeys("abc", TESTS)
    assert len(evaluate(gates, lambda _name: project.given(), parallel=3, checks={Check.TESTS: waits})) == 3


def test_each_gate_gets_its_own_input(project) -> None:
    made = project.aside / "made.xml"
    made.write_text('<testsuite><testcase name="a"/></testsuite>')
    given = {"own": project.given(), "made": project.given(evidence=(str(made),))}
    results = evaluate(dict.fromkeys(given, TESTS), given.__getitem__, parallel=2)
    assert [result.status for result in results] == [GateStatus.ERROR, GateStatus.PASS]


def test_a_tool_that_is_missing_is_an_error_result(project) -> None:
    def missing(_name, _spec, _given, /) -> GateResult:
        raise ToolMissing("no scanner", hint="install it")

    (result,) = evaluate({"a": TESTS}, lambda _name: project.given(), parallel=1, checks={Check.TESTS: missing})
    assert (result.status, result.summary, result.fix) == (GateStatus.ERROR, "no scanner", "install it")


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_bug_in_a_check_is_not_swallowed(project, parallel) -> None:
    def broken(name, spec, given, /) -> GateResult:
        if name == "b":
            raise ZeroDivisionError("bug")
        return passed(name, spec, given)

    with pytest.raises(ZeroDivisionError):
        evaluate(
            dict.fromkeys("abc", TESTS), lambda _name: project.given(), parallel=parallel, checks={Check.TESTS: broken}
        )


def test_every_check_has_an_evaluator_and_settings() -> None:
    assert set(CHECKS) == set(Check)
    known = {field.name for field in fields(GateSpec)} - {"check"}
    assert set().union(*(settings_of(check) for check in Check)) == known


@pytest.mark.parametrize("check", list(Check))
def test_every_check_answers_with_its_name_level_and_tree(project, check) -> None:
    project.write("a.txt", "x")
    spec = GateSpec(check=check, run=(sys.executable, "-c", "print('[]')"), format=ReportFormat.JSON)
    (result,) = evaluate({"gate": spec}, lambda _name: replace(project.given(), tree="t"), parallel=1)
    assert (result.id, result.check, result.tree) == ("gate", check.value, "t")


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys; import cli_multi_rapid.gates.runner;"
        "print(*{'re2', 'kingfisher_sdk', 'xml.parsers.expat', 'fractions'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == ""
