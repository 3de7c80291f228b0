"""7. With the installed command, nothing from a repository runs before you trust it. Reading commands execute nothing
of it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli_multi_rapid.cli.table import COMMANDS
from cli_multi_rapid.services.project import project_id
from cli_multi_rapid.services.trust import FILES, approve

INSTALLED = Path(sys.executable).with_name("cli-multi-rapid")
PHASE = "workflows/phase_definitions/p.yaml"
GATES = "config/compliance-gates.yaml"
CONFIG = "config/workflow-config.yaml"
WORKFLOW = ".github/workflows/ci.yml"
CONTRACT = "contracts/events/Tick@1.0.json"

# Every command, as somebody who does not trust the project may call it, with its exit code.
CALLS = {
    "init": [(1, "init", "--check")],
    "demo": [(0, "demo", "--help")],  # it makes a project of its own, elsewhere
    "trust": [(4, "trust")],  # nobody has looked
    "export": [(0, "export", "pre-commit"), (0, "export", "cloudevents"), (0, "export", "asyncapi")],
    "validate-contracts": [
        (3, "validate-contracts"),
        (0, "validate-contracts", "--no-project", "--lint"),
        (0, "validate-contracts", "--no-project", "--roundtrip", "--documents", "5"),
        (3, "validate-contracts", "--events", "-"),
    ],
    "generate-models": [(0, "generate-models", "--target", "python")],
    "advisories": [(3, "advisories", "show")],  # there is no database
    "import": [(0, "import", "github", WORKFLOW, "--stdout")],
    "plan": [(0, "plan", "p")],
    "run-phase": [(4, "run-phase", "p"), (4, "run-phase", "p", "--validate")],
    "run-job": [(4, "run-job", "--workflow-validate", "--compliance-check")],
    "resume": [(4, "resume")],
    "rerun": [(4, "rerun", "last")],
    "approve": [(2, "approve", "last", "s"), (2, "approve", "last", "s", "--json")],
    "cancel": [(0, "cancel", "last")],
    "status": [(0, "status"), (0, "status", "last"), (0, "status", "--include-compliance")],
    "logs": [(0, "logs", "last")],
    "diff": [(0, "diff", "last", "last")],
    "cache": [(0, "cache", "prune")],
    "graph": [(0, "graph", "p"), (0, "graph", "last")],
    "validate-compliance": [(4, "validate-compliance", "--gate", "g"), (4, "validate-compliance", "--changed", "HEAD")],
    "generate-report": [(0, "generate-report", "last")],
    "health-check": [(0, "health-check")],
    "schema": [(0, "schema", "phase")],
    "config": [(0, "config", "show", "--origin")],
    "explain": [(0, "explain", "PROJECT-UNTRUSTED")],
    "completion": [(0, "completion", "bash")],
}

GIT_PROGRAMS = (
    "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.alternateRefsCommand",
    "diff.external", "diff.bad.textconv", "diff.bad.command", "filter.bad.clean", "filter.bad.smudge",
    "filter.bad.process", "credential.helper", "gpg.program", "pager.status", "pager.diff", "sequence.editor",
)  # fmt: skip
GIT_ALIASES = ("status", "ls-files", "diff", "write-tree", "rev-parse", "hash-object", "cat-file")
HOOKS = ("post-index-change", "reference-transaction", "pre-commit", "post-checkout", "fsmonitor-watchman")
PROGRAMS = (
    "git", "python", "python3", "sh", "bash", "env", "unshare", "setpriv", "ruff", "uv", "node", "less", "cat", "g++",
    "as", "ld", "pwsh",
)  # fmt: skip
MODULES = (
    "sitecustomize.py", "usercustomize.py", "yaml.py", "click.py", "json.py", "sqlite3.py", "re2.py",
    "cli_multi_rapid/__init__.py", "workflows/__init__.py", "workflows/orchestrator.py", "conftest.py", "setup.py",
    "agentic_framework_v3.py", "scripts/workflow-runner.py", "contracts/validators/v.py", "evil/__init__.py",
    "jsonschema_rs.py",
)  # fmt: skip


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


@pytest.fixture
def installed(sandbox):
    """Run the installed command in the project, as a user whose PATH has the folder itself in it, twice."""
    if not INSTALLED.exists():
        pytest.skip("the command is not installed beside this Python")
    env = {**os.environ, "PATH": os.pathsep.join(["", ".", "bin", os.environ["PATH"]])}

    def run(*arguments, **more):
        return subprocess.run(
            (INSTALLED, *arguments), cwd=sandbox.root, env={**env, **more}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip

    return run


@pytest.fixture
def clone(sandbox, canary, oracle, begin):
    """A project with a run that was killed, and then a hostile version of it comes with `git pull`.

    Whatever of it is executed leaves a canary. The tests fail where `run-phase`, `validate-compliance` or `resume` do
    not ask for trust, and where `plan` asks the interpreter of the project for its modules, or git or any other program
    that it looks for in the folder.
    """
    sandbox.phase("p", f"""\
