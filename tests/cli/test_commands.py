"""Every command of the table: its help with an example, one success, one failure with its exact code and message."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

from cli_multi_rapid.cli.app import entry
from cli_multi_rapid.cli.table import COMMANDS, FACES
from cli_multi_rapid.errors import error_classes
from cli_multi_rapid.model.problems import PROBLEMS

ROOT = Path(__file__).resolve().parent.parent.parent
RUN_UNKNOWN = "error[RUN-UNKNOWN]: nothing has run here yet\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(capsys, name):
    assert entry("cli-multi-rapid", arguments=[name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example:" in shown
    assert f"cli-multi-rapid {name}" in shown
    if name not in ("config", "advisories"):  # groups: their commands have it
        assert "--json" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_a_usage_error(capsys, name):
    assert entry("cli-multi-rapid", arguments=[name, "--no-such-option"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error[USAGE]: No such option")
    assert "explain USAGE" in shown


def test_an_unknown_command_names_the_nearest(sandbox):
    done = sandbox.cmr("statsu")
    assert done.code == 2
    assert done.err == (
        "error[COMMAND-UNKNOWN]: there is no command 'statsu'\n"
        "  fix    did you mean: status   (cli-multi-rapid explain COMMAND-UNKNOWN)\n"
    )


def test_errors_as_json_go_to_standard_output(sandbox):
    done = sandbox.cmr("run-phase", "nope", "--json")
    assert done.code == 2
    assert done.data()["error"]["code"] == "PHASE-UNKNOWN"


@pytest.mark.parametrize("command", ["status last", "logs last", "resume", "rerun", "cancel", "generate-report"])
def test_where_nothing_has_run(sandbox, command):
    done = sandbox.cmr(*command.split())
    assert done.code == 2
    assert done.err.startswith(RUN_UNKNOWN)


def test_outside_of_a_project(tmp_path, sandbox):
    done = sandbox.cmr("status", cwd=tmp_path)
    assert done.code == 2
    assert "error[PROJECT-MISSING]" in done.err
    assert "cli-multi-rapid init" in done.err


def test_from_a_folder_below_and_with_dash_c(sandbox, tmp_path):
    (sandbox.root / "a/b").mkdir(parents=True)
    assert sandbox.cmr("run-phase", "p", cwd=sandbox.root / "a/b").code == 0
    for arguments in (("-C", str(sandbox.root), "status"), ("status", "-C", str(sandbox.root / "a"))):
        done = sandbox.cmr(*arguments, cwd=tmp_path)
        assert done.code == 0
        assert " p " in done.out


def test_plan_runs_nothing_and_says_what_is_missing(sandbox):
    sandbox.phase("p", """\
steps:
  - {id: a, run: [touch, ran], requires: [no-such-program, sh]}
  - {id: b, run: "echo hi", if: success(), needs: [a], matrix: {x: ["1", "2"]}, writes: []}
finally:
  - {id: z, run: [echo]}
""")  # fmt: skip
    before = sandbox.git("status", "--porcelain")
    done = sandbox.cmr("plan", "p", trust=False)
    assert done.code == 0
    assert "no-such-program: missing" in done.out
    assert "sh: present" in done.out
    assert "touch ran" in done.out
    assert sandbox.git("status", "--porcelain") == before
    data = sandbox.cmr("plan", "p", "--json", trust=False).data()
    assert [step["id"] for step in data["phases"][0]["steps"]] == ["a", "b"]


def test_run_phase_status_logs_and_graph_tell_the_same(sandbox):
    sandbox.phase("q", """\
needs: [p]
steps:
  - {id: say, run: [echo, "said ${{ matrix.x }}"], matrix: {x: [one, two]}, writes: []}
  - {id: fail, needs: [say], run: [sh, -c, "echo oh no; exit 3"]}
  - {id: never, run: [echo]}
