"""Steps that need not run again: real runs, real git."""

import os
import random
from pathlib import Path

import pytest

SEEDS = 2


@pytest.fixture
def project(sandbox, tmp_path):
    for name in ("a", "b"):
        sandbox.write(f"src/{name}", f"{name}\n")
    sandbox.write("other", "1\n")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "files")
    return sandbox


def counting(tmp_path, text):
    """Return a command that notes in a file outside of the project that it ran."""
    return f'[sh, -c, "echo ran >> {tmp_path}/count; {text}"]'


def count(tmp_path):
    file = tmp_path / "count"
    return len(file.read_text().splitlines()) if file.exists() else 0


def steps(project):
    return {step["id"]: step for step in project.cmr("status", "last", "--json").data()["phases"][0]["steps"]}


@pytest.fixture
def join(project, tmp_path):
    project.phase("p", f"""\
inputs: {{more: {{type: string, default: "1"}}}}
steps:
  - id: join
    run: {counting(tmp_path, 'cat src/a src/b > joined; rm -f old; echo said; cp joined $CMR_OUT/result')}
    env: {{MORE: "${{{{ inputs.more }}}}"}}
    cache: {{inputs: ["src/**"]}}
    writes: [joined, old]
    produces: {{result: result}}
    outputs: {{text: "${{{{ artifacts.result }}}}"}}
  - {{id: see, run: [sh, -c, 'echo "$TEXT"; cat "$FILE"'], writes: [],
     env: {{TEXT: "${{{{ steps.join.outputs.text }}}}", FILE: "${{{{ artifacts.result }}}}"}}}}
""")  # fmt: skip
    return project


def test_what_it_did_is_done_again_without_running_it(join, tmp_path):
    join.write("old", "1")
    first = join.cmr("run-phase", "p")
    assert first.code == 0, first.out
    (join.root / "joined").unlink()
    join.write("old", "1")
    again = join.cmr("run-phase", "p")
    assert again.code == 0, again.out
    assert count(tmp_path) == 1
    assert (join.root / "joined").read_text() == "a\nb\n"
    assert not (join.root / "old").exists()
    found = steps(join)
    assert found["join"]["cached"] is True
    assert found["join"]["outputs"] == {"text": "a\nb\n"}
    assert found["see"]["cached"] is False
    assert "a\nb" in join.cmr("logs", "last", "see").out
    assert "said" in join.cmr("logs", "last", "join").out
    assert "cached: as in run" in again.err
    assert "cached: as in run" in join.cmr("status", "last").out


@pytest.mark.parametrize("change", ["content", "name", "mode", "new", "env", "command", "own"])
def test_what_it_depends_on_counts(join, tmp_path, change):
    assert join.cmr("run-phase", "p").code == 0
    options = ()
    if change == "content":
        join.write("src/a", "2\n")
    elif change == "name":
        (join.root / "src/a").rename(join.root / "src/c")
        (join.root / "src/c").rename(join.root / "src/a2")
        join.write("src/a", "x")
    elif change == "mode":
        (join.root / "src/a").chmod(0o755)
    elif change == "new":
        join.write("src/new", "")
    elif change == "env":
        options = ("--input", "more=2")
    elif change == "command":
        spec = join.root / "workflows/phase_definitions/p.yaml"
        spec.write_text(spec.read_text().replace("echo said", "echo saying"))
    elif change == "own":
        join.write("joined", "somebody's")
    assert join.cmr("run-phase", "p", *options).code == 0
    assert count(tmp_path) == 2


def test_other_files_do_not_count_and_the_flag_runs_it_all_the_same(join, tmp_path):
    for _ in range(2):  # the second time there is what it made, which could matter to it
        assert join.cmr("run-phase", "p").code == 0
    assert count(tmp_path) == 2
    join.write("other", "2\n")
    assert join.cmr("run-phase", "p").code == 0
    assert count(tmp_path) == 2
    assert join.cmr("run-phase", "p", "--no-cache").code == 0
    assert count(tmp_path) == 3


