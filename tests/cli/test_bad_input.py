"""What users get for bad input: the exact exit code and message, and nothing lost."""

import fcntl
import os
import shutil
import subprocess
import sys
import time

import pytest

PHASES = "workflows/phase_definitions"
FILE = f"{PHASES}/p.yaml"


def error(code, message, where, fix):
    return f"error[{code}]: {message}\n  where  {where}\n  fix    {fix}   (cli-multi-rapid explain {code})\n"


def test_an_unknown_phase(sandbox):
    done = sandbox.cmr("run-phase", "phase9")
    assert done.code == 2
    assert done.err == error("PHASE-UNKNOWN", "phase 'phase9' is not defined", f"{PHASES}/", "use one of: p")


SPECS = {
    "an unknown key": (
        "steps:\n  - {id: a, run: [echo], ok_codes: [1]}\n", "SPEC-KEY-UNKNOWN", "unknown key 'ok_codes'", "4:26",
        "did you mean 'ok-codes'?",
    ),
    "a cycle": (
        "steps:\n  - {id: a, needs: [b], run: [echo]}\n  - {id: b, needs: [a], run: [echo]}\n", "CYCLE",
        "these steps wait for each other: a -> b -> a", "4:21", "remove one of these needs",
    ),
    "a duplicate id": (
        "steps:\n  - {id: a, run: [echo]}\n  - {id: a, run: [echo]}\n", "STEP-DUPLICATE",
        "the step 'a' is already defined in line 4", "5:10", "give one of the two another id",
    ),
    "an artifact that nobody produces": (
        "steps:\n  - {id: a, run: [cat, '${{ artifacts.x }}']}\n", "ARTIFACT-UNKNOWN",
        "no step produces the artifact 'x'", "4:29", None,
    ),
    "a tag": (
        "title: !python/object x\nsteps:\n  - {id: a, run: [echo]}\n", "YAML-TAG",
        "the tag '!python/object' is not allowed", "3:8", "remove the tag; quote the value if it is to stay text",
    ),
    "a duplicate key": (
        "title: x\ntitle: y\nsteps:\n  - {id: a, run: [echo]}\n", "YAML-DUPLICATE",
        "the key 'title' stands here for the second time", "4:1", "remove one of the two, or rename this 'title'",
    ),
    "an expression in shell text": (
        "inputs: {x: {type: string, default: y}}\nsteps:\n  - {id: a, run: \"echo ${{ inputs.x }}\"}\n",
        "SHELL-INJECTION",
        "`${{ }}` in a text command would turn data into code", "5:24",
        "pass the value through 'env:' and use the variable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_an_invalid_spec(sandbox, name):
    body, code, message, place, fix = SPECS[name]
    sandbox.phase("p", body)
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 2
    assert f"error[{code}]: {message}\n  where  {FILE}:{place}\n" in done.err
    if fix is not None:
        assert f"  fix    {fix}   (cli-multi-rapid explain {code})\n" in done.err
    assert done.err.count("error[") == 1
    assert done.out == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x: [" * 100 + "]" * 100 + "\n", "YAML-LIMIT"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)), "YAML-LIMIT"),
        ("title: [\n", "YAML-SYNTAX"),
    ],
    ids=["too deep", "a bomb of aliases", "a syntax error"],
)  # fmt: skip
def test_hostile_yaml(sandbox, body, code):
    sandbox.phase("p", body)
    start = time.monotonic()
    done = sandbox.cmr("run-phase", "p")
    assert time.monotonic() - start < 20
    assert done.code == 2
    assert f"error[{code}]" in done.err
    assert f"  where  {FILE}:" in done.err


def test_all_problems_of_all_files_at_once(sandbox):
    sandbox.phase("p", "stepz: []\nsteps:\n  - {id: a, run: [echo], needs: [zz]}\n")
    sandbox.phase("q", "needs: [nobody]\nsteps:\n  - {id: a, run: [echo], if: foo.bar}\n")
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 2
    assert done.err.count("error[") == 4
    assert "q.yaml" in done.err


