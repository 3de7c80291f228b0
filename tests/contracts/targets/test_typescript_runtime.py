"""Which Node.js executes generated code, and what becomes of code that crashes, hangs or reaches out."""

import os
import sys

import pytest
from contract_samples import INT, closed

from cli_multi_rapid.contracts.emitting import RuntimeFailed
from cli_multi_rapid.contracts.targets.typescript import runtime
from cli_multi_rapid.contracts.targets.typescript.emitter import TypeScriptEmitter

NAME = "order_intent_v1_2.ts"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a `node` on the PATH that says a version, with none beside the interpreter."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere" / "python"))

    def write(answer):
        file = tmp_path / "bin" / "node"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{answer}\n")
        file.chmod(0o755)
        return {"PATH": str(file.parent)}

    return write


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("echo v22.18.0 /usr/bin/node", ""), ("echo v22.17.9 /usr/bin/node",
        "node is 22.17.9; TypeScript needs Node.js 22.18"),
        ("echo v23.5.0 /usr/bin/node", "node is 23.5.0; "), ("echo v23.6.1 /usr/bin/node", ""),
        ("echo v100.0.0-nightly2026 /usr/bin/my node", ""), ("echo hello", "node does not say its version; "),
        ("echo v24.0.0 /usr/bin/node; exit 1", "does not say its version; "),
    ],
)  # fmt: skip
def test_which_versions_are_enough(program, answer, reason):
    said = runtime.unavailable(program(answer))
    assert reason in said
    assert bool(said) is bool(reason)


def test_without_node(program, tmp_path):
    assert runtime.unavailable({}) == "node is not on PATH; TypeScript needs Node.js 22.18 (or 23.6) or later"
    with pytest.raises(RuntimeFailed, match="not on PATH"):
        runtime.answers(None, {}, [], folder=tmp_path, environment={}, timeout=5)


def test_one_that_is_too_old_on_the_path_does_not_hide_the_one_beside_the_interpreter(tmp_path):
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.1.0 /usr/bin/node\n")
    old.chmod(0o755)
    assert runtime.unavailable({"PATH": str(tmp_path)}) == ""
    assert runtime.executed({"PATH": str(tmp_path)}).startswith("TypeScript by Node.js 2")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("process.exit(0);", "it answered 0 of 2 documents"),
        ("throw new TypeError('odd');", "it ended with 1: .*odd"),
        ("process.kill(process.pid, 'SIGKILL');", "it ended with -9"),
        ("while (true);", "it did not end within 0.5 s"),
        ("process.getBuiltinModule('fs').readFileSync('/etc/hostname');", "it ended with 1: .*restricted"),
        ("process.getBuiltinModule('fs').writeFileSync('/tmp/cmr-reaches-out', 'x');", "restricted"),
        ("process.getBuiltinModule('child_process').spawnSync('true');", "restricted"),
        ("return 'no answer\\nof one line';", "this is no answer"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_no_verdict(emitted, tmp_path, code, reason):
    made = emitted(TypeScriptEmitter(), closed(x=INT))
    spoilt = f"(value: OrderIntent): string {{\n  {code}\n"
    files = {**made.files, NAME: made.text.replace("(value: OrderIntent): string {\n", spoilt)}
    timeout = 0.5 if "while" in code else 30
    with pytest.raises(RuntimeFailed, match=reason):
        runtime.answers(made.contract, files, ["{}"] * 2, folder=tmp_path, environment=os.environ, timeout=timeout)


def test_settings_of_node_do_not_reach_it(emitted, tmp_path):
    made = emitted(TypeScriptEmitter(), closed(x=INT))
    environment = {**os.environ, "NODE_OPTIONS": "--require=/nowhere.js"}
    (given,) = runtime.answers(made.contract, made.files, ["{}"], folder=tmp_path, environment=environment, timeout=30)
    assert given.text == "{}"
