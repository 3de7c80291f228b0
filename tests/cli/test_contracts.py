"""validate-contracts, and contracts before a job."""

import json
import os
import shutil
import socket

import pytest

FOLDER = "contracts/events"
GOOD = {
    "$id": "urn:cmr:contract:Tick:1.0", "type": "object", "additionalProperties": False, "required": ["bid"],
    "properties": {"bid": {"type": "string", "pattern": "^[0-9]+[.][0-9]+$"}},
}  # fmt: skip


@pytest.fixture
def tick(sandbox):
    def write(**changed):
        return sandbox.write(f"{FOLDER}/Tick@1.0.json", json.dumps({**GOOD, **changed}))

    write()
    return write


def example(sandbox, kind, text, name="Tick@1.0"):
    sandbox.write(f"{FOLDER}/examples/{name}/{kind}/one.json", text)


def test_no_contract_is_no_verdict(sandbox):
    done = sandbox.cmr("validate-contracts")
    assert done.code == 3
    assert "error[CONTRACTS-MISSING]" in done.err


def test_everything_passes(sandbox, tick):
    example(sandbox, "valid", '{"bid": "1.5"}')
    example(sandbox, "invalid", '{"bid": 1.5}')
    done = sandbox.cmr("validate-contracts", "--lint", "--examples", "--json", trust=False)
    assert done.code == 0
    said = done.data()
    assert said["status"] == "pass"
    (found,) = said["contracts"]
    assert (found["name"], found["version"]) == ("Tick", "1.0")
    assert [check["check"] for check in found["checks"]] == ["schema", "profile", "examples", "examples"]


@pytest.mark.parametrize(
    ("kind", "text", "code", "said"),
    [
        ("valid", '{"bid": 1.5}', 1, "examples fail  contracts/events/examples/Tick@1.0/valid/one.json#/bid: must be"),
        ("invalid", '{"bid": "1.5"}', 1, "must not be valid, but is"),
        ("invalid", '{"bid": ', 3, "one.json:1:9: this is not JSON"),
    ],
)
def test_an_example_that_is_not_what_it_must_be(sandbox, tick, kind, text, code, said):
    example(sandbox, kind, text)
    done = sandbox.cmr("validate-contracts")
    assert done.code == code
    assert said in done.out


def test_examples_that_are_missing_or_belong_to_nothing(sandbox, tick):
    assert sandbox.cmr("validate-contracts").code == 0
    assert sandbox.cmr("validate-contracts", "--examples").code == 3
    example(sandbox, "valid", "{}", name="Tikc@1.0")
    assert sandbox.cmr("validate-contracts").code == 2


def test_the_profile_counts_when_it_is_asked_for(sandbox, tick):
    tick(additionalProperties=True)
    assert sandbox.cmr("validate-contracts").code == 0
    done = sandbox.cmr("validate-contracts", "--lint")
    assert done.code == 1
    assert "profile fail  contracts/events/Tick@1.0.json#: objects are closed" in done.out


def test_broken_json_has_its_place(sandbox):
    sandbox.write(f"{FOLDER}/Tick@1.0.json", '{"a": 1,\n "a": 2}')
    done = sandbox.cmr("validate-contracts")
    assert done.code == 2
    assert (
        f"error[CONTRACT-JSON]: the key 'a' stands here for the second time\n  where  {FOLDER}/Tick@1.0.json:2:2"
        in (done.err)
    )


