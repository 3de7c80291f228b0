"""The project check: validators of a project, good, broken and hostile ones, in real processes of their own."""

import json
import os
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.gates.project import evaluate
from cli_multi_rapid.gates.runner import evaluate as evaluate_all
from cli_multi_rapid.gates.validator_child import main
from cli_multi_rapid.model.change import Change, ChangedFile, ChangeKind
from cli_multi_rapid.model.gate import GateResult, GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.process import Command, Exit
from cli_multi_rapid.services.scaffold import starter_files

PATH = "workflows/validators/todo.py"
PLAIN = GateSpec(check=Check.PROJECT, timeout="20s")
FINDS_TODO = """
    from cli_multi_rapid.validators import Context, Finding

    def check(ctx: Context) -> list[Finding]:
        return [
            ctx.finding("todo", "not done yet", path=path, line=number, severity="medium", fix="do it")
            for path in ctx.matching("**/*.txt", exclude=["old/**"])
            for number, line in enumerate(ctx.lines(path), start=1)
            if "TODO" in line
        ]
"""


def judge(project, source: str, spec: GateSpec = PLAIN, **more) -> GateResult:
    """Judge by a validator with this source, which need not be in the project."""
    text = dedent(source).lstrip("\n")
    given = replace(project.given(), **({"validator": lambda _path: text.encode()} | more))
    return evaluate("todo", spec, given)


def test_findings_fail_and_none_pass(project) -> None:
    project.write("a.txt", "one\nTODO two\n")
    project.write("old/b.txt", "TODO\n")
    result = judge(project, FINDS_TODO)
    (finding,) = result.findings
    assert (result.status, result.summary, result.observed, result.threshold) == (
        GateStatus.FAIL,
        "1 finding",
        1.0,
        0.0,
    )
    assert (finding.rule, finding.message, finding.path, finding.line) == ("todo", "not done yet", "a.txt", 2)
    assert (finding.severity, finding.fix, result.fix) == (Severity.MEDIUM, "do it", "a.txt:2: do it")
    project.write("a.txt", "one\n")
    clean = judge(project, FINDS_TODO)
    assert (clean.status, clean.summary) == (GateStatus.PASS, "no finding")


def test_the_result_names_the_validator_and_its_content(project) -> None:
    result = judge(project, "def check(ctx):\n    return []\n", execute=within)
    digest = sha256(b"def check(ctx):\n    return []\n").hexdigest()
    assert (result.tool, result.rules_digest) == (PATH, digest)
    assert [(one.path, one.sha256) for one in result.evidence] == [(PATH, digest)]
    broken = judge(project, "def check(ctx):\n    return None\n", execute=within)
    assert (broken.status, broken.evidence[0].path) == (GateStatus.ERROR, PATH)


def test_the_validator_is_named_by_the_gate_or_by_file(project) -> None:
    asked = []

    def source(path: str) -> bytes:
        asked.append(path)
        return b"def check(ctx):\n    return []\n"

    assert judge(project, "", validator=source, execute=within).status is GateStatus.PASS
    other = replace(PLAIN, file="workflows/validators/other.py")
    assert judge(project, "", other, validator=source, execute=within).status is GateStatus.PASS
    assert asked == [PATH, "workflows/validators/other.py"]


def test_what_blocks_is_for_the_gate_to_say(project) -> None:
    source = 'def check(ctx):\n    return [ctx.finding("r", "m", severity="medium")]\n'
    for least, status in ((Severity.HIGH, GateStatus.WARN), (Severity.MEDIUM, GateStatus.FAIL)):
        assert judge(project, source, replace(PLAIN, fail_on=least), execute=within).status is status


def test_fingerprints_are_made_of_the_line(project) -> None:
    project.write("a.txt", "TODO two\n")
    before = judge(project, FINDS_TODO, execute=within).findings[0].fingerprint
    project.write("a.txt", "one\n  TODO   two\n")
    assert judge(project, FINDS_TODO, execute=within).findings[0].fingerprint == before


