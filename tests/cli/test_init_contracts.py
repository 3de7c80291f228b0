"""What init writes where there are contracts, and with --contracts where there are none."""

import json

import pytest

PHASE2 = "workflows/phase_definitions/phase2.yaml"
GATES = "config/compliance-gates.yaml"
CONFIG = "config/workflow-config.yaml"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "desk"
    made.mkdir()
    return made


@pytest.fixture
def init(sandbox, folder):
    def call(*options):
        return sandbox.cmr("init", str(folder), *options, trust=False)

    return call


@pytest.fixture
def tick(folder):
    file = folder / "contracts/events/Tick@1.0.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"$id": "urn:cmr:contract:Tick:1.0", "type": "object", "additionalProperties": False}))
    return file


def test_a_project_without_contracts_hears_nothing_of_them(init, folder):
    assert init().code == 0
    assert not (folder / PHASE2).exists()
    for path in (GATES, CONFIG, "CLAUDE.md"):
        text = (folder / path).read_text()
        assert "phase2" not in text, path
        assert "contract" not in text, path


def test_contracts_to_start_from(init, folder, sandbox):
    done = init("--contracts")
    assert done.code == 0
    assert "wrote  contracts/events/PriceTick@1.0.json\n" in done.out
    assert "wrote  contracts/events/examples/ (54 files)\n" in done.out
    assert "trust" not in done.out, "all that can run was written by init"
    found = sandbox.cmr("validate-contracts", "-C", str(folder), "--lint", "--examples", trust=False)
    assert found.code == 0, found.out
    assert found.out.count(" · project pass") == 5
    plan = sandbox.cmr("plan", "phase2", "-C", str(folder), trust=False)
    assert plan.code == 0, plan.err
    assert "uses contracts.roundtrip" in plan.out
    assert "gates   contracts" in plan.out
    assert "default: [phase0, phase1, phase2]" in (folder / CONFIG).read_text()
    again = init("--contracts", "--json").data()
    assert (again["written"], again["notes"]) == ([], [])


def test_contracts_that_are_there_are_kept_alone(init, folder, tick):
    assert init("--contracts").code == 0
    assert [one.name for one in tick.parent.iterdir()] == [tick.name]
    assert not (folder / "contracts/validators").exists()
    assert "gates: [contracts]" in (folder / PHASE2).read_text()


def test_a_project_that_gets_its_first_contract(init, folder, tick, sandbox):
    tick.rename(folder / "later.json")
    assert init().code == 0
    (folder / "later.json").rename(tick)
    done = init()
    assert f"wrote  {PHASE2}\n" in done.out
    assert f"note: phase2 is new: add it to a job in {CONFIG} if jobs shall run it" in done.err
    assert f"note: {GATES} has no gate for contracts: add  contracts: {{check: contracts}}" in done.err
    assert "gates:" not in (folder / PHASE2).read_text()
    assert sandbox.cmr("plan", "phase2", "-C", str(folder)).code == 0


def test_a_gate_that_the_project_has_already_is_used(init, folder, tick):
    (folder / "config").mkdir()
    (folder / GATES).write_text("schema: cmr/gates@v1\ngates: {contracts: {check: contracts, lint: false}}\n")
    assert init().code == 0
    assert "gates: [contracts]" in (folder / PHASE2).read_text()
    (folder / PHASE2).unlink()
    (folder / GATES).write_text("gates: [")
    assert init().code == 0
    assert "gates:" not in (folder / PHASE2).read_text()
