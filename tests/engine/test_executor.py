"""One attempt of one step, judged."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from cli_multi_rapid.engine.commands import shown
from cli_multi_rapid.engine.executor import Attempt
from cli_multi_rapid.engine.expressions import ExpressionError
from cli_multi_rapid.engine.graph import build
from cli_multi_rapid.model.phase import Defaults, Shell
from cli_multi_rapid.model.process import Exit
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.testing import FAILS, MISSING, RUN_ID, TIMES_OUT, Act, Drill, phase, run_plan, step


class Scene:
    """One step of a phase, about to be attempted; `contexts` are what its expressions see."""

    def __init__(self, folder, one=None, *, act=None, contexts=None, number=1, **settings):
        given = {name: settings.pop(name) for name in ("environ", "secrets", "missing") if name in settings}
        self.phase = phase("p", one or step("s"), **settings)
        self.drill = Drill(plan=run_plan(self.phase), folder=folder, scripts={"p/s": act or Act()}, **given)
        out = folder / "out"
        out.mkdir(exist_ok=True)
        self.attempt = Attempt(
            root=str(folder),
            run=RUN_ID,
            node=build([self.phase]).nodes["p/s"],
            key="p/s",
            number=number,
            out=out,
            log=folder / "log",
            contexts={"artifacts": {}, "inputs": {}, "step": {"out": str(out)}, **(contexts or {})},
        )
        self.lines = []

    def run(self):
        return asyncio.run(self.drill.executor().run(self.attempt, self.phase, on_output=self.lines.append))

    def argv(self):
        return self.drill.executor().argv(self.attempt, self.phase)

    @property
    def command(self):
        (command,) = self.drill.children.commands
        return command

    def env(self):
        self.run()
        return self.command.env


@pytest.fixture
def scene(tmp_path):
    return lambda *given, **settings: Scene(tmp_path, *given, **settings)


class TestArguments:
    def test_a_list_is_the_exact_arguments(self, scene):
        argv = ("tool", "-x", "a b", "$HOME", "*", "", "'")
        assert scene(step("s", run=argv)).argv() == argv

    def test_every_value_stays_one_argument(self, scene):
        argv = ("tool", "--name=${{ inputs.name }}", "${{ inputs.name }}")
        value = "a b; rm -rf / $(x) `y`\n'\""
        assert scene(step("s", run=argv), contexts={"inputs": {"name": value}}).argv() == (
            "tool",
            f"--name={value}",
            value,
        )

    def test_values_are_not_filled_in_again(self, scene):
        found = scene(
            step("s", run=("x", "a${{ inputs.a }}")), contexts={"inputs": {"a": "${{ inputs.b }}", "b": "no"}}
        )
        assert found.argv() == ("x", "a${{ inputs.b }}")

    @pytest.mark.parametrize("value", ["-rf", "--output=x", "-", "--"])
    def test_a_value_that_looks_like_an_option_is_refused(self, scene, value):
        one = scene(step("s", run=("rm", "${{ inputs.a }}")), contexts={"inputs": {"a": value}})
        result = one.run()
        assert result.status is Status.FAILURE
        assert "would be taken for an option" in result.reason
        assert "'--'" in result.fix
        assert one.drill.children.commands == []

    def test_after_two_dashes_it_is_data(self, scene):
        one = scene(step("s", run=("rm", "--", "${{ inputs.a }}")), contexts={"inputs": {"a": "-rf"}})
        assert one.argv() == ("rm", "--", "-rf")

    def test_a_negative_number_written_in_the_spec_is_no_surprise(self, scene):
        assert scene(step("s", run=("nice", "-5"))).argv() == ("nice", "-5")

    @pytest.mark.parametrize(
        ("shell", "begins"),
        [
            (Shell.BASH, ("bash", "--noprofile", "--norc", "-euo", "pipefail", "-c")),
            (Shell.SH, ("sh", "-eu", "-c")),
            (Shell.PWSH, ("pwsh", "-NoProfile", "-NonInteractive", "-Command")),
            (Shell.PYTHON, ("python", "-c")),
        ],
    )
    def test_text_goes_to_the_shell_as_it_is(self, scene, shell, begins):
        text = 'echo "$A" | cat'
        assert scene(step("s", run=text, shell=shell)).argv() == (*begins, text)
        assert scene(step("s", run=text), defaults=Defaults(shell=shell)).argv() == (*begins, text)

    def test_secrets_are_no_arguments(self, scene):
        one = scene(step("s", run=("x", "${{ secrets.KEY }}")), secrets={"KEY": "value-of-key"})
        with pytest.raises(ExpressionError):
            one.argv()
        assert one.run().reason.startswith("expression: ")

    def test_it_is_shown_as_people_would_type_it(self):
        assert shown(("a", "b c", "")) == "a 'b c' ''"


class TestEnvironment:
    def test_the_step_outweighs_the_phase_and_the_phase_the_rest(self, scene):
        env = scene(
            step("s", env={"C": "step"}), env={"B": "phase", "C": "phase"}, environ={"A": "own", "B": "own", "C": "own"}
        ).env()
        assert (env["A"], env["B"], env["C"]) == ("own", "phase", "step")

    def test_what_the_program_gives_cannot_be_changed(self, scene):
        env = scene(step("s", env={"CMR_STEP": "x"}), environ={"CMR_RUN": "x"}, number=3).env()
        assert (env["CMR_RUN"], env["CMR_STEP"], env["CMR_ATTEMPT"]) == (RUN_ID, "p/s", "3")
        assert Path(env["CMR_OUT"]).name == "out"

    def test_attempts_share_their_idempotency_key(self, scene):
        first, second = (scene(number=number).env()["CMR_IDEMPOTENCY_KEY"] for number in (1, 2))
        assert first == second
        assert len(first) == 32

    @pytest.mark.parametrize(
        ("value", "text"),
        [("a b", "a b"), (True, "true"), (1, "1"), (1.5, "1.5"), (None, ""), ("${{ inputs.n }}", "7"), ("$X", "$X")],
    )
    def test_values_become_text(self, scene, value, text):
        assert scene(step("s", env={"V": value}), contexts={"inputs": {"n": 7}}).env()["V"] == text

    def test_secrets_are_there_for_who_asks(self, scene):
        one = scene(step("s", env={"TOKEN": "Bearer ${{ secrets.KEY }}"}), secrets={"KEY": "value-of-key"})
        assert one.env()["TOKEN"] == "Bearer value-of-key"
        assert one.command.secrets == ("value-of-key",)

    def test_an_expression_that_cannot_be_evaluated_fails_the_step(self, scene):
        one = scene(step("s", env={"V": "${{ fromJSON('{') }}"}))
        assert one.run().reason.startswith("expression: ")
        assert one.drill.children.commands == []


class TestCommand:
    def test_where_and_how_it_runs(self, scene, tmp_path):
        one = scene(step("s", timeout="90s"))
        one.run()
        assert one.command.cwd == str(tmp_path)
        assert one.command.log == str(tmp_path / "log")
        assert one.command.tag == f"{RUN_ID}:p/s"
        assert one.command.timeout_s == 90

    def test_the_phase_gives_the_timeout_where_the_step_does_not(self, scene):
        one = scene(defaults=Defaults(timeout="250ms"))
        one.run()
        assert one.command.timeout_s == 0.25

    def test_its_lines_are_passed_on(self, scene):
        one = scene(act=Act(lines=("a", "b")))
        one.run()
        assert one.lines == ["a", "b"]

    def test_what_is_not_installed_is_an_error_before_anything_runs(self, scene):
        one = scene(step("s", requires=("ruff", "bash", "python:x")), missing={"ruff": "install it", "python:x": "y"})
        result = one.run()
        assert (result.status, result.reason) == (Status.ERROR, "not installed: ruff, python:x")
        assert result.fix == "install it"
        assert one.drill.children.commands == []


class TestJudgement:
    @pytest.mark.parametrize(
        ("act", "status", "reason"),
        [
            (Act(), Status.SUCCESS, ""),
            (FAILS, Status.FAILURE, "exit code 1 (success is 0)"),
            (TIMES_OUT, Status.TIMEOUT, "took longer than 60m"),
            (Act(exit=Exit(code=0, timed_out=True)), Status.TIMEOUT, "took longer than 60m"),
            (Act(exit=Exit(signal=11)), Status.FAILURE, "killed by SIGSEGV (11)"),
            (Act(exit=Exit(signal=9)), Status.FAILURE, "killed by SIGKILL (9), maybe out of memory"),
            (Act(exit=Exit(signal=77)), Status.FAILURE, "killed by 77 (77)"),
            (MISSING, Status.ERROR, "program not found: tool"),
            (Act(exit=Exit(error="exec format error")), Status.ERROR, "exec format error"),
        ],
    )
    def test_how_it_ended(self, scene, act, status, reason):
        result = scene(act=act).run()
        assert (result.status, result.outcome, result.reason) == (status, status, reason)

    def test_what_to_install_is_said(self, scene):
        assert scene(step("s", run=("ruff", "x")), act=MISSING).run().fix == "install ruff, or correct the command"
        assert scene(step("s", run="x"), act=MISSING).run().fix == "install its shell, or correct the command"

    @pytest.mark.parametrize(("code", "status"), [(1, Status.SUCCESS), (0, Status.FAILURE), (2, Status.FAILURE)])
    def test_a_step_says_which_codes_are_success(self, scene, code, status):
        result = scene(step("s", ok_codes=(1, 3)), act=Act(exit=Exit(code=code))).run()
        assert (result.status, result.code) == (status, code)

    def test_what_was_measured_is_kept(self, scene):
        result = scene(act=Act(exit=Exit(code=5, duration_ms=12, leftover=2, truncated=True))).run()
        assert (result.duration_ms, result.leftover, result.truncated) == (12, 2, True)


class TestArtifacts:
    def test_a_file_is_known_by_its_hash(self, scene, tmp_path):
        result = scene(step("s", produces={"a": "sub.txt"}), act=Act(files={"sub.txt": "text"})).run()
        made = result.artifacts["a"]
        assert (made.path, made.size) == (str(tmp_path / "out" / "sub.txt"), 4)
        assert made.sha256 == hashlib.sha256(b"text").hexdigest()

    def test_its_name_can_come_from_an_expression(self, scene):
        one = step("s", produces={"a": "${{ matrix.v }}.txt"})
        assert scene(one, act=Act(files={"3.txt": ""}), contexts={"matrix": {"v": 3}}).run().status is Status.SUCCESS

    @pytest.mark.parametrize("path", ["missing", "../log", "/etc/passwd", "link", "folder", "pipe", "in/../../log", ""])
    def test_what_is_no_file_of_the_step_fails_it(self, scene, tmp_path, path):
        one = scene(step("s", produces={"a": path}))
        (tmp_path / "log").write_text("x")
        out = tmp_path / "out"
        (out / "link").symlink_to(tmp_path / "log")
        (out / "folder").mkdir()
        os.mkfifo(out / "pipe")
        result = one.run()
        assert result.status is Status.FAILURE
        assert result.reason.startswith("artifact 'a' was not produced: ")

    def test_a_path_that_leads_out_by_its_value_fails_it(self, scene, tmp_path):
        (tmp_path / "log").write_text("x")
        one = scene(step("s", produces={"a": "${{ inputs.p }}"}), contexts={"inputs": {"p": "../log"}})
        assert one.run().status is Status.FAILURE

    def test_a_name_that_cannot_be_evaluated_fails_it(self, scene):
        result = scene(step("s", produces={"a": "${{ fromJSON('{') }}"})).run()
        assert result.status is Status.FAILURE
        assert result.reason.startswith("artifact 'a': ")

    def test_a_failed_command_produces_nothing(self, scene):
        assert scene(step("s", produces={"a": "x"}), act=FAILS).run().artifacts == {}


class TestOutputs:
    def produce(self, scene, expression, text="", **more):
        one = step("s", produces={"made": "f"}, outputs={"o": expression})
        return scene(one, act=Act(files={"f": text}), **more).run()

    def test_an_artifact_is_seen_by_its_content(self, scene):
        result = self.produce(scene, "${{ fromJSON(artifacts.made).totals.percent }}", '{"totals": {"percent": 87.5}}')
        assert result.outputs == {"o": 87.5}

    def test_names_are_found_whatever_their_case(self, scene):
        assert self.produce(scene, "${{ artifacts.MADE }}", "text").outputs == {"o": "text"}

    def test_the_artifact_of_an_earlier_step_too(self, scene, tmp_path):
        (tmp_path / "earlier").write_text("text")
        found = self.produce(
            scene, "${{ artifacts.before }}", contexts={"artifacts": {"before": str(tmp_path / "earlier")}}
        )
        assert found.outputs == {"o": "text"}

    def test_those_of_a_matrix_are_a_list(self, scene, tmp_path):
        paths = [tmp_path / name for name in "ab"]
        for path in paths:
            path.write_text(path.name)
        contexts = {"artifacts": {"many": [str(path) for path in paths]}}
        assert self.produce(scene, "${{ join(artifacts.many, '+') }}", contexts=contexts).outputs == {"o": "a+b"}

    def test_one_that_a_skipped_step_would_have_made_is_null(self, scene):
        assert self.produce(scene, "${{ artifacts.skipped || 'none' }}").outputs == {"o": "none"}

    def test_plain_text_and_mixed_text(self, scene):
        assert self.produce(scene, "as it is").outputs == {"o": "as it is"}
        assert self.produce(scene, "v${{ inputs.n }}", contexts={"inputs": {"n": 3}}).outputs == {"o": "v3"}

    def test_what_is_no_utf8_is_replaced(self, scene, tmp_path):
        one = scene(step("s", produces={"made": "f"}, outputs={"o": "${{ artifacts.made }}"}))
        (tmp_path / "out" / "f").write_bytes(b"a\xffb")
        assert one.run().outputs == {"o": "a\ufffdb"}

    @pytest.mark.parametrize("expression", ["${{ fromJSON(artifacts.made) }}", "${{ nothing.here }}"])
    def test_one_that_cannot_be_evaluated_fails_the_step(self, scene, expression):
        result = self.produce(scene, expression, "no json")
        assert (result.status, result.outputs) == (Status.FAILURE, {})
        assert result.reason.startswith("outputs: ")
        assert list(result.artifacts) == ["made"], "what was made is kept"

    @pytest.mark.parametrize("expression", ["${{ NaN }}", "${{ -Infinity }}", "${{ fromJSON('[1e999]') }}"])
    def test_what_the_log_cannot_take_fails_the_step(self, scene, expression):
        result = self.produce(scene, expression)
        assert result.status is Status.FAILURE
        assert result.reason.startswith("outputs: ")

    def test_they_are_small(self, scene):
        result = self.produce(scene, "${{ artifacts.made }}", "x" * 70_000)
        assert result.status is Status.FAILURE
        assert "produce an artifact instead" in result.reason

    def test_lone_surrogates_are_data(self, scene):
        result = self.produce(scene, "${{ inputs.x }}", contexts={"inputs": {"x": "\udcff"}})
        assert result.outputs == {"o": "\udcff"}
