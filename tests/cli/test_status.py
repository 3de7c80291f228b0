"""The recent runs as a table, and one run in full."""

from dataclasses import replace
from datetime import UTC, datetime

from cli_multi_rapid.cli.status import compliance_data, compliance_lines, status_lines, status_run
from cli_multi_rapid.documents.history import view
from cli_multi_rapid.documents.text import ASCII, Symbols
from cli_multi_rapid.documents.words import Planned
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level, WaiverUse
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.services.standing import Standing

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def gate(name: str = "coverage", status: GateStatus = GateStatus.PASS, **more: object) -> GateResult:
    """Return a gate's result at level standard."""
    return GateResult(**({"id": name, "check": "coverage", "level": Level.STANDARD, "status": status} | more))  # type: ignore[arg-type]


def test_recent_runs(recorder) -> None:
    failed = recorder("01JAAAAAAAAAAAAAAAAAAAAAAA")
    failed.start("phase1")
    failed.step("phase1/lint", status=Status.FAILURE, code=1)
    failed.end(Status.FAILURE, code=1)
    again = recorder("01JBBBBBBBBBBBBBBBBBBBBBBB")
    again.start("phase1", job="nightly", parent=failed.run)
    again.gate("phase1", gate())
    again.gate("phase1", gate("size", GateStatus.WARN))
    again.gate("phase1", gate("types", GateStatus.FAIL, summary="7 errors", level=Level.ADVISORY))
    again.end(Status.SUCCESS, duration_ms=400)
    cut = recorder("01JCCCCCCCCCCCCCCCCCCCCCCC")
    cut.start("phase1")
    cut.add(Kind.RUN_INTERRUPTED, attempt=1, reason="SIGINT")
    views = [view(one.events, alive=False) for one in (cut, again, failed)]
    why = f"step phase1/lint failed: exit code 1 → rerun as {again.run}"
    assert status_lines(views, now=NOW).split("\n") == [
        "   run                         what     status                took   age    why",
        f"■  {cut.run}  phase1   interrupted           3.0s   2h33m  interrupted by SIGINT",
        f"!  {again.run}  nightly  passed with warnings  0.4s   2h33m  gate size warned: 0 findings",
        f"✗  {failed.run}  phase1   failed                2m14s  2h33m  {why}",
        "",
        f"interrupted:  cli-multi-rapid resume {cut.run}",
    ]


def test_the_newest_run_says_what_to_do_unless_it_ended_well(record) -> None:
    record.start("phase1")
    assert status_lines([view(record.events, alive=True)], now=NOW).endswith(
        f"\n\nstill running:  cli-multi-rapid logs {record.run} -f"
    )
    record.gate("phase1", gate())
    record.end(Status.SUCCESS)
    assert len(status_lines([view(record.events, alive=False)], now=NOW).split("\n")) == 2


def test_a_running_run_shows_how_long_it_has_run(record) -> None:
    record.start("phase1")
    row = status_lines([view(record.events, alive=True)], now=NOW).split("\n")[1]
    assert row.split()[-2:] == ["2h33m", "2h33m"]


def test_a_failure_beside_warnings_counts_them(record) -> None:
    record.start("phase1")
    record.gate("phase1", gate(status=GateStatus.FAIL, summary="low"))
    record.gate("phase1", gate("size", GateStatus.WARN))
    record.end(Status.FAILURE, code=1)
    assert "gate coverage failed: low; 1 warning" in status_lines([view(record.events, alive=False)], now=NOW)


def test_nothing_has_run() -> None:
    assert status_lines([], now=NOW) == "nothing has run here yet:  cli-multi-rapid run-phase phase0"


def test_wide_and_hostile_names_keep_the_table_straight(recorder) -> None:
    views = []
    for number, job in enumerate(["日本" * 30, "\x1b[31mred\n", "plain"]):
        record = recorder(f"01J{number:023}")
        record.start("phase1", job=job)
        record.gate("phase1", gate())
        record.end(Status.SUCCESS)
        views.append(view(record.events, alive=False))
    lines = status_lines(views, now=NOW, symbols=ASCII).split("\n")
    assert "red\\n" in lines[2]
    assert lines[2].index("passed") == lines[3].index("passed")
    assert "\x1b" not in "\n".join(lines)
    assert lines[3].startswith("[ok]  01J")
    assert "\x1b[32m✓\x1b[0m  01J" in status_lines(views, now=NOW, symbols=Symbols(colour=True))


