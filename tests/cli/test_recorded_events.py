"""Runs that record every kind of event there is, each held against its contract, and the state of the repository."""

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli_multi_rapid.cli.lines import line_of, remark_line
from cli_multi_rapid.contracts.own import contract_name, own_validators
from cli_multi_rapid.documents.history import view
from cli_multi_rapid.engine.fold import fold
from cli_multi_rapid.model.events import Event, Kind, NewEvent
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.services.snapshot import plan_of
from cli_multi_rapid.system.store import chained

ROOT = Path(__file__).resolve().parents[2]
GATES = "config/compliance-gates.yaml"
RICH = """\
inputs: {fix: {type: boolean, default: false}}
steps:
  - {id: count, run: [echo, "${{ matrix.n }}"], matrix: {n: [1, 2]}, writes: []}
  - id: flaky
    run: [sh, -c, 'echo x >> src/a; echo r > "$OUT/report"; test -e ../once || { touch ../once; exit 7; }']
    writes: [src/**]
    retry: {attempts: 2, initial: 1ms}
    env: {OUT: "${{ step.out }}"}
    produces: {report: report}
    accept: [words]
  - {id: sign, approval: {by: []}}
gates: [words]
"""
BROKEN = """\
rollback: {on: [failure]}
steps:
  - {id: deploy, run: [echo, out], writes: [], undo: {run: [echo, back]}}
  - {id: fails, run: [sh, -c, exit 7], writes: []}
"""
SECRETLY = "steps: [{id: a, run: [sh, -c, 'echo y >> src/b'], writes: []}]\n"


def events():
    """Return all recorded events as kind and payload."""
    (log,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db")
    with closing(sqlite3.connect(log)) as connection:
        rows = connection.execute("SELECT kind, payload FROM event").fetchall()
    return [(Kind(kind), json.loads(payload)) for kind, payload in rows]


def test_every_kind_of_event_is_recorded_as_its_contract_says(sandbox, tmp_path):
    sandbox.write(GATES, "schema: cmr/gates@v1\ngates:\n  words: {check: denylist}\n")
    for name in ("a", "b"):
        sandbox.write(f"src/{name}", "1\n")
    for name, text in (("rich", RICH), ("broken", BROKEN), ("secretly", SECRETLY)):
        sandbox.phase(name, text)
    sandbox.phase(
        "lasts",
        f"""\
steps: [{{id: sleep, run: [sh, -c, 'touch {tmp_path}/flag; exec sleep 30'], writes: [src/**]}}]
finally: [{{id: clean, run: [echo, clean], writes: []}}]
""",
    )
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "phases")
    assert sandbox.cmr("run-phase", "rich", "--validate").code == 4
    assert sandbox.cmr("approve", "last", "sign", "--reason", "looks good").code == 0
    assert sandbox.cmr("resume").code == 0
    for name in ("broken", "secretly"):
        assert sandbox.cmr("run-phase", name).code == 1
    assert sandbox.cmr("run-phase", "lasts", "--timeout", "500ms").code == 124
    assert sandbox.cmr("cancel", "last").code == 0
    assert sandbox.cmr("resume").code == 1
    (tmp_path / "flag").unlink()
    killed = sandbox.begun(tmp_path / "flag", "run-phase", "lasts")
    killed.send_signal(signal.SIGKILL)
    killed.wait(20)
    assert sandbox.cmr("resume", "--timeout", "500ms").code == 124
    found = events()
    validators = own_validators()
    assert [(kind, wrong.message) for kind, data in found for wrong in validators[kind].iter_errors(data)] == []
    assert {kind for kind, _ in found} == set(Kind)


def test_each_contract_refuses_what_another_kind_records(sandbox):
    """Contracts so open that they say nothing would pass the test above, too."""
    assert sandbox.cmr("run-phase", "p").code == 0
    validators = own_validators()
    for kind, data in events():
        assert [other for other in Kind if validators[other].is_valid(data)] in ([kind], _alike(kind)), kind


def _alike(kind: Kind) -> list[Kind]:
    results = (Kind.STEP_INTERIM, Kind.STEP_FINISHED, Kind.STEP_REFUTED, Kind.UNDO_FINISHED)
    return [one for one in results if kind in results]


EXAMPLES = ROOT / "contracts/events/examples"
FIRST = "of-a-first-version"


def example(kind: Kind, name: str, seq: int = 1, *, attempt: int = 1) -> Event:
    payload = json.loads((EXAMPLES / f"{contract_name(kind)}@1.0/valid/{name}.json").read_bytes())
    area = kind.value.partition(".")[0]
    step = {"run": "", "tree": "", "phase": "build", "gate": "build/gate:tests"}.get(area, "build/make")
    return chained("R", seq, "", NewEvent(kind=kind, payload=payload, step=step, attempt=attempt))


def test_what_first_versions_recorded_is_still_read():
    told = [
        (Kind.RUN_STARTED, FIRST), (Kind.RUN_TAKEN, "first"), (Kind.PHASE_STARTED, "with-a-title"),
        (Kind.STEP_STARTED, "of-a-reader"), (Kind.STEP_FINISHED, FIRST), (Kind.GATE_FINISHED, FIRST),
        (Kind.PHASE_FINISHED, "success"), (Kind.RUN_FINISHED, "success"),
    ]  # fmt: skip
    events = [example(kind, name, seq) for seq, (kind, name) in enumerate(told, start=1)]
    state = fold("R", events)
    assert (state.status, state.exit_code, state.step("build/make").status) == (Status.SUCCESS, 0, Status.SUCCESS)
    shown = view(events, alive=False)
    assert (shown.status, shown.origin.job, shown.steps[0].changed) == (Status.SUCCESS, "", 0)
    assert plan_of(state.started).phases[0].name == "build"
    assert [line for line in map(line_of, events) if line] != []


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, file.stem) for kind in Kind for file in sorted((EXAMPLES / f"{contract_name(kind)}@1.0/valid").iterdir())],
)
def test_every_valid_example_can_be_read(kind, name):
    """What a contract allows and the program cannot read would be a promise that it does not keep."""
    begun = [example(Kind.RUN_STARTED, FIRST), example(Kind.STEP_STARTED, "of-a-writer", 2)]
    events = [*(begun if kind is not Kind.RUN_STARTED else []), example(kind, name, 3)]
    state = fold("R", events)
    assert view(events, alive=False).run == state.id == "R"
    assert [line_of(event) for event in events]
    assert [remark_line(event) for event in events]


@pytest.mark.parametrize(
    "arguments", [("generate-models", "--check"), ("validate-contracts", "--examples", "--drift", "--no-project")]
)
def test_this_repository_keeps_to_its_own_contracts(sandbox, arguments):
    done = sandbox.cmr(*arguments, "-C", str(ROOT))
    assert done.code == 0, done.out + done.err
