"""Phases that work in worktrees: real git, from outside."""

import json
import signal
import subprocess
import sys

import pytest


@pytest.fixture
def project(sandbox):
    for number in range(8):
        sandbox.write(f"src/f{number}", f"{number}\n")
    sandbox.write("src/shared", "".join(f"line {number}\n" for number in range(40)))
    sandbox.write(".gitignore", ".venv/\nnode_modules/\n*.log\n")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "files")
    return sandbox


def phase(project, body):
    project.phase("p", f"workspace: worktree\n{body}")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "phase")


def steps_of(project):
    return {step["id"]: step for step in project.cmr("status", "last", "--json").data()["phases"][0]["steps"]}


def result_of(project):
    """Return the commit that the last run has come to."""
    refs = project.git("for-each-ref", "--sort=refname", "--format=%(refname)", "refs/cmr").split()
    return next(ref for ref in reversed(refs) if ref.endswith(".commit"))


def test_the_projects_own_folder_is_left_alone(project):
    phase(project, """\
steps:
  - {id: change, run: [sh, -c, "echo new > src/f0; rm src/f1; echo x > src/added; pwd"], title: Change something}
  - {id: see, run: [sh, -c, "cat src/f0 src/added; test ! -e src/f1"], writes: []}
""")  # fmt: skip
    (project.root / "src/f0").write_text("not committed")
    head = project.git("rev-parse", "HEAD")
    done = project.cmr("run-phase", "p")
    assert done.code == 0, done.err
    assert (project.root / "src/f0").read_text() == "not committed"
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("worktree", "list").count("\n") == 0
    result = result_of(project)
    assert project.git("rev-parse", f"{result}^") == head
    assert project.git("show", "--format=%s%n%an", "--name-status", result).split("\n") == [
        "p/change: Change something", "Test", "", "A\tsrc/added", "M\tsrc/f0", "D\tsrc/f1",
    ]  # fmt: skip