finally:
  - {id: last, run: [echo, "${{ run.status }}"]}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "q")
    assert done.code == 1
    assert "exit code 3" in done.out
    assert "oh no" in done.out
    run = sandbox.cmr("status", "last", "--json").data()
    statuses = {step["key"]: step["status"] for phase in run["phases"] for step in phase["steps"]}
    assert statuses == {
        "p/hello": "success", "q/say[0]": "success", "q/say[1]": "success", "q/fail": "failure",
        "q/never": "skipped", "q/last": "success",
    }  # fmt: skip
    assert run["verdict"]["exit_code"] == 1
    text = sandbox.cmr("status").out
    assert run["run"]["run"] in text
    assert "✗" in text
    assert sandbox.cmr("logs", "last", "say[1]").out == "said two\n"
    assert sandbox.cmr("logs", "last", "q/last").out == "failure\n"
    assert sandbox.cmr("logs", run["run"]["run"][:20], "fail").out == "oh no\n"
    missing = sandbox.cmr("logs", "last", "nope")
    assert missing.code == 2
    assert "error[STEP-UNKNOWN]" in missing.err
    for form in ("text", "mermaid", "json"):
        assert "fail" in sandbox.cmr("graph", "last", "--format", form).out
    assert sandbox.cmr("graph", "q").code == 0
    assert "error[PHASE-UNKNOWN]" in sandbox.cmr("graph", "zz").err


def test_rerun_makes_a_new_run_linked_to_its_parent(sandbox):
    sandbox.phase("p", """\
inputs: {n: {type: number, default: 1}}
steps:
  - {id: a, run: [echo, "n=${{ inputs.n }}"]}
""")  # fmt: skip
    assert sandbox.cmr("run-phase", "p", "--input", "n=2.5").code == 0
    first = sandbox.cmr("status", "last", "--json").data()
    assert sandbox.cmr("rerun", "last").code == 0
    second = sandbox.cmr("status", "last", "--json").data()
    assert second["run"]["run"] != first["run"]["run"]
    assert second["run"]["parent"] == first["run"]["run"]
    assert sandbox.cmr("logs").out.endswith("n=2.5\n")


def test_a_run_that_has_ended_is_not_resumed(sandbox):
    assert sandbox.cmr("run-phase", "p").code == 0
    done = sandbox.cmr("resume")
    assert done.code == 2
    assert "error[RUN-FINISHED]" in done.err
    assert "cli-multi-rapid rerun" in done.err
    assert sandbox.cmr("cancel").code == 2


def test_jobs(sandbox, tmp_path):
    sandbox.phase("q", "steps:\n  - {id: a, run: [echo, q]}\n")
    sandbox.write(
        "config/workflow-config.yaml", "schema: cmr/config@v1\njobs: {default: [p], both: [p, q], bad: [p, zz]}\n"
    )
    assert sandbox.cmr("run-job").code == 0
    assert sandbox.cmr("run-job", "both").code == 0
    names = [phase["name"] for phase in sandbox.cmr("status", "last", "--json").data()["phases"]]
    assert names == ["p", "q"]
    unknown = sandbox.cmr("run-job", "zz")
    assert unknown.code == 2
    assert "error[JOB-UNKNOWN]: job 'zz' is not defined" in unknown.err
    runs = len(sandbox.cmr("status", "--json").data()["runs"])
    checked = sandbox.cmr("run-job", "--workflow-validate")
    assert checked.code == 2
    assert "phase 'zz' is not defined" in checked.err
    assert len(sandbox.cmr("status", "--json").data()["runs"]) == runs
    other = tmp_path / "jobs.yaml"
    other.write_text("schema: cmr/config@v1\njobs: {night: [q]}\n")
    assert sandbox.cmr("run-job", "night", "--file", str(other)).code == 0


def test_compliance_check_and_validate_judge_all_gates(sandbox):
    sandbox.write("config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates:\n  deny: {check: denylist}\n")
    assert sandbox.cmr("run-phase", "p", "--validate").code == 0
    sandbox.write("bad.py", "import os\nos.system('ls')\n")
    assert sandbox.cmr("run-phase", "p").code == 0
    assert sandbox.cmr("run-phase", "p", "--validate").code == 1
    assert sandbox.cmr("run-job", "--compliance-check").code == 1
    assert sandbox.cmr("run-job", "--compliance-check", "--level", "advisory").code == 0
    done = sandbox.cmr("validate-compliance", "--json")
    assert done.code == 1
    data = done.data()
    assert data["status"] == "fail"
    assert data["gates"][0]["findings"][0]["path"] == "bad.py"
    unknown = sandbox.cmr("validate-compliance", "--gate", "zz")
    assert unknown.code == 2
    assert "error[GATE-UNKNOWN]: there is no gate 'zz'" in unknown.err


def test_a_missing_tool_is_not_a_failure_but_could_not_run(sandbox):
    sandbox.phase("p", "steps:\n  - {id: a, run: [no-such-program]}\n")
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 3
    sandbox.phase("p", "steps:\n  - {id: a, run: [echo], requires: ['python:no_such_module']}\n")
    done = sandbox.cmr("run-phase", "p")
    assert done.code == 3
    assert "not installed: python:no_such_module" in done.out
    assert "pip install no_such_module" in done.out


