import pytest

from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.gate_settings import Check, GateSpec

ANY = GateSpec(check=Check.COVERAGE, min=0)
END = "end_of_record\n"


@pytest.fixture
def judge(project):
    project.write_aged("src/a.js", "x\n" * 10)
    return lambda report, **given: project.judge_coverage(report, name="lcov.info", **given)


def test_lines_and_branches_are_counted(judge) -> None:
    text = (
        "TN:\nSF:src/a.js\nFN:1,4,f\nFNDA:2,f\nFNF:1\nFNH:1\nDA:1,2\nDA:2,0,c2VjcmV0\nLF:2\nLH:1\n"
        "BRDA:1,0,0,2\nBRDA:1,0,1,-\nBRDA:1,e0,1,0\nBRDA:1,0,jump, or not,1\nBRF:4\nBRH:2\n" + END
    )
    result = judge(text)
    assert (result.status, result.tool, result.details["exact"]) == (GateStatus.FAIL, "lcov", "50")
    assert (result.details["covered_branches"], result.details["branches"]) == (2, 4)
    assert result.findings[0].message == "1 of 2 lines not executed: 2; 2 branches not taken"


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text, lambda text: "# by hand\n\n" + text,
    lambda text: text.replace("TN:", "TN:unit"), lambda text: text.replace("TN:\n", ""), lambda text: text.rstrip(),
    lambda text: text.replace("LF:1\nLH:1\n", ""), lambda text: text.replace("DA:1,1", "VER:2\nDA:1,1\nMCF:0\nMCH:0"),
])  # fmt: skip
def test_what_tools_write_differently_is_the_same(judge, change) -> None:
    result = judge(change(f"TN:\nSF:src/a.js\nDA:1,1\nLF:1\nLH:1\n{END}"))
    assert (result.status, result.details["exact"]) == (GateStatus.PASS, "100")


BROKEN = {
    "no end": "DA:1,1\n",
    "no end after a whole record": f"DA:1,1\n{END}SF:src/b.js\nDA:1,1\n",
    "cut within a record": "DA:1,1\nDA:2\n" + END,
    "cut within a tag": "DA:1,1\nD\n" + END,
    "another file inside": f"DA:1,1\nSF:src/b.js\nDA:1,1\n{END}",
    "a line twice": f"DA:1,1\nDA:1,1\n{END}",
    "a line twice, hit and missed": f"DA:1,1\nDA:1,0\n{END}",
    "negative hits": f"DA:1,-1\n{END}",
    "hits are no number": f"DA:1,NaN\n{END}",
    "hits are a float": f"DA:1,1.0\n{END}",
    "hits overflowed": f"DA:1,18446744073709551151\n{END}",
    "no hits": f"DA:1,\n{END}",
    "line zero": f"DA:0,1\n{END}",
    "huge line": f"DA:{'9' * 6_000},1\n{END}",
    "LF lies": f"DA:1,1\nDA:2,0\nLF:1\n{END}",
    "LH lies": f"DA:1,1\nDA:2,0\nLF:2\nLH:2\n{END}",
    "lines were taken out": f"DA:1,1\nLF:2\nLH:1\n{END}",
    "LF twice": f"DA:1,1\nLF:1\nLF:1\n{END}",
    "LF is no number": f"DA:1,1\nLF:many\n{END}",
    "BRF lies": f"DA:1,1\nBRDA:1,0,0,1\nBRF:0\n{END}",
    "BRH lies": f"DA:1,1\nBRDA:1,0,0,0\nBRF:1\nBRH:1\n{END}",
    "a branch twice": f"DA:1,1\nBRDA:1,0,0,1\nBRDA:1,0,0,0\n{END}",
    "half a branch": f"DA:1,1\nBRDA:1,0,1\n{END}",
    "a branch taken NaN": f"DA:1,1\nBRDA:1,0,0,NaN\n{END}",
    "a branch from nowhere": f"DA:1,1\nBRDA:0,0,0,1\n{END}",
    "an unknown record": f"DA:1,1\nQQ:1\n{END}",
    "the file twice": f"DA:1,1\n{END}SF:src/a.js\nDA:2,1\n{END}",
    "the file twice under two names": f"DA:1,1\n{END}SF:./src/a.js\nDA:2,1\n{END}",
    "lines of no file": f"DA:1,1\n{END}DA:2,1\n",
    "no line": END,
    "an end too many": f"DA:1,1\n{END}{END}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_broken_records_are_an_error(judge, body) -> None:
    result = judge(f"TN:\nSF:src/a.js\n{body}", spec=ANY)
    assert result.status is GateStatus.ERROR
    assert result.fix


def test_a_file_without_a_name_is_an_error(judge) -> None:
    assert judge(f"SF:\nDA:1,1\n{END}", spec=ANY).status is GateStatus.ERROR


def test_what_different_tests_saw_is_joined(judge) -> None:
    one, two = (f"TN:{name}\nSF:src/a.js\nDA:1,{hit}\nDA:2,0\n{END}" for name, hit in (("unit", 1), ("end", 0)))
    result = judge(one + two)
    assert (result.details["lines"], result.details["covered_lines"]) == (2, 1)
    assert judge(one + one).status is GateStatus.ERROR


def test_a_tool_that_counts_lines_for_each_function_is_told_what_to_do(judge) -> None:
    assert "--merge-lines" in judge(f"SF:src/a.js\nDA:1,1\nLF:2\nLH:2\n{END}", spec=ANY).fix


def test_paths_are_absolute_or_relative_to_the_package_of_the_report(project) -> None:
    project.write_aged("web/src/a.js", "x\n" * 10)
    for name in ("src/a.js", f"{project.root}/web/src/a.js", "../web/src/a.js"):
        result = project.judge_coverage(f"SF:{name}\nDA:1,0\n{END}", name="web/coverage/lcov.info")
        assert [finding.path for finding in result.findings] == ["web/src/a.js"]