steps:
  - {{id: before, run: [echo, hello], writes: []}}
  - {{id: a, run: {oracle.step("a", "sleep 60")}, writes: []}}
""")  # fmt: skip
    sandbox.write("victim", "original")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "harmless")
    working = begin(sandbox.root, "run-phase", "p")
    working.until(lambda: oracle.starts()["a"])
    working.kill()
    _make_hostile(sandbox, canary)
    return sandbox


def _make_hostile(sandbox, canary):
    trap = f'#!/bin/sh\necho "$0 $*" >> "{canary}"\n'
    module = f"with open({str(canary)!r}, 'a') as file:\n    file.write(__file__ + '\\n')\n"
    sandbox.phase("p", f"""\
env: {{BASH_ENV: trap}}
steps:
  - id: a
    run: [sh, -c, 'echo step >> "{canary}"']
    requires: ["python:evil", "git", "uv"]
    if: hashFiles('**') != ''
    produces: {{x: x.txt}}
    continue-on-error: true
gates: [g]
""")  # fmt: skip
    sandbox.write(GATES, f"""\
schema: cmr/gates@v1
gates:
  g: {{check: command, run: [sh, -c, 'echo gate >> "{canary}"']}}
  d: {{check: denylist, patterns: [{{id: x, pattern: 'nothing of this kind'}}]}}
""")  # fmt: skip
    sandbox.write(WORKFLOW, f"""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps: [{{run: 'echo imported >> "{canary}"'}}]