def test_only_what_succeeded_is_kept(project, tmp_path):
    project.phase("p", f'steps: [{{id: x, run: {counting(tmp_path, "exit 1")}, cache: {{inputs: ["src/**"]}}}}]\n')
    for _ in range(2):
        assert project.cmr("run-phase", "p").code == 1
    assert count(tmp_path) == 2


def test_gates_want_evidence_of_the_very_tree(project, tmp_path):
    report = '{\\"findings\\": []}'
    project.write("config/compliance-gates.yaml",
        "schema: cmr/gates@v1\ngates: {g: {check: denylist}, t: {check: tests}}\n")  # fmt: skip
    project.write("report.xml", "<testsuite><testcase name='a'/></testsuite>")
    project.phase("p", f"""\
steps:
  - id: test
    run: {counting(tmp_path, 'cp report.xml $CMR_OUT/junit.xml')}
    writes: []
    cache: {{inputs: ["src/**", "report.xml"]}}
    produces: {{t: junit.xml}}
gates: [t]
""")  # fmt: skip
    for _ in range(2):
        assert project.cmr("run-phase", "p").code == 0, report
    assert count(tmp_path) == 1
    project.write("other", "2\n")
    assert project.cmr("run-phase", "p").code == 0
    assert count(tmp_path) == 2


def test_gates_that_accept_a_step_want_evidence_of_the_very_tree(project, tmp_path):
    project.write("config/compliance-gates.yaml",
        "schema: cmr/gates@v1\ngates: {l: {check: command, format: json, reports: [none.json]}}\n")  # fmt: skip
    project.phase("p", """
steps:
  - id: lint
    run: echo x >> "$COUNT"; echo '[]' > "$CMR_OUT/l"
    produces: {l: l}
    accept: [l]
    writes: []
    cache: {inputs: [in.txt]}
""".replace("$COUNT", str(tmp_path / "count")))  # fmt: skip
    for _ in range(2):
        assert project.cmr("run-phase", "p", "--no-resume").code == 0
    assert (tmp_path / "count").read_text() == "x\n"
    project.write("other.txt", "new\n")
    assert project.cmr("run-phase", "p", "--no-resume").code == 0
    assert (tmp_path / "count").read_text() == "x\nx\n"


def test_damaged_entries_are_as_good_as_none(join, tmp_path, monkeypatch):
    assert join.cmr("run-phase", "p").code == 0
    (join.root / "joined").unlink()
    (result,) = Path(os.environ["CMR_STATE_DIR"]).glob("*/cache/steps/*/out/result")
    result.write_text("altered")
    assert join.cmr("run-phase", "p").code == 0
    assert count(tmp_path) == 2