def test_a_result_can_say_more(project) -> None:
    source = """
        def check(ctx):
            return ctx.result(summary="3 of 4 pages", observed=75, threshold=80, findings=[ctx.finding("r", "m")])
    """
    result = judge(project, source, execute=within)
    assert (result.status, result.summary) == (GateStatus.FAIL, "1 finding: 3 of 4 pages")
    assert (result.observed, result.threshold) == (75.0, 80.0)


def test_a_generator_is_as_good_as_a_list(project) -> None:
    found = judge(
        project, 'def check(ctx):\n    yield ctx.finding("r", "m")\n    yield ctx.finding("r", "n")\n', execute=within
    )
    assert (found.status, found.findings_total) == (GateStatus.FAIL, 2)


def test_what_a_validator_sees(project, monkeypatch) -> None:
    monkeypatch.setenv("SOME_VARIABLE", "some value")
    project.write("a.txt", "x\n")
    (project.root / "link.txt").symlink_to("a.txt")
    source = """
        import os, sys

        def check(ctx):
            facts = [
                ctx.level, ctx.strict, ctx.files, ctx.changed, ctx.matching("*.txt"), ctx.env["SOME_VARIABLE"],
                os.getcwd() == ctx.root == os.path.realpath(ctx.root), sys.argv, __name__,
            ]
            return ctx.result(summary=" ".join(map(str, facts)))
    """
    files = {"a.txt": ChangedFile(kind=ChangeKind.MODIFIED, before="a.txt", lines=frozenset({1}))}
    given = replace(
        project.given(level=Level.STRICT),
        validator=lambda _path: dedent(source).encode(),
        change=lambda: Change(base="b", files=files),
    )
    assert evaluate("todo", PLAIN, given).summary == (
        "no finding: strict True ('a.txt', 'link.txt') ('a.txt',) ('a.txt',) some value True "
        "['workflows/validators/todo.py'] validator"
    )
    source = 'def check(ctx):\n    return ctx.result(summary=f"{ctx.changed}")\n'
    assert judge(project, source, execute=within).summary == "no finding: None"


def test_the_project_cannot_change_what_python_runs(project, monkeypatch) -> None:
    """Neither a module in the working directory nor PYTHONPATH comes before what is installed."""
    project.write("json.py", "raise SystemExit('shadowed')\n")
    project.write("cli_multi_rapid/__init__.py", "raise SystemExit('shadowed')\n")
    monkeypatch.setenv("PYTHONPATH", str(project.root))
    monkeypatch.setenv("PYTHONSTARTUP", str(project.root / "json.py"))
    assert judge(project, "import json\ndef check(ctx):\n    return []\n").status is GateStatus.PASS
    assert not (project.root / "__pycache__").exists()


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


