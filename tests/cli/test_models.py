"""generate-models, and validate-contracts --drift."""

import json
import os
import sys
from hashlib import sha256
from importlib.metadata import PackageNotFoundError

import pytest

from cli_multi_rapid.contracts.targets.python import generator

FOLDER = "contracts/events"
MODELS = "contracts/models/python"
MANIFEST = "contracts/models/manifest.json"
PYTHON = ("--target", "python")


def contract(name, version="1.0", **properties):
    return json.dumps({
        "$id": f"urn:cmr:contract:{name}:{version}", "type": "object", "additionalProperties": False,
        "properties": {"bid": {"type": "string"}, **properties},
    })  # fmt: skip


@pytest.fixture
def project(sandbox):
    """A project with two contracts that share a part."""
    sandbox.write(f"{FOLDER}/parts/size.json", '{"type": "integer", "minimum": 0, "maximum": 9}')
    shared = {"$ref": "parts/size.json"}
    sandbox.write(f"{FOLDER}/Tick@1.0.json", contract("Tick", size=shared))
    sandbox.write(f"{FOLDER}/Order@1.2.json", contract("Order", "1.2", size=shared))
    return sandbox


@pytest.fixture
def generated(project):
    assert project.cmr("generate-models", *PYTHON).code == 0
    return project


def files(project, folder="contracts/models"):
    base = project.root / folder
    return {path.relative_to(base).as_posix(): path.read_text("utf-8") for path in base.rglob("*") if path.is_file()}


def states(done):
    return {one["path"].rpartition("/")[2]: (one["state"], one["reason"]) for one in done.data()["files"]}


def checks(project):
    done = project.cmr("validate-contracts", "--drift", "--json")
    found = {}
    for one in done.data()["contracts"]:
        for check in one["checks"]:
            if check["check"] == "drift":
                found[one["name"]] = (check["status"], check["detail"], check["target"])
    return done.code, found


def test_files_are_written_once_and_stay_the_same(project):
    done = project.cmr("generate-models", *PYTHON, trust=False)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "python  2 written\n"
        f"  written  {MODELS}/order_v1_2.py\n"
        f"  written  {MODELS}/tick_v1_0.py\n"
    )  # fmt: skip
    before = files(project)
    assert set(before) == {"python/order_v1_2.py", "python/tick_v1_0.py", "manifest.json"}
    times = {path: (project.root / "contracts/models" / path).stat().st_mtime_ns for path in before}
    again = project.cmr("generate-models", *PYTHON)
    assert again.out == "python  2 unchanged\n"
    assert files(project) == before
    assert {path: (project.root / "contracts/models" / path).stat().st_mtime_ns for path in before} == times
    assert str(project.root) not in "".join(before.values())
    assert project.cmr("generate-models", *PYTHON, "--check").code == 0
    assert checks(project) == (0, {"Tick": ("pass", "", "python"), "Order": ("pass", "", "python")})


def test_what_no_contract_makes_any_more_is_removed_and_nothing_else(generated):
    generated.write(f"{MODELS}/mine_v1_0.py", "mine\n")
    (generated.root / f"{FOLDER}/Tick@1.0.json").unlink()
    done = generated.cmr("generate-models", *PYTHON, "--check", "--json")
    assert done.code == 1
    assert states(done)["tick_v1_0.py"] == ("drifted", "no contract makes it any more")
    done = generated.cmr("generate-models", *PYTHON, "--json")
    assert (done.code, states(done)["tick_v1_0.py"][0]) == (0, "removed")
    assert set(files(generated)) == {"python/order_v1_2.py", "python/mine_v1_0.py", "manifest.json"}


def test_what_was_edited_is_not_removed(generated):
    (generated.root / f"{FOLDER}/Tick@1.0.json").unlink()
    generated.write(f"{MODELS}/tick_v1_0.py", "work\n")
    done = generated.cmr("generate-models", *PYTHON, "--json")
    assert states(done)["tick_v1_0.py"] == ("kept", "no contract makes it any more; it was edited by hand")
    assert files(generated)["python/tick_v1_0.py"] == "work\n"


def test_a_file_of_somebody_else_is_not_replaced_and_nothing_is_written(project):
    project.write(f"{MODELS}/tick_v1_0.py", "mine\n")
    done = project.cmr("generate-models", *PYTHON)
    assert done.code == 1
    assert "error[MODELS-FILE]: there is a file that generate-models has not written" in done.err
    assert f"where  {MODELS}/tick_v1_0.py" in done.err
    assert set(files(project)) == {"python/tick_v1_0.py"}


