"""A project's own checks of contracts: good, broken and hostile ones, and whether they may run."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from cli_multi_rapid.contracts.judging_child import main
from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.model.contract import CheckStatus
from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.services.alone import run_alone
from cli_multi_rapid.services.contract_judges import Judges, judged_by_project, judges_of
from cli_multi_rapid.services.project import ensure_state_dir
from cli_multi_rapid.services.scaffold import starter_files
from cli_multi_rapid.services.trust import approve
from cli_multi_rapid.services.wiring import open_project

PATH = "contracts/validators/own.py"
TICK = "contracts/events/Tick@1.0.json"
PARTS = "contracts/events/parts/money.json"
SCHEMA = {
    "$id": "urn:cmr:contract:Tick:1.0", "type": "object", "description": "One quote.",
    "properties": {"bid": {"$ref": "parts/money.json#/$defs/Price", "description": "What a seller gets."}},
}  # fmt: skip
MONEY = {"$defs": {"Price": {"type": "string"}, "Money": {"properties": {"a/b": {"type": "string"}}}}}


@pytest.fixture
def project(sandbox):
    sandbox.write(TICK, json.dumps(SCHEMA))
    sandbox.write(PARTS, json.dumps(MONEY))
    return open_project(sandbox.root)


class Interpreter:
    """Takes what leaves a program as Python itself does at the end."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, problem, trace) -> bool:
        if problem is not None and not isinstance(problem, SystemExit):
            sys.excepthook(kind, problem, trace)
        return True


def within(command: Command) -> Exit:
    """Do what the child does in this process, which is much faster."""
    with pytest.MonkeyPatch.context() as here:
        here.setattr(sys, "argv", ["child"])
        here.setattr(sys, "excepthook", sys.__excepthook__)
        here.setattr(sys, "__excepthook__", lambda *_: None)
        here.setitem(sys.modules, "validator", None)
        with Interpreter():
            main(Path(command.argv[-1]))
    return Exit(code=0)


def judge(project, source, *, execute=within, timeout="20s"):
    text = dedent(source).lstrip("\n").encode()
    judges = Judges(paths=(PATH,), source=lambda _path: text)
    return judged_by_project(project, judges, (TICK,), execute=execute, timeout=timeout)[TICK]


def test_what_it_finds_are_violations_with_their_place(project):
    source = """
        def check(ctx):
            for place, key, schema in ctx.members():
                if "description" not in schema:
                    yield ctx.violation(f"{key} is not described", place)
            yield ctx.violation("a second\\nthing")
    """
    first, second = judge(project, source)
    assert (first.check, first.status, first.target) == ("project", CheckStatus.FAIL, "")
    assert first.pointer == f"{PARTS}#/$defs/Money/properties/a~1b"
    assert first.detail == f"a/b is not described ({PATH})"
    assert (second.pointer, second.detail) == (TICK, f"a second thing ({PATH})")


def test_nothing_found_is_a_pass_that_says_who_looked(project):
    (passed,) = judge(project, "def check(ctx):\n    return []\n")
    assert (passed.status, passed.detail) == (CheckStatus.PASS, PATH)


def test_what_a_check_sees(project):
    source = """
        import os, sys
        def check(ctx):
            assert (ctx.name, ctx.version, ctx.path) == ("Tick", "1.0", "contracts/events/Tick@1.0.json")
            assert ctx.schema["description"] == "One quote."
            assert sorted(ctx.documents) == ["contracts/events/Tick@1.0.json", "contracts/events/parts/money.json"]
            assert [place for place, _ in ctx.schemas()][0] == "contracts/events/Tick@1.0.json#"
            assert len(list(ctx.schemas())) == 6
            assert sys.argv == ["contracts/validators/own.py"]
            assert __name__ == "validator"
            return (ctx.violation(str(os.getcwd() == ctx.root)),)
    """
    (found,) = judge(project, source, execute=run_alone)
    assert found.detail == f"True ({PATH})"


def test_every_contract_is_judged_and_every_file_judges(project, sandbox):
    other = "contracts/events/Bar@2.1.json"
    sandbox.write(other, json.dumps({"$id": "urn:cmr:contract:Bar:2.1", "type": "object"}))
    judges = Judges(paths=("a.py", "b.py"), source=lambda path: (
        f"def check(ctx):\n    return [ctx.violation('{path}')] if ctx.name == 'Bar' else []\n".encode()))  # fmt: skip
    said = judged_by_project(project, judges, (other, TICK), execute=within)
    assert [one.detail for one in said[other]] == ["a.py (a.py)", "b.py (b.py)"]
    assert [one.status for one in said[TICK]] == [CheckStatus.PASS] * 2


