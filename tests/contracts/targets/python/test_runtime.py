"""Generated Python is executed alone, in a process of its own, and a crash of it is no answer."""

import os
import sys
from importlib import resources
from io import BytesIO, TextIOWrapper

import pytest
from rich_contract import INT64, closed, opened

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.targets.python import driver, runtime
from cli_multi_rapid.contracts.targets.python.emitter import PythonEmitter

DOCUMENTS = ['{"n": 1.0}', '{"n":"1"}', "[", '{"n":1,"n":2}']


@pytest.fixture(scope="module")
def made():
    found = opened(closed(("n",), n=INT64))
    emitter = PythonEmitter()
    return found.contract, {emitter.file_name(found.contract): emitter.text(found.found, found.contract)}


def test_every_document_has_its_answer(made, tmp_path):
    assert runtime.unavailable(os.environ) == ""
    assert runtime.executed(os.environ).startswith("Python 3.")
    contract, files = made
    answers = runtime.answers(contract, files, DOCUMENTS, folder=tmp_path, environment=os.environ, timeout=60)
    assert answers[0] == Answer(text='{"n":1}')
    assert [one.where for one in answers] == ["", "#/n", "#", "#"]
    assert not any(one.accepted for one in answers[1:])


def test_what_the_driver_writes(made, tmp_path, monkeypatch):
    contract, files = made
    ((name, text),) = files.items()
    (tmp_path / name).write_text(text, "utf-8")
    requests = b"".join(b"%d\n%b" % (len(one), one.encode()) for one in DOCUMENTS[:2])
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(requests)))
    monkeypatch.setattr(sys, "stdout", target := TextIOWrapper(BytesIO()))
    monkeypatch.delitem(sys.modules, "generated", raising=False)
    driver.main(str(tmp_path / name), contract.name)
    sys.modules.pop("generated")
    said = target.buffer.getvalue().decode().splitlines()
    assert said[0] == 'OK {"n":1}'
    assert said[1].startswith("ERR #/n\t")


def test_a_module_that_does_not_work_gives_no_verdict(made, tmp_path):
    contract, files = made
    broken = dict.fromkeys(files, "raise SystemExit(3)\n")
    with pytest.raises(RuntimeFailed, match="ended with 3"):
        runtime.answers(contract, broken, DOCUMENTS, folder=tmp_path, environment=os.environ, timeout=60)


def test_nothing_of_the_environment_leads_to_other_code(made, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit(4)\n")
    contract, files = made
    folder = tmp_path / "own"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "json.py")}
    assert runtime.answers(contract, files, ["{}"], folder=folder, environment=environment, timeout=60)


def test_the_driver_is_part_of_the_package():
    assert resources.files("cli_multi_rapid.contracts.targets.python").joinpath("driver.py").is_file()
