"""Running a part again, comparing runs, and groups of runs."""

from pathlib import Path

import pytest


@pytest.fixture
def project(sandbox, tmp_path):
    run = lambda name, more="": f'[sh, -c, "echo {name} >> {tmp_path}/ran; {more}"]'  # noqa: E731
    sandbox.phase("first", f"steps:\n  - {{id: a, run: {run('a')}, writes: []}}\n")
    sandbox.phase("p", f"""\
needs: [first]
inputs: {{code: {{type: number, default: 1}}}}
steps:
  - {{id: b, run: {run('b', 'echo b > $CMR_OUT/made')}, writes: [], produces: {{made: made}},
     outputs: {{text: "${{{{ artifacts.made }}}}"}}}}
  - {{id: side, needs: [], run: {run('side')}, writes: [], matrix: {{n: ["1", "2"]}}}}
  - {{id: c, needs: [b], run: {run('c', 'exit $CODE')}, env: {{CODE: "${{{{ inputs.code }}}}"}}, writes: []}}
  - {{id: d, run: {run('d', 'cat $MADE')}, writes: [], env: {{MADE: "${{{{ artifacts.made }}}}"}}}}
finally:
  - {{id: z, run: {run('z')}, writes: []}}
""")  # fmt: skip
    return sandbox


def ran(tmp_path):
    file = tmp_path / "ran"
    found = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return sorted(found)


def run_of(project):
    return project.cmr("status", "last", "--json").data()


def committed(project):
    """Commit what is there; return the commit."""
    if not (project.root / ".git").exists():
        project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "all")
    return project.git("rev-parse", "HEAD")