""")  # fmt: skip
    sandbox.write(CONTRACT, '{"$id": "urn:cmr:contract:Tick:1.0", "type": "object", "additionalProperties": false}')
    for module_path in MODULES:
        sandbox.write(module_path, module)
    for program in [folder + name for folder in (".venv/bin/", "node_modules/.bin/") for name in PROGRAMS]:
        sandbox.write(program, trap).chmod(0o755)
    sandbox.write(".venv/pyvenv.cfg", "home = /usr/bin\n")
    own_state = sandbox.root / ".cmr" / "state" / project_id(sandbox.root)
    own_state.mkdir(parents=True)
    approve(sandbox.root, own_state)
    for name in (".env", ".envrc"):
        sandbox.write(name, f"CMR_TRUST=1\nCMR_STATE_DIR={own_state.parent}\nPYTHONPATH=.\nBASH_ENV=trap\n")
    _set_git_traps(sandbox, trap)
    assert not canary.exists()


def _set_git_traps(sandbox, trap):
    """Name a program wherever git can be told one, and put programs where an empty entry of PATH finds them."""
    programs = [folder + name for folder in ("", "bin/") for name in PROGRAMS]
    hooks = [folder + name for folder in ("hooks/", ".git/hooks/") for name in HOOKS]
    for program in (*programs, *hooks, "trap"):
        sandbox.write(program, trap).chmod(0o755)
    sandbox.write(".gitattributes", "* filter=bad diff=bad\n*.bad merge=bad\n")
    sandbox.git("config", "core.hooksPath", "hooks")
    for name in GIT_PROGRAMS:
        sandbox.git("config", name, "./trap")
    for name in GIT_ALIASES:
        sandbox.git("config", f"alias.{name}", "!./trap")
    victim = sandbox.root / "victim"
    times = victim.stat()
    victim.write_text("modified")  # as long as before, so that git has to look into it, through the filter
    os.utime(victim, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000_000))


def test_nothing_of_a_hostile_clone_runs(clone, installed, canary):
    assert set(CALLS) == set(COMMANDS), "every command is tried"
    calls = [call for name in CALLS for call in CALLS[name] if name != "cancel"]
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda call: installed(*call[1:]), calls))
    done.append(installed("cancel", "last"))
    calls.append(CALLS["cancel"][0])
    assert not canary.exists(), canary.read_text()
    for (code, *arguments), found in zip(calls, done, strict=True):
        assert found.returncode == code, (arguments, found.stderr)
        if code == 4 and arguments != ["trust"]:
            assert "error[PROJECT-UNTRUSTED]" in found.stderr
    shown = {tuple(arguments): found.stdout for (_, *arguments), found in zip(calls, done, strict=True)}
    assert "p.yaml" in shown["trust",], "what would be approved is shown"
    assert "echo step >>" in shown["plan", "p"]


def test_the_traps_of_that_clone_work(clone, installed, canary):
    """What is not executed above is executed by others."""
    ways = [
        ("/usr/bin/env", "git", "status"), ("sh", "-c", 'PATH=":$PATH"; git status'), ("./.venv/bin/python", "-V"),
        (sys.executable, "-c", "import yaml"), (sys.executable, "-m", "workflows.orchestrator"),
    ]  # fmt: skip
    for way in ways:
        canary.unlink(missing_ok=True)
        subprocess.run(way, cwd=clone.root, capture_output=True, stdin=subprocess.DEVNULL, timeout=30)
        assert canary.exists(), way
    canary.unlink()
    assert installed("run-phase", "p", "--no-resume", CMR_TRUST="1").returncode in (1, 3)
    assert canary.exists(), "once it is trusted, the folder's own programs are found by its steps"


def test_what_trust_does_not_cover_is_not_run_by_the_program_itself(sandbox, installed, canary):
    """A trusted phase runs its steps. Its repository's configuration, hooks and filters name programs all the same.

    The test fails where git is called without its settings being overruled, or is looked for in the folder.
    """
    sandbox.phase("p", "steps:\n  - {id: a, run: [/bin/echo, hello]}\ngates: [d]\n")
    sandbox.write(GATES, "schema: cmr/gates@v1\ngates: {d: {check: denylist}}\n")
    sandbox.write("victim", "original")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "harmless")
    _set_git_traps(sandbox, f'#!/bin/sh\necho "$0 $*" >> "{canary}"\n')
    assert installed("trust", "--yes").returncode == 0
    for arguments in (("run-phase", "p", "--validate"), ("validate-compliance",), ("plan", "p"), ("rerun",)):
        assert installed(*arguments).returncode == 0, arguments
    assert not canary.exists(), canary.read_text()


def test_a_change_of_anything_that_is_covered_asks_again_and_is_shown(sandbox, installed, tmp_path):
    ran = tmp_path / "ran"
    sandbox.phase("p", f"steps:\n  - {{id: a, run: [sh, -c, 'echo a >> \"{ran}\"'], writes: []}}\n")
    sandbox.write(GATES, "schema: cmr/gates@v1\ngates: {d: {check: denylist}}\n")
    for path in (*FILES, "contracts/validators/v.py"):
        sandbox.write(path, "print('harmless')\n")
    assert installed("run-phase", "p").returncode == 4
    assert installed("trust", "--yes").returncode == 0
    assert installed("run-phase", "p").returncode == 0
    assert ran.read_text() == "a\n"
    for path in (PHASE, GATES, CONFIG, FILES[0], "contracts/validators/v.py"):
        before = (sandbox.root / path).read_text()
        sandbox.write(path, before + "# one more line\n")
        refused = installed("run-phase", "p")
        assert refused.returncode == 4, path
        assert f"it has changed since you approved it: changed {path}\n" in refused.stderr
        shown = installed("trust")
        assert shown.returncode == 4
        lines = [line for line in shown.stdout.splitlines() if line.startswith(("+", "-"))]
        assert lines == [f"--- a/{path}", f"+++ b/{path}", "+# one more line"]
        sandbox.write(path, before)
    assert ran.read_text() == "a\n"
    assert installed("run-phase", "p").returncode == 0, "what was approved is what is there again"
