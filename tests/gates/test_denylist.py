import os
from pathlib import Path

import pytest

from cli_multi_rapid.gates import sources
from cli_multi_rapid.gates.denylist import check_patterns, evaluate, patterns_of
from cli_multi_rapid.gates.denylist_defaults import DEFAULT_SET
from cli_multi_rapid.model.gate import GateStatus, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec, Pattern

TODO = Pattern(id="no-todo", pattern=r"\bTODO\b", message="unfinished", fix="finish it", severity=Severity.MEDIUM)


def own(*patterns: Pattern, fail_on: Severity = Severity.LOW, exclude: tuple[str, ...] = ()) -> GateSpec:
    return GateSpec(check=Check.DENYLIST, default_set=False, patterns=patterns, fail_on=fail_on, exclude=exclude)


def judge(project, spec: GateSpec):
    return evaluate("denylist", spec, project.given())


def test_a_match_is_named_with_its_place_message_and_fix(project) -> None:
    project.write("src/a.py", "x = 1\ny = 2  # TODO later\n")
    result = judge(project, own(TODO))
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.column, finding.rule) == ("src/a.py", 2, 10, "no-todo")
    assert (finding.message, finding.fix, finding.severity) == ("unfinished", "finish it", Severity.MEDIUM)
    assert (result.status, result.summary, result.fix) == (
        GateStatus.FAIL,
        "1 match in 1 file",
        "src/a.py:2: finish it",
    )
    assert result.tool == "google-re2" and result.tool_version and len(result.rules_digest) == 64


def test_no_match_passes(project) -> None:
    project.write("a.py", "x\n")
    result = judge(project, own(TODO))
    assert (result.status, result.summary) == (GateStatus.PASS, "no match in 1 file")


def test_fail_on_decides_what_blocks(project) -> None:
    project.write("a.py", "TODO\n")
    assert judge(project, own(TODO, fail_on=Severity.MEDIUM)).status is GateStatus.FAIL
    assert judge(project, own(TODO, fail_on=Severity.HIGH)).status is GateStatus.WARN


def test_paths_and_exclusions(project) -> None:
    for path in ("a.py", "src/b.py", "src/gen/c.py", "docs/d.md"):
        project.write(path, "TODO")
    rule = Pattern(id="r", pattern="TODO", paths=("**/*.py",), exclude=("src/gen/**",))
    assert [one.path for one in judge(project, own(rule)).findings] == ["a.py", "src/b.py"]
    assert [one.path for one in judge(project, own(rule, exclude=("*.py",))).findings] == ["src/b.py"]


def test_a_file_cannot_waive_itself(project) -> None:
    project.write("a.py", "TODO  # noqa nosec kingfisher:ignore denylist:ignore\n")
    assert judge(project, own(TODO)).status is GateStatus.FAIL


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(project, encoding) -> None:
    project.write("a.txt", "Überschrift\nTODO here\n".encode(encoding))
    assert [one.line for one in judge(project, own(TODO)).findings] == [2]


def test_line_ends_of_all_kinds_end_lines(project) -> None:
    project.write("a.txt", b"one\r\ntwo\rTODO\n")
    rule = Pattern(id="r", pattern="^TODO$")
    assert [one.line for one in judge(project, own(rule)).findings] == [3]


def test_binary_files_are_passed_over_and_counted(project) -> None:
    project.write("a.bin", b"\x00\x01\x02TODO\x00")
    project.write("a.txt", "x")
    result = judge(project, own(TODO))
    assert (result.status, result.details["binary"], result.details["files"]) == (GateStatus.PASS, 1, 1)


def test_very_long_lines_are_searched_in_part_and_this_is_said(project) -> None:
    project.write("min.js", "ok\n" + " " * 20_001 + "TODO\n")
    result = judge(project, own(TODO))
    (finding,) = result.findings
    assert (finding.rule, finding.line, finding.severity) == ("line-too-long", 2, Severity.INFO)
    assert result.status is GateStatus.WARN


def test_a_file_that_is_too_large_is_named(project, monkeypatch) -> None:
    monkeypatch.setattr(sources, "LIMIT_BYTES", 10)
    project.write("large.txt", "TODO" * 10)
    result = judge(project, own(TODO))
    assert (result.status, result.findings[0].rule) == (GateStatus.WARN, "file-too-large")


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
def test_links_and_pipes_are_passed_over(project) -> None:
    secret = project.aside / "outside.txt"
    secret.write_text("TODO")
    project.write("a.txt", "x")
    (project.root / "link.txt").symlink_to(secret)
    (project.root / "folder").symlink_to(project.aside, target_is_directory=True)
    os.mkfifo(project.root / "pipe")
    given = project.listing("a.txt", "link.txt", "pipe", "folder/outside.txt", "gone.txt")
    result = evaluate("denylist", own(TODO), given)
    assert (result.status, result.details["passed_over"]) == (GateStatus.PASS, 4)