def test_one_run_in_full(record) -> None:
    record.start("phase1", level="strict", branch="main", parent="01JPARENT")
    record.step("phase1/lint", command="ruff check\nsrc")
    record.step("phase1/notify", outcome=Status.FAILURE, code=22)
    record.finish("phase1/publish", status=Status.SKIPPED, attempt=0, reason="its condition is false")
    record.gate("phase1", gate(status=GateStatus.FAIL, summary="low"))
    record.gate("phase1", gate("types", GateStatus.FAIL, summary="7 errors", level=Level.ADVISORY))
    record.gate("", gate("secrets"))
    record.end(Status.FAILURE, code=1)
    run = view(record.events, alive=False, planned={"phase1": Planned(gates=("licences",))})
    assert status_run(run).split("\n") == [
        "✗ Failed  phase1 · gate coverage failed: low · 2m14s · 2 warnings",
        f"  run {record.run} · started 2026-03-14 09:26:53 UTC · level strict · branch main · rerun of 01JPARENT",
        "",
        "✗ phase1  Title of phase1  failure 2m14s",
        "  ✓ lint     success       0.4s  ruff check\\nsrc",
        "  ✗ notify   failure       0.4s  exit code 22; the spec allows it",
        "  \u2013 publish  skipped             its condition is false",
        "  ✗ gate coverage  fail  low",
        "  ✗ gate types  fail (advisory)  7 errors",
        "",
        "project",
        "  ✓ gate secrets  pass",
        "",
        "  not reached: phase1/gate:licences",
        "",
        f"  next     cli-multi-rapid rerun {record.run}",
    ]


def test_a_long_run_lists_its_failures_and_counts_the_rest(record) -> None:
    record.start("phase1")
    for number in range(1000):
        record.step(f"phase1/s{number}", status=Status.FAILURE if number == 999 else Status.SUCCESS)
    record.end(Status.FAILURE, code=1)
    planned = {"phase1": Planned(gates=tuple(f"g{number}" for number in range(12)))}
    text = status_run(view(record.events, alive=False, planned=planned))
    assert "✗ s999" in text
    assert "    … 940 further steps that did not fail" in text
    assert text.count("\n") < 80
    assert "phase1/gate:g9 and 2 more" in text


def standing(record) -> Standing:
    """Return a standing in which a gate failed and one was waived."""
    record.start("phase1", level="strict")
    record.gate("phase1", gate(status=GateStatus.FAIL, summary="low", tree="t1"))
    record.gate("", gate("secrets", GateStatus.WAIVED, tree="t1"))
    record.end(Status.FAILURE, code=1)
    use = WaiverUse(
        rule="r\x1b[31m", path="a.py", fingerprint="f", reason="why", approved_by="lead",
        expires="2026-03-16T12:00:00Z",
    )  # fmt: skip
    over = replace(use, rule="o", expires="2026-03-14T12:00:00Z", expired=True)
    judged = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
    return Standing(view=view(record.events, alive=False), judged=judged, present=True, ending=(over, use))


def test_how_compliance_stands(record) -> None:
    found = standing(record)
    assert compliance_lines(found, now=NOW).split("\n") == [
        f"compliance: ✗ Failed at level strict, 3h00m ago, run {record.run}",
        "  the project has not changed since",
        "  ✗ gate coverage  fail  low",
        "  ! gate secrets  waived",
        "  ! waiver of o in a.py has ended on 2026-03-14T12:00:00Z, approved by lead: why",
        "  ! waiver of r in a.py ends in 2d00h, approved by lead: why",
    ]
    changed = compliance_lines(replace(found, present=False, changed_only=True), now=NOW).split("\n")
    assert changed[1:3] == [
        "  only what differed from the base revision was looked at",
        "  the project has changed since:  cli-multi-rapid validate-compliance",
    ]
    unknown = compliance_lines(replace(found, present=None, unknown="no git\n"), now=NOW).split("\n")
    assert unknown[1] == "  whether the project has changed since is not known: no git\\n"
    assert compliance_lines(None, now=NOW) == (
        "compliance: no gate has judged anything yet:  cli-multi-rapid validate-compliance"
    )


def test_how_compliance_stands_as_data(record) -> None:
    found = compliance_data(standing(record), now=NOW)
    assert found is not None
    ending = found.pop("waivers_ending")
    assert [use.rule for use in ending] == ["o", "r\x1b[31m"]
    assert found == {
        "run": record.run, "status": "fail", "verdict": "fail", "level": "strict", "age_s": 10_800, "trees": ["t1"],
        "judged": "2026-03-14T09:00:00+00:00", "present": True, "unknown": "", "changed_only": False,
        "gates": [
            {"id": "coverage", "phase": "phase1", "status": "fail"}, {"id": "secrets", "phase": "", "status": "waived"},
        ],
    }  # fmt: skip
    assert compliance_data(None, now=NOW) is None


def test_status_shows_how_compliance_stands(sandbox) -> None:
    nothing = sandbox.cmr("status", "--include-compliance")
    assert (nothing.code, nothing.out.split("\n")[-2]) == (0, compliance_lines(None, now=NOW))
    sandbox.write("config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates:\n  x: {check: denylist}\n")
    assert sandbox.cmr("validate-compliance").code == 0
    shown = sandbox.cmr("status", "last", "--include-compliance")
    assert "compliance: ✓ Passed at level standard, " in shown.out
    assert "  the project has not changed since\n  ✓ gate x  pass" in shown.out
    data = sandbox.cmr("status", "--include-compliance", "--json").data()
    assert (data["compliance"]["present"], data["compliance"]["run"]) == (True, data["runs"][0]["run"]["run"])
    assert "compliance" not in sandbox.cmr("status", "--json").data()