ENDED = f"{PATH} ended without an answer"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def check(ctx):\n    return None\n", f"{PATH}: check returned None; expected a list of findings"),
        ("def check(ctx):\n    pass\n", "check returned None"),
        ("def check(ctx):\n    return True\n", "check returned bool True"),
        ("def check(ctx):\n    return 'pass'\n", "check returned str 'pass'"),
        ("def check(ctx):\n    return {}\n", "check returned dict"),
        ("def check(ctx):\n    return [{'rule': 'r'}]\n", "check returned a list with dict"),
        ("def check(ctx):\n    return [None]\n", "check returned a list with NoneType None"),
        ("def check(ctx):\n    return ctx.result(['x'])\n", "check returned a list with str 'x'"),
        ("def check(ctx):\n    return ctx.result(observed='85')\n", "`observed` is '85', not a number"),
        ("def check(ctx):\n    return ctx.result(threshold=float('nan'))\n", "`threshold` is nan, not a number"),
        ("def check(ctx):\n    return ctx.result(observed=True)\n", "`observed` is True, not a number"),
        ("def check(ctx):\n    while True:\n        yield ctx.finding('r', 'm')\n", "more than 50,000 findings"),
        ("", f"{PATH} has no function check(ctx)"),
        ("check = 3\n", "has no function check(ctx)"),
        ("def check():\n    return []\n", "TypeError: check() takes 0 positional arguments but 1 was given"),
        ("x = 1\nraise RuntimeError('no\\nway')\n", f"{PATH}:2: RuntimeError: no way"),
        ("def check(ctx):\n    return 1 / 0\n", f"{PATH}:2: ZeroDivisionError: division by zero"),
        ("def check(ctx):\n    assert False\n", f"{PATH}:2: AssertionError"),
        ("def check(ctx):\n    return ctx.read('gone.txt')\n", f"{PATH}:2: ValueError: gone.txt does not exist"),
        ("def check(ctx):\n    return ctx.read('../aside')\n", "ValueError: ../aside"),
        ("def check(ctx):\n    ctx.finding('', 'm')\n", "ValueError: a finding needs a rule and a message"),
        ("def check(ctx:\n", f"{PATH}:1: SyntaxError: '(' was never closed"),
        ("x = 1\n\0", PATH),
        ("import not_installed_anywhere\n", f"{PATH}:1: ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        ("import sys\nsys.exit(0)\n", ENDED),
        ("import sys\ndef check(ctx):\n    sys.exit(0)\n", ENDED),
        ("import sys\ndef check(ctx):\n    sys.exit('all is well')\n", ENDED),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error(project, source, says) -> None:
    result = judge(project, source, execute=within)
    assert result.status is GateStatus.ERROR
    assert says in result.summary
    assert result.fix


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def check(ctx):\n    return None\n", f"{PATH}: check returned None; expected a list of findings"),
        ("x = 1\nraise RuntimeError('no\\nway')\n", f"{PATH}:2: RuntimeError: no way"),
        ("import sys\ndef check(ctx):\n    sys.exit(0)\n", ENDED),
        ("import os\nos._exit(0)\n", ENDED),
        ("def check(ctx):\n    raise KeyboardInterrupt\n", f"{PATH} was killed by signal 2"),
        ("import sys\nsys.excepthook = print\ndef check(ctx):\n    raise ValueError\n", ENDED),
    ],
)
def test_ends_of_real_processes(project, source, says) -> None:
    result = judge(project, source)
    assert result.status is GateStatus.ERROR
    assert says in result.summary
    assert result.fix


HOSTILE = {
    "prints an answer": """
        import json, os
        print(json.dumps({"word": "", "findings": [], "summary": "", "observed": None, "threshold": None}), flush=True)
        os._exit(0)
    """,
    "writes an answer of its own and leaves": """
        import json, os, sys
        from pathlib import Path
        answer = Path(sys.orig_argv[-1]).with_name("answer.json")
        answer.write_text(json.dumps({"word": "0" * 32, "findings": []}))
        os._exit(0)
    """,
    "writes garbage for an answer": """
        import os, sys
        from pathlib import Path
        Path(sys.orig_argv[-1]).with_name("answer.json").write_text("[]")
        os._exit(0)
    """,
    "writes half an answer": """
        import os, sys
        from pathlib import Path
        Path(sys.orig_argv[-1]).with_name("answer.json").write_text('{"word": "')
        os._exit(0)
    """,
    "makes the answer a link": """
        import os, sys
        from pathlib import Path
        Path(sys.orig_argv[-1]).with_name("answer.json").symlink_to("/dev/zero")
        os._exit(0)
    """,
    "takes the answer away when it is there": """
        import atexit, sys
        from pathlib import Path
        answer = Path(sys.orig_argv[-1]).with_name("answer.json")
        atexit.register(answer.unlink)
        def check(ctx):
            return []
    """,
    "reads the question": """
        import sys
        from pathlib import Path
        Path(sys.orig_argv[-1]).read_text()
    """,
    "is killed": """
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    """,
}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals and links")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_validator_does_not_pass(project, name) -> None:
    assert judge(project, HOSTILE[name]).status is GateStatus.ERROR


