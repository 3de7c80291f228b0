"""The diff check. Suppressions are put together here, so that this file holds none."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cli_multi_rapid.gates.diff import evaluate
from cli_multi_rapid.model.change import Change, ChangedFile, ChangeKind
from cli_multi_rapid.model.gate import Excuse, Finding, GateResult, GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy

PLAIN = GateSpec(check=Check.DIFF)
BASE = "0123456789abcdef0123456789abcdef01234567"
NOQA = "#" + " no" + "qa"


def modified(*lines: int, removed: int = 0, binary: bool = False) -> ChangedFile:
    return ChangedFile(kind=ChangeKind.MODIFIED, before="?", lines=frozenset(lines), removed=removed, binary=binary)


def added(count: int = 1) -> ChangedFile:
    return ChangedFile(kind=ChangeKind.ADDED, lines=frozenset(range(1, count + 1)))


DELETED = ChangedFile(kind=ChangeKind.DELETED, before="gone.py", removed=7)


def judge(
    project, files: Mapping[str, ChangedFile] | None, spec: GateSpec = PLAIN, *, level: Level = Level.STANDARD
) -> GateResult:
    """Judge a change of files, of which those that are not on disk yet are written."""
    named = {}
    for path, file in (files or {}).items():
        if file.kind is not ChangeKind.DELETED and not (project.root / path).exists():
            project.write(path, "x\n" * 20)
        named[path] = replace(file, before=path) if file.before == "?" else file
    change = None if files is None else Change(base=BASE, files=named)
    return evaluate("change", spec, replace(project.given(level=level), change=lambda: change))


def said(result: GateResult) -> list[tuple[str, str, Severity]]:
    return [(one.rule, one.path, one.severity) for one in result.findings]


def test_a_harmless_change_passes(project) -> None:
    result = judge(project, {"a.py": modified(1, 2, removed=1), "b.py": added(3), "gone.py": DELETED})
    assert (result.status, result.findings) == (GateStatus.PASS, ())
    assert result.summary == "3 files changed since 0123456789ab, +5 -8 lines"
    assert (result.observed, result.threshold) == (13.0, None)
    assert result.details == {
        "base": BASE, "files": 3, "added": 5, "removed": 8, "needs_approval": [], "by_rule": {},
    }  # fmt: skip


def test_nothing_changed(project) -> None:
    assert judge(project, {}, level=Level.STRICT).status is GateStatus.PASS


@pytest.mark.parametrize(
    ("level", "status"),
    [(Level.ADVISORY, GateStatus.PASS), (Level.STANDARD, GateStatus.PASS), (Level.STRICT, GateStatus.ERROR)],
)
def test_without_a_base_there_is_nothing_to_compare(project, level, status) -> None:
    result = judge(project, None, level=level)
    assert (result.status, result.summary) == (status, "no base revision: nothing to compare")
    assert bool(result.fix) is (status is GateStatus.ERROR)


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"allow": ("src/**",)}, ["docs/a.md", "gone.py"]),
        ({"deny": ("src/**", "gone.py")}, ["gone.py", "src/a.py"]),
        ({"allow": ("src/**", "*.py"), "deny": ("src/a.py",)}, ["docs/a.md", "src/a.py"]),
        ({"allow": ("**",)}, []),
    ],
)
def test_paths_that_may_change(project, spec, paths) -> None:
    change = {"src/a.py": modified(1), "docs/a.md": modified(1), "gone.py": DELETED}
    result = judge(project, change, GateSpec(check=Check.DIFF, **spec))
    assert said(result) == [("path-not-allowed", path, Severity.HIGH) for path in paths]
    assert result.status is (GateStatus.FAIL if paths else GateStatus.PASS)


def test_a_file_that_moves_touches_both_paths(project) -> None:
    moved = ChangedFile(kind=ChangeKind.RENAMED, before="config/waivers.yaml")
    result = judge(project, {"src/w.yaml": moved}, GateSpec(check=Check.DIFF, allow=("src/**",)))
    assert said(result) == [
        ("path-not-allowed", "config/waivers.yaml", Severity.HIGH),
        ("policy-changed", "config/waivers.yaml", Severity.MEDIUM),
    ]
    assert result.details["files"] == 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"max_files": 2}, None),
        ({"max_files": 1}, "2 files changed, at most 1 may"),
        ({"max_files": 0}, "2 files changed, at most 0 may"),
        ({"max_lines": 6}, None),
        ({"max_lines": 5}, "6 lines changed, at most 5 may"),
    ],
)
def test_how_large_a_change_may_be(project, spec, message) -> None:
    result = judge(project, {"a.py": modified(1, 2, removed=3), "b.py": added(1)}, GateSpec(check=Check.DIFF, **spec))
    assert [one.message for one in result.findings] == ([message] if message else [])
    assert result.status is (GateStatus.FAIL if message else GateStatus.PASS)
    assert result.threshold == spec.get("max_lines")


def test_how_large_a_changed_file_may_be(project) -> None:
    project.write("small.bin", b"\0" * 1024)
    project.write("large.bin", b"\0" * 1025)
    project.write("old.bin", b"\0" * 5000)
    change = {"small.bin": modified(binary=True), "large.bin": modified(binary=True), "gone.py": DELETED}
    result = judge(project, change, GateSpec(check=Check.DIFF, max_file_size="1KiB"))
    assert said(result) == [("file-too-large", "large.bin", Severity.HIGH)]
    assert result.findings[0].message == "1,025 bytes, at most 1KiB may be in a changed file"


@pytest.mark.parametrize("level", list(Level))
def test_what_judges_the_project_is_marked_for_approval(project, level) -> None:
    paths = (
        "config/compliance-gates.yaml", "config/compliance-baseline.json", "config/waivers.yaml",
        "config/workflow-config.yaml", "workflows/phase_definitions/p.yaml", "workflows/validators/deep/v.py",
    )  # fmt: skip
    result = judge(project, {**dict.fromkeys(paths, modified(1)), "src/config/waivers.yaml": added()}, level=level)
    assert result.status is GateStatus.WARN
    assert said(result) == [("policy-changed", path, Severity.MEDIUM) for path in sorted(paths)]
    assert result.details["needs_approval"] == sorted(paths)
    assert result.summary.endswith(", 6 policy files to approve")


def test_a_deleted_policy_file_is_one_that_changed(project) -> None:
    gone = ChangedFile(kind=ChangeKind.DELETED, before="config/waivers.yaml", removed=3)
    assert judge(project, {"config/waivers.yaml": gone}).details["needs_approval"] == ["config/waivers.yaml"]


@pytest.mark.parametrize(
    "path",
    ["pyproject.toml", "a/b/.eslintrc.json", "package.json", ".pre-commit-config.yaml", ".github/workflows/ci.yml"],
)
@pytest.mark.parametrize("level", [Level.STANDARD, Level.STRICT])
def test_settings_of_tools_are_named(project, path, level) -> None:
    result = judge(project, {path: modified(1)}, level=level)
    assert said(result) == [("tool-settings-changed", path, Severity.LOW)]
    assert (result.status, result.details["needs_approval"]) == (GateStatus.WARN, [])


@pytest.mark.parametrize(
    ("level", "severity", "status"),
    [
        (Level.ADVISORY, Severity.MEDIUM, GateStatus.WARN),
        (Level.STANDARD, Severity.MEDIUM, GateStatus.WARN),
        (Level.STRICT, Severity.HIGH, GateStatus.FAIL),
    ],
)
def test_a_new_suppression(project, level, severity, status) -> None:
    project.write("a.py", f"old  {NOQA}\nnew  {NOQA}: F401\n")
    result = judge(project, {"a.py": modified(2)}, level=level)
    (finding,) = result.findings
    assert (result.status, finding.rule, finding.line, finding.column) == (status, "new-suppression", 2, 6)
    assert (finding.severity, finding.message) == (severity, "a new suppression: noqa")


def test_only_new_lines_count_also_in_a_file_that_moved(project) -> None:
    project.write("b.py", f"old  {NOQA}\nfine\n")
    moved = ChangedFile(kind=ChangeKind.RENAMED, before="a.py", lines=frozenset({2}), removed=1)
    assert judge(project, {"b.py": moved}, level=Level.STRICT).status is GateStatus.PASS
    still = ChangedFile(kind=ChangeKind.RENAMED, before="a.py")
    assert judge(project, {"b.py": still}, level=Level.STRICT).status is GateStatus.PASS


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f"one\r\ntwo\r\nx  {NOQA}\r\n", 3),  # lines end as git says
        (f"one\rtwo\nthree\nx\ry  {NOQA}\n", 3),
    ],
)
def test_lines_are_those_of_git(project, content, line) -> None:
    project.write("a.py", content)
    found = judge(project, {"a.py": modified(line)}, level=Level.STRICT).findings
    assert [one.line for one in found] == [line]


def test_what_git_takes_for_binary_is_looked_at_whole(project) -> None:
    project.write("a.cs", f"one\nx  // NOSO{'NAR'}\n".encode("utf-16"))
    project.write("b.bin", b"\0\1\2" + NOQA.encode())
    change = {"a.cs": modified(binary=True), "b.bin": modified(binary=True)}
    found = judge(project, change, level=Level.STRICT).findings
    assert [(one.path, one.line) for one in found] == [("a.cs", 2)]


def test_links_hold_no_lines(project) -> None:
    (project.root / "link.py").symlink_to("elsewhere")
    assert judge(project, {"link.py": modified(1)}, level=Level.STRICT).status is GateStatus.PASS


def test_a_changed_file_that_cannot_be_found_is_an_error(project) -> None:
    change = Change(base=BASE, files={"a.py": modified(1)})
    result = evaluate("change", PLAIN, replace(project.given(), change=lambda: change))
    assert (result.status, result.summary) == (GateStatus.ERROR, "a.py has changed and cannot be found")
    sized = GateSpec(check=Check.DIFF, max_file_size="1KiB")
    assert evaluate("change", sized, replace(project.given(), change=lambda: change)).status is GateStatus.ERROR


def test_what_is_too_large_to_search_is_said(project) -> None:
    with project.write("a.txt", "").open("r+b") as file:
        file.truncate((50 << 20) + 1)
    result = judge(project, {"a.txt": modified(1)}, level=Level.STRICT)
    assert said(result) == [("not-searched", "a.txt", Severity.INFO)]
    assert result.status is GateStatus.WARN


def test_an_unreadable_file_is_an_error(project, monkeypatch) -> None:
    project.write("a.py", "x\n")
    (project.root / "a.py").chmod(0)
    try:
        (project.root / "a.py").read_bytes()
    except PermissionError:
        assert judge(project, {"a.py": modified(1)}).status is GateStatus.ERROR
    else:
        pytest.skip("root may read everything")


def test_a_waiver_and_the_baseline_excuse_what_they_name(project) -> None:
    project.write("a.py", f"x  {NOQA}\n")
    first = judge(project, {"a.py": modified(1)}, level=Level.STRICT)
    (finding,) = first.findings

    def again(policy: Policy) -> Finding:
        change = Change(base=BASE, files={"a.py": modified(1)})
        given = replace(project.given(level=Level.STRICT), change=lambda: change, policy=policy)
        result = evaluate("change", PLAIN, given)
        assert result.status is GateStatus.WAIVED
        return result.findings[0]

    waiver = WaiverUse(
        rule=finding.rule, path=finding.path, fingerprint=finding.fingerprint, reason="r", approved_by="b",
        expires="2999-01-01T00:00:00Z",
    )  # fmt: skip
    assert again(Policy(waivers=(waiver,))).excused is Excuse.WAIVER
    known = frozenset({finding.fingerprint})
    assert again(Policy(baseline={"change": known})).excused is Excuse.BASELINE
