"""Taking back what a phase has done: in reverse, once each, also across crashes."""

import re
import signal

import pytest


@pytest.fixture
def project(sandbox):
    for name in ("a", "b", "c"):
        sandbox.write(f"src/{name}", "1\n")
    sandbox.write("tool", "#!/bin/sh\n").chmod(0o755)
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "files")
    return sandbox


def contents(project):
    return {
        str(path.relative_to(project.root)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(project.root.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


def test_every_byte_comes_back(project, tmp_path):
    project.phase("p", f"""\
rollback: {{on: [failure]}}
steps:
  - {{id: one, run: [sh, -c, "echo 2 > src/a; rm src/b; chmod -x tool"]}}
  - {{id: look, run: [ls], writes: []}}
  - {{id: two, run: [sh, -c, "echo 3 > src/a; mkdir -p new; echo x > new/file"]}}
  - id: deploy
    run: [sh, -c, "echo deployed >> {tmp_path}/world"]
    writes: []
    outputs: {{id: "${{{{ 'release-7' }}}}"}}
    undo:
      run: [sh, -c, 'echo "took $ID back" >> {tmp_path}/world']
      env: {{ID: "${{{{ steps.deploy.outputs.id }}}}"}}
  - {{id: broken, run: [sh, -c, "exit 7"], writes: []}}
finally:
  - {{id: see, run: [sh, -c, "cat src/a src/b > {tmp_path}/seen"], writes: []}}
""")  # fmt: skip
    was = contents(project)
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert contents(project) == was
    assert (tmp_path / "world").read_text() == "deployed\ntook release-7 back\n"
    assert (tmp_path / "seen").read_text() == "1\n1\n"
    assert re.findall(r"p (\w+)  success [0-9.]+s  taken back", done.err) == ["deploy", "two", "one"]
    steps = {
        step["id"]: step["undone"] for step in project.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    }
    taken_back = {name for name, how in steps.items() if how == "success"}
    assert taken_back == {"one", "two", "deploy"}


def test_a_gate_that_fails_is_a_failure(project):
    project.write(
        "config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates: {deny: {check: denylist, default-set: true}}\n"
    )
    project.phase("p", """\
rollback: {on: [failure]}
steps: [{id: x, run: [sh, -c, "echo 'eval(input())' > bad.py"], writes: ["*.py"]}]
gates: [deny]
""")  # fmt: skip
    assert project.cmr("run-phase", "p").code == 1
    assert not (project.root / "bad.py").exists()


def test_without_a_failure_nothing_is_taken_back(project):
    project.phase("p", 'rollback: {on: [failure]}\nsteps: [{id: x, run: [sh, -c, "echo 2 > src/a"]}]\n')
    assert project.cmr("run-phase", "p").code == 0
    assert (project.root / "src/a").read_text() == "2\n"


@pytest.mark.parametrize(("on", "expected"), [("cancelled", "1\n"), ("failure", "2\n")])
def test_a_cancelled_run(project, tmp_path, on, expected):
    flag = tmp_path / "flag"
    project.phase("p", f"""\
rollback: {{on: [{on}]}}
steps:
  - {{id: x, run: [sh, -c, "echo 2 > src/a"]}}
  - {{id: wait, run: [sh, -c, "touch {flag}; sleep 60"], writes: []}}
""")  # fmt: skip
    process = project.begun(flag, "run-phase", "p")
    project.cmr("cancel", "last")
    assert process.wait(30) == 1
    assert (project.root / "src/a").read_text() == expected


def test_what_somebody_changed_since_is_not_overwritten(project):
    project.phase("p", """\
rollback: {on: [failure]}
steps:
  - {id: one, run: [sh, -c, "echo 2 > src/a"]}
  - {id: two, run: [echo], writes: [], undo: {run: [sh, -c, "echo 9 > src/c"]}}
  - {id: broken, run: [sh, -c, "echo 2 > src/b; exit 1"]}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "step p/one: could not be taken back: files have changed since it ended: src/c" in done.out
    assert (project.root / "src/a").read_text() == "2\n"
    assert (project.root / "src/b").read_text() == "1\n"  # what the failed step had changed


def test_an_undo_that_fails_is_named_and_the_others_are_tried(project, tmp_path):
    project.phase("p", f"""\
rollback: {{on: [failure]}}
steps:
  - {{id: one, run: [echo], writes: [], undo: {{run: [sh, -c, "echo one >> {tmp_path}/undone"]}}}}
  - {{id: two, run: [echo], writes: [], undo: {{run: [sh, -c, "exit 9"]}}}}
  - {{id: broken, run: ["false"], writes: []}}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert (tmp_path / "undone").read_text() == "one\n"
    assert "step p/two: could not be taken back: exit code 9" in done.out


def test_killed_in_the_middle_it_goes_on(project, tmp_path):
    flag, go = tmp_path / "flag", tmp_path / "go"
    hang = f"test -e {go} || {{ touch {flag}; sleep 60; }}"
    project.phase("p", f"""\
rollback: {{on: [failure]}}
steps:
  - {{id: one, run: [sh, -c, "echo 2 > src/a"], writes: ["src/**"]}}
  - {{id: two, run: [echo], writes: [], undo: {{run: [sh, -c, "{hang}; echo two >> {tmp_path}/undone"]}}}}
  - {{id: three, run: [echo], writes: [], undo: {{run: [sh, -c, "echo three >> {tmp_path}/undone"]}}}}
  - {{id: broken, run: ["false"], writes: []}}
""")  # fmt: skip
    process = project.begun(flag, "run-phase", "p")
    process.send_signal(signal.SIGKILL)
    process.wait()
    go.touch()
    done = project.cmr("resume")
    assert done.code == 1
    assert (tmp_path / "undone").read_text() == "three\ntwo\n"
    assert (project.root / "src/a").read_text() == "1\n"


def test_edits_outside_of_what_a_step_may_change_stay(project, tmp_path):
    project.phase("p", f"""\
rollback: {{on: [failure]}}
steps:
  - {{id: one, run: [sh, -c, "echo 2 > src/a; touch {tmp_path}/flag; sleep 0.5"], writes: ["src/a"]}}
  - {{id: broken, run: ["false"], writes: []}}
""")  # fmt: skip
    process = project.begun(tmp_path / "flag", "run-phase", "p")
    (project.root / "src/b").write_text("mine\n")
    assert process.wait(timeout=20) == 1
    assert (project.root / "src/a").read_text() == "1\n"
    assert (project.root / "src/b").read_text() == "mine\n"


def test_an_undo_that_was_killed_half_way_runs_again(project, tmp_path):
    flag = tmp_path / "flag"
    hang = f"test -e {flag} || {{ touch {flag}; sleep 60; }}"
    project.phase("p", f"""\
rollback: {{on: [failure]}}
steps:
  - id: one
    run: [sh, -c, "echo 2 > src/a; echo 2 > src/b"]
    undo: {{run: [sh, -c, "echo 1 > src/a; {hang}; echo 1 > src/b"]}}
  - {{id: broken, run: ["false"], writes: []}}
""")  # fmt: skip
    process = project.begun(flag, "run-phase", "p")
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = project.cmr("resume")
    assert "could not be taken back" not in done.out
    assert (project.root / "src/b").read_text() == "1\n"


def test_in_a_worktree_an_undo_works_in_the_checkout_and_the_commit_is_dropped(project, tmp_path):
    project.phase("p", f"""\
workspace: worktree
rollback: {{on: [failure]}}
steps:
  - {{id: zero, run: [sh, -c, "echo 2 > src/a"]}}
  - {{id: one, run: [sh, -c, "echo 2 > src/b"], undo: {{run: [sh, -c, "pwd > {tmp_path}/where; echo 1 > undone"]}}}}
  - {{id: broken, run: ["false"], writes: []}}
finally:
  - {{id: left, uses: git.merge, with: {{branch: left}}}}
""")  # fmt: skip
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "phase")
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "could not be taken back" not in done.out
    assert (tmp_path / "where").read_text().strip() != str(project.root)
    assert not (project.root / "undone").exists()
    assert project.git("branch", "--list", "left") == "" or project.git("diff", "main", "left", "--", "src") == ""
