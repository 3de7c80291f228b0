"""Built-in actions about contracts, in phases."""

import json

import pytest

CHECK = "def check(ctx):\n    return [ctx.violation('too long')] if len(ctx.name) > {limit} else []\n"
OWN = "contracts/validators/own.py"
TICK = "contracts/events/PriceTick@1.0.json"


@pytest.fixture
def project(trading):
    trading.write(OWN, CHECK.format(limit=20))
    trading.git("add", "-A")
    trading.git("commit", "-q", "-m", "contracts")
    return trading


def validating(project, options="", more=""):
    project.phase("p", f"{more}steps:\n  - {{id: check, uses: contracts.validate{options}}}\n")


def test_contracts_that_are_as_they_must_be(project):
    validating(project)
    done = project.cmr("run-phase", "p")
    assert done.code == 0, done.out
    assert "p check  success" in done.err
    assert "5 contracts\n" in done.err
    said = project.cmr("logs", "last", "check").out
    assert "PriceTick@1.0  schema pass · profile pass · examples 10 pass · project pass" in said
    step = project.cmr("status", "last", "--json").data()["phases"][0]["steps"][0]
    assert step["outputs"] == {"contracts": 5}
    assert step["changed"] == 0


def test_a_violation_fails_the_step_and_its_log_has_all(project):
    text = (project.root / TICK).read_text()
    project.write(TICK, text.replace('"additionalProperties": false,', ""))
    validating(project)
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    place = f"{TICK}#: objects are closed"
    assert f"profile fail  {place}" in done.out
    assert "(and 1 more)" in done.out
    assert "Signal@1.0  schema pass" in project.cmr("logs", "last", "check").out
    validating(project, ", with: {lint: false, examples: false}")
    assert project.cmr("run-phase", "p").code == 1, "an example that must be refused is valid"
    (project.root / "contracts/events/examples/PriceTick@1.0/invalid/key-nobody-knows.json").unlink()
    assert project.cmr("run-phase", "p").code == 0


def test_what_is_no_contract_fails_with_its_place(project):
    project.write(TICK, '{"a": 1,\n "a": 2}')
    validating(project)
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert f"{TICK}:2:2: the key 'a' stands here for the second time" in done.out
    assert "write JSON as RFC 8259 has it, every key once" in done.out


def test_what_could_not_be_judged_is_no_failure_of_the_contracts(project):
    (project.root / "contracts/events/examples/Signal@1.0/valid/the-least.json").write_text("{")
    validating(project)
    done = project.cmr("run-phase", "p")
    assert done.code == 3
    assert "examples error  contracts/events/examples/Signal@1.0/valid/the-least.json" in done.out
    assert "PriceTick@1.0  schema pass" in project.cmr("logs", "last", "check").out


def test_own_checks_run_in_a_worktree_as_they_were_approved(project):
    validating(project, more="workspace: worktree\n")
    assert project.cmr("trust", "--yes", trust=False).code == 0
    assert project.cmr("run-phase", "p", trust=False).code == 0
    project.phase("p", f"""\
workspace: worktree
steps:
  - {{id: edit, run: "echo raise SystemExit > {OWN}"}}
  - {{id: check, uses: contracts.validate}}
""")  # fmt: skip
    assert project.cmr("trust", "--yes", trust=False).code == 0
    done = project.cmr("run-phase", "p", trust=False)
    assert done.code == 3
    assert f"{OWN} may not run as it is now: nobody has approved that" in done.out


@pytest.fixture
def tick(sandbox):
    schema = {
        "$id": "urn:cmr:contract:Tick:1.0", "type": "object", "additionalProperties": False, "required": ["on"],
        "properties": {"on": {"type": "boolean"}},
    }  # fmt: skip
    sandbox.write("contracts/events/Tick@1.0.json", json.dumps(schema))
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "contract")
    return sandbox


def test_code_is_generated_and_tried_out_and_what_is_required_must_have_run(tick):
    tick.phase("p", """\
steps:
  - {id: generate, uses: contracts.generate, with: {target: "python, typescript"}}
  - {id: trip, uses: contracts.roundtrip, with: {documents: 1, require: "python,metaeditor"}}
""")  # fmt: skip
    done = tick.cmr("run-phase", "p")
    assert done.code == 3, done.out
    assert "p generate  success" in done.err
    assert "python 1 written; typescript 3 written" in done.err
    assert "roundtrip MetaEditor not_run  it runs on Windows only" in done.out
    assert "roundtrip python pass  Python" in tick.cmr("logs", "last", "trip").out
    changed = tick.git("status", "--porcelain", "--untracked-files=all")
    assert "contracts/models/python/tick_v1_0.py" in changed


def test_edited_code_is_not_that_of_the_contract(tick):
    assert tick.cmr("generate-models", "--target", "python").code == 0
    tick.phase("p", "steps:\n  - {id: compare, uses: contracts.generate, with: {check: true}}\n")
    assert tick.cmr("run-phase", "p").code == 0
    edited = "contracts/models/python/tick_v1_0.py"
    tick.write(edited, (tick.root / edited).read_text() + "# edited\n")
    done = tick.cmr("run-phase", "p")
    assert done.code == 1
    assert f"drifted  {edited}" in done.out
    tick.write(
        "config/compliance-gates.yaml", TestGate.GATES.replace("check: contracts", "check: contracts, examples: false")
    )
    judged = tick.cmr("validate-compliance", "--json")
    assert judged.code == 1
    assert [one["rule"] for one in judged.data()["gates"][0]["findings"]] == ["drift-python"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{uses: contracts.validat}", "there is no action 'contracts.validat'"),
        ("{uses: contracts.validate, with: {lnt: true}}", "'contracts.validate' does not take 'lnt'"),
        ("{uses: contracts.generate, produces: {a: b}}", "'produces' is for commands"),
    ],
)
def test_bad_specs(project, step, said):
    project.phase("p", f"steps:\n  - {step.replace('{', '{id: a, ', 1)}\n")
    done = project.cmr("plan", "p")
    assert done.code == 2
    assert said in done.err


class TestGate:
    GATES = "schema: cmr/gates@v1\ngates: {contracts: {check: contracts}}\n"

    def judged(self, project, *arguments):
        done = project.cmr("validate-compliance", "--json", *arguments)
        (gate,) = done.data()["gates"]
        return done.code, gate

    def test_a_change_cannot_loosen_the_projects_own_checks(self, project):
        project.write("config/compliance-gates.yaml", self.GATES)
        project.write(OWN, CHECK.format(limit=10))
        project.git("add", "-A")
        project.git("commit", "-q", "-m", "short names")
        code, gate = self.judged(project)
        assert (code, gate["status"], gate["observed"]) == (1, "fail", 3.0)
        project.write(OWN, CHECK.format(limit=20))
        assert self.judged(project)[1]["observed"] == 3.0
        (project.root / OWN).unlink()
        assert self.judged(project, "--changed", "HEAD")[1]["findings"][0]["message"] == f"too long ({OWN})"
