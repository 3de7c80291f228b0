import pytest

from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.gate_settings import Check, GateSpec

ANY = GateSpec(check=Check.COVERAGE, min=0)


def cobertura(lines: str, *, head: str = "", name: str = "a.py", rate: str = "1.0") -> str:
    return (
        f'<?xml version="1.0" ?>{head}<coverage line-rate="{rate}" lines-valid="1" lines-covered="1"><packages>'
        f'<package line-rate="{rate}"><classes><class name="{name}" filename="{name}" line-rate="{rate}"><methods>'
        f'<method name="m"><lines><line number="1" hits="9"/></lines></method></methods><lines>{lines}</lines>'
        "</class></classes></package></packages></coverage>"
    )


@pytest.fixture
def judge(project):
    project.write_aged("a.py", "x\n" * 10)
    return lambda report, **given: project.judge_coverage(report, name="coverage.xml", **given)


@pytest.mark.parametrize("rate", ["1.0", "0.99", "NaN", ""])
def test_lines_are_recounted_and_rates_are_not_believed(judge, rate) -> None:
    hit = "".join(f'<line number="{number}" hits="{number % 2}"/>' for number in range(1, 11))
    result = judge(cobertura(hit, rate=rate))
    assert (result.status, result.observed, result.tool) == (GateStatus.FAIL, 50.0, "cobertura")


def test_branches_and_a_harmless_document_type(judge) -> None:
    lines = '<line number="1" hits="1" branch="true" condition-coverage="50% (1/2)"/><line number="2" hits="1"/>'
    head = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
    result = judge(cobertura(lines, head=head), spec=GateSpec(check=Check.COVERAGE, min=75))
    assert (result.status, result.observed) == (GateStatus.PASS, 75.0)


@pytest.mark.parametrize(
    "lines",
    [
        '<line number="1" hits="1"/><line number="1" hits="1"/>',
        '<line number="1" hits="NaN"/>',
        '<line number="1" hits="-1"/>',
        '<line number="1" hits="1e300"/>',
        f'<line number="1" hits="{"9" * 5_000}"/>',
        '<line number="1"/>',
        '<line number="0" hits="1"/>',
        '<line number="one" hits="1"/>',
        '<line hits="1"/>',
        '<line number="1" hits="1" branch="true"/>',
        '<line number="1" hits="1" condition-coverage="50%"/>',
        '<line number="1" hits="1" condition-coverage="150% (3/2)"/>',
        '<line number="1" hits="1" condition-coverage="-50% (-1/2)"/>',
        '<line number="1" hits="1" condition-coverage="NaN"/>',
        '<line number="1" hits="1" condition-coverage="0% (0/99999999)"/>',
        f'<line number="1" hits="1" condition-coverage="0% (0/{"9" * 5_000})"/>',
        "",
    ],
)
def test_broken_lines_are_an_error(judge, lines) -> None:
    assert judge(cobertura(lines), spec=ANY).status is GateStatus.ERROR


def test_a_class_twice_is_an_error_but_nested_ones_share_their_file(judge) -> None:
    once = '<class name="a" filename="a.py"><lines><line number="1" hits="1"/></lines></class>'
    assert judge(f"<coverage>{once}{once}</coverage>", spec=ANY).status is GateStatus.ERROR
    nested = once.replace('name="a"', 'name="a$1"').replace('number="1"', 'number="2"')
    result = judge(f"<coverage>{once}{nested}</coverage>", spec=ANY)
    assert (result.status, result.details["lines"]) == (GateStatus.PASS, 2)


@pytest.mark.parametrize(
    "unit",
    [
        '<class name="a" filename="a.py"><method><lines><line number="1" hits="1"/></lines></method></class>',
        '<class name="a"><lines><line number="1" hits="1"/></lines></class>',
        '<class name="a" filename=""><lines><line number="1" hits="1"/></lines></class>',
    ],
)
def test_a_class_without_a_file_or_a_list_of_lines_is_an_error(judge, unit) -> None:
    good = '<class name="b" filename="a.py"><lines><line number="1" hits="1"/></lines></class>'
    assert judge(f"<coverage>{good}</coverage>", spec=ANY).status is GateStatus.PASS
    assert judge(f"<coverage>{good}{unit}</coverage>", spec=ANY).status is GateStatus.ERROR


def test_a_tool_that_records_lines_for_each_function_is_told_what_to_do(judge) -> None:
    twice = '<line number="1" hits="1"/><line number="1" hits="0"/>'
    result = judge(cobertura(twice), spec=ANY)
    assert (result.status, "--merge-lines" in result.fix) == (GateStatus.ERROR, True)
