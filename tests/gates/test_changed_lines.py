import json

import pytest
from hypothesis import given as cases
from hypothesis import settings
from hypothesis import strategies as st

from cli_multi_rapid.gates.changed_lines import changed_lines
from cli_multi_rapid.gates.measured import Measured
from cli_multi_rapid.model.change import Change, ChangedFile, ChangeKind
from cli_multi_rapid.model.gate import Excuse, GateStatus, Level, WaiverUse
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy
from cli_multi_rapid.model.ports import GateInput
from cli_multi_rapid.model.process import Exit

RULE = "changed-lines-uncovered"


def report(**files: tuple[list[int], list[int]]) -> str:
    return json.dumps(
        {
            "files": {
                f"{name}.py": {"executed_lines": hit, "missing_lines": missed} for name, (hit, missed) in files.items()
            }
        }
    )


def change(**files: list[int]) -> Change:
    """Return a change of lines of files by their names; `_` in a name stands for its dot."""
    return Change(
        base="c0ffee",
        files={
            name.replace("_", "."): ChangedFile(kind=ChangeKind.MODIFIED, lines=frozenset(lines))
            for name, lines in files.items()
        },
    )


@pytest.fixture
def judge(project):
    """Judge what was measured of `a.py` and `b.py`, 40 different lines each, and a change of them."""
    for name in "ab":
        project.write_aged(f"{name}.py", "".join(f"{name}{number}\n" for number in range(1, 41)))

    def run(measured, changed, *, level=Level.STRICT, least=None, minimum=0, **given):
        spec = GateSpec(check=Check.COVERAGE, min=minimum, changed_min=least)
        return project.judge_coverage(measured, spec=spec, level=level, change=lambda: changed, **given)

    return run


def test_only_executable_changed_lines_count(judge) -> None:
    measured = report(a=([*range(1, 18), 30], [18, 19, 20, 31]))
    result = judge(measured, change(a_py=[*range(1, 21), 22, 23, 24]))
    assert (result.status, result.details["changed_lines"], result.details["changed_covered"]) == (
        GateStatus.PASS, 20, 17,
    )  # fmt: skip
    assert result.summary == "81.8 % of 22 lines, needs 0 %; 85.0 % of 20 changed lines, needs 85 %"
    assert (result.details["changed_base"], result.findings) == ("c0ffee", ())


def test_one_changed_line_too_few_fails_although_the_total_is_fine(judge) -> None:
    measured = report(a=(list(range(1, 17)), [17, 18, 20]), b=(list(range(1, 41)), []))
    result = judge(measured, change(a_py=list(range(1, 21)), b_py=[3]))
    assert result.status is GateStatus.PASS  # 17 of 20
    result = judge(measured, change(a_py=list(range(1, 21))))
    assert (result.status, result.findings_total) == (GateStatus.FAIL, 1)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == (RULE, "a.py", 17)
    assert finding.message == "3 of 19 changed lines not executed: 17-18, 20"
    assert "; 84.2 % of 19 changed lines, needs 85 %" in result.summary
    assert result.fix == "a.py:17: write tests that execute these lines"


@pytest.mark.parametrize(
    ("level", "least", "status"),
    [
        (Level.STRICT, None, GateStatus.FAIL),
        (Level.STANDARD, None, GateStatus.PASS),
        (Level.ADVISORY, None, GateStatus.PASS),
        (Level.STANDARD, 50.000001, GateStatus.FAIL),
        (Level.STANDARD, 50.0, GateStatus.PASS),
        (Level.STRICT, 50.0, GateStatus.PASS),
        (Level.STRICT, 0.0, GateStatus.PASS),
        (Level.STANDARD, 101.0, GateStatus.ERROR),
        (Level.STANDARD, float("nan"), GateStatus.ERROR),
    ],
)
def test_how_much_is_asked_for(judge, level, least, status) -> None:
    result = judge(report(a=([1], [2])), change(a_py=[1, 2]), level=level, least=least)
    assert result.status is status
    assert ("changed_lines" in result.details) == (status is not GateStatus.ERROR and (level, least) not in NOT_ASKED)


NOT_ASKED = {(Level.STANDARD, None), (Level.ADVISORY, None)}


@pytest.mark.parametrize(
    "changed",
    [
        change(),
        change(a_py=[]),
        change(a_py=[30, 31]),
        change(README_md=[1, 2]),
        Change(base="c0ffee", files={"old.py": ChangedFile(kind=ChangeKind.DELETED, before="old.py", removed=9)}),
        Change(base="c0ffee", files={"a.py": ChangedFile(kind=ChangeKind.RENAMED, before="b.py")}),
    ],
)
def test_a_change_without_executable_lines_passes(judge, changed) -> None:
    result = judge(report(a=([1], [2])), changed)
    assert (result.status, result.details["changed_lines"]) == (GateStatus.PASS, 0)
    assert result.summary.endswith("; no changed line can be executed")