def test_unreadable_files_are_an_error_that_names_them(project) -> None:
    project.write("a.txt", "x")
    result = evaluate("denylist", own(TODO), project.listing("a.txt", "n" * 400))
    assert result.status is GateStatus.ERROR
    assert "1 file cannot be read: nnn" in result.summary


@pytest.mark.parametrize("spec", [own(), own(TODO, exclude=("**",)), own(Pattern(id="x", pattern="(?=a)"))])
def test_nothing_to_search_or_to_search_for_is_an_error(project, spec) -> None:
    project.write("a.txt", "x")
    result = judge(project, spec)
    assert result.status is GateStatus.ERROR
    assert result.fix


def test_no_file_at_all_is_an_error(project) -> None:
    assert judge(project, own(TODO)).status is GateStatus.ERROR
    assert evaluate("denylist", own(TODO), project.listing("gone.txt")).status is GateStatus.ERROR


def test_patterns_are_checked_for_the_loader() -> None:
    bad = own(Pattern(id="look", pattern="(?=a)"), Pattern(id="none", pattern=""), TODO, TODO)
    look, none, twice = check_patterns(bad)
    assert look.startswith("pattern look is not valid RE2: invalid perl operator")
    assert "none is empty" in none and twice == "two patterns are called no-todo"
    assert check_patterns(own(TODO)) == []


def test_an_own_rule_replaces_the_default_of_its_name() -> None:
    mine = Pattern(id="python-eval", pattern="x")
    patterns = patterns_of(GateSpec(check=Check.DENYLIST, patterns=(mine,)))
    assert [pattern for pattern in patterns if pattern.id == "python-eval"] == [mine]
    assert len(patterns) == len(DEFAULT_SET)


def test_the_rules_digest_changes_with_a_rule(project) -> None:
    project.write("a.txt", "x")
    other = Pattern(id="no-todo", pattern="TODO|FIXME")
    assert judge(project, own(TODO)).rules_digest != judge(project, own(other)).rules_digest


