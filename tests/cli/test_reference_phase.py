"""The reference example of the format, without its agent: as written, killed at every boundary, taken back whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).parent.parent / "crash" / "killing_driver.py"
PHASE = """\
schema: cmr/phase@v1
name: phase1
title: Enhanced compliance
needs: [phase0]
inputs:
  min_coverage: {type: number, default: 85}
  fix: {type: boolean, default: false}
  target: {type: path, default: src}
permissions: {write: [src/**, tests/**], network: none}
secrets: [ANTHROPIC_API_KEY]
workspace: worktree
budget: {usd: 2.00, tokens: 400000, on-exceed: fail}
concurrency: {group: "${{ phase.name }}-${{ git.branch }}", on-conflict: queue}
defaults: {timeout: 10m, retry: {attempts: 1}}
env: {PYTHONPATH: src}
steps:
  - id: format
    if: inputs.fix
    run: [ruff, format, src, tests]
  - id: lint
    run: ruff check --fix --no-cache --output-format sarif --output-file "$CMR_OUT/ruff.sarif" -- "$TARGET"
    env: {TARGET: "${{ inputs.target }}"}
    produces: {sarif: ruff.sarif}
    ok-codes: [0, 1]
  - id: test
    needs: [format]
    matrix: {seed: ["3.10", "3.11"]}
    run: [python, -m, pytest, -q, -p, "no:cacheprovider", --cov=src, "--cov-report=json:${{ step.out }}/coverage.json"]
    env: {COVERAGE_FILE: "${{ step.out }}/.coverage", PYTHONDONTWRITEBYTECODE: "1"}
    cache: {inputs: [src/**, tests/**, pyproject.toml]}
    timeout: 20m
    retry: {attempts: 2, backoff: exponential, initial: 5s, max: 60s, on: [timeout, "exit:3"]}
    produces: {coverage: coverage.json}
    outputs: {percent: "${{ fromJSON(artifacts.coverage).totals.percent_covered }}"}
  - id: enough
    needs: [lint, test]
    if: ${{ min(steps.test.outputs.percent) < inputs.min_coverage }}
    run: [sh, -c, "echo too little is covered; exit 1"]
  - id: review
    if: inputs.reviewed
    approval: {by: [leads], not-author: true, expires: 24h}
  - id: publish
    needs: [review, enough]
    uses: git.merge
    with: {into: main}
    undo: {uses: git.revert}
  - id: after
    run: [sh, -c, "exit $CODE"]
    env: {CODE: "${{ inputs.code }}"}
    writes: []
gates: [coverage, denylist, secrets, {use: lint, from: "${{ artifacts.sarif }}"}]
rollback: {on: [failure, cancelled]}
finally:
  - {id: notify, uses: notify, with: {text: "${{ run.status }}"}, continue-on-error: true}
"""
GATES = """\
schema: cmr/gates@v1
gates:
  coverage: {check: coverage, min: 85}
  denylist: {check: denylist, default-set: true}
  secrets: {check: secrets}
  lint: {check: command, format: sarif, run: [echo], fail-on: medium}
"""
"""As on the page of the format; the number of the matrix is not a Python version, so that one interpreter will do."""


@pytest.fixture
def project(sandbox, monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    more = "  code: {type: number, default: 0}\n  reviewed: {type: boolean, default: false}\n"
    sandbox.write(
        "workflows/phase_definitions/phase1.yaml", PHASE.replace("  target: {type", f"{more}  target: {{type")
    )
    config = "schema: cmr/config@v1\nproject: test\napprovers: {leads: [lead@example.org]}\n"
    sandbox.write("config/workflow-config.yaml", config)
    sandbox.git("config", "user.email", "test@example.org")
    sandbox.git("config", "user.name", "Test")
    sandbox.phase("phase0", "steps: [{id: there, run: [git, --version], writes: []}]\n")
    sandbox.write("config/compliance-gates.yaml", GATES)
    sandbox.write("pyproject.toml", "[tool.ruff]\nline-length = 100\n")
    sandbox.write("src/calc.py", '"""Sums."""\nimport os\n\n\ndef plus(a: int, b: int) -> int:\n    return a + b\n')
    sandbox.write("tests/test_calc.py", "from calc import plus\n\n\ndef test_plus():\n    assert plus(1, 2) == 3\n")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "sample")
    return sandbox


def test_it_runs_as_written(project):
    done = project.cmr("run-phase", "phase1")
    assert done.code == 0, done.out
    assert project.git("show", "main:src/calc.py").split("\n")[1] == ""  # the unused import is gone
    assert "import os" not in (project.root / "src/calc.py").read_text()
    assert project.git("status", "--porcelain") == ""
    steps = {s["id"]: s for p in project.cmr("status", "last", "--json").data()["phases"] for s in p["steps"]}
    assert steps["format"]["status"] == "skipped"
    assert steps["enough"]["status"] == steps["review"]["status"] == "skipped"
    assert steps["notify"]["status"] == "skipped"  # there was no address to send it to, and that is said
    assert [steps[f"test[{n}]"]["outputs"]["percent"] for n in (0, 1)] == [100.0, 100.0]


def test_it_waits_for_a_review(project):
    waiting = project.cmr("run-phase", "phase1", "--input", "reviewed=true")
    assert waiting.code == 4, waiting.out
    head = project.git("rev-parse", "main")
    assert project.cmr("approve", "last", "review").code == 4  # of whoever started it
    project.git("config", "user.email", "lead@example.org")
    project.git("config", "user.name", "Lead")
    (project.root / "src/calc.py").write_text("# something else, in the project's own folder\n")
    approved = project.cmr("approve", "last", "review")
    assert approved.code == 0, approved.err
    project.git("checkout", "-q", "src/calc.py")
    done = project.cmr("resume")
    assert done.code == 0, done.out
    assert project.git("rev-parse", "main^") == head


def test_its_rollback_restores_every_byte(project):
    tree, files = project.git("rev-parse", "HEAD^{tree}"), snapshot(project)
    done = project.cmr("run-phase", "phase1", "--input", "code=1")
    assert done.code == 1, done.out
    assert project.git("rev-parse", "main^{tree}") == tree
    assert project.git("rev-list", "--count", "main") == "4"
    assert snapshot(project) == files
    assert project.git("status", "--porcelain") == ""


def snapshot(project):
    return {
        str(path.relative_to(project.root)): (path.stat().st_mode, path.read_bytes())
        for path in project.root.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def commits(project):
    done = drive(project, 10**6, "before")
    assert done.returncode == 99, done.stderr
    return int(done.stderr.decode().rpartition("only ")[2].split()[0])


def drive(project, kill_at, when, *arguments):
    command = arguments or ("run-phase", "phase1", "--no-cache")
    return subprocess.run(
        (sys.executable, str(DRIVER), *command), cwd=project.root, capture_output=True, stdin=subprocess.DEVNULL,
        env={**os.environ, "CMR_TRUST": "1", "KILL_AT": str(kill_at), "KILL_WHEN": when}, timeout=100,
    )  # fmt: skip


@pytest.mark.parametrize("kill_at", (4, 9))
def test_it_survives_being_killed(project, kill_at):
    when = "before" if kill_at % 2 else "after"
    killed = drive(project, kill_at, when)
    if killed.returncode == 99:
        pytest.skip(f"an uninterrupted run has fewer than {kill_at} commits")
    assert killed.returncode == -9
    known = project.cmr("status", "last", "--json").data()
    if known.get("run", {}).get("status") != "success":
        done = project.cmr(*(("resume",) if "run" in known else ("run-phase", "phase1")))  # killed before it was a run
        assert done.code == 0, done.out + done.err
    assert "import os" not in project.git("show", "main:src/calc.py")
    assert project.git("status", "--porcelain") == ""
    assert project.git("rev-list", "--count", "main") == "3"
    report = project.cmr("status", "last", "--json").data()
    assert report["run"]["status"] == "success", json.dumps(report["verdict"])


def test_the_kills_cover_every_commit(project):
    assert commits(project) <= 15