class TestAgain:
    def test_what_failed_and_what_rests_on_it(self, project, tmp_path):
        assert project.cmr("run-phase", "p").code == 1
        assert ran(tmp_path) == ["a", "b", "c", "side", "side", "z"]
        parent = run_of(project)["run"]["run"]
        done = project.cmr("rerun", "--failed", "--set", "code=0")
        assert done.code == 0, done.out
        assert ran(tmp_path) == ["c", "d", "z"]
        found = run_of(project)
        assert found["run"]["parent"] == parent
        steps = {step["id"]: step for phase in found["phases"] for step in phase["steps"]}
        assert steps["b"]["outputs"] == {"text": "b\n"}
        assert f"taken over from run {parent}" in steps["b"]["reason"]
        assert [steps[f"side[{n}]"]["status"] for n in (0, 1)] == ["success", "success"]

    def test_from_a_step_on(self, project, tmp_path):
        assert project.cmr("run-phase", "p", "--input", "code=0").code == 0
        ran(tmp_path)
        assert project.cmr("rerun", "--from", "c").code == 0
        assert ran(tmp_path) == ["c", "d", "z"]
        assert project.cmr("rerun", "--from", "first/a").code == 0
        assert ran(tmp_path) == ["a", "b", "c", "d", "side", "side", "z"]

    def test_a_step_whose_artifact_is_gone_runs_again(self, project, tmp_path):
        assert project.cmr("run-phase", "p").code == 1
        ran(tmp_path)
        found = run_of(project)
        (made,) = (
            step["artifacts"]["made"]["path"] for p in found["phases"] for step in p["steps"] if step["id"] == "b"
        )
        Path(made).unlink()
        assert project.cmr("rerun", "--failed", "--set", "code=0").code == 0
        assert ran(tmp_path) == ["b", "c", "d", "z"]

    def test_a_phase_that_has_changed_runs_again(self, project, tmp_path):
        assert project.cmr("run-phase", "p").code == 1
        ran(tmp_path)
        project.phase("first", f'steps:\n  - {{id: a, run: [sh, -c, "echo new >> {tmp_path}/ran"], writes: []}}\n')
        assert project.cmr("rerun", "--failed", "--set", "code=0").code == 0
        assert ran(tmp_path) == ["b", "c", "d", "new", "side", "side", "z"]

    @pytest.mark.parametrize(("arguments", "said"), [
        (("--from", "nothing"), "no step is called 'nothing'"), (("--from", "a", "--failed"), "exclude each other"),
        (("--set", "code"), "is not of the form NAME=VALUE"), (("--set", "nothing=1"), "has an input 'nothing'"),
    ])  # fmt: skip
    def test_what_cannot_be(self, project, arguments, said):
        project.cmr("run-phase", "p")
        done = project.cmr("rerun", *arguments)
        assert done.code == 2
        assert said in done.err

    def test_a_killed_rerun_goes_on(self, project, tmp_path):
        assert project.cmr("run-phase", "p").code == 1
        ran(tmp_path)
        assert project.cmr("rerun", "--failed", "--set", "code=0", "--timeout", "1ms").code in (0, 124)
        ran(tmp_path)
        done = project.cmr("resume")
        assert done.code in (0, 2)
        assert "a" not in ran(tmp_path)

    def test_from_any_step_it_comes_to_the_same_as_a_whole_run(self, make_sandbox):
        made = []
        for begin in ("", "one", "two", "three"):
            project = make_sandbox(f"from{begin}")
            project.phase("p", """\
steps:
  - {id: one, run: [sh, -c, "echo 1 > one"], outputs: {n: "${{ 1 }}"}}
  - {id: two, run: [sh, -c, 'cat one > two; echo "$N" >> two'], env: {N: "${{ steps.one.outputs.n }}"}}
  - {id: three, run: [sh, -c, "sort two > three"]}
""")  # fmt: skip
            project.git("init", "-q")
            project.git("add", "-A")
            project.git("commit", "-q", "-m", "x")
            assert project.cmr("run-phase", "p").code == 0
            assert project.cmr("rerun", *(("--from", begin) if begin else ())).code == 0
            project.git("add", "-A")
            made.append(project.git("ls-files", "-s"))
        assert made.count(made[0]) == len(made)

    def test_what_was_taken_back_runs_again(self, sandbox, tmp_path):
        sandbox.phase("p", f"""\
rollback: {{on: [failure]}}
steps:
  - {{id: a, run: [sh, -c, "echo a > made"]}}
  - {{id: b, run: [sh, -c, "test -e {tmp_path}/go"], writes: []}}
""")  # fmt: skip
        committed(sandbox)
        assert sandbox.cmr("run-phase", "p").code == 1
        assert not (sandbox.root / "made").exists()
        (tmp_path / "go").touch()
        assert sandbox.cmr("rerun", "--failed").code == 0
        assert (sandbox.root / "made").exists()

    def test_what_reads_another_input_runs_again(self, sandbox, tmp_path):
        sandbox.phase("p", f"""\
inputs: {{who: {{type: string, default: one}}, two: {{type: string, default: x}}}}
steps:
  - {{id: a, needs: [], run: [sh, -c, "echo $W >> {tmp_path}/ran"], env: {{W: "${{{{ Inputs.who }}}}"}}, writes: []}}
  - {{id: b, needs: [], run: [sh, -c, "echo b >> {tmp_path}/ran"], env: {{TWO: "${{{{ inputs.two }}}}"}}, writes: []}}
  - {{id: c, needs: [], run: [sh, -c, "echo c >> {tmp_path}/ran"], if: "inputs['who'] != ''", writes: []}}
  - {{id: d, needs: [a, b, c], run: [sh, -c, "test -e {tmp_path}/go"], writes: []}}
""")  # fmt: skip
        assert sandbox.cmr("run-phase", "p").code == 1
        assert ran(tmp_path) == ["b", "c", "one"]
        (tmp_path / "go").touch()
        assert sandbox.cmr("rerun", "--failed", "--set", "who=two").code == 0
        assert ran(tmp_path) == ["c", "two"]

    def test_with_another_input_in_the_variables_of_a_phase_all_its_steps_run_again(self, sandbox, tmp_path):
        sandbox.phase("p", f"""\
inputs: {{who: {{type: string, default: one}}}}
env: {{WHO: "${{{{ inputs.who }}}}"}}
steps:
  - {{id: a, run: [sh, -c, "echo $WHO >> {tmp_path}/ran"], writes: []}}
  - {{id: b, run: [sh, -c, "echo b >> {tmp_path}/ran; test $WHO = two"], writes: []}}
""")  # fmt: skip
        assert sandbox.cmr("run-phase", "p").code == 1
        ran(tmp_path)
        assert sandbox.cmr("rerun", "--failed", "--set", "who=two").code == 0
        assert ran(tmp_path) == ["b", "two"]

    def test_it_is_said_that_files_have_changed_since(self, sandbox, tmp_path):
        sandbox.phase("p", f"""\
steps:
  - {{id: a, run: [sh, -c, "echo a > made"]}}
  - {{id: b, run: [sh, -c, "test -e {tmp_path}/go"], writes: []}}
""")  # fmt: skip
        committed(sandbox)
        assert sandbox.cmr("run-phase", "p").code == 1
        assert "have changed since" not in sandbox.cmr("rerun", "--failed").err
        assert "have changed since" not in sandbox.cmr("rerun", "--failed").err
        sandbox.write("mine", "x")
        (tmp_path / "go").touch()
        done = sandbox.cmr("rerun", "--failed")
        assert done.code == 0
        assert "files have changed since run" in done.err