@pytest.mark.parametrize(
    "source",
    [
        "def check(ctx):\n    while True:\n        pass\n",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()\ndef check(ctx): return []\n",
    ],
)
def test_one_that_does_not_end_is_an_error(project, source) -> None:
    result = judge(project, source, replace(PLAIN, timeout="700ms"))
    assert (result.status, result.summary) == (GateStatus.ERROR, f"{PATH} did not end within 700ms")


def test_printing_much_changes_nothing(project) -> None:
    source = """
        import sys
        def check(ctx):
            for _ in range(200):
                print("x" * 10_000)
                print('{"findings": []}', file=sys.stderr)
            return [ctx.finding("r", "m")]
    """
    assert judge(project, source).status is GateStatus.FAIL


@pytest.mark.parametrize(
    ("ended", "says"),
    [
        (Exit(error="no memory"), "could not be started: no memory"),
        (Exit(signal=9), "was killed by signal 9"),
        (Exit(code=0), "ended without an answer"),
        (Exit(code=0, truncated=True), "ended without an answer"),
    ],
)
def test_what_only_supervision_can_tell(project, ended, says) -> None:
    result = judge(project, "", execute=lambda _command: ended)
    assert (result.status, says in result.summary) == (GateStatus.ERROR, True)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({}, "is not a list"),
        ({"findings": [3]}, "is not an object"),
        ({"findings": [{"rule": "r", "severity": "awful"}]}, "is no severity"),
        ({"findings": [], "observed": "85"}, "has '85' for a number"),
        ({"findings": [], "threshold": True}, "has True for a number"),
    ],
)
def test_an_answer_is_not_believed_to_be_well_formed(project, answer, says) -> None:
    def execute(command: Command) -> Exit:
        request = Path(command.argv[-1])
        asked = json.loads(request.read_text())
        request.with_name(asked["answer"]).write_text(json.dumps({"word": asked["word"], **answer}))
        return Exit(code=0)

    result = judge(project, "", execute=execute)
    assert result.status is GateStatus.ERROR
    assert says in result.summary


def test_what_is_no_text_is_an_error(project) -> None:
    assert "no text in UTF-8" in judge(project, "", validator=lambda _path: b"\xff\xfe").summary


def test_one_that_may_not_run_is_an_error(project) -> None:
    def refused(path: str) -> bytes:
        raise CouldNotRun(f"{path} may not run", hint="trust it")

    given = replace(project.given(), validator=refused)
    (result,) = evaluate_all({"todo": PLAIN}, lambda _name: given, parallel=1)
    assert (result.status, result.summary, result.fix) == (GateStatus.ERROR, f"{PATH} may not run", "trust it")
    (unasked,) = evaluate_all({"todo": PLAIN}, lambda _name: project.given(), parallel=1)
    assert unasked.status is GateStatus.ERROR


def test_it_runs_isolated_in_the_project(project) -> None:
    seen = []

    def execute(command: Command) -> Exit:
        seen.append(command)
        return Exit(code=0)

    judge(project, "", execute=execute)
    assert seen[0].argv[:2] == (sys.executable, "-I")
    assert (seen[0].cwd, seen[0].timeout_s) == (str(project.root), 20.0)


def test_the_example_that_init_writes(project) -> None:
    source = starter_files("validators")["merge_markers.py"]
    project.write("a.md", "mine\n=======\ntheirs\n")
    assert judge(project, source, execute=within).status is GateStatus.PASS
    project.write("a.md", "<" * 7 + " HEAD\nmine\n=======\ntheirs\n" + ">" * 7 + " other\n")
    result = judge(project, source, execute=within)
    assert [(one.rule, one.line) for one in result.findings] == [("merge-marker", 1), ("merge-marker", 5)]
