"""What runs generated PowerShell, with a program in the place of pwsh: here no PowerShell is claimed to have run."""

import os
import re
import sys

import pytest
from contract_samples import INT, closed

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.targets.powershell import runtime
from cli_multi_rapid.contracts.targets.powershell.emitter import PowerShellEmitter

ANSWERING = """
import os, sys
given = dict(zip(sys.argv[1::1], sys.argv[2::1]))
assert given["-File"].endswith("driver.ps1") and open(given["-File"]).read().startswith("#requires")
assert open(given["-Module"]).read().count("ConvertFrom-" + given["-Name"] + "Json") > 1
assert os.path.exists(os.path.join(os.path.dirname(given["-Module"]), "CmrJson.psm1"))
assert os.environ["HOME"] == os.getcwd() and "PSModulePath" not in os.environ
data, answers = open(given["-Requests"], "rb").read(), open(given["-Answers"], "wb")
while data:
    size, _, data = data.partition(b"\\n")
    document, data = data[: int(size)], data[int(size):]
    bad = b"bad" in document
    answers.write(b"ERR #/x line 1 byte 2\\tbad\\n" if bad else b"OK " + document.replace(b"\\n", b" ") + b"\\n")
    print("noise")
"""


@pytest.fixture
def pwsh(tmp_path):
    """Put a program on a PATH as pwsh: it says a version, and is Python text otherwise."""

    def write(version, code="raise SystemExit(9)"):
        script = tmp_path / "fake.py"
        script.write_text(code)
        file = tmp_path / "bin" / "pwsh"
        file.parent.mkdir(exist_ok=True)
        said = f"if [ $# = 1 ] && [ $1 = -Version ]; then echo '{version}'; exit; fi"
        file.write_text(f'#!/bin/sh\n{said}\nexec {sys.executable} {script} "$@"\n')
        file.chmod(0o755)
        return {"PATH": f"{file.parent}{os.pathsep}/usr/bin{os.pathsep}/bin", "PSModulePath": "/nowhere"}

    return write


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("PowerShell 7.4.6", ""), ("PowerShell 7.10.0-preview.1", ""), ("PowerShell 8.0.0", ""),
        ("PowerShell 7.3.9", "/pwsh is 7.3.9; PowerShell 7.4 or later is needed"), ("hello",
        "does not say its version"),
    ],
)  # fmt: skip
def test_which_versions_are_enough(pwsh, version, reason):
    environment = pwsh(version)
    said = runtime.unavailable(environment)
    assert reason in said
    assert bool(said) is bool(reason)
    if not reason:
        number = re.search(r"\d+\.\d+\.\d+", version)[0]
        assert runtime.executed(environment) == f"PowerShell {number}"


def test_without_pwsh(tmp_path):
    assert runtime.unavailable({"PATH": str(tmp_path)}) == "pwsh is not on PATH; PowerShell 7.4 or later is needed"
    with pytest.raises(RuntimeFailed, match="not on PATH"):
        runtime.answers(None, {}, ["{}"], folder=tmp_path, environment={}, timeout=5)


def test_documents_go_there_and_back(emitted, pwsh, tmp_path):
    made = emitted(PowerShellEmitter(), closed(x=INT))
    folder = tmp_path / "folder"
    folder.mkdir()
    documents = ["{}", '{"x":\n"\U0001f600"}', "bad", ""]
    given = runtime.answers(
        made.contract,
        made.files,
        documents,
        folder=folder,
        environment=pwsh("PowerShell 7.5.0", ANSWERING),
        timeout=30,
    )
    assert given == [
        Answer(text="{}"), Answer(text='{"x": "\U0001f600"}'), Answer(error="bad", where="#/x line 1 byte 2"), Answer(),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "it ended with 3"), ("raise SystemExit('no module')", "it ended with 1: no module"),
        ("pass", "it wrote no answers"), ("while True: pass", "it did not end within 0.5 s"),
        (ANSWERING.replace("print", "break #"), "it answered 1 of 2 documents"),
        (ANSWERING.replace("b\"OK \"", "b\"YES \""), "this is no answer: b'YES {}'"),
        (ANSWERING + "\nanswers.write(b'OK')", "its last answer has no end"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_no_verdict(emitted, pwsh, tmp_path, code, reason):
    made = emitted(PowerShellEmitter(), closed(x=INT))
    folder = tmp_path / "folder"
    folder.mkdir()
    environment = pwsh("PowerShell 7.5.0", code)
    timeout = 0.5 if "while True" in code else 30
    with pytest.raises(RuntimeFailed, match=re.escape(reason)):
        runtime.answers(made.contract, made.files, ["{}"] * 2, folder=folder, environment=environment, timeout=timeout)
