from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import (
    MAX_FINDINGS,
    Gate,
    Sighting,
    Tally,
    counted,
    fingerprinted,
    judged,
    one_line,
    unjudged,
)
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus, Severity, WaiverUse
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy


def at(line: int, *, rule: str = "r", path: str = "a.py", severity: Severity = Severity.HIGH) -> Finding:
    return Finding(rule=rule, message="m", path=path, line=line, severity=severity)


def status(project, tally: Tally) -> GateStatus:
    gate = Gate("g", GateSpec(check=Check.DENYLIST), project.given())
    return judged(gate, tally, summary="s").status


def test_status_follows_from_what_blocks(project) -> None:
    tally = Tally(Severity.MEDIUM)
    assert status(project, tally) is GateStatus.PASS
    tally.add(at(1, severity=Severity.LOW))
    assert status(project, tally) is GateStatus.WARN
    tally.add(at(2, severity=Severity.MEDIUM))
    assert (status(project, tally), tally.total, tally.blocking) == (GateStatus.FAIL, 2, 1)


def excusing(project, tally: Tally, policy: Policy) -> GateResult:
    gate = Gate("g", GateSpec(check=Check.DENYLIST), replace(project.given(), policy=policy))
    return judged(gate, tally, summary="found")


def waiver(finding: Finding, *, expired: bool = False) -> WaiverUse:
    return WaiverUse(
        rule=finding.rule, path=finding.path, fingerprint=finding.fingerprint, reason="r", approved_by="b",
        expires="2030-01-01T00:00:00Z", expired=expired,
    )  # fmt: skip


def test_only_what_is_excused_does_not_count(project) -> None:
    tally = Tally(Severity.LOW)
    tally.add(at(1), "one")
    tally.add(at(2), "two")
    first, second = tally.findings()
    for policy, expected, words in (
        (Policy(), GateStatus.FAIL, "found"),
        (Policy(waivers=(waiver(first),)), GateStatus.FAIL, "found, 1 waived"),
        (Policy(waivers=(waiver(first), waiver(second))), GateStatus.WAIVED, "found, 2 waived"),
        (Policy(waivers=(waiver(first), waiver(second, expired=True))), GateStatus.FAIL,
         "found, 1 waived, 1 waiver expired"),
        (Policy(baseline={"g": frozenset({first.fingerprint})}, waivers=(waiver(second),)), GateStatus.WAIVED,
         "found, 1 waived, 1 known from the baseline"),
        (Policy(baseline={"other": frozenset({first.fingerprint})}, waivers=(waiver(second),)), GateStatus.FAIL,
         "found, 1 waived"),
    ):  # fmt: skip
        result = excusing(project, tally, policy)
        assert (result.status, result.summary) == (expected, words)
        assert set(result.waivers) == set(policy.waivers)
        assert result.findings_total == 2


def test_a_waiver_names_rule_path_and_fingerprint_together(project) -> None:
    tally = Tally(Severity.LOW)
    tally.add(at(1), "one")
    (found,) = tally.findings()
    for wrong in (replace(found, rule="other"), replace(found, path="b.py"), replace(found, fingerprint="sha256:0")):
        assert excusing(project, tally, Policy(waivers=(waiver(wrong),))).status is GateStatus.FAIL


def test_what_is_not_held_is_never_excused(project, monkeypatch) -> None:
    monkeypatch.setattr("cli_multi_rapid.gates.outcome._MAX_HELD", 1)
    tally = Tally(Severity.LOW)
    tally.add(at(1), "one")
    tally.add(at(2), "two")
    (held,) = tally.findings()
    assert excusing(project, tally, Policy(waivers=(waiver(held),))).status is GateStatus.FAIL


def test_a_fingerprint_survives_the_move_of_its_line() -> None:
    before = fingerprinted([Sighting(at(10), "  x = bad(s)")])
    after = fingerprinted([Sighting(at(99), "x  =  bad(s)  ")])
    assert before[0].fingerprint == after[0].fingerprint
    assert before[0].fingerprint.startswith("sha256:")


def test_equal_lines_have_different_fingerprints_and_other_rules_paths_and_texts_too() -> None:
    found = fingerprinted(
        [
            Sighting(at(1), "x"),
            Sighting(at(2), "x"),
            Sighting(at(1, rule="s"), "x"),
            Sighting(at(1, path="b.py"), "x"),
            Sighting(at(3), "y"),
        ]
    )
    assert len({finding.fingerprint for finding in found}) == 5


@given(st.permutations(range(8)))
def test_the_order_of_discovery_changes_nothing(order: list[int]) -> None:
    sightings = [Sighting(at(number // 2, rule=f"r{number % 3}"), "same") for number in range(8)]
    assert fingerprinted([sightings[number] for number in order]) == fingerprinted(sightings)


def test_findings_are_capped_worst_first_and_sorted_by_place(project) -> None:
    tally = Tally(Severity.LOW)
    for number in range(MAX_FINDINGS + 5):
        tally.add(at(number + 1, severity=Severity.LOW), str(number))
    tally.add(at(9_999, severity=Severity.HIGH), "worst")
    findings = excusing(project, tally, Policy()).findings
    assert len(findings) == MAX_FINDINGS
    assert tally.total == MAX_FINDINGS + 6
    assert findings[-1].line == 9_999
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)


def test_counts_stay_exact_when_more_is_found_than_is_held(monkeypatch) -> None:
    monkeypatch.setattr("cli_multi_rapid.gates.outcome._MAX_HELD", 3)
    tally = Tally(Severity.HIGH)
    for number in range(10):
        tally.add(at(number, severity=Severity.HIGH if number == 9 else Severity.INFO))
    assert (tally.total, tally.blocking) == (10, 1)


def test_judged_takes_the_fix_of_the_worst_finding(project) -> None:
    tally = Tally(Severity.LOW)
    tally.add(replace(at(1, severity=Severity.LOW), fix="later"))
    tally.add(replace(at(7), fix="do this"))
    result = judged(Gate("g", GateSpec(check=Check.DENYLIST), project.given()), tally, summary="two\nlines")
    assert (result.fix, result.summary, result.tree) == ("a.py:7: do this", "two lines", "tree-id")


def test_unjudged_is_an_error_with_its_fix(project) -> None:
    gate = Gate("g", GateSpec(check=Check.TESTS), project.given())
    result = unjudged(gate, EvidenceError("gone", fix="make it"))
    assert (result.status, result.summary, result.fix) == (GateStatus.ERROR, "gone", "make it")


def test_texts() -> None:
    assert one_line("a\n  b\x1b[31m") == "a b?[31m"
    assert one_line("x" * 400).endswith("…") and len(one_line("x" * 400)) == 300
    assert (counted(1, "file"), counted(1204, "file")) == ("1 file", "1,204 files")
    assert counted(2, "match", plural="matches") == "2 matches"