def test_an_untrusted_project_waits_for_a_person(sandbox):
    sandbox.phase("p", "steps:\n  - {id: a, run: [touch, ran]}\n")
    done = sandbox.cmr("run-phase", "p", trust=False)
    assert done.code == 4
    assert "error[PROJECT-UNTRUSTED]: it has not been trusted yet" in done.err
    assert "cli-multi-rapid trust" in done.err
    assert not (sandbox.root / "ran").exists()
    assert sandbox.cmr("trust", trust=False).code == 4  # nobody has looked
    assert sandbox.cmr("trust", "--yes", trust=False).code == 0
    assert sandbox.cmr("run-phase", "p", trust=False).code == 0
    assert (sandbox.root / "ran").exists()
    sandbox.phase("p", "steps:\n  - {id: a, run: [touch, ran2]}\n")
    changed = sandbox.cmr("run-phase", "p", trust=False)
    assert changed.code == 4
    assert "it has changed since you approved it: changed workflows/phase_definitions/p.yaml" in changed.err
    assert not (sandbox.root / "ran2").exists()


def test_a_second_orchestrator_is_refused(sandbox, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    sandbox.phase("p", f"steps:\n  - {{id: a, run: [cat, {gate}]}}\n")
    first = subprocess.Popen(
        (sys.executable, "-m", "cli_multi_rapid", "run-phase", "p"), cwd=sandbox.root,
        env={**os.environ, "CMR_TRUST": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with gate.open("w"):  # opens when the step reads: the first one is in the middle of its run
        second = sandbox.cmr("run-phase", "p")
    assert first.wait(30) == 0
    assert second.code == 75
    assert f"error[PROJECT-BUSY]: process {first.pid} on " in second.err
    assert "holds this project, run " in second.err


def test_the_lock_is_free_again_after_a_crash(sandbox):
    (folder,) = sandbox.cmr("run-phase", "p").code == 0 and [next(state_folders())]
    with (folder / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def state_folders():
    from pathlib import Path

    return (one.parent for one in Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db"))


def read_only(folder, *command):
    """Run a command while a folder is mounted read-only for it alone; root ignores permissions, not mounts."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    privileged = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return subprocess.run(
        ("unshare", *privileged, "--mount", "sh", "-c", script, str(folder), *command),
        capture_output=True, text=True, env={**os.environ, "CMR_TRUST": "1"}, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


@pytest.fixture
def mounts():
    if shutil.which("unshare") is None or read_only("/tmp", "true").returncode != 0:
        pytest.skip("this system allows no private mounts")


@pytest.mark.usefixtures("mounts")
def test_a_read_only_project_can_be_looked_at_and_run(sandbox):
    done = read_only(sandbox.root, sys.executable, "-m", "cli_multi_rapid", "run-phase", "p")
    assert done.returncode == 0, done.stderr
    report = read_only(sandbox.root, sys.executable, "-m", "cli_multi_rapid", "generate-report", "--format", "json")
    assert report.returncode == 3
    assert "error[FOLDER-UNWRITABLE]: the report cannot be written: Read-only file system" in report.stderr


@pytest.mark.usefixtures("mounts")
def test_init_in_a_read_only_folder(tmp_path):
    done = read_only(tmp_path, sys.executable, "-m", "cli_multi_rapid", "init")
    assert done.returncode == 3
    assert "error[FOLDER-UNWRITABLE]: " in done.stderr
    assert "Read-only file system" in done.stderr


@pytest.mark.usefixtures("mounts")
def test_a_read_only_state_folder(sandbox, tmp_path, monkeypatch):
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.setenv("CMR_STATE_DIR", str(state))
    done = read_only(state, sys.executable, "-m", "cli_multi_rapid", "-C", str(sandbox.root), "run-phase", "p")
    assert done.returncode == 3
    assert "error[STATE-UNWRITABLE]" in done.stderr
    assert "CMR_STATE_DIR" in done.stderr


def test_without_git_it_runs_and_warns_once(make_sandbox):
    plain = make_sandbox("plain")
    done = plain.cmr("run-phase", "p")
    assert done.code == 0
    assert done.err.count("not a git repository") == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("n=x", "n: 'x' is not a number"),
        ("n=nan", "n: 'nan' is not a number"),
        ("b=yes", "b: 'yes' is neither true nor false"),
        ("f=../x", "f: '../x' does not stay inside the project"),
        ("s=c", "s cannot be 'c'"),
        ("zz=1", "no phase of this run has an input 'zz'"),
        ("n", "'n' is not of the form NAME=VALUE"),
    ],
)
def test_a_bad_input(sandbox, value, message):
    sandbox.phase("p", """\
inputs:
  n: {type: number, default: 1}
  b: {type: boolean, default: false}
  f: {type: path, default: src}
  s: {type: string, default: a, options: [a, b]}
steps:
  - {id: a, run: [echo]}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p", "--input", value)
    assert done.code == 2
    assert f"error[INPUT-INVALID]: {message}\n" in done.err


def test_a_missing_input(sandbox):
    sandbox.phase("p", "inputs: {n: {type: number}}\nsteps:\n  - {id: a, run: [echo]}\n")
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 2
    assert done.err == "error[INPUT-INVALID]: p needs a value for n\n" + (
        "  fix    --input n=VALUE   (cli-multi-rapid explain INPUT-INVALID)\n"
    )


def test_values_never_become_code(sandbox):
    sandbox.phase("p", """\
inputs: {x: {type: string}}
steps:
  - id: list
    run: [printf, "%s", "a${{ inputs.x }}"]
  - id: shell
    run: printf '%s' "$X"
    env: {X: "${{ inputs.x }}"}
""")  # fmt: skip
    hostile = "'; touch hacked; $(touch hacked) `touch hacked` ${{ env.HOME }} \" | & \n-x"
    done = sandbox.cmr("run-phase", "p", "--input", f"x={hostile}")
    assert done.code == 0, done.err
    assert not (sandbox.root / "hacked").exists()
    logs = sandbox.cmr("logs", "last", "--json").data()
    assert [log["text"] for log in logs] == [f"a{hostile}", hostile]


def test_a_value_cannot_pass_for_an_option(sandbox):
    sandbox.phase("p", """\
inputs: {x: {type: string}}
steps:
  - {id: bad, run: [ls, "${{ inputs.x }}"]}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p", "--input", "x=--help")
    assert done.code == 1
    assert "would be taken for an option" in done.out
    sandbox.phase("p", """\
inputs: {x: {type: string}}
steps:
  - {id: good, run: [echo, --, "${{ inputs.x }}"]}
""")  # fmt: skip
    assert sandbox.cmr("run-phase", "p", "--input", "x=--help").code == 0


def test_bad_state_is_kept_and_named(sandbox):
    assert sandbox.cmr("run-phase", "p").code == 0
    (folder,) = state_folders()
    log = folder / "events.db"
    for suffix in ("-wal", "-shm"):
        (folder / f"events.db{suffix}").unlink(missing_ok=True)
    for content, message in ((b"", "is empty"), (b"not a database, but long enough to look at" * 50, "damaged")):
        log.write_bytes(content)
        for command in (("status",), ("run-phase", "p"), ("resume",)):
            done = sandbox.cmr(*command)
            assert done.code == 3, command
            assert "error[STATE-DAMAGED]" in done.err
            assert message in done.err
        assert log.read_bytes() == content
    log.unlink()
    done = sandbox.cmr("status")
    assert done.code == 3
    assert "is missing, but runs were recorded" in done.err