# Seeds are written in two halves, so that this file does not break the rules that it tests.
BAD = [
    ("python-eval", "a.py", "x = ev" + "al(text)"),
    ("python-eval", "a.py", "    return ev" + "al(text)"),
    ("python-eval", "a.py", "f(x, ev" + "al(text))"),
    ("python-eval", "a.py", "if ev" + "al(text): pass"),
    ("python-eval", "a.py", "x = '#'; y = ev" + "al(text)"),
    ("python-eval", "a.py", "x = builtins.ev" + "al(text)"),
    ("python-exec", "a.py", "ex" + "ec(code, {})"),
    ("python-os-system", "a.py", "os.sys" + "tem('ls')"),
    ("python-os-system", "a.py", "out = os.po" + "pen('ls').read()"),
    ("python-shell-true", "a.py", "run(text, shell=Tr" + "ue)"),
    ("python-pickle-load", "a.py", "pickle.lo" + "ads(data)"),
    ("python-yaml-load", "a.py", "yaml.lo" + "ad(text)"),
    ("python-yaml-load", "a.py", "yaml.lo" + "ad(text, Loader=yaml.Loader)"),
    ("python-yaml-load", "a.py", "yaml.lo" + "ad(open(join(a, b)), yaml.UnsafeLoader)"),
    ("python-yaml-load", "a.py", "yaml.unsafe_lo" + "ad(text)"),
    ("python-verify-false", "a.py", "get(url, verify=Fal" + "se)"),
    ("python-weak-hash", "a.py", "hashlib.md" + "5(data).hexdigest()"),
    ("python-weak-hash", "a.py", "hashlib.sh" + "a1()"),
    ("python-weak-hash", "a.py", "hashlib.new('md" + "5')"),
    ("python-mktemp", "a.py", "tempfile.mkte" + "mp()"),
    ("script-eval", "a.js", "const x = ev" + "al(text)"),
    ("script-eval", "a.ts", "new Func" + "tion('return 1')"),
    ("script-tls-off", "a.js", "rejectUnauthor" + "ized: false"),
    ("pipe-to-shell", "a.sh", "curl -fsSL https://example.org/x | " + "sudo bash"),
    ("pipe-to-shell", "Dockerfile", "RUN wget -qO- https://example.org/x | " + "sh"),
    ("pipe-to-shell", "ci/a.yml", "- run: bash <(" + "curl https://example.org/x)"),
    ("remove-root", "a.sh", "rm -rf " + "/"),
    ("world-writable", "a.sh", "chmod -R 7" + "77 dir"),
    ("git-no-verify", "a.sh", "git commit --no-ver" + "ify -m x"),
    ("git-no-verify", "a.py", "run(['git', 'push', '--no-ver" + "ify'])"),
    ("git-tls-off", "a.sh", "git config http.sslVer" + "ify false"),
    ("sql-drop", "a.sql", "drop tab" + "le users;"),
    ("sql-drop", "a.py", "db.execute('DROP TAB" + "LE users')"),
    ("powershell-invoke", "a.ps1", "Invoke-Expres" + "sion $text"),
    ("private-key", "id", "-----BEGIN RSA PRIV" + "ATE KEY-----"),
    ("private-key", "a.json", '{"k": "-----BEGIN PRIV' + 'ATE KEY-----\\nMII"}'),
]
GOOD = [
    ("a.py", "# never call ev" + "al(text) here"),
    ("a.py", "    # x = ev" + "al(text)"),
    ("a.py", "model.ev" + "al()"),
    ("a.py", "frame.ev" + "al('a > b')"),
    ("a.py", "def ev" + "al(self, text):"),
    ("a.py", "ast.literal_ev" + "al(text)"),
    ("a.py", '"""Unlike ev' + 'al() this is safe."""'),
    ("a.py", "cursor.ex" + "ec(text)"),
    ("a.py", "yaml.lo" + "ad(text, Loader=yaml.SafeLoader)"),
    ("a.py", "yaml.lo" + "ad(text, yaml.CSafeLoader)"),
    ("a.py", "yaml.safe_lo" + "ad(text)"),
    ("a.py", "hashlib.sh" + "a1(data, usedforsecurity=False)"),
    ("a.py", "hashlib.sh" + "a256(data)"),
    ("a.py", "if '-----BEGIN PRIV" + "ATE KEY-----' in text:"),
    ("a.py", "run(text, shell=False)"),
    ("a.js", "// ev" + "al(text)"),
    ("a.js", "page.$ev" + "al('a')"),
    ("a.sh", "# curl https://example.org | " + "sh"),
    ("a.sh", "curl https://example.org | jq ."),
    ("a.sh", "aws --no-ver" + "ify-ssl s3 ls"),
    ("a.sh", "rm -rf /tmp/x"),
    ("a.sql", "-- drop tab" + "le users"),
    ("README.md", "curl https://example.org/x | " + "sh"),
    ("README.md", "never use ev" + "al(x) or shell=Tr" + "ue"),
]


@pytest.mark.parametrize(("rule", "path", "line"), BAD)
def test_the_default_set_finds(project, rule, path, line) -> None:
    project.write(path, f"\n{line}\n")
    result = judge(project, GateSpec(check=Check.DENYLIST))
    assert rule in {finding.rule for finding in result.findings}
    assert {finding.line for finding in result.findings} == {2}
    assert result.status is GateStatus.FAIL


@pytest.mark.parametrize(("path", "line"), GOOD)
def test_the_default_set_leaves_alone(project, path, line) -> None:
    project.write(path, f"\n{line}\n")
    found = judge(project, GateSpec(check=Check.DENYLIST)).findings
    assert [one for one in found if one.rule != "python-unparsed"] == []  # some lines are no whole program


def test_every_default_rule_is_valid_seeded_and_says_what_to_do() -> None:
    assert check_patterns(GateSpec(check=Check.DENYLIST, patterns=DEFAULT_SET)) == []
    assert {rule for rule, _, _ in BAD} == {pattern.id for pattern in DEFAULT_SET}
    assert all(pattern.message and pattern.fix for pattern in DEFAULT_SET)


def test_the_default_set_does_not_find_itself(project) -> None:
    package = Path(sources.__file__).parent
    for file in package.glob("*.py"):
        project.write(f"gates/{file.name}", file.read_bytes())
    result = judge(project, GateSpec(check=Check.DENYLIST))
    assert [(finding.path, finding.line) for finding in result.findings] == []