def test_what_has_a_secret_in_its_outputs_is_not_kept(project, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_MINE", "s3cr3tvalue99")
    project.phase("p", f"""\
secrets: [TOKEN_OF_MINE]
steps:
  - id: x
    run: {counting(tmp_path, 'printf %s $TOKEN_OF_MINE > $CMR_OUT/o')}
    produces: {{o: o}}
    outputs: {{v: "${{{{ artifacts.o }}}}"}}
    writes: []
    cache: {{inputs: ["src/**"]}}
""")  # fmt: skip
    for _ in range(2):
        assert project.cmr("run-phase", "p").code == 0
    assert count(tmp_path) == 2
    assert not list(Path(os.environ["CMR_STATE_DIR"]).glob("*/cache/steps/*"))


def test_a_program_of_the_project_counts_wherever_one_stands(project, tmp_path, monkeypatch):
    project.write("check.sh", f"#!/bin/sh\necho ran >> {tmp_path}/count\n").chmod(0o755)
    project.phase("p", 'steps: [{id: x, run: [./check.sh], writes: [], cache: {inputs: ["src/**"]}}]\n')
    for _ in range(2):
        assert project.cmr("run-phase", "p", cwd=project.root / "src").code == 0
    assert count(tmp_path) == 1
    project.write("check.sh", f"#!/bin/sh\n: other\necho ran >> {tmp_path}/count\n")
    assert project.cmr("run-phase", "p", cwd=project.root / "src").code == 0
    assert count(tmp_path) == 2


def test_pruning(join, tmp_path):
    assert join.cmr("run-phase", "p").code == 0
    assert join.cmr("cache", "prune").out.startswith("removed 0 cached steps")
    assert join.git("for-each-ref", "refs/cmr/cache") != ""
    assert join.cmr("cache", "prune", "--older-than", "0s", "--json").data()["removed"] == 1
    assert join.git("for-each-ref", "refs/cmr/cache") == ""
    assert join.cmr("cache", "prune", "--older-than", "soon").code == 2
    (join.root / "joined").unlink()
    assert join.cmr("run-phase", "p").code == 0
    assert count(tmp_path) == 2


def test_in_a_worktree(project, tmp_path):
    project.phase("p", f"""\
workspace: worktree
steps:
  - {{id: x, run: {counting(tmp_path, 'cat src/a src/b > joined')}, cache: {{inputs: ["src/**"]}}}}
  - {{id: land, uses: git.merge, with: {{branch: result}}}}
""")  # fmt: skip
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "phase")
    for _ in range(2):
        done = project.cmr("run-phase", "p")
        assert done.code == 0, done.out
        assert project.git("show", "result:joined") == "a\nb"
        project.git("branch", "-D", "result")
    assert count(tmp_path) == 1


@pytest.mark.parametrize("seed", range(SEEDS))
def test_with_and_without_it_comes_to_the_same(make_sandbox, seed):
    """Random phases that write, rename and copy the same content to several paths, run twice, then compared."""
    chance = random.Random(seed)
    acts = [
        "cp src/a src/copy{n}", "mv src/copy{m} src/moved{n} 2>/dev/null || true", "cat src/* > all{n}",
        "rm -f all{m}", "echo {n} >> src/a", "ln -sf src/a link{n}", "chmod +x src/a", "mkdir -p d{m}; cp src/a d{m}/x",
    ]  # fmt: skip
    lines = []
    for number in range(5):
        text = "; ".join(
            act.format(n=number, m=chance.randrange(5)) for act in chance.sample(acts, chance.randrange(1, 4))
        )
        inputs = chance.choice(['["src/**"]', '["**"]'])
        lines.append(f"  - {{id: s{number}, run: [sh, -c, '{text}'], cache: {{inputs: {inputs}}}}}\n")
    seen = []
    for name, options in (("with", ()), ("without", ("--no-cache",))):
        project = make_sandbox(f"{name}{seed}")
        project.write("src/a", "same\n")
        project.write("src/b", "same\n")
        project.phase("p", "steps:\n" + "".join(lines))
        project.git("init", "-q")
        project.git("add", "-A")
        project.git("commit", "-q", "-m", "x")
        between = random.Random(seed + 100)  # the same in both
        for _ in range(3):
            assert project.cmr("run-phase", "p", *options).code == 0
            if between.random() < 0.5:
                project.git("checkout", "-q", "--", ".")
                project.git("clean", "-fdq")
        project.git("add", "-A")
        seen.append(project.git("ls-files", "-s"))
    assert seen[0] == seen[1]


def test_a_step_that_breaks_its_promise_is_not_kept(sandbox):
    sandbox.phase("p", "steps:\n  - {id: x, run: [sh, -c, 'date +%N > junk'], writes: [], cache: {inputs: [w]}}\n")
    assert sandbox.cmr("run-phase", "p").code == 1
    sandbox.git("add", "-A")
    again = sandbox.cmr("run-phase", "p")
    assert "cached" not in again.err
    assert again.code == 1