def test_reports_come_from_stored_results_only(sandbox):
    sandbox.write(
        "config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates:\n  coverage: {check: coverage, min: 50}\n"
    )
    report = json.dumps({
        "meta": {"version": "7", "branch_coverage": False, "format": 3},
        "files": {"p.py": {"executed_lines": [1], "missing_lines": [2], "excluded_lines": [], "summary": {}}},
        "totals": {},
    })  # fmt: skip
    sandbox.write("p.py", "a = 1\nb = 2\n")
    sandbox.write("report.json", report)
    sandbox.phase("p", """\
steps:
  - {id: a, run: [sh, -c, "cp report.json $CMR_OUT/coverage.json"], produces: {coverage: coverage.json}}
gates: [coverage]
""")  # fmt: skip
    assert sandbox.cmr("run-phase", "p").code == 0
    html = sandbox.cmr("generate-report")
    assert html.code == 0
    page = Path(html.out.strip())
    assert page.is_relative_to(sandbox.root / ".cmr")
    assert "<script" not in page.read_text()
    assert sandbox.git("status", "--porcelain", "--", ".cmr") == ""
    data = sandbox.cmr("generate-report", "--format", "json", "-o", "-").data()
    assert data["verdict"]["status"] == "pass"
    assert Draft202012Validator(sandbox.cmr("schema", "report").out).is_valid(data)
    for form, name, start in FORMS:
        made = sandbox.cmr("generate-report", "--format", form, "--json").data()
        assert made["path"] == str(sandbox.root / ".cmr" / "reports" / f"{made['run']}.{name}")
        assert Path(made["path"]).read_text("utf-8").startswith(start)
    markdown = sandbox.cmr("generate-report", "--format", "md", "-o", "-").out
    assert 'n1["✓ a"]:::success' in markdown
    (evidence,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/runs/*/p.a.1/coverage.json")
    evidence.unlink()
    for form, *_ in FORMS:
        gone = sandbox.cmr("generate-report", "--format", form)
        assert (gone.code, gone.out) == (3, "")
        assert "error[EVIDENCE-MISSING]" in gone.err


FORMS = [
    ("html", "html", "<!doctype html>"),
    ("json", "json", '{\n  "environment"'),
    ("sarif", "sarif", '{\n  "$schema"'),
    ("junit", "junit.xml", "<?xml"),
    ("md", "md", "# ✓ Passed: `p`"),
]


def test_a_matrix_is_drawn_by_its_worst_combination(sandbox):
    sandbox.phase("p", """\
steps:
  - {id: a, matrix: {n: [0, 1]}, run: [sh, -c, 'exit "$N"'], env: {N: "${{ matrix.n }}"}, continue-on-error: false}
""")  # fmt: skip
    assert sandbox.cmr("run-phase", "p").code == 1
    assert "✗ a" in sandbox.cmr("generate-report", "--format", "md", "-o", "-").out


@pytest.mark.forged_events
def test_health_check(sandbox, monkeypatch):
    done = sandbox.cmr("health-check", "--json")
    assert done.code == 0
    assert {"python", "git", "state", "disk", "engine", "lock"} <= {check["id"] for check in done.data()["checks"]}
    assert sandbox.cmr("health-check", cwd=Path("/")).code == 0
    assert sandbox.cmr("run-phase", "p").code == 0
    (log,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db")
    log.write_bytes(b"")
    broken = sandbox.cmr("health-check")
    assert broken.code == 1
    assert "the event log is empty" in broken.out


@pytest.mark.parametrize("kind", ["phase", "gates", "waivers", "config", "report"])
def test_schema(sandbox, kind):
    assert sandbox.cmr("schema", kind).data()["$schema"].startswith("https://json-schema.org/")
    assert sandbox.cmr("schema", "zz").code == 2


def test_config_show_says_where_a_value_comes_from(sandbox):
    sandbox.write("config/workflow-config.yaml", "schema: cmr/config@v1\nlevel: strict\nengine: {log_cap: 4096}\n")
    values = sandbox.cmr("config", "show", "--json", env={"CMR_PARALLEL": "3"}).data()
    assert values["level"] == {"value": "strict", "origin": "config/workflow-config.yaml:2"}
    assert values["engine.parallel"] == {"value": 3, "origin": "environment CMR_PARALLEL"}
    assert "config/workflow-config.yaml:2" in sandbox.cmr("config", "show", "--origin").out
    bad = sandbox.cmr("config", "show", env={"CMR_PARALLEL": "many"})
    assert bad.code == 2
    assert "CMR_PARALLEL" in bad.err


def test_every_error_code_is_explained(sandbox):
    codes = set(sandbox.cmr("explain").out.split())
    assert codes >= {code for code, found in error_classes().items() if found.explanation} | set(PROBLEMS)
    assert not [code for code, found in error_classes().items() if not found.explanation and code != "ERROR"]
    assert sandbox.cmr("explain", "phase-unknown").out.startswith("PHASE-UNKNOWN (exit code 2)\n")
    assert sandbox.cmr("explain", "zz").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion(sandbox, shell):
    script = sandbox.cmr("completion", shell)
    assert script.code == 0
    assert "cli-multi-rapid" in script.out
    assert "cmr" in script.out


def test_completion_completes_in_bash():
    program = Path(sys.executable).with_name("cmr")
    given = {**os.environ, "_CMR_COMPLETE": "bash_complete", "COMP_WORDS": "cmr stat", "COMP_CWORD": "1"}
    done = subprocess.run((program,), env=given, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["plain,status"]


def test_init_in_an_empty_folder_and_again(tmp_path, sandbox):
    done = sandbox.cmr("init", str(tmp_path / "new"), trust=False)
    assert done.code == 0, done.err
    new = tmp_path / "new"
    assert sandbox.cmr("-C", str(new), "run-phase", "phase0", trust=False).code == 0
    kept = (new / "CLAUDE.md").read_text()
    (new / "CLAUDE.md").write_text("mine")
    again = sandbox.cmr("init", str(new), trust=False)
    assert "wrote" not in again.out
    assert (new / "CLAUDE.md").read_text() == "mine" != kept
    assert sandbox.cmr("init", str(new), "--check").code == 0
    (new / "agentic_framework_v3.py").write_text("print('changed')\n")
    check = sandbox.cmr("init", str(new), "--check")
    assert check.code == 1
    assert check.out == "edited or missing: agentic_framework_v3.py\n"


def test_what_was_there_before_init_is_not_trusted(tmp_path, sandbox):
    hostile = tmp_path / "clone/workflows/phase_definitions/phase0.yaml"
    hostile.parent.mkdir(parents=True)
    hostile.write_text("schema: cmr/phase@v1\nname: phase0\nsteps:\n  - {id: a, run: [touch, ran]}\n")
    assert sandbox.cmr("init", str(tmp_path / "clone"), trust=False).code == 0
    done = sandbox.cmr("-C", str(tmp_path / "clone"), "run-phase", "phase0", trust=False)
    assert done.code == 4
    assert not (tmp_path / "clone/ran").exists()


def test_every_face_has_every_command(tmp_path, sandbox):
    project = tmp_path / "faces"
    assert sandbox.cmr("init", str(project), trust=False).code == 0

    def face(*arguments):
        return subprocess.run(
            (sys.executable, *arguments), cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    for path in FACES:
        module = ("-m", "workflows.orchestrator") if path == "workflows/orchestrator.py" else (path,)
        fixed = FACES[path][1]
        shown = face(*module, "--help")
        assert shown.returncode == 0, shown.stderr
        if fixed:
            assert fixed[0] in shown.stdout
        else:
            assert all(name in shown.stdout for name in COMMANDS)
    ran = face("scripts/workflow-runner.py", "phase0")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert face("-m", "workflows.orchestrator", "status").returncode == 0
    assert face("scripts/compliance-checker.py", "--gate", "secrets").returncode == 0


def test_this_repository_is_such_a_project(sandbox):
    done = sandbox.cmr("init", "--check", str(ROOT))
    assert done.code == 0, done.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_in_order_and_the_run_can_go_on(sandbox, tmp_path, number, code):
    flag = tmp_path / "flag"
    sandbox.phase("p", f"""\
steps:
  - {{id: first, run: [echo, one]}}
  - {{id: wait, run: [sh, -c, "test -e {flag} || {{ touch {flag}; sleep 60; }}"]}}
""")  # fmt: skip
    process = sandbox.begun(flag, "run-phase", "p", output=subprocess.PIPE)
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == code, out
    assert "cli-multi-rapid resume" in out
    assert "Interrupted" in sandbox.cmr("status", "last").out
    again = sandbox.cmr("resume")
    assert again.code == 0
    assert "interrupted; put back" not in again.err  # it had changed nothing
    attempts = {
        step["id"]: len(step["attempts"])
        for step in sandbox.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    }
    assert attempts == {"first": 1, "wait": 2}


def test_run_phase_goes_on_by_itself_with_an_interrupted_run_of_the_same(sandbox, tmp_path):
    sandbox.phase("p", "steps:\n  - {id: first, run: [echo]}\n  - {id: wait, run: [sleep, '60']}\n")
    assert sandbox.cmr("run-phase", "p", "--timeout", "1s").code == 124
    first = sandbox.cmr("status", "last", "--json").data()["run"]["run"]
    again = sandbox.cmr("run-phase", "p", "--timeout", "1s")
    assert again.code == 124
    assert f"going on with run {first}" in again.err
    anew = sandbox.cmr("run-phase", "p", "--timeout", "1s", "--no-resume")
    assert anew.code == 124
    assert sandbox.cmr("status", "last", "--json").data()["run"]["run"] != first


def test_cancel_stops_a_running_run_and_its_final_steps_run(sandbox, tmp_path):
    flag = tmp_path / "flag"
    sandbox.phase("p", f"""\
steps:
  - {{id: wait, run: [sh, -c, "touch {flag}; sleep 60"]}}
  - {{id: never, run: [echo]}}
finally:
  - {{id: last, run: [echo, "${{{{ run.status }}}}"]}}
""")  # fmt: skip
    process = sandbox.begun(flag, "run-phase", "p", output=subprocess.PIPE)
    assert sandbox.cmr("cancel", "last").code == 0
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1, out
    run = sandbox.cmr("status", "last", "--json").data()
    assert run["run"]["status"] == "cancelled"
    assert {step["id"]: step["status"] for step in run["phases"][0]["steps"]} == {
        "wait": "cancelled", "never": "skipped", "last": "success",
    }  # fmt: skip
    assert sandbox.cmr("logs", "last", "last").out == "cancelled\n"


def test_secrets_are_masked_in_everything_stored(sandbox):
    secret = os.urandom(12).hex() + "/+x"
    sandbox.phase("p", """\
secrets: [TOKEN]
steps:
  - id: tell
    run: 'echo "token $TOKEN"; printf %s "$TOKEN" | base64; echo "$TOKEN" > "$CMR_OUT/own.txt"'
    outputs: {said: "x"}
  - {id: env, run: [sh, -c, "echo $OTHER"], env: {OTHER: "${{ secrets.TOKEN }}"}}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p", "-v", env={"TOKEN": secret})
    assert done.code == 0, done.out
    shown = done.out + done.err + sandbox.cmr("logs").out
    assert "token ***" in shown
    assert secret not in shown
    state = Path(os.environ["CMR_STATE_DIR"])
    stored = [path for path in state.rglob("*") if path.is_file() and path.name != "own.txt"]
    assert stored
    assert not [path for path in stored if secret.encode() in path.read_bytes()]


def test_a_secret_in_outputs_is_masked_before_it_is_stored(sandbox):
    secret = os.urandom(12).hex()
    sandbox.phase("p", """\
secrets: [TOKEN]
steps:
  - id: a
    run: 'printf "it is %s" "$TOKEN" > "$CMR_OUT/x"; exit 0'
    produces: {x: x}
    outputs: {said: "${{ artifacts.x }}"}
  - {id: b, run: [echo, "${{ steps.a.outputs.said }}"]}
""")  # fmt: skip
    done = sandbox.cmr("run-phase", "p", "--json", env={"TOKEN": secret})
    assert done.code == 0, done.err
    assert done.data()["phases"][0]["steps"][0]["outputs"] == {"said": "it is ***"}
    assert secret not in sandbox.cmr("logs").out
    (log,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/events.db")
    assert secret.encode() not in b"".join(path.read_bytes() for path in log.parent.glob("events.db*"))


def test_a_secret_given_as_an_input_is_refused(sandbox):
    secret = os.urandom(12).hex()
    sandbox.phase("p", "secrets: [TOKEN]\ninputs: {x: {type: string}}\nsteps:\n  - {id: a, run: [echo]}\n")
    done = sandbox.cmr("run-phase", "p", "--input", f"x={secret}", env={"TOKEN": secret})
    assert done.code == 2
    assert "error[USAGE]: the value of the secret TOKEN stands in" in done.err
    assert secret not in done.err + done.out
