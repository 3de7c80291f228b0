import pytest

from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.gate_settings import Check, GateSpec

ANY = GateSpec(check=Check.COVERAGE, min=0)
LINES = (
    '<line nr="1" mi="0" ci="3" mb="0" cb="0"/><line nr="2" mi="2" ci="1" mb="1" cb="1"/><line nr="3" mi="4" ci="0"/>'
)
CLASS = (
    '<class name="org/acme/Calc" sourcefilename="Calc.java"><method name="f" desc="()V" line="1">'
    '<counter type="INSTRUCTION" missed="6" covered="4"/></method><counter type="INSTRUCTION" missed="6" covered="4"/>'
    "</class>"
)


def counter(kind: str, missed: object, covered: object) -> str:
    return f'<counter type="{kind}" missed="{missed}" covered="{covered}"/>'


COUNTERS = counter("INSTRUCTION", 6, 4) + counter("LINE", 1, 2) + counter("BRANCH", 1, 1)


def jacoco(
    *, lines: str = LINES, own: str = COUNTERS, classes: str = CLASS, more: str = "", package: str = "", total: str = ""
) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">'
        '<report name="calc"><sessioninfo id="a" start="1" dump="2"/>'
        f'<package name="org/acme">{classes}<sourcefile name="Calc.java">{lines}{own}</sourcefile>{more}'
        f"{package or COUNTERS}</package>{total or COUNTERS}</report>"
    )


@pytest.fixture
def judge(project):
    project.write_aged("src/main/java/org/acme/Calc.java", "x\n" * 10)
    return lambda report, **given: project.judge_coverage(report, name="target/site/jacoco/jacoco.xml", **given)


def test_a_line_is_executed_where_any_of_its_instructions_is(judge) -> None:
    result = judge(jacoco())
    assert (result.status, result.tool, result.details["exact"]) == (GateStatus.FAIL, "jacoco", "60")
    (finding,) = result.findings
    assert (finding.path, finding.line) == ("src/main/java/org/acme/Calc.java", 3)
    assert finding.message == "1 of 3 lines not executed: 3; 1 branch not taken"
    assert judge(jacoco(), spec=GateSpec(check=Check.COVERAGE, min=60)).status is GateStatus.PASS


def test_branches_without_a_line_may_be_counted_beyond_those_of_lines(judge) -> None:
    assert judge(jacoco(own=counter("LINE", 1, 2) + counter("BRANCH", 2, 1)), spec=ANY).status is GateStatus.PASS


def test_interfaces_without_code_need_no_source(judge) -> None:
    more = '<class name="org/acme/Mark"/><class name="org/acme/Names" sourcefilename="Names.java"/>'
    assert judge(jacoco(classes=CLASS + more), spec=ANY).status is GateStatus.PASS


BROKEN = {
    "LINE lies": jacoco(own=counter("LINE", 0, 3)),
    "LINE of the package lies": jacoco(package=counter("LINE", 0, 3)),
    "LINE of the report lies": jacoco(total=counter("LINE", 0, 3)),
    "BRANCH lies": jacoco(own=counter("BRANCH", 0, 2)),
    "BRANCH of the report lies": jacoco(total=counter("BRANCH", 0, 2)),
    "a counter twice": jacoco(own=COUNTERS + COUNTERS),
    "a counter is NaN": jacoco(own=counter("LINE", 1, "NaN")),
    "a counter is negative": jacoco(own=counter("LINE", 1, -2)),
    "a counter is huge": jacoco(own=counter("LINE", 1, "9" * 6_000)),
    "a counter of nothing": jacoco(own='<counter type="LINE"/>'),
    "a line was taken out": jacoco(lines=LINES.partition('<line nr="3"')[0]),
    "a line twice": jacoco(lines=LINES + '<line nr="1" mi="0" ci="3"/>'),
    "a line without instructions": jacoco(lines='<line nr="1"/>', own="", package=" ", total=" "),
    "a line without a number": jacoco(lines='<line mi="0" ci="3"/>', own="", package=" ", total=" "),
    "a negative line": jacoco(lines='<line nr="-1" mi="0" ci="3"/>', own="", package=" ", total=" "),
    "negative instructions": jacoco(lines='<line nr="1" mi="-1" ci="3"/>', own="", package=" ", total=" "),
    "too many branches": jacoco(lines='<line nr="1" mi="0" ci="3" cb="999999"/>', own="", package=" ", total=" "),
    "no lines but code": jacoco(lines="", own=counter("INSTRUCTION", 1, 1), package=" ", total=" "),
    "no lines at all": jacoco(lines="", own="", classes="", package=" ", total=" "),
    "code without a source": jacoco(classes=CLASS.replace(' sourcefilename="Calc.java"', "")),
    "code of a source that is missing": jacoco(classes=CLASS.replace("Calc.java", "Gone.java")),
    "a source twice": jacoco(more=f'<sourcefile name="Calc.java">{LINES}</sourcefile>', package=" ", total=" "),
    "a source without a name": jacoco(more=f"<sourcefile>{LINES}</sourcefile>", package=" ", total=" "),
    "a source that the project lacks": jacoco().replace("Calc.java", "Made.java"),
    "no package": "<report/>",
}


@pytest.mark.parametrize("report", BROKEN.values(), ids=BROKEN)
def test_a_report_that_is_broken_or_contradicts_itself_is_an_error(judge, report) -> None:
    result = judge(report, spec=ANY)
    assert result.status is GateStatus.ERROR
    assert result.fix


def test_modules_are_groups(project) -> None:
    for module in ("api", "core"):
        project.write_aged(f"{module}/src/main/java/org/acme/Calc.java", "x\n" * 10)
    source = f'<package name="org/acme"><sourcefile name="Calc.java">{LINES}</sourcefile></package>'
    groups = "".join(f'<group name="{name}">{source}{counter("LINE", 1, 2)}</group>' for name in ("api", "core"))
    result = project.judge_coverage(f"<report>{groups}{counter('LINE', 2, 4)}</report>", name="jacoco.xml")
    assert [finding.path[:4] for finding in result.findings] == ["api/", "core"]
    lies = f"<report>{groups}{counter('LINE', 1, 5)}</report>"
    assert project.judge_coverage(lies, name="jacoco.xml").status is GateStatus.ERROR
    assert project.judge_coverage(f"<report>{source}</report>", name="jacoco.xml").status is GateStatus.ERROR
