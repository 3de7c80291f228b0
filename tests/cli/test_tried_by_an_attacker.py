"""What a hostile or unlucky user found once, each as a test."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def stored(secret):
    state = Path(os.environ["CMR_STATE_DIR"])
    return [path for path in state.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_secrets_in_the_commands_of_gates_are_masked(sandbox):
    secret = os.urandom(12).hex()
    sandbox.phase("p", "secrets: [TOKEN]\nsteps:\n  - {id: a, run: [echo]}\ngates: [g]\n")
    sandbox.write(
        "config/compliance-gates.yaml",
        "schema: cmr/gates@v1\n"
        'gates: {g: {check: command, format: json, run: [sh, -c, "echo it is $TOKEN >&2; exit 7"]}}\n',
    )
    for command in (("run-phase", "p"), ("validate-compliance",), ("validate-compliance", "--json")):
        done = sandbox.cmr(*command, env={"TOKEN": secret})
        assert done.code == 3
        assert secret not in done.out + done.err
        assert not stored(secret)


def test_a_secret_written_into_the_gates_is_refused_before_it_is_recorded(sandbox):
    secret = os.urandom(12).hex()
    sandbox.phase("p", "secrets: [TOKEN]\nsteps:\n  - {id: a, run: [echo]}\n")
    gate = f"{{check: denylist, patterns: [{{id: a, pattern: '{secret}'}}]}}"
    sandbox.write("config/compliance-gates.yaml", f"schema: cmr/gates@v1\ngates: {{g: {gate}}}\n")
    for command in (("validate-compliance",), ("run-phase", "p", "--validate")):
        done = sandbox.cmr(*command, env={"TOKEN": secret})
        assert done.code == 2
        assert "the value of the secret TOKEN stands in" in done.err
        assert not stored(secret)


def test_a_secret_that_looks_like_a_status_breaks_nothing(sandbox):
    sandbox.phase("p", "secrets: [TOKEN]\nsteps:\n  - {id: a, run: [echo, '${{ matrix.x }}'], matrix: {x: ['true']}}\n")
    for secret in ("success", "true"):
        done = sandbox.cmr("run-phase", "p", env={"TOKEN": secret})
        assert done.code == (0 if secret == "success" else 2), done.err


def test_files_with_the_line_ends_of_windows(sandbox):
    for path in ("workflows/phase_definitions/p.yaml", "config/workflow-config.yaml"):
        file = sandbox.root / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    (sandbox.root / "config/compliance-gates.yaml").write_bytes(b"schema: cmr/gates@v1\r\ngates: {}\r\n")
    assert sandbox.cmr("run-phase", "p").code == 0


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "device"])
def test_a_spec_that_is_no_file_of_the_project(sandbox, tmp_path, kind):
    path = sandbox.root / "workflows/phase_definitions/z.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "secret.txt").write_text("password: outside\n")
        path.symlink_to("/dev/zero" if kind == "device" else tmp_path / "secret.txt")
    for command in (("plan", "p"), ("run-phase", "p")):
        done = sandbox.cmr(*command)
        assert done.code == 2
        assert "error[PATH-OUTSIDE]" in done.err
        assert "z.yaml" in done.err
        assert "outside\n" not in done.err


def test_a_phase_file_with_the_other_ending_is_not_ignored(sandbox):
    sandbox.write("workflows/phase_definitions/q.yml", "schema: cmr/phase@v1\nname: q\n")
    done = sandbox.cmr("plan", "p")
    assert done.code == 2
    assert "the file of a phase ends in .yaml" in done.err


def test_cancel_is_seen_among_short_steps(sandbox, tmp_path):
    flag = tmp_path / "flag"
    steps = "".join(f"  - {{id: s{number}, run: [sh, -c, 'touch {flag}; sleep 0.1']}}\n" for number in range(80))
    sandbox.phase("p", f"steps:\n{steps}")
    process = sandbox.begun(flag, "run-phase", "p", output=subprocess.PIPE)
    assert sandbox.cmr("cancel").code == 0
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1, out
    run = sandbox.cmr("status", "last", "--json").data()
    assert run["run"]["status"] == "cancelled"
    assert [step["status"] for step in run["phases"][0]["steps"]].count("skipped") > 20


def test_a_cancelled_validation_does_not_pass(sandbox, tmp_path):
    flag = tmp_path / "flag"
    sandbox.write(
        "config/compliance-gates.yaml",
        f'schema: cmr/gates@v1\ngates: {{g: {{check: command, run: [sh, -c, "touch {flag}; sleep 60"]}}}}\n',
    )
    process = sandbox.begun(flag, "validate-compliance", output=subprocess.PIPE)
    assert "Still running" in sandbox.cmr("status", "last").out
    busy = sandbox.cmr("resume")
    assert busy.code == 75
    assert sandbox.cmr("cancel").code == 0
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1, out
    assert sandbox.cmr("status", "last", "--json").data()["run"]["status"] == "cancelled"


def test_rerun_uses_the_inputs_as_they_were_given(sandbox):
    sandbox.phase(
        "a", "inputs: {x: {type: string, default: of-a}}\nsteps:\n  - {id: s, run: [echo, '${{ inputs.x }}']}\n"
    )
    sandbox.phase(
        "b",
        "needs: [a]\ninputs: {x: {type: string, default: of-b}}\nsteps:\n  - {id: s, run: [echo, '${{ inputs.x }}']}\n",
    )
    for command in (("run-phase", "b"), ("rerun",)):
        assert sandbox.cmr(*command).code == 0
        assert [log["text"] for log in sandbox.cmr("logs", "--json").data()] == ["of-a\n", "of-b\n"]


def test_impatience_is_no_death(sandbox, tmp_path):
    flag = tmp_path / "flag"
    sandbox.phase(
        "p", f"steps:\n  - {{id: a, run: [sh, -c, \"trap '' TERM; touch {flag}; sleep 60 & wait; sleep 60\"]}}\n"
    )
    for command in (("run-phase", "p"), ("resume",), ("resume",), ("resume",)):
        flag.unlink(missing_ok=True)
        process = sandbox.begun(flag, *command, output=subprocess.PIPE)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
    assert "Interrupted" in sandbox.cmr("status", "last").out
    assert sandbox.cmr("cancel").code == 0
    assert sandbox.cmr("resume").code == 1
    assert sandbox.cmr("status", "last", "--json").data()["run"]["status"] == "cancelled"


def test_a_closed_terminal_is_an_interruption(sandbox, tmp_path):
    flag = tmp_path / "flag"
    sandbox.phase("p", f"steps:\n  - {{id: a, run: [sh, -c, 'touch {flag}; sleep 60']}}\n")
    process = sandbox.begun(flag, "run-phase", "p", output=subprocess.PIPE)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 129
    assert "Interrupted" in sandbox.cmr("status", "last").out


def test_waiting_for_another_orchestrator(sandbox, tmp_path):
    flag, gate = tmp_path / "flag", tmp_path / "gate"
    os.mkfifo(gate)
    sandbox.phase("p", f"steps:\n  - {{id: a, run: [sh, -c, 'touch {flag}; cat {gate}']}}\n")
    sandbox.phase("q", "steps:\n  - {id: a, run: [echo]}\n")
    first = sandbox.begun(flag, "run-phase", "p", output=subprocess.PIPE)
    second = subprocess.Popen(
        (sys.executable, "-m", "cli_multi_rapid", "run-phase", "q", "--wait"), cwd=sandbox.root,
        env={**os.environ, "CMR_TRUST": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    gate.write_text("")
    first.communicate(timeout=30)
    assert second.wait(30) == 0


@pytest.mark.forged_events
def test_altered_events_are_noticed(sandbox):
    import sqlite3

    sandbox.phase("p", "steps:\n  - {id: a, run: [sleep, '60']}\n")
    assert sandbox.cmr("run-phase", "p", "--timeout", "300ms").code == 124
    (log,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db")
    for change in ("step = 'p/b' WHERE kind = 'run.taken'", "payload = '{}' WHERE kind = 'run.started'"):
        with sqlite3.connect(log) as connection:
            connection.execute(f"UPDATE event SET {change}")
        for command in (("resume",), ("rerun",), ("graph", "last")) if "payload" in change else (("resume",),):
            done = sandbox.cmr(*command)
            assert done.code == 3, command
            assert "error[STATE-DAMAGED]" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments", [["status"], ["explain"], ["--version"], ["run-phase", "p", "--json"], ["status", "--json"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_no_bug(sandbox, arguments, unbuffered):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            (sys.executable, "-m", "cli_multi_rapid", *arguments), cwd=sandbox.root, stdout=full,
            stderr=subprocess.PIPE, env={**os.environ, "CMR_TRUST": "1", "PYTHONUNBUFFERED": unbuffered}, text=True,
        )  # fmt: skip
    assert done.returncode == 3
    assert "Exception ignored" not in done.stderr
    assert "error[COULD-NOT-RUN]: standard output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_follows_no_links(tmp_path, sandbox):
    outside = tmp_path / "outside"
    outside.mkdir()
    project = tmp_path / "linked"
    project.mkdir()
    (project / "config").symlink_to(outside)
    done = sandbox.cmr("init", str(project))
    assert done.code == 3
    assert "config is a link; nothing was written" in done.err
    assert not list(outside.iterdir())
    assert [path.name for path in project.iterdir()] == ["config"]


def test_a_step_cannot_pass_off_other_files_as_its_artifacts(sandbox):
    sandbox.phase("p", """\