def test_links_pipes_and_large_files_are_refused(sandbox, tick, tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    (sandbox.root / FOLDER / "link").symlink_to(outside)
    os.mkfifo(sandbox.root / FOLDER / "pipe")
    sandbox.write(f"{FOLDER}/large", '{"a": "' + "x" * (1 << 20) + '"}')
    sandbox.write(f"{FOLDER}/Large@1.0.json", " " * (10 << 20))
    tick(properties={name: {"$ref": name} for name in ("link", "pipe", "large")})
    done = sandbox.cmr("validate-contracts")
    assert done.code == 2
    assert done.err.count("error[CONTRACT-FILE]") == 4


def test_nothing_is_fetched(sandbox, tick):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        tick(properties={"x": {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/x.json"}})
        assert sandbox.cmr("validate-contracts").code == 2
        with pytest.raises(TimeoutError):
            server.accept()


def test_references_without_an_end(sandbox, tick):
    tick(**{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#"}}})
    done = sandbox.cmr("validate-contracts")
    assert done.code == 2
    assert "Tick@1.0.json# -> contracts/events/Tick@1.0.json#/$defs/a -> " in done.err


def test_a_job_does_not_start_with_a_contract_that_is_none(sandbox, tick):
    assert sandbox.cmr("run-job", "--workflow-validate").code == 0
    tick(type="strnig")
    runs = len(sandbox.cmr("status", "--json").data()["runs"])
    done = sandbox.cmr("run-job", "--workflow-validate")
    assert done.code == 2
    assert "error[CONTRACT-SCHEMA]" in done.err
    assert len(sandbox.cmr("status", "--json").data()["runs"]) == runs


class TestOwnChecks:
    SOURCE = "def check(ctx):\n    return [ctx.violation('no bid', p) for p, k, _ in ctx.members() if k == 'bid']\n"

    def test_a_violation_fails(self, sandbox, tick):
        sandbox.write("contracts/validators/bids.py", self.SOURCE)
        done = sandbox.cmr("validate-contracts")
        assert done.code == 1
        place = f"{FOLDER}/Tick@1.0.json#/properties/bid"
        assert f"  project fail  {place}: no bid (contracts/validators/bids.py)\n" in done.out
        tick(properties={}, required=[])
        done = sandbox.cmr("validate-contracts", "--json")
        assert done.code == 0
        assert done.data()["contracts"][0]["checks"][1]["check"] == "project"

    def test_nobody_has_approved_it(self, sandbox, tick):
        sandbox.write("contracts/validators/bids.py", self.SOURCE)
        sandbox.write(f"{FOLDER}/Tock@1.0.json", json.dumps({**GOOD, "$id": "urn:cmr:contract:Tock:1.0"}))
        done = sandbox.cmr("validate-contracts", trust=False)
        assert done.code == 3
        assert done.out.count("nobody has approved that this file runs") == 1, "what repeats is said once"
        assert sandbox.cmr("validate-contracts", "--no-project", trust=False).code == 0


class TestRoundTrip:
    @pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not on PATH")
    def test_documents_go_through_what_is_here(self, sandbox, tick):
        done = sandbox.cmr("validate-contracts", "--roundtrip", "--documents", "30", "--json", trust=False)
        assert done.code == 0
        said = done.data()
        assert said["status"] == "pass"
        checks = {one["target"]: one for one in said["contracts"][0]["checks"] if one["check"] == "roundtrip"}
        assert checks["python"]["status"] == checks["mql4"]["status"] == "pass"
        assert "host-compiled MQL4 subset, g++" in checks["mql4"]["detail"]
        assert checks["MetaEditor"]["status"] == "not_run"
        assert not checks["MetaEditor"]["needed"]
        shown = sandbox.cmr("validate-contracts", "--roundtrip", "--documents", "30")
        assert "  roundtrip mql4 pass  host-compiled MQL4 subset" in shown.out
        assert "(taken over: nothing has changed; --no-cache runs it anew)" in shown.out
        assert "not run: roundtrip MetaEditor: " in shown.out
        required = sandbox.cmr("validate-contracts", "--roundtrip", "--documents", "30", "--require", "metaeditor,mql4")
        assert required.code == 3
        assert "  roundtrip MetaEditor not_run  " in required.out

    def test_what_is_not_here_is_not_passed(self, sandbox, tick):
        done = sandbox.cmr("validate-contracts", "--roundtrip", "--require", "pwsh,g++", env={"PATH": "/nowhere"})
        assert done.code == 3
        assert "roundtrip powershell not_run  pwsh is not on PATH" in done.out
        assert "roundtrip mql4 not_run  no C++ compiler" in done.out
        assert "roundtrip python pass" in done.out

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--roundtrip", "--require", "nodde"], "did you mean 'node'?"),
            (["--require", "node"], "add --roundtrip"),
            (["--seed", "2"], "add --roundtrip"),
            (["--no-cache"], "add --roundtrip"),
            (["--roundtrip", "--documents", "0"], "0 is not in the range"),
        ],
    )
    def test_wrong_usage(self, sandbox, tick, options, said):
        done = sandbox.cmr("validate-contracts", *options)
        assert done.code == 2
        assert said in done.err
