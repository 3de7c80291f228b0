"""Runs as CloudEvents, and CloudEvents of others judged by the contracts of a project."""

import json
import os
import sqlite3
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from cli_multi_rapid.cli.inputs import opened
from cli_multi_rapid.contracts.envelope import violations

TICK = {
    "specversion": "1.0", "id": "1", "source": "/desk", "type": "org.example.tick",
    "dataschema": "urn:cmr:contract:Tick:1.0", "data": {"price": "1.10"},
}  # fmt: skip
CONTRACT = {
    "$id": "urn:cmr:contract:Tick:1.0", "type": "object", "additionalProperties": False, "required": ["price"],
    "properties": {"price": {"type": "string"}, "text": {"type": "string"}},
}  # fmt: skip


@pytest.fixture
def desk(sandbox):
    sandbox.write("contracts/events/Tick@1.0.json", json.dumps(CONTRACT))
    return sandbox


@pytest.fixture
def judge(desk):
    """Write events as lines and judge them."""

    def judged(*events, options=()):
        text = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in events)
        desk.write("events.jsonl", text)
        return desk.cmr("validate-contracts", "--events", "events.jsonl", *options)

    return judged


class TestExport:
    def test_a_run_is_written_event_by_event_and_is_valid(self, sandbox):
        sandbox.phase(
            "p",
            """\
secrets: [TOKEN]
steps:
  - {id: a, run: [sh, -c, 'echo "token=$TOKEN" >> "$CMR_OUTPUT"; exit 3'], env: {TOKEN: "${{ secrets.TOKEN }}"}}
""".replace("permissions: {secrets: [TOKEN]}", "secrets: [TOKEN]"),
        )
        value = "correct-horse-" + "battery"
        assert sandbox.cmr("run-phase", "p", env={"TOKEN": value}).code == 1
        done = sandbox.cmr("export", "cloudevents")
        assert done.code == 0, done.err
        events = [json.loads(line) for line in done.out.splitlines()]
        assert [violations(one) for one in events] == [[]] * len(events)
        assert [one["id"] for one in events] == [str(number) for number in range(1, len(events) + 1)]
        assert [one["prevhash"] for one in events[1:]] == [one["hash"] for one in events[:-1]]
        assert (events[0]["type"], events[0]["dataschema"]) == (
            "cli-multi-rapid.run.started", "urn:cmr:contract:RunStarted:1.0",
        )  # fmt: skip
        assert events[0]["data"]["secrets"] == ["TOKEN"]
        assert value not in done.out
        sandbox.write("run.jsonl", done.out)
        judged = sandbox.cmr("validate-contracts", "--events", "run.jsonl")
        assert (judged.code, judged.out) == (0, f"events  {len(events)} pass\n")

    def test_to_a_new_file(self, sandbox):
        assert sandbox.cmr("run-phase", "p").code == 0
        run = sandbox.cmr("status", "last", "--json").data()["run"]["run"]
        assert sandbox.cmr("export", "cloudevents", run, "-o", "run.jsonl").out == "run.jsonl\n"
        written = (sandbox.root / "run.jsonl").read_text("utf-8")
        assert written == sandbox.cmr("export", "cloudevents").out
        again = sandbox.cmr("export", "cloudevents", "-o", "run.jsonl")
        assert (again.code, "is there already" in again.err) == (2, True)
        assert sandbox.cmr("export", "cloudevents", "--json").data()["text"] == written

    def test_bytes_that_are_no_text_can_be_read_by_everybody(self, sandbox):
        sandbox.phase("p", 'steps:\n  - {id: a, run: [sh, -c, \'touch "$(printf "a\\\\377")"; exit 1\'], writes: []}\n')
        assert sandbox.cmr("run-phase", "p").code == 1
        out = sandbox.cmr("export", "cloudevents").out
        assert "a\\\\udcff" in out
        sandbox.write("run.jsonl", out)
        assert sandbox.cmr("validate-contracts", "--events", "run.jsonl").code == 0

    def test_there_is_no_such_run(self, sandbox):
        assert sandbox.cmr("export", "cloudevents").code == 2
        assert sandbox.cmr("run-phase", "p").code == 0
        assert sandbox.cmr("export", "cloudevents", "ZZ").code == 2
        assert "pre-commit is not of a run" in sandbox.cmr("export", "pre-commit", "last").err

    @pytest.mark.forged_events
    def test_altered_events_are_not_exported(self, sandbox):
        assert sandbox.cmr("run-phase", "p").code == 0
        (log,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db")
        with sqlite3.connect(log) as connection:
            connection.execute("UPDATE event SET payload = '{\"by\": 1}' WHERE seq = 2")
        connection.close()
        done = sandbox.cmr("export", "cloudevents")
        assert (done.code, done.out) == (3, "")
        assert "event 2 of run" in done.err


class TestJudging:
    def test_valid_ones_pass(self, judge):
        done = judge(TICK, "", {**TICK, "id": "2"})
        assert (done.code, done.out, done.err) == (0, "events  2 pass\n", "")

    def test_each_violation_has_its_place(self, judge):
        done = judge(TICK, {**TICK, "time": "now", "data": {"price": 1.1, "more": True}}, 7)
        assert done.code == 1
        assert done.out.splitlines() == [
            "events.jsonl:2  /time  this is no date and time with an offset from UTC (RFC 3339)",
            'events.jsonl:2  /data/price  1.1 is not of type "string"',
            "events.jsonl:2  /data  Additional properties are not allowed ('more' was unexpected)",
            "events.jsonl:3  an event is a JSON object",
            "events  1 pass, 2 fail",
        ]

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            ("urn:cmr:contract:Tick:1.1", "  /dataschema  there is no contract 'urn:cmr:contract:Tick:1.1'"),
            (None, "  the attribute dataschema is missing, so there is no contract for data"),
            ("urn:cmr:contract:RunTaken:1.0", "  /dataschema  there is no contract 'urn:cmr:contract:RunTaken:1.0'"),
        ],
    )
    def test_a_contract_that_is_not_there_is_a_failure(self, judge, schema, said):
        done = judge({**TICK, "dataschema": schema})
        assert (done.code, done.out.splitlines()[0]) == (1, f"events.jsonl:1{said}")

    @pytest.mark.parametrize("change", [{"data": ...}, {"data": ..., "data_base64": "e30="}])
    def test_an_event_without_json_in_data_has_nothing_that_could_pass(self, judge, change):
        done = judge({name: value for name, value in {**TICK, **change}.items() if value != ...})
        assert done.code == 1
        assert "there is no JSON in data" in done.out

    def test_a_project_does_not_decide_what_events_of_the_program_are(self, desk, judge):
        lax = {"$id": "urn:cmr:contract:RunTaken:1.0", "type": "object"}
        desk.write("contracts/events/RunTaken@1.0.json", json.dumps(lax))
        ours = {**TICK, "type": "cli-multi-rapid.run.taken", "dataschema": lax["$id"], "data": {"any": 1}}
        assert judge(ours).code == 1
        assert judge({**ours, "type": "org.example.taken"}).code == 0

    def test_a_line_that_cannot_be_read_does_not_hide_the_others(self, judge):
        done = judge(TICK, '{"id": "1", "id": "2"}', {**TICK, "id": 3})
        assert done.code == 3
        assert done.out.splitlines() == [
            "events.jsonl:2  column 13: the key 'id' stands here for the second time",
            "events.jsonl:3  /id  this attribute is text",
            "events  1 pass, 1 error, 1 fail",
        ]

    def test_a_list_of_events(self, desk):
        desk.write("batch.json", "\n" + json.dumps([TICK, {**TICK, "id": ""}], indent=1))
        done = desk.cmr("validate-contracts", "--events", "batch.json", "--json")
        assert done.code == 1
        assert done.data() == {
            "status": "fail",
            "events": [
                {
                    "place": "batch.json#/0", "type": "org.example.tick", "dataschema": "urn:cmr:contract:Tick:1.0",
                    "status": "pass", "violations": [],
                },
                {
                    "place": "batch.json#/1", "type": "org.example.tick", "dataschema": "urn:cmr:contract:Tick:1.0",
                    "status": "fail", "violations": [{"pointer": "/id", "reason": "this attribute is not empty"}],
                },
            ],
        }  # fmt: skip

    def test_a_list_that_cannot_be_read_is_wrong_input(self, desk):
        desk.write("batch.json", f"\n[{json.dumps(TICK)},\n {{]")
        done = desk.cmr("validate-contracts", "--events", "batch.json")
        assert done.code == 2
        assert "batch.json:3:3" in done.err

    @pytest.mark.parametrize("text", ["", "\n \n", "[]"])
    def test_no_event_is_no_success(self, desk, text):
        desk.write("none.json", text)
        done = desk.cmr("validate-contracts", "--events", "none.json")
        assert done.code == 3
        assert "error[EVIDENCE-MISSING]: there is no event" in done.err

    def test_from_standard_input(self, desk):
        done = desk.started("validate-contracts", "--events", "-")
        assert (done.code, "there is no event" in done.err) == (3, True)

    def test_lines_from_standard_input(self, desk, monkeypatch):
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"{}\n")))
        with opened(Path("-"), folder=desk.root) as stream:
            assert stream.read() == b"{}\n"

    def test_from_another_folder(self, desk, tmp_path):
        desk.write("events.jsonl", json.dumps(TICK))
        assert desk.cmr("validate-contracts", "-C", str(desk.root), "--events", "events.jsonl", cwd=tmp_path).code == 0

    def test_a_file_that_is_not_there(self, desk):
        done = desk.cmr("validate-contracts", "--events", "nowhere.jsonl")
        assert (done.code, "nowhere.jsonl cannot be read" in done.err) == (2, True)

    def test_other_checks_are_of_contracts(self, judge):
        done = judge(TICK, options=("--lint",))
        assert (done.code, "--events judges events" in done.err) == (2, True)

    def test_a_contract_that_is_no_schema_is_said_first(self, desk, judge):
        desk.write("contracts/events/Bad@1.0.json", '{"$id": "urn:cmr:contract:Bad:1.0", "type": 7}')
        assert judge(TICK).code == 2

    def test_too_much_for_one_line(self, judge, monkeypatch):
        monkeypatch.setattr("cli_multi_rapid.services.cloudevents.LIMIT_BYTES", 400)
        done = judge(TICK, {**TICK, "data": {"price": "1", "text": "x" * 400}})
        assert done.code == 3
        assert "this is larger than" in done.out

    def test_too_much_for_one_list(self, desk, monkeypatch):
        monkeypatch.setattr("cli_multi_rapid.services.cloudevents.LIMIT_BYTES", 400)
        desk.write("batch.json", json.dumps([TICK, TICK, TICK]))
        assert desk.cmr("validate-contracts", "--events", "batch.json").code == 2
