"""The contracts check: what it asks, what it makes of the answers, and that nothing but an answer passes."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.gates.contracts import evaluate
from cli_multi_rapid.model.change import Change, ChangedFile, ChangeKind
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.process import Command, Exit

SAMPLE = Path(__file__).resolve().parents[2] / "src/cli_multi_rapid/starter/sample/contracts"
PLAIN = GateSpec(check=Check.CONTRACTS, timeout="60s")
TICK = "contracts/events/PriceTick@1.0.json"
DESCRIBED = "contracts/validators/described.py"
MANIFEST = "contracts/models/manifest.json"


@pytest.fixture
def trading(project):
    """A project with the contracts of the sample project."""
    project.write("config/workflow-config.yaml", "schema: cmr/config@v1\nproject: test\n")
    shutil.copytree(SAMPLE / "events", project.root / "contracts/events")
    return project


def judge(project, spec: GateSpec = PLAIN, **more) -> GateResult:
    return evaluate("contracts", spec, replace(project.given(), **more))


def report(*checks, status="pass", contracts=None) -> str:
    made = [{"name": "PriceTick", "version": "1.0", "checks": list(checks)}]
    return json.dumps({"status": status, "contracts": made if contracts is None else contracts})


def said(check, status="pass", detail="", pointer="", target=None, *, needed=True) -> dict[str, object]:
    return {
        "check": check, "status": status, "detail": detail, "pointer": pointer, "target": target, "needed": needed,
    }  # fmt: skip


def saying(text: str, *, code: int = 0, complaint: str = "", commands: list[Command] | None = None):
    """Return what stands in for the program: it prints this and ends with that."""

    def execute(command: Command) -> Exit:
        if commands is not None:
            commands.append(command)
        Path(command.stdout).write_text(text, "utf-8")
        Path(command.log).write_text(complaint, "utf-8")
        return Exit(code=code)

    return execute


class TestReal:
    def test_the_sample_passes_and_a_violation_fails(self, trading):
        result = judge(trading)
        assert (result.status, result.summary) == (GateStatus.PASS, "5 contracts: 64 of 64 checks passed")
        assert (result.tool, [Path(one.path).name for one in result.evidence]) == (
            "validate-contracts",
            ["report.json"],
        )
        text = (trading.root / TICK).read_text().replace('"additionalProperties": false,', "")
        trading.write(TICK, text)
        result = judge(trading)
        assert (result.status, result.observed) == (GateStatus.FAIL, 2.0)
        assert [(one.rule, one.path) for one in result.findings] == [
            ("profile", TICK),
            ("examples", "contracts/events/examples/PriceTick@1.0/invalid/key-nobody-knows.json"),
        ]
        assert judge(trading, replace(PLAIN, lint=False)).observed == 1.0

    def test_what_is_no_contract_cannot_be_judged(self, trading):
        trading.write(TICK, '{"a": 1,\n "a": 2}')
        result = judge(trading)
        assert result.status is GateStatus.ERROR
        assert "PriceTick@1.0.json:2:2: the key 'a' stands here for the second time" in result.summary

    def test_an_example_that_is_missing_is_an_error(self, trading):
        shutil.rmtree(trading.root / "contracts/events/examples/Signal@1.0")
        result = judge(trading)
        assert result.status is GateStatus.ERROR
        assert "examples could not be judged: there is no example in contracts/events/examples/Sig" in result.summary
        assert judge(trading, replace(PLAIN, examples=False)).status is GateStatus.PASS

    def test_there_are_no_contracts(self, project):
        project.write("config/workflow-config.yaml", "schema: cmr/config@v1\nproject: test\n")
        result = judge(project)
        assert result.status is GateStatus.ERROR
        assert "There is no contract here" in result.summary

    def test_the_projects_own_checks_judge(self, trading):
        source = (SAMPLE / "validators/described.py.tmpl").read_bytes()
        trading.write(DESCRIBED, source)
        assert judge(trading, validator=lambda _path: source).summary == "5 contracts: 69 of 69 checks passed"
        trading.write(
            TICK, (trading.root / TICK).read_text().replace('"description": "What a buyer pays."', '"title": ""')
        )
        (finding,) = judge(trading, validator=lambda _path: source).findings
        assert (finding.rule, finding.path) == ("project", TICK)
        assert finding.message.startswith("/properties/ask: nobody has said what 'ask' means")


class TestOwnChecks:
    def test_one_that_a_change_takes_away_judges_all_the_same(self, trading):
        files = {DESCRIBED: ChangedFile(kind=ChangeKind.DELETED, before=DESCRIBED)}
        asked = []

        def validator(path: str) -> bytes:
            asked.append(path)
            return b"def check(ctx):\n    return [ctx.violation('no')]\n"

        result = judge(trading, validator=validator, change=lambda: Change(base="b", files=files))
        assert (result.status, asked) == (GateStatus.FAIL, [DESCRIBED])

    def test_one_that_may_not_run_is_not_passed_over(self, trading):
        trading.write(DESCRIBED, "")

        def refused(path: str) -> bytes:
            raise CouldNotRun(f"{path} may not run")

        with pytest.raises(CouldNotRun):  # the runner of gates makes an error of it
            judge(trading, validator=refused, execute=saying(report(said("schema"))))

    def test_one_that_crashes_is_an_error(self, trading):
        trading.write(DESCRIBED, "")
        result = judge(trading, validator=lambda _path: b"1 / 0\n")
        assert (result.status, result.summary) == (
            GateStatus.ERROR, f"{DESCRIBED}:1: ZeroDivisionError: division by zero",
        )  # fmt: skip


class TestAsking:
    def asked(self, project, spec: GateSpec = PLAIN, **more) -> list[str]:
        commands: list[Command] = []
        judge(project, spec, execute=saying(report(said("schema")), commands=commands), **more)
        assert commands[0].argv[:3] == (sys.executable, "-I", "-m")
        assert (commands[0].cwd, commands[0].timeout_s) == (str(project.root), 60.0)
        return [one for one in commands[0].argv if one.startswith("--")]

    def test_what_is_asked(self, project):
        assert self.asked(project) == ["--json", "--no-project", "--lint", "--examples"]
        bare = replace(PLAIN, lint=False, examples=False, roundtrip=True, compat="last-release")
        assert self.asked(project, bare)[2:] == ["--compat=last-release", "--mode=backward", "--roundtrip"]
        asked = self.asked(project, replace(bare, require=("mql4", "compat", "pwsh")))
        assert asked[2:] == ["--compat=last-release", "--mode=backward", "--roundtrip", "--require=mql4,pwsh"]

    def test_generated_code_is_compared_where_there_is_some_or_was(self, project):
        project.write(MANIFEST, "{}")
        assert "--drift" in self.asked(project)
        (project.root / MANIFEST).unlink()
        gone = Change(base="b", files={MANIFEST: ChangedFile(kind=ChangeKind.DELETED, before=MANIFEST)})
        assert "--drift" in self.asked(project, change=lambda: gone)

    def test_a_report_that_a_step_wrote_is_not_believed(self, project):
        good = project.write("old.json", report(said("schema")))
        bad = saying(report(said("schema", "fail")), code=1)
        assert judge(project, evidence=(str(good),), execute=bad).status is GateStatus.FAIL


NOT_RUN = said("roundtrip", "not_run", "pwsh is not on PATH", target="powershell", needed=False)


class TestAnswers:
    def test_what_was_not_run_is_said(self, project):
        result = judge(project, execute=saying(report(said("schema"), NOT_RUN, NOT_RUN), code=0))
        assert result.status is GateStatus.PASS
        assert result.summary == "1 contract: 1 of 3 checks passed; not run: roundtrip-powershell, pwsh is not on PATH"
        assert result.details["not_run"] == {"roundtrip-powershell": "pwsh is not on PATH"}

    @pytest.mark.parametrize(
        ("check", "require"),
        [
            ({**NOT_RUN, "needed": True}, ()),
            ({**NOT_RUN, "needed": "no"}, ()),
            (said("compat", "not_run", "no release", needed=False), ("compat",)),
            (said("examples", "not_run", "there is none"), ()),
            (said("drift", "not_run", "no manifest"), ()),
            (said("project", "not_run", "nobody has approved it"), ()),
            (said("schema", "error", "it broke"), ()),
            (said("roundtrip", "error", "it broke", target="mql4"), ()),
        ],
    )
    def test_what_is_needed_and_was_not_judged_is_an_error(self, project, check, require):
        result = judge(project, replace(PLAIN, require=require), execute=saying(report(said("schema"), check), code=3))
        assert result.status is GateStatus.ERROR
        assert str(check["detail"]) in result.summary

    def test_a_violation_counts_more_than_what_was_not_judged(self, project):
        checks = (said("schema", "error", "it broke"), said("profile", "fail", "open", f"{TICK}#/properties/x"))
        result = judge(project, execute=saying(report(*checks), code=3))
        assert result.status is GateStatus.FAIL
        assert result.findings == (
            Finding(
                rule="profile", message="/properties/x: open", path=TICK, fingerprint=result.findings[0].fingerprint
            ),
        )

    @pytest.mark.parametrize("pointer", ["", "/etc/passwd#/a", "../other#", "#/a"])
    def test_a_finding_has_a_path_of_the_project(self, project, pointer):
        result = judge(project, execute=saying(report(said("roundtrip", "fail", "x", pointer, "mql4")), code=1))
        assert [(one.rule, one.path) for one in result.findings] == [("roundtrip-mql4", TICK)]

    @pytest.mark.parametrize(
        ("text", "code", "says"),
        [
            ("", 0, "it said nothing"),
            ("  \n", 0, "is empty"),
            ("{", 0, "is not valid JSON"),
            ("[]", 0, "is not an object"),
            ('{"status": "pass"}', 0, "there is no list of contracts"),
            (report(contracts=[]), 0, "there is no contract"),
            (report(), 0, "a contract without checks"),
            (report({"check": "schema"}), 0, "'None' is not a valid CheckStatus"),
            (report(said("schema", "passed")), 0, "'passed' is not a valid CheckStatus"),
            (report(said("schema")), 2, "it could not be asked: exit code 2"),
            (report(said("schema")), 4, "it could not be asked: exit code 4"),
            ('{"error": {"message": "It is wrong.", "where": "here:1"}}', 2, "here:1: It is wrong."),
            (report(3), 0, "a check that is no object"),
            ('{"contracts": [3]}', 0, "a contract without checks"),
            ('{"error": "It is wrong."}', 0, "is not an object"),
            (report(said("schema")), 70, "it could not be asked: exit code 70"),
        ],
    )
    def test_what_is_no_answer_is_an_error(self, project, text, code, says):
        result = judge(project, execute=saying(text, code=code))
        assert result.status is GateStatus.ERROR
        assert says in result.summary

    @pytest.mark.parametrize(
        ("ended", "says"),
        [
            (Exit(error="no memory"), "it could not be asked: no memory"),
            (Exit(signal=9), "it could not be asked: signal 9"),
            (Exit(signal=9, timed_out=True), "it did not end within 60s"),
            (Exit(code=0, truncated=True), "it could not be asked: exit code 0"),
            (Exit(code=0), "it said nothing"),
        ],
    )
    def test_what_only_supervision_can_tell(self, project, ended, says):
        result = judge(project, execute=lambda _command: ended)
        assert result.status is GateStatus.ERROR
        assert says in result.summary

    def test_the_complaint_of_the_program_is_said(self, project):
        result = judge(project, execute=saying("", code=70, complaint="Traceback\nMemoryError: much\n"))
        assert result.summary == "it could not be asked: exit code 70: MemoryError: much"