ENDED = f"{PATH} ended without an answer"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def check(ctx):\n    return None\n", f"{PATH}: check returned None; expected a list of ctx.violation(...)"),
        ("def check(ctx):\n    return True\n", "check returned bool True"),
        ("def check(ctx):\n    return ['x']\n", "check returned a list with str 'x'"),
        ("def check(ctx):\n    while True:\n        yield ctx.violation('x')\n", "more than 10,000 violations"),
        ("", f"{PATH} has no function check(ctx)"),
        ("x = 1\nraise RuntimeError('no')\n", f"{PATH}:2: RuntimeError: no"),
        ("def check(ctx):\n    ctx.violation(' ')\n", f"{PATH}:2: ValueError: a violation needs a reason"),
        ("def check(ctx):\n    ctx.violation('x', 3)\n", f"{PATH}:2: TypeError: the place of a violation is text"),
        ("def check(ctx:\n", f"{PATH}:1: SyntaxError"),
        ("import sys\nsys.exit(0)\n", ENDED),
    ],
)
def test_what_is_no_answer_is_an_error(project, source, says):
    (found,) = judge(project, source)
    assert found.status is CheckStatus.ERROR
    assert says in found.detail


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import os\nos._exit(0)\n", ENDED),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", f"{PATH} was killed by signal 9"),
        ("def check(ctx):\n    while True:\n        pass\n", f"{PATH} did not end within 700ms"),
        ("""
            import json, os, sys
            from pathlib import Path
            answer = {"word": "0" * 32, "contracts": {"contracts/events/Tick@1.0.json": []}}
            print(json.dumps(answer), flush=True)
            Path(sys.orig_argv[-1]).with_name("answer.json").write_text(json.dumps(answer))
            os._exit(0)
         """, "is not the one that was asked for"),
        ("""
            import os, sys
            from pathlib import Path
            Path(sys.orig_argv[-1]).with_name("answer.json").symlink_to("/dev/zero")
            os._exit(0)
         """, ENDED),
        ("""
            import os

            def check(ctx):
                if other := os.fork():
                    os.waitpid(other, 0)
                    os._exit(0)
                return []
         """, ENDED),
    ],
)  # fmt: skip
def test_ends_of_real_processes(project, source, says):
    (found,) = judge(project, source, execute=run_alone, timeout="700ms" if "700ms" in says else "20s")
    assert found.status is CheckStatus.ERROR
    assert says in found.detail


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({}, "is not about the contracts of the project"),
        ({"contracts": {}}, "is not about the contracts of the project"),
        ({"contracts": {TICK: [], "other": []}}, "is not about the contracts of the project"),
        ({"contracts": {TICK: None}}, "has no list of violations"),
        ({"contracts": {TICK: [["only a place"]]}}, "for a violation"),
        ({"contracts": {TICK: [["place", 3]]}}, "for a violation"),
    ],
)
def test_an_answer_is_not_believed_to_be_well_formed(project, answer, says):
    def execute(command: Command) -> Exit:
        request = Path(command.argv[-1])
        asked = json.loads(request.read_text())
        request.with_name(asked["answer"]).write_text(json.dumps({"word": asked["word"], **answer}))
        return Exit(code=0)

    (found,) = judge(project, "", execute=execute)
    assert found.status is CheckStatus.ERROR
    assert says in found.detail


class TestTrust:
    PASSES = "def check(ctx):\n    return []\n"

    def test_there_are_none(self, project, sandbox):
        assert judges_of(project).paths == ()
        sandbox.write("contracts/validators/README.md", "")
        sandbox.write("contracts/validators/data/more.py", "")
        assert judges_of(project).paths == ()
        assert judged_by_project(project, judges_of(project), (TICK,)) == {TICK: ()}

    def test_only_what_was_approved_runs(self, project, sandbox):
        sandbox.write(PATH, self.PASSES)
        (refused,) = judged_by_project(project, judges_of(project), (TICK,), execute=within)[TICK]
        assert (refused.status, refused.pointer) == (CheckStatus.NOT_RUN, PATH)
        assert "nobody has approved that this file runs" in refused.detail
        ensure_state_dir(project.state)
        approve(project.root, project.state)
        (passed,) = judged_by_project(project, judges_of(project), (TICK,), execute=within)[TICK]
        assert passed.status is CheckStatus.PASS
        sandbox.write(PATH, self.PASSES + "# changed\n")
        (again,) = judged_by_project(project, judges_of(project), (TICK,), execute=within)[TICK]
        assert again.status is CheckStatus.NOT_RUN

    def test_one_that_changes_after_it_was_looked_at_does_not_run(self, project, sandbox):
        sandbox.write(PATH, self.PASSES)
        judges = judges_of(replace(project, environ={**project.environ, "CMR_TRUST": "1"}))
        sandbox.write(PATH, "changed")
        with pytest.raises(CouldNotRun, match="it has just been changed"):
            judges.source(PATH)
        (sandbox.root / PATH).unlink()
        with pytest.raises(CouldNotRun, match="it does not exist"):
            judges.source(PATH)

    def test_a_link_is_refused(self, project, sandbox):
        sandbox.write("own.py", self.PASSES)
        (sandbox.root / PATH).parent.mkdir()
        (sandbox.root / PATH).symlink_to(sandbox.root / "own.py")
        with pytest.raises(CouldNotRun, match="a file that decides what runs"):
            judges_of(project)


def test_the_example_of_the_sample_project(project):
    source = starter_files("sample/contracts/validators")["described.py"]
    (found,) = judge(project, source)
    assert found.detail == f"nobody has said what 'a/b' means; give it a description ({PATH})"
    assert found.pointer == f"{PARTS}#/$defs/Money/properties/a~1b"


def test_the_documentation_has_that_example():
    source = starter_files("sample/contracts/validators")["described.py"]
    pages = Path(__file__).resolve().parents[2].joinpath("docs").rglob("*.md")
    assert any(f"```python\n{source}```" in page.read_text("utf-8") for page in pages)