class TestInWorktrees:
    def test_a_run_merges_into_the_branch_of_the_one_before(self, sandbox, tmp_path):
        sandbox.phase("p", f"""\
workspace: worktree
steps:
  - {{id: x, run: [sh, -c, "echo x > x.txt; test -e {tmp_path}/go"]}}
  - {{id: m, uses: git.merge, with: {{into: main}}}}
""")  # fmt: skip
        head = committed(sandbox)
        assert sandbox.cmr("run-phase", "p", "--branch", "mine").code == 1
        (tmp_path / "go").touch()
        done = sandbox.cmr("rerun")
        assert done.code == 0, done.out
        assert sandbox.git("rev-parse", "main") == head
        assert sandbox.git("rev-parse", "mine^") == head

    def test_an_interrupted_run_for_another_branch_is_not_gone_on_with(self, sandbox):
        sandbox.phase("p", """\
workspace: worktree
steps:
  - {id: x, run: [sh, -c, "echo x > x.txt; sleep $LONG"], env: {LONG: "1"}}
  - {id: m, uses: git.merge, with: {into: main}}
""")  # fmt: skip
        head = committed(sandbox)
        assert sandbox.cmr("run-phase", "p", "--timeout", "300ms").code == 124
        done = sandbox.cmr("run-phase", "p", "--branch", "mine")
        assert done.code == 0, done.err
        assert "going on with run" not in done.err
        assert sandbox.git("rev-parse", "main") == head
        assert sandbox.git("rev-parse", "mine^") == head

    def test_a_writer_does_not_begin_with_what_it_left(self, sandbox):
        sandbox.phase("p", """\
workspace: worktree
steps:
  - {id: x, needs: [], run: [sh, -c, "test ! -e x.txt && echo x > x.txt"]}
  - {id: y, needs: [], run: [sh, -c, "sleep 0.3; echo y > y.txt"]}
""")  # fmt: skip
        committed(sandbox)
        assert sandbox.cmr("run-phase", "p").code == 0
        done = sandbox.cmr("rerun", "--from", "x")
        assert done.code == 0, done.out
        done = sandbox.cmr("rerun", "--from", "y")
        assert done.code == 0, done.out
        assert "x  success  taken over" in done.err

    @pytest.mark.parametrize("rest", ["", "needs: [y, x], "])
    def test_what_was_taken_over_is_all_there(self, sandbox, tmp_path, rest):
        sandbox.phase("p", f"""\
workspace: worktree
steps:
  - {{id: x, needs: [y], run: [sh, -c, "echo x > x.txt"]}}
  - {{id: y, needs: [], run: [sh, -c, "echo y > y.txt"]}}
  - {{id: z, {rest or "needs: [x], "}run: [sh, -c, "cat x.txt y.txt && test -e {tmp_path}/go"]}}
""")  # fmt: skip
        committed(sandbox)
        assert sandbox.cmr("run-phase", "p").code == 1
        (tmp_path / "go").touch()
        done = sandbox.cmr("rerun", "--failed")
        assert done.code == 0, done.out
        assert done.err.count("taken over from") == 2

    def test_beside_a_writer_that_failed_nothing_runs_again(self, sandbox, tmp_path):
        sandbox.phase("p", f"""\
workspace: worktree
steps:
  - {{id: x, needs: [], run: [sh, -c, "echo x > x.txt; test -e {tmp_path}/go"]}}
  - {{id: y, needs: [], run: [sh, -c, "sleep 0.3; echo y > y.txt"]}}
  - {{id: z, needs: [x, y], run: [sh, -c, "cat x.txt y.txt"]}}
""")  # fmt: skip
        committed(sandbox)
        assert sandbox.cmr("run-phase", "p").code == 1
        (tmp_path / "go").touch()
        done = sandbox.cmr("rerun", "--failed")
        assert done.code == 0, done.out
        assert "y  success  taken over" in done.err


