"""What validators of a project work with."""

import pytest

from cli_multi_rapid.model.gate import Level, Severity
from cli_multi_rapid.validators import Context, Finding, Result


def context_of(project, **more) -> Context:
    return Context(**({"root": str(project.root), "level": Level.STANDARD, "files": project.given().files} | more))


def test_texts_and_lines(project) -> None:
    project.write("a.txt", "one\r\ntwo\n")
    project.write("utf16.txt", "é\n".encode("utf-16"))
    project.write("empty.txt", "")
    context = context_of(project)
    assert (context.read("a.txt"), context.lines("a.txt")) == ("one\ntwo\n", ["one", "two"])
    assert (context.lines("utf16.txt"), context.lines("empty.txt")) == (["é"], [])
    assert not context.strict
    assert context_of(project, level=Level.STRICT).strict


def test_what_is_not_read(project) -> None:
    project.write("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1")
    (project.root / "link.txt").symlink_to("a.png")
    for path in ("a.png", "link.txt", "gone.txt", "../aside", "/etc/hostname"):
        with pytest.raises(ValueError, match=path.lstrip("./")):
            context_of(project).read(path)


def test_files_that_match(project) -> None:
    project.write("a.py", "")
    project.write("src/b.py", "")
    project.write("src/c.txt", "")
    (project.root / "link.py").symlink_to("a.py")
    context = context_of(project, files=("a.py", "gone.py", "link.py", "src/b.py", "src/c.txt"))
    assert context.matching("**/*.py") == ("a.py", "src/b.py")
    assert context.matching("*.py", "src/**", exclude=["**/c.*"]) == ("a.py", "src/b.py")
    assert context.matching() == ()


def test_a_finding(project) -> None:
    finding = context_of(project).finding("r", "m", path="a", line=2, column=3, severity=Severity.LOW, fix="f")
    assert finding == Finding(rule="r", message="m", path="a", line=2, column=3, severity=Severity.LOW, fix="f")
    assert context_of(project).finding("r", "m").severity is Severity.HIGH


@pytest.mark.parametrize(
    ("arguments", "named", "problem"),
    [
        (("", "m"), {}, ValueError),
        (("r", " "), {}, ValueError),
        ((None, "m"), {}, TypeError),
        (("r", 3), {}, TypeError),
        (("r", "m"), {"line": "3"}, TypeError),
        (("r", "m"), {"line": True}, TypeError),
        (("r", "m"), {"column": -1}, ValueError),
        (("r", "m"), {"path": "/etc/passwd"}, ValueError),
        (("r", "m"), {"path": "a/../../b"}, ValueError),
        (("r", "m"), {"path": None}, TypeError),
        (("r", "m"), {"severity": "awful"}, ValueError),
    ],
)
def test_what_is_no_finding(project, arguments, named, problem) -> None:
    with pytest.raises(problem):
        context_of(project).finding(*arguments, **named)


def test_a_result(project) -> None:
    context = context_of(project)
    finding = context.finding("r", "m")
    assert context.result([finding], summary="s") == Result(findings=(finding,), summary="s")