def test_eight_writers_beside_each_other_and_a_conflict(project):
    """Seven are joined, the eighth fails with the path; what came of it is what a person would have made."""
    phase(project, """\
steps:
  - id: edit
    matrix: {n: [0, 1, 2, 3, 4, 5, 6, 7]}
    env: {N: "${{ matrix.n }}"}
    writes: ["src/**"]
    run: |
      echo "changed $N" > src/f$N
      if [ "$N" = 6 ]; then sed -i '3s/.*/by six/' src/shared; fi
      if [ "$N" = 2 ]; then sleep 0.3; sed -i '3s/.*/by two/' src/shared; fi
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    steps = steps_of(project)
    assert [steps[f"edit[{n}]"]["status"] for n in range(8)] == ["success"] * 6 + ["failure", "success"]
    assert "conflicts with what steps before it changed: src/shared" in steps["edit[6]"]["reason"]
    result = result_of(project)
    for number in (0, 1, 2, 3, 4, 5, 7):
        assert project.git("show", f"{result}:src/f{number}") == f"changed {number}"
    assert project.git("show", f"{result}:src/f6") == "6"
    assert project.git("show", f"{result}:src/shared").split("\n")[2] == "by two"
    assert (
        project.git("log", "--format=%s", "--reverse", f"HEAD..{result}").split("\n")
        == ["p/edit: changes of this step"] * 7
    )
    kept = steps["edit[6]"]["fix"].split()[-1]
    assert project.git("show", f"{kept}:src/f6") == "changed 6"
    assert not [line for line in project.git("worktree", "list").split("\n") if "trees" in line]


def test_a_step_sees_what_steps_before_it_did_and_nothing_of_those_beside_it(project):
    phase(project, """\
steps:
  - {id: a, needs: [], run: [sh, -c, "echo a > src/a; sleep 0.2; test ! -e src/b"]}
  - {id: b, needs: [], run: [sh, -c, "echo b > src/b; sleep 0.2; test ! -e src/a"]}
  - {id: c, needs: [a, b], run: [sh, -c, "cat src/a src/b > src/c"]}
  - {id: d, needs: [c], run: [cat, src/c], writes: []}
""")  # fmt: skip
    done = project.cmr("run-phase", "p", env={"CMR_PARALLEL": "4"})
    assert done.code == 0, done.out
    assert project.git("show", f"{result_of(project)}:src/c") == "a\nb"


def test_changes_outside_of_what_is_permitted_fail_the_step(project):
    phase(project, """\
permissions: {write: ["src/**"]}
steps:
  - {id: x, run: [sh, -c, "echo 1 > src/f0; echo 1 > other"]}
  - {id: y, run: [echo]}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "changed files outside of what it may change: other" in done.out
    assert not project.git("for-each-ref", "refs/cmr/**/*.commit")


def test_a_failed_step_counts_for_nothing(project):
    phase(project, """\
steps:
  - {id: x, run: [sh, -c, "echo 1 > src/f0; exit 1"], continue-on-error: true}
  - {id: y, run: [sh, -c, 'test "$(cat src/f0)" = 0; echo y > src/y'], if: always()}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 0, done.out
    assert project.git("show", "--format=", "--name-only", result_of(project)) == "src/y"
    assert "its changes do not count" in done.out


def test_what_a_step_commits_itself_is_committed_by_the_engine(project):
    phase(project, """\
steps:
  - {id: x, run: [sh, -c, "echo 1 > src/f0; git add -A; git -c user.name=agent -c user.email=a@b commit -qm mine"]}
""")  # fmt: skip
    assert project.cmr("run-phase", "p").code == 0
    assert project.git("log", "--format=%an %s", f"HEAD..{result_of(project)}") == "Test p/x: changes of this step"


def test_folders_that_git_ignores_are_linked_and_set_up_runs_once(project):
    project.write("node_modules/thing/index.js", "1")
    phase(project, """\
setup: [sh, -c, "echo set up > made.log"]
steps:
  - {id: x, run: [sh, -c, "cat made.log node_modules/thing/index.js; test -L node_modules"], writes: []}
  - {id: y, run: [sh, -c, "echo 1 > src/f0"]}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 0, done.out
    assert (project.root / "node_modules/thing/index.js").exists()
    assert project.git("show", "--format=", "--name-only", result_of(project)) == "src/f0"


def test_a_set_up_that_fails(project):
    phase(project, "setup: [sh, -c, 'exit 7']\nsteps:\n  - {id: x, run: [echo]}\n")
    done = project.cmr("run-phase", "p")
    assert done.code == 3
    assert "could not be prepared" in done.out
    assert "exit code 7" in done.out


def test_gates_judge_the_checkout(project):
    phase(project, """\
steps:
  - {id: x, run: [sh, -c, "echo 'eval(input())' > src/bad.py"]}
gates: [deny]
""")  # fmt: skip
    project.write(
        "config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates: {deny: {check: denylist, default-set: true}}\n"
    )
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "src/bad.py" in done.out


def test_an_editable_install_is_refused(project):
    record = project.root / ".venv/lib/python3.11/site-packages/calc-1.0.dist-info/direct_url.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"dir_info": {"editable": True}, "url": project.root.as_uri()}))
    (project.root / ".venv/bin").mkdir()
    (project.root / ".venv/bin/python").symlink_to(sys.executable)
    (project.root / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    phase(project, "steps:\n  - {id: x, run: [echo]}\n")
    done = project.cmr("run-phase", "p")
    assert done.code == 3
    assert "calc is installed from" in done.out
    assert "PYTHONPATH" in done.out
    phase(project, "env: {PYTHONPATH: src}\nsteps:\n  - {id: x, run: [echo]}\n")
    assert project.cmr("run-phase", "p").code == 0


def test_outside_of_git_and_before_the_first_commit(make_sandbox):
    project = make_sandbox("plain")
    project.phase("p", "workspace: worktree\nsteps:\n  - {id: x, run: [echo]}\n")
    done = project.cmr("run-phase", "p")
    assert done.code == 3
    assert "a worktree needs a git repository" in done.out
    project.git("init", "-q")
    done = project.cmr("run-phase", "p", "--no-resume")
    assert done.code == 3
    assert "needs a commit" in done.out


@pytest.mark.parametrize("at", ["single", "many"])
def test_killed_in_the_middle_it_comes_to_the_same(project, tmp_path, at):
    flag, go = tmp_path / "flag", tmp_path / "go"
    wait = f'test -e "{go}" || {{ touch "{flag}"; sleep 60; }}'
    matrix = 'matrix: {n: ["1", "2"]}' if at == "many" else 'matrix: {n: ["1"]}\n    needs: [first]'
    phase(project, f"""\
steps:
  - {{id: first, run: [sh, -c, "echo first > src/first"]}}
  - id: second
    {matrix}
    env: {{N: "${{{{ matrix.n }}}}"}}
    run: |
      test ! -e src/half
      echo half > src/half; echo half > src/f0
      {wait}
      rm src/half; git checkout -q src/f0; echo "$N" > src/second$N
  - {{id: third, run: [sh, -c, "cat src/first src/second1 > src/third"]}}
""")  # fmt: skip
    process = project.begun(flag, "run-phase", "p")
    process.send_signal(signal.SIGKILL)
    process.wait()
    go.touch()
    done = project.cmr("resume")
    assert done.code == 0, done.out
    result = result_of(project)
    assert project.git("show", f"{result}:src/third") == "first\n1"
    assert project.git("show", f"{result}:src/f0") == "0"
    assert "src/half" not in project.git("ls-tree", "-r", "--name-only", result)
    assert not [line for line in project.git("worktree", "list").split("\n") if "trees" in line]
    assert steps_of(project)["first"]["attempts"][0]["number"] == 1
    assert len(steps_of(project)["first"]["attempts"]) == 1


def test_line_ends_and_attributes_are_the_repositorys(project):
    """Files lie there as git's own settings say, and a commit holds them as git would have stored them."""
    project.write(".gitattributes", "*.txt text eol=crlf\n")
    project.write("a.txt", "1\n2\n")
    phase(project, "steps:\n  - {id: x, run: [sh, -c, \"printf '3\\\\r\\\\n' >> a.txt\"]}\n")
    done = project.cmr("run-phase", "p")
    assert done.code == 0, done.out
    shown = subprocess.run(["git", "show", f"{result_of(project)}:a.txt"], cwd=project.root, capture_output=True).stdout
    assert shown == b"1\n2\n3\n"


def test_a_promise_to_write_nothing_is_checked_there_too(project):
    phase(project, """\
steps:
  - {id: liar, run: [sh, -c, "echo 1 > src/f0"], writes: []}
  - {id: later, run: [echo]}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "promises to write nothing" in done.out
    assert steps_of(project)["later"]["status"] == "skipped"


def test_beside_each_other_they_are_recorded_in_the_order_in_which_they_join(project):
    project.write(".gitignore", "many/\n")
    phase(project, """\
steps:
  - {id: x, needs: [], run: [sh, -c, "echo x > src/x; mkdir many; cd many; seq 1 8000 | xargs touch"]}
  - {id: y, needs: [], run: [sh, -c, "echo y > src/y"]}
  - {id: see, needs: [x], run: [sh, -c, "ls src > src/seen"]}
  - {id: ok, needs: [x, y, see], approval: {}}
  - {id: home, uses: git.merge, with: {into: main}}
""")  # fmt: skip
    waits = project.cmr("run-phase", "p")
    assert waits.code == 4
    order = [line.split()[1] for line in waits.err.splitlines() if "  success " in line]
    assert order.index("x") < order.index("y")  # what x leaves takes long to remove; its turn is over after that only
    run = project.cmr("status", "last", "--json").data()["run"]["run"]
    assert project.cmr("approve", run, "p/ok").code == 0
    assert project.cmr("resume").code == 0
    assert {"src/x", "src/y"} <= set(project.git("ls-files", "src").split())
    assert "y" not in (project.root / "src/seen").read_text().split()


def test_a_conflict_leaves_nothing_for_the_next_attempt(project):
    phase(project, """\
steps:
  - {id: x, needs: [], run: [sh, -c, "echo x > src/f0"]}
  - {id: y, needs: [], run: [sh, -c, "echo y > src/f0"], retry: {attempts: 2, initial: 10ms}}
""")  # fmt: skip
    done = project.cmr("run-phase", "p")
    assert done.code == 1
    assert "attempt 2" in done.out
    assert project.git("show", f"{result_of(project)}:src/f0") == "x"


def test_what_the_engine_itself_changes_breaks_no_promise(project):
    phase(project, """\
steps:
  - {id: look, run: ["true"], writes: []}
  - {id: x, needs: [look], run: [sh, -c, "echo x > src/f0"]}
  - {id: y, needs: [look], run: [sh, -c, "echo y > src/f1"]}
  - {id: see, needs: [x, y], run: ["true"], writes: []}
  - {id: home, uses: git.merge, with: {into: main}}
""")  # fmt: skip
    project.phase("after", "needs: [before, p]\nsteps:\n  - {id: see, run: ['true'], writes: []}\n")
    project.phase("before", "steps:\n  - {id: make, run: [sh, -c, 'echo 1 > made'], writes: [made]}\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "phases")
    done = project.cmr("run-phase", "after")
    assert done.code == 0, done.out


def test_each_phase_is_set_up_and_a_killed_set_up_runs_again(project, tmp_path):
    flag = tmp_path / "flag"
    project.phase("first", "workspace: worktree\nsteps:\n  - {id: x, run: [sh, -c, 'echo 1 > src/f0']}\n")
    phase(project, f"""\
needs: [first]
setup: [sh, -c, "test -e {flag} || {{ touch {flag}; sleep 60; }}; echo 1 > made.log"]
steps:
  - {{id: y, run: [cat, made.log], writes: []}}
""")  # fmt: skip
    process = project.begun(flag, "run-phase", "p")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    done = project.cmr("resume")
    assert done.code == 0, done.out