class TestDifferences:
    def test_what_differs(self, project):
        project.cmr("run-phase", "p")
        spec = project.root / "workflows/phase_definitions/first.yaml"
        spec.write_text(spec.read_text().replace("echo a", "echo other"))
        project.cmr("run-phase", "p", "--input", "code=0", "--no-resume")
        runs = [row["run"]["run"] for row in project.cmr("status", "--json").data()["runs"]]
        done = project.cmr("diff", runs[1], "last")
        assert done.code == 0
        for text in ("p code  1  ->  0", "p/c  failure  ->  success", "p/d  skipped  ->  success", "+  - {id: a"):
            assert text in done.out
        kinds = {each["kind"] for each in project.cmr("diff", runs[1], "--json").data()["differences"]}
        assert kinds >= {"spec", "inputs", "surroundings", "run", "steps"}

    def test_nothing_differs(self, project):
        project.cmr("run-phase", "p")
        assert "nothing differs" in project.cmr("diff", "last", "last").out

    def test_runs_that_do_not_exist(self, project):
        assert project.cmr("diff", "last", "last").code == 2


class TestGroups:
    @pytest.fixture
    def two(self, make_sandbox, tmp_path):
        def make(on_conflict):
            made = []
            for name in ("one", "two"):
                project = make_sandbox(name)
                project.phase("p", f"""\
inputs: {{where: {{type: string, default: prod}}}}
concurrency: {{group: "deploy-${{{{ inputs.where }}}}", on-conflict: {on_conflict}}}
steps:
  - {{id: x, run: [sh, -c, "echo {name} begins >> {tmp_path}/order; test -e {tmp_path}/go || sleep $LONG;
     echo {name} ends >> {tmp_path}/order"], writes: [], env: {{LONG: "1"}}}}
""")  # fmt: skip
                made.append(project)
            return made

        return make

    def test_a_name_that_cannot_be_evaluated_is_the_fault_of_the_input(self, make_sandbox):
        project = make_sandbox("one")
        project.phase("p", """\
inputs: {w: {type: string, default: ""}}
concurrency: {group: "x-${{ fromJSON(inputs.w).a }}"}
steps: [{id: x, run: [echo]}]
""")  # fmt: skip
        done = project.cmr("run-phase", "p", "--input", "w=bad")
        assert done.code == 2
        assert "the group of phase p cannot be named" in done.err

    def test_the_second_waits(self, two, tmp_path):
        one, other = two("queue")
        process = one.begun(tmp_path / "order", "run-phase", "p")
        done = other.cmr("run-phase", "p")
        assert done.code == 0
        assert "waiting for run" in done.err
        assert process.wait(10) == 0
        assert (tmp_path / "order").read_text().splitlines() == ["one begins", "one ends", "two begins", "two ends"]

    def test_the_second_fails(self, two, tmp_path):
        one, other = two("fail")
        process = one.begun(tmp_path / "order", "run-phase", "p")
        done = other.cmr("run-phase", "p")
        assert done.code == 75
        assert "of the group 'deploy-prod' is at work" in done.err
        assert other.cmr("run-phase", "p", "--input", "where=test", "--no-resume").code == 0  # another group
        assert process.wait(10) == 0
        assert "interrupted" not in other.cmr("status").out  # what could not begin is no run

    def test_the_first_is_cancelled(self, two, tmp_path):
        one, other = two("cancel")
        process = one.begun(tmp_path / "order", "run-phase", "p")
        done = other.cmr("run-phase", "p")
        assert done.code == 0
        assert "asked run" in done.err
        assert process.wait(10) == 1
        assert "one ends" not in (tmp_path / "order").read_text()
        assert "cancelled by a newer run" in one.cmr("status", "last").out.lower()