def test_without_a_base_revision_it_is_left_out_and_said(judge) -> None:
    result = judge(report(a=([1], [2])), None)
    assert (result.status, result.details["changed_skipped"]) == (GateStatus.PASS, "there is no base revision")
    assert result.summary == "50.0 % of 2 lines, needs 0 %; changed lines not judged, there is no base revision"
    assert judge(report(a=([1], [2])), None, minimum=85).status is GateStatus.FAIL


def test_the_total_still_has_to_be_enough(judge) -> None:
    result = judge(report(a=([1], [2, 3])), change(a_py=[1]), minimum=85)
    assert (result.status, [finding.rule for finding in result.findings]) == (GateStatus.FAIL, ["coverage-below"])


def test_the_baseline_excuses_no_changed_line(judge) -> None:
    policy = Policy(covered={"coverage": "20"})
    result = judge(report(a=([1], [2, 3])), change(a_py=[3]), minimum=85, policy=policy)
    assert result.status is GateStatus.FAIL
    assert {finding.rule: finding.excused for finding in result.findings} == {
        "coverage-below": Excuse.BASELINE,
        RULE: None,
    }
    assert result.fix == "a.py:3: write tests that execute these lines"
    assert judge(report(a=([1], [2, 3])), change(a_py=[1]), minimum=85, policy=policy).status is GateStatus.WAIVED


def test_a_waiver_covers_these_lines_and_no_others_of_the_file(judge, project) -> None:
    (finding,) = judge(report(a=([1], [2])), change(a_py=[2])).findings
    use = WaiverUse(
        rule=finding.rule, path="a.py", fingerprint=finding.fingerprint, reason="r", approved_by="b", expires="2999"
    )
    policy = Policy(waivers=(use,))
    assert judge(report(a=([1], [2])), change(a_py=[2]), policy=policy).status is GateStatus.WAIVED
    assert judge(report(a=([1], [2, 3])), change(a_py=[2, 3]), policy=policy).status is GateStatus.FAIL
    project.write_aged("a.py", "new\n\n" + (project.root / "a.py").read_text())
    moved = judge(report(a=([1], [4])), change(a_py=[4]), policy=policy)
    assert moved.status is GateStatus.WAIVED


def test_a_changed_file_that_nobody_measured_is_named(judge) -> None:
    result = judge(report(a=([1], [])), change(a_py=[1], new_py=[1, 2], notes_md=[1]))
    assert (result.status, result.details["changed_unmeasured"]) == (GateStatus.PASS, ["new.py"])
    assert result.summary.endswith("; 100.0 % of 1 changed line, needs 85 % (1 changed file not measured)")


def test_a_report_of_files_that_are_not_here_is_an_error(judge, project) -> None:
    made = project.write("made.json", report(a=([1], [])).replace("a.py", "/build/a.py"))
    result = judge(report(a=([1], [])), change(a_py=[1]), evidence=(str(made),))
    assert (result.status, "/build/a.py, which does not exist" in result.summary) == (GateStatus.ERROR, True)
    assert judge(report(a=([1], [])), None, evidence=(str(made),)).status is GateStatus.PASS


def test_a_source_that_cannot_be_read_is_an_error(judge, project) -> None:
    (project.root / "c.py").symlink_to(project.root / "a.py")
    result = judge(report(c=([], [1])), change(c_py=[1]))
    assert (result.status, "c.py cannot be read" in result.summary) == (GateStatus.ERROR, True)


@cases(
    st.dictionaries(st.integers(1, 30), st.booleans()),
    st.sets(st.integers(1, 30)),
    st.integers(0, 10_000).map(lambda number: number / 100),
)
@settings(max_examples=100)
def test_the_verdict_is_that_of_counting_by_hand(tmp_path_factory, lines, touched, least) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "a.py").touch()
    spec = GateSpec(check=Check.COVERAGE, changed_min=least)
    given = _given(root, change(a_py=sorted(touched)))
    found = changed_lines(spec, given, {"a.py": Measured("coverage.py", lines)})
    counted = [lines[line] for line in touched if line in lines]
    assert found is not None
    assert (found.total, found.covered) == (len(counted), sum(counted))
    assert found.failed == (sum(counted) * 10_000 < round(least * 100) * len(counted))


def _given(root, changed):
    return GateInput(
        root=str(root), level=Level.STANDARD, files=(), tree="", evidence=None, env={}, work=str(root),
        cache=str(root), execute=lambda _: Exit(code=0), change=lambda: changed,
    )  # fmt: skip


def test_a_file_that_git_is_told_to_take_for_binary_has_changed_in_every_line(judge) -> None:
    hidden = Change(base="c0ffee", files={"a.py": ChangedFile(kind=ChangeKind.MODIFIED, binary=True)})
    result = judge(report(a=([1], [2, 3])), hidden)
    assert (result.status, result.details["changed_lines"]) == (GateStatus.FAIL, 3)