def test_a_manifest_that_came_with_a_clone_removes_nothing_of_ours(generated):
    victim = generated.write("src/app.py", "print('mine')\n")
    manifest = json.loads(files(generated)["manifest.json"])
    digest = sha256(victim.read_bytes()).hexdigest()
    for path in ("src/app.py", "../outside.py", ".git/config", "contracts/models/python/../../../src/app.py"):
        manifest["targets"]["python"]["support"][path] = digest
    generated.write(MANIFEST, json.dumps(manifest))
    generated.write("../outside.py", victim.read_text())
    done = generated.cmr("generate-models", *PYTHON, "--json")
    assert done.code == 0
    assert {one["state"] for one in done.data()["files"]} == {"unchanged", "kept"}
    assert victim.exists()
    assert (generated.root / ".git/config").exists()
    assert (generated.root / "../outside.py").exists()


def test_an_edited_file_is_written_anew_and_that_is_said(generated):
    generated.write(f"{MODELS}/tick_v1_0.py", "work\n")
    done = generated.cmr("generate-models", *PYTHON, "--json")
    assert states(done)["tick_v1_0.py"] == ("written", "it was edited by hand; that is gone")
    assert generated.cmr("generate-models", *PYTHON, "--check").code == 0


DRIFTS = {
    "schema": (lambda one: one.write(f"{FOLDER}/Tick@1.0.json", contract("Tick")), {"Tick"},
    "the schema has changed since"),
    "part": (
        lambda one: one.write(f"{FOLDER}/parts/size.json", '{"type": "integer"}'), {"Tick", "Order"},
        "the schema has changed",
    ),
    "order of keys": (
        lambda one: one.write(f"{FOLDER}/Tick@1.0.json", json.dumps(dict(reversed(json.loads(
            (one.root / f"{FOLDER}/Tick@1.0.json").read_text()).items())))), {"Tick"}, "the schema has changed",
    ),
    "edited": (lambda one: one.write(f"{MODELS}/tick_v1_0.py", "x"), {"Tick"}, "was edited by hand"),
    "missing": (lambda one: (one.root / f"{MODELS}/tick_v1_0.py").unlink(), {"Tick"}, "is missing"),
    "new": (lambda one: one.write(f"{FOLDER}/New@1.0.json", contract("New")), {"New"},
    "no code has been generated of it"),
    "settings": (
        lambda one: one.write("config/workflow-config.yaml",
        "schema: cmr/config@v1\ncontracts: {python: {style: typed-dict}}\n"),
        {"Tick", "Order"}, "the settings have changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRIFTS)
def test_drift_of_every_kind_is_named_by_both_checks(generated, kind):
    change, names, said = DRIFTS[kind]
    change(generated)
    before = files(generated)
    code, found = checks(generated)
    assert code == 1
    assert {name for name, (status, *_) in found.items() if status == "fail"} == names
    done = generated.cmr("generate-models", "--check", "--json")
    drifted = {
        one["contract"].partition("@")[0]: one["reason"] for one in done.data()["files"] if one["state"] == "drifted"
    }
    assert (done.code, set(drifted)) == (1, names)
    assert all(said in reason for reason in (*drifted.values(), *(found[name][1] for name in names)))
    assert files(generated) == before, "nothing is written"
    assert generated.cmr("generate-models", *PYTHON).code == 0
    assert checks(generated)[0] == 0


def test_a_language_that_was_taken_out_of_the_manifest_has_drifted(project):
    assert project.cmr("generate-models", *PYTHON, "--target", "typescript").code == 0
    manifest = json.loads(files(project)["manifest.json"])
    del manifest["targets"]["python"]
    project.write(MANIFEST, json.dumps(manifest))
    done = project.cmr("generate-models", "--check", "--json")
    assert done.code == 1
    assert states(done)["tick_v1_0.py"] == ("drifted", "no code has been generated of it")
    done = project.cmr("validate-contracts", "--drift", "--json")
    assert done.code == 1
    drift = [one for one in done.data()["contracts"][0]["checks"] if one["check"] == "drift"]
    assert [(one["target"], one["status"]) for one in drift] == [("python", "fail"), ("typescript", "pass")]


def test_blanks_in_a_schema_are_no_drift(generated):
    path = generated.root / FOLDER / "Tick@1.0.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4))
    assert checks(generated)[0] == 0
    assert generated.cmr("generate-models", "--check").code == 0


def test_a_newer_generator_is_named_where_it_makes_a_difference(generated):
    text = files(generated)["manifest.json"]
    generated.write(
        MANIFEST, text.replace('"datamodel-code-generator": "0.89.0"', '"datamodel-code-generator": "0.88.0"')
    )
    assert generated.cmr("generate-models", "--check").code == 0, "it makes none"
    manifest = json.loads(files(generated)["manifest.json"])
    tick = manifest["targets"]["python"]["contracts"]["Tick@1.0"]
    tick["sha256"] = sha256(b"older\n").hexdigest()
    generated.write(f"{MODELS}/tick_v1_0.py", "older\n")
    generated.write(MANIFEST, json.dumps(manifest))
    assert checks(generated)[0] == 0, "only generating tells"
    done = generated.cmr("generate-models", "--check", "--json")
    said = "what generates it is newer: datamodel-code-generator 0.88.0 -> 0.89.0"
    assert (done.code, states(done)["tick_v1_0.py"]) == (1, ("drifted", said))


def test_drift_needs_no_generator(generated, monkeypatch):
    monkeypatch.setitem(sys.modules, "datamodel_code_generator", None)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    assert checks(generated)[0] == 0
    loaded = {name for name in sys.modules if name.startswith("cli_multi_rapid.contracts.targets.python")}
    assert loaded


def test_nothing_generated_is_no_verdict(project):
    code, found = checks(project)
    assert code == 3
    assert found["Tick"][0] == "not_run"
    assert project.cmr("generate-models", *PYTHON, "--check").code == 1


def test_without_the_generator_the_fix_is_told(project, monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", absent)
    generator.require_installed.cache_clear()
    done = project.cmr("generate-models", *PYTHON)
    assert done.code == 3
    assert "pip install 'cli-multi-rapid[contracts]'" in done.err
    assert not (project.root / "contracts/models").exists()
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.90.0")
    assert "is 0.90.0; models are made by 0.89.0 only" in project.cmr("generate-models", *PYTHON).err


def test_the_project_says_what_is_generated_and_where(project):
    config = (
        "schema: cmr/config@v1\ncontracts: {targets: [python], python: {style: typed-dict, folder: src/shop/models}}\n"
    )
    project.write("config/workflow-config.yaml", config)
    assert project.cmr("generate-models").out.startswith("python  2 written\n")
    assert set(files(project)) == {"manifest.json"}
    made = files(project, "src/shop/models")
    assert set(made) == {"order_v1_2.py", "tick_v1_0.py"}
    assert "class Tick(TypedDict):" in made["tick_v1_0.py"]
    shown = project.cmr("config", "show", "--json").data()
    assert "typed-dict" in json.dumps(shown)
    project.write("config/workflow-config.yaml", "schema: cmr/config@v1\ncontracts: {targets: [python]}\n")
    done = project.cmr("generate-models", "--json")
    assert {one["state"] for one in done.data()["files"]} == {"written", "removed"}
    assert not files(project, "src")


@pytest.mark.parametrize("folder", ["../out", "/tmp/x", "a/../b", ".git/hooks", "a//b", "", "a/.git"])
def test_a_folder_that_leads_outside(project, folder):
    project.write(
        "config/workflow-config.yaml", f"schema: cmr/config@v1\ncontracts: {{python: {{folder: '{folder}'}}}}\n"
    )
    done = project.cmr("generate-models", *PYTHON)
    assert done.code == 2
    assert "folder" in done.err


def test_links_are_not_followed(project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (project.root / "contracts/models").mkdir()
    (project.root / MODELS).symlink_to(outside)
    done = project.cmr("generate-models", *PYTHON)
    assert done.code == 1
    assert done.err.count("error[MODELS-FILE]") == 2
    (project.root / MODELS).unlink()
    (project.root / MODELS).mkdir()
    target = outside / "secret"
    target.write_text("x")
    (project.root / MODELS / "tick_v1_0.py").symlink_to(target)
    os.mkfifo(project.root / MODELS / "order_v1_2.py")
    assert project.cmr("generate-models", *PYTHON).err.count("error[MODELS-FILE]") == 2
    assert target.read_text() == "x"
    (project.root / MANIFEST).symlink_to(target)
    done = project.cmr("generate-models", *PYTHON)
    assert (done.code, done.err.count(f"where  {MANIFEST}")) == (1, 1)
    assert target.read_text() == "x"


def test_contracts_that_would_become_the_same_file(project):
    for name in ("ABTest", "AbTest"):
        project.write(f"{FOLDER}/{name}@1.0.json", contract(name))
    done = project.cmr("generate-models", *PYTHON)
    assert done.code == 1
    assert "error[MODELS-CONTRACT]: python: it would become the same file as ABTest@1.0" in done.err
    assert not (project.root / "contracts/models").exists()


def test_a_manifest_that_is_none(generated):
    for text in (
        "{",
        "[]",
        '{"schema": "cmr/models@v2"}',
        '{"schema": "cmr/models@v1", "targets": {"python": {"contracts": 1}}}',
    ):
        generated.write(MANIFEST, text)
        assert generated.cmr("generate-models", *PYTHON).code == 2
        assert generated.cmr("validate-contracts", "--drift").code == 2
    (generated.root / MANIFEST).unlink()
    done = generated.cmr("generate-models", *PYTHON)
    assert (done.code, done.out) == (0, "python  2 unchanged\n"), "what is the same is taken over"
    assert checks(generated)[0] == 0


def test_an_interruption_leaves_what_the_next_generation_mends(generated):
    """After the manifest and before the files: they are known as ours, so they are replaced."""
    before = files(generated)
    generated.write(f"{FOLDER}/Tick@1.0.json", contract("Tick", more={"type": "string"}))
    assert generated.cmr("generate-models", *PYTHON).code == 0
    generated.write(f"{MODELS}/tick_v1_0.py", before["python/tick_v1_0.py"])
    (generated.root / MODELS / "order_v1_2.py").unlink()
    assert checks(generated)[0] == 1
    assert generated.cmr("generate-models", *PYTHON).code == 0
    assert checks(generated)[0] == 0


TYPESCRIPT = "contracts/models/typescript"


def test_without_a_choice_every_language_is_generated(project):
    done = project.cmr("generate-models")
    assert done.code == 0, done.err
    made = {path for path in files(project) if "tick" in path.lower()}
    assert made == {
        "python/tick_v1_0.py", "typescript/tick_v1_0.ts", "powershell/Tick_v1_0.psm1", "mql4/Tick_v1_0.mqh",
    }  # fmt: skip
    assert project.cmr("generate-models").out.count("unchanged") == 4
    assert project.cmr("generate-models", "--check").code == 0
    assert checks(project)[0] == 0


def test_languages_are_generated_side_by_side_and_one_alone_leaves_the_others(project):
    assert project.cmr("generate-models", *PYTHON, "--target", "typescript").code == 0
    before = files(project)
    assert {"python/tick_v1_0.py", "typescript/tick_v1_0.ts", "typescript/cmr_json.ts"} < set(before)
    (project.root / f"{FOLDER}/Order@1.2.json").unlink()
    assert project.cmr("generate-models", *PYTHON).code == 0
    assert set(before) - set(files(project)) == {"python/order_v1_2.py"}
    done = project.cmr("generate-models", "--check", "--json")
    assert (done.code, states(done)["order_v1_2.ts"]) == (1, ("drifted", "no contract makes it any more"))
    assert project.cmr("generate-models", "--target", "typescript").code == 0
    assert project.cmr("generate-models", "--check").code == 0


def test_a_file_beside_the_generated_ones_drifts_with_all_of_them(project):
    assert project.cmr("generate-models", *PYTHON, "--target", "typescript").code == 0
    project.write(f"{TYPESCRIPT}/cmr_json.ts", "x")
    done = project.cmr("validate-contracts", "--drift", "--json")
    failed = [
        (one["name"], check["target"], check["detail"])
        for one in done.data()["contracts"] for check in one["checks"] if check["status"] == "fail"
    ]  # fmt: skip
    said = f"{TYPESCRIPT}/cmr_json.ts was edited by hand"
    assert failed == [("Order", "typescript", said), ("Tick", "typescript", said)]
    assert states(project.cmr("generate-models", "--check", "--json"))["cmr_json.ts"][0] == "drifted"


def test_what_one_language_refuses_stops_all(project):
    project.write(f"{FOLDER}/Open@1.0.json", json.dumps({"$id": "urn:cmr:contract:Open:1.0", "type": "object"}))
    project.write(f"{FOLDER}/Text@1.0.json", json.dumps({"$id": "urn:cmr:contract:Text:1.0", "type": "string"}))
    targets = (*PYTHON, "--target", "typescript")
    for more in ((), ("--check",)):
        done = project.cmr("generate-models", *targets, *more, "--json")
        assert done.code == 1
        problems = {one["path"]: one["message"] for one in done.data()["error"]["problems"]}
        assert problems == {
            f"{FOLDER}/Open@1.0.json#": "typescript: objects are closed: `additionalProperties` is false",
            f"{FOLDER}/Text@1.0.json#": "typescript: a contract is an object, or a union of objects",
        }
        assert not (project.root / "contracts/models").exists()
    assert project.cmr("generate-models", *PYTHON).code == 0, "Python can express any schema"