steps:
  - {id: a, run: [sh, -c, 'rm -rf "$CMR_OUT"; ln -s /etc "$CMR_OUT"'], produces: {x: passwd}}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 1
    assert "put a link in the place of its own folder" in done.out


def test_init_of_a_flat_project_measures_its_modules_only(tmp_path, sandbox):
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "tool.py").write_text("a = 1\n")
    (flat / "setup.py").write_text("")
    assert sandbox.cmr("init", str(flat)).code == 0
    assert "- --cov=tool\n" in (flat / "workflows/phase_definitions/phase1.yaml").read_text()


@pytest.mark.parametrize(
    "arguments",
    [["status", "--bogus", "--json"], ["nope", "--json"], ["trust", "--json"], ["completion", "bash", "--json"]],
)
def test_json_is_json_whatever_happens(sandbox, arguments):
    done = sandbox.cmr(*arguments, trust=False)
    assert isinstance(json.loads(done.out), dict)


def test_a_killed_supervisor_is_an_interruption(sandbox, tmp_path):
    flag = tmp_path / "flag"
    sandbox.phase("p", f"steps:\n  - {{id: a, run: [sh, -c, 'test -e {flag} && exit 0; touch {flag}; sleep 60']}}\n")
    process = sandbox.begun(flag, "run-phase", "p", output=subprocess.PIPE)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.terminate()
        pytest.skip("this system does not list the children of a process")
    for child in children.read_text().split():
        os.kill(int(child), signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 3, out
    assert "the supervisor of this run was killed" in out
    assert sandbox.cmr("resume").code == 0
