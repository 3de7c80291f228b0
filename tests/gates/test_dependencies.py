"""The dependencies check: what it finds, what it does not let pass, and what it is judged on."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli_multi_rapid.gates.dependencies import evaluate
from cli_multi_rapid.model.gate import GateStatus, Level, Severity, WaiverUse
from cli_multi_rapid.model.gate_settings import Check, GateSpec
from cli_multi_rapid.model.policy import Policy

BEGIN = {"introduced": "0"}
UV = 'version = 1\n\n[[package]]\nname = "{}"\nversion = "{}"\n'


def judge(supply, *, level=Level.STANDARD, **keys):
    return evaluate("dependencies", GateSpec(check=Check.DEPENDENCIES, **keys), supply.given(level=level))


@pytest.fixture
def flawed(supply):
    """A project with requests 2.19.0, and an advisory about it under two names."""
    supply.advise("PYSEC-2018-28", "requests", BEGIN, {"fixed": "2.20.0"}, aliases=["CVE-2018-18074", "GHSA-x"])
    supply.advise(
        "GHSA-x", "requests", {"introduced": "1.0"}, {"fixed": "2.20.0"}, aliases=["CVE-2018-18074"],
        database_specific={"severity": "MODERATE"},
    )  # fmt: skip
    supply.project.write("uv.lock", UV.format("requests", "2.19.0"))
    return supply


def test_a_flaw_is_named_once_with_its_names_place_and_fix(flawed) -> None:
    result = judge(flawed)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == ("PYSEC-2018-28", "uv.lock", 3)
    assert finding.message == "requests 2.19.0: PYSEC-2018-28 (CVE-2018-18074, GHSA-x): a flaw"
    assert (finding.severity, finding.fix) == (Severity.MEDIUM, "update requests to 2.20.0 or later")
    assert result.status is GateStatus.FAIL
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    assert result.summary == f"1 known flaw in 1 of 1 package; 2 advisories, the newest of {today}"
    assert (result.observed, result.threshold, result.tool_version) == (1.0, 0.0, today)
    assert len(result.rules_digest) == 64
    assert [one.path for one in result.evidence] == ["uv.lock"]
    assert result.details["database"]["advisories"] == {"PyPI": 2}
    json.dumps(result.details)


def test_a_version_that_is_not_affected_passes(flawed) -> None:
    flawed.project.write("uv.lock", UV.format("requests", "2.20.0"))
    result = judge(flawed)
    assert (result.status, result.findings) == (GateStatus.PASS, ())
    assert result.summary.startswith("no known flaw in 1 package; 2 advisories")


def test_a_withdrawn_advisory_is_not_one(supply) -> None:
    supply.advise("A-1", "requests", BEGIN, withdrawn="2024-01-01T00:00:00Z")
    supply.advise("A-2", "other", BEGIN)
    supply.project.write("uv.lock", UV.format("requests", "2.19.0"))
    assert judge(supply).status is GateStatus.PASS


def test_fail_on_decides_what_blocks(flawed) -> None:
    assert judge(flawed, fail_on=Severity.MEDIUM).status is GateStatus.FAIL
    assert judge(flawed, fail_on=Severity.HIGH).status is GateStatus.WARN


def test_without_any_word_about_severity_it_is_high(supply) -> None:
    supply.advise("A-1", "requests", BEGIN)
    supply.project.write("uv.lock", UV.format("requests", "2.19.0"))
    (finding,) = judge(supply).findings
    assert (finding.severity, finding.fix) == (
        Severity.HIGH, "replace requests, or waive it: no version without this flaw is known",
    )  # fmt: skip


def test_different_flaws_are_different_findings(supply) -> None:
    for number in (1, 2):
        supply.advise(f"A-{number}", "requests", BEGIN, {"fixed": f"{number + 2}"}, aliases=[f"CVE-{number}"])
    supply.project.write("uv.lock", UV.format("requests", "2.19.0"))
    result = judge(supply)
    assert [(one.rule, one.fix) for one in result.findings] == [
        ("A-1", "update requests to 3 or later"), ("A-2", "update requests to 4 or later"),
    ]  # fmt: skip


def test_an_advisory_without_versions_counts_and_says_so(supply) -> None:
    supply.advise("A-1", "requests")
    supply.project.write("uv.lock", UV.format("requests", "2.19.0"))
    (finding,) = judge(supply).findings
    assert "which versions are affected is not said" in finding.message


def test_npm_and_python_side_by_side(supply) -> None:
    supply.advise("A-1", "requests", BEGIN, {"fixed": "2.20"})
    supply.advise("G-1", "lodash", BEGIN, {"fixed": "4.17.21"}, ecosystem="npm")
    supply.project.write("uv.lock", UV.format("Requests", "2.19.0"))
    packages = {"": {}, "node_modules/lodash": {"version": "4.17.20"}, "node_modules/requests": {"version": "1.0.0"}}
    supply.project.write("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}))
    result = judge(supply)
    assert [(one.rule, one.path) for one in result.findings] == [("G-1", "package-lock.json"), ("A-1", "uv.lock")]
    assert result.details["packages"] == 3


def test_every_file_that_names_a_flawed_version_is_named(flawed) -> None:
    flawed.project.write("requirements.txt", "requests==2.19.0\n")
    result = judge(flawed)
    assert [one.path for one in result.findings] == ["requirements.txt", "uv.lock"]
    assert result.summary.startswith("2 known flaws in 1 of 1 package;")


def test_a_waiver_excuses_one_flaw_whatever_the_line(flawed) -> None:
    (finding,) = judge(flawed).findings
    waiver = WaiverUse(rule=finding.rule, path=finding.path, fingerprint=finding.fingerprint, reason="r",
                       approved_by="a", expires="2999-01-01T00:00:00Z")  # fmt: skip
    flawed.project.write("uv.lock", "\n\n" + UV.format("requests", "2.19.0"))
    given = replace(flawed.given(), policy=Policy(base="0", waivers=(waiver,)))
    assert evaluate("dependencies", GateSpec(check=Check.DEPENDENCIES), given).status is GateStatus.WAIVED
    flawed.advise("A-9", "requests", BEGIN)
    assert evaluate("dependencies", GateSpec(check=Check.DEPENDENCIES), given).status is GateStatus.FAIL


# What was not looked at must not read as clean.


def test_what_has_no_version_blocks(flawed) -> None:
    flawed.project.write("requirements.txt", "fixed==1.0\nflask>=2\n")
    (loose,) = [one for one in judge(flawed).findings if one.path == "requirements.txt" and one.line]
    assert (loose.rule, loose.line, loose.severity) == ("dependency-unpinned", 2, Severity.MEDIUM)
    assert loose.message == "flask>=2 was not looked at: it names no exact version"


def test_a_dependency_that_another_file_pins_is_looked_at(flawed) -> None:
    flawed.project.write("requirements.txt", "requests>=2\n")
    assert {one.rule for one in judge(flawed).findings} == {"PYSEC-2018-28"}


def test_only_dependencies_without_versions_is_an_error(supply) -> None:
    supply.advise("A-1", "requests", BEGIN)
    supply.project.write("requirements.txt", "requests\nflask>=2\n")
    result = judge(supply)
    assert (result.status, result.summary) == (GateStatus.ERROR, "none of 2 dependencies has an exact version")


def test_a_version_that_cannot_be_compared_blocks_where_there_are_advisories(supply) -> None:
    supply.advise("A-1", "pytz", BEGIN, {"fixed": "2005"})
    supply.project.write("uv.lock", UV.format("pytz", "2004d") + UV.format("other", "2004d").partition("\n")[2])
    (finding,) = judge(supply).findings
    assert finding.rule == "dependency-unpinned"
    assert "pytz 2004d was not looked at" in finding.message


@pytest.mark.parametrize(("level", "status"), [(Level.STANDARD, GateStatus.WARN), (Level.STRICT, GateStatus.FAIL)])
def test_a_requirements_file_alone_may_not_be_everything(supply, level, status) -> None:
    supply.advise("A-1", "requests", BEGIN, {"fixed": "2.20"})
    supply.project.write("requirements.txt", "requests==2.20\n")
    result = judge(supply, level=level)
    assert (result.status, [one.rule for one in result.findings]) == (status, ["dependencies-incomplete"])
    supply.project.write("requirements.txt", "requests==2.20 --hash=sha256:00\n")
    assert judge(supply, level=level).status is GateStatus.PASS


def test_other_lock_files_are_named(flawed) -> None:
    flawed.project.write("uv.lock", UV.format("requests", "2.20.0"))
    for path in ("Cargo.lock", "web/package-lock.json", "web/Cargo.lock"):
        flawed.project.write(path, "x")
    result = judge(flawed)
    assert [(one.rule, one.path) for one in result.findings] == [
        ("dependencies-unread", "Cargo.lock"), ("dependencies-unread", "web/package-lock.json"),
    ]  # fmt: skip
    assert (result.status, judge(flawed, level=Level.STRICT).status) == (GateStatus.WARN, GateStatus.FAIL)
    assert judge(flawed, lock_files=("uv.lock",)).status is GateStatus.PASS


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["flask"]\n'),
        ("pyproject.toml", '[project]\ndynamic = ["dependencies"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nflask = "*"\n'),
        ("pyproject.toml", '[dependency-groups]\ndev = ["flask"]\n'),
        ("setup.py", "setup()"),
        ("package.json", '{"dependencies": {"x": "1"}}'),
    ],
)
def test_a_manifest_without_a_lock_file_of_its_kind_blocks(supply, file, text) -> None:
    python = file != "package.json"
    supply.advise("A-1", "x", BEGIN, {"fixed": "1.0.0"}, ecosystem="npm" if python else "PyPI")
    if python:
        packages = {"node_modules/x": {"version": "1.0.0"}}
        supply.project.write("package-lock.json", json.dumps({"packages": packages}))
    else:
        supply.project.write("uv.lock", UV.format("x", "1.0.0"))
    assert judge(supply).status is GateStatus.PASS
    supply.project.write(file, text)
    result = judge(supply)
    assert [(one.rule, one.path, one.severity) for one in result.findings] == [
        ("dependencies-unread", file, Severity.MEDIUM)
    ]
    assert result.status is GateStatus.FAIL


def test_settings_of_tools_are_no_dependencies(flawed) -> None:
    flawed.project.write("uv.lock", UV.format("requests", "2.20.0"))
    flawed.project.write("package.json", '{"name": "x", "scripts": {}}')
    assert judge(flawed).status is GateStatus.PASS
    (flawed.project.root / "uv.lock").unlink()
    flawed.project.write("pyproject.toml", "[tool.ruff]\nline-length = 99\n")
    assert "no dependency was found" in judge(flawed).summary


# The environment.


def test_the_environment_is_read_where_there_is_no_lock_file(flawed) -> None:
    (flawed.project.root / "uv.lock").unlink()
    flawed.project.write("pyproject.toml", '[project]\ndependencies = ["requests"]\n')
    flawed.install("Requests", "2.19.0")
    flawed.install("calc", "0.1", files='{"url": "file:///nowhere", "dir_info": {"editable": true}}')
    flawed.install("here", "0.1", files=json.dumps({"url": flawed.project.root.as_uri() + "/here", "dir_info": {}}))
    result = judge(flawed)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == ("PYSEC-2018-28", "pyproject.toml", 0)
    assert (result.details["packages"], result.details["own"]) == (1, 2)
    assert result.details["sources"] == {str(flawed.project.root / ".venv"): 3}


def test_the_environment_stays_unread_beside_a_complete_lock_file_unless_it_is_asked_for(flawed) -> None:
    flawed.project.write("uv.lock", UV.format("requests", "2.20.0"))
    flawed.install("requests", "2.19.0")
    assert judge(flawed).status is GateStatus.PASS
    assert judge(flawed, environment=True).status is GateStatus.FAIL


def test_the_environment_completes_a_requirements_file(flawed) -> None:
    (flawed.project.root / "uv.lock").unlink()
    flawed.project.write("requirements.txt", "flask>=2\n")
    flawed.install("flask", "2.0")
    flawed.install("requests", "2.19.0")
    assert [(one.rule, one.path) for one in judge(flawed).findings] == [("PYSEC-2018-28", "requirements.txt")]
    assert judge(flawed, environment=False).status is GateStatus.ERROR


def test_a_package_in_lock_file_and_environment_is_one(flawed) -> None:
    flawed.install("requests", "2.19.0")
    (finding,) = judge(flawed, environment=True).findings
    assert (finding.path, finding.line) == ("uv.lock", 3)


def test_an_environment_that_is_asked_for_must_be_there(flawed) -> None:
    result = judge(flawed, environment=True)
    assert (result.status, result.summary) == (GateStatus.ERROR, "there is no Python environment")


def test_installed_packages_without_metadata_are_matched_by_their_folder(flawed) -> None:
    (flawed.project.root / "uv.lock").unlink()
    (flawed.install("requests", "2.19.0") / "METADATA").unlink()
    assert [one.rule for one in judge(flawed).findings] == ["PYSEC-2018-28"]


def test_an_environment_that_sees_the_systems_packages_says_so(flawed) -> None:
    flawed.project.write("uv.lock", UV.format("requests", "2.20.0"))
    flawed.install("other", "1.0")
    (flawed.project.root / ".venv" / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    (finding,) = judge(flawed, environment=True).findings
    assert "sees the system's packages" in finding.message


def test_this_environment_is_matched_without_running_anything(supply) -> None:
    supply.advise("A-1", "pytest", BEGIN)
    supply.env["VIRTUAL_ENV"] = sys.prefix
    result = judge(supply, environment=True)
    assert "A-1" in {one.rule for one in result.findings}


# Broken evidence is an error.


def test_a_project_without_dependencies_is_an_error(supply) -> None:
    supply.advise("A-1", "x", BEGIN)
    result = judge(supply)
    assert (result.status, result.summary) == (GateStatus.ERROR, "no dependency was found")
    supply.project.write("uv.lock", "version = 1\n")
    supply.project.write("requirements.txt", "# none yet\n")
    assert judge(supply).status is GateStatus.ERROR


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("uv.lock", b""),
        ("uv.lock", b"[[package]"),
        ("poetry.lock", b"\x00\x01"),
        ("Pipfile.lock", b'{"_meta": {}'),
        ("requirements.txt", b"{}"),
        ("requirements.txt", b"-r gone.txt"),
        ("requirements.txt", b"-r ../outside.txt"),
        ("package-lock.json", b"[]"),
        ("yarn.lock", b"garbage"),
        ("pnpm-lock.yaml", b"a: ["),
        ("pylock.dev.toml", b"garbage"),
        ("pyproject.toml", b"[project"),
        ("package.json", b"{"),
    ],
)
def test_broken_files_are_errors_that_name_them(flawed, name, content) -> None:
    if name == "pyproject.toml":
        (flawed.project.root / "uv.lock").unlink()
    (flawed.project.root.parent / "outside.txt").write_text("requests==2.20.0\n")
    flawed.project.write(name, content)
    result = judge(flawed)
    assert result.status is GateStatus.ERROR
    assert name in result.summary or "gone.txt" in result.summary or "outside.txt" in result.summary
    assert result.fix


def test_lock_files_that_are_named_must_be_there(flawed) -> None:
    for name, said in (
        ("gone.lock", "does not exist"),
        ("*.lock9", "matches no file"),
        ("odd.txt.bak", "is no lock file"),
    ):
        flawed.project.write("odd.txt.bak", "x")
        result = judge(flawed, lock_files=(name,))
        assert (result.status, said in result.summary) == (GateStatus.ERROR, True), result.summary


def test_links_are_not_followed(flawed) -> None:
    (flawed.project.root / "uv.lock").rename(flawed.project.root.parent / "uv.lock")
    (flawed.project.root / "uv.lock").symlink_to(flawed.project.root.parent / "uv.lock")
    assert judge(flawed).status is GateStatus.ERROR


def test_a_database_that_is_missing_broken_old_or_about_something_else_is_an_error(flawed) -> None:
    flawed.project.write("uv.lock", UV.format("requests", "2.20.0"))
    assert judge(flawed).status is GateStatus.PASS
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    for file in flawed.database.iterdir():
        record = json.loads(file.read_text())
        file.write_text(json.dumps({**record, "modified": old}))
    for level in Level:
        assert "too old" in judge(flawed, level=level).summary
        assert judge(flawed, level=level).status is GateStatus.ERROR
    assert judge(flawed, max_age="32d").status is GateStatus.PASS
    (flawed.database / "broken.json").write_text("{")
    assert judge(flawed).status is GateStatus.ERROR
    flawed.env["CMR_ADVISORY_DB"] = "/nowhere/all.zip"
    assert judge(flawed).summary == "the advisory database /nowhere/all.zip does not exist"
    flawed.env["CMR_ADVISORY_DB"] = str(flawed.project.root.parent / "npm")
    (flawed.project.root.parent / "npm").mkdir()
    (flawed.project.root.parent / "npm" / "a.json").write_text(
        '{"id": "G", "affected": [{"package": {"ecosystem": "npm", "name": "x"}}]}'
    )
    assert "no advisory about packages of PyPI" in judge(flawed).summary


def test_a_database_damaged_after_it_was_opened_is_an_error(flawed, tmp_path) -> None:
    from cli_multi_rapid.gates.advisory_database import build

    build(flawed.database, tmp_path / "x.sqlite", name="x")
    flawed.env["CMR_ADVISORY_DB"] = str(tmp_path / "x.sqlite")
    assert judge(flawed).status is GateStatus.FAIL
    data = (tmp_path / "x.sqlite").read_bytes()
    assert data.count(b"PYSEC-2018-28") == 1
    (tmp_path / "x.sqlite").write_bytes(data.replace(b'[["CVE-2018', b"[[[CVE-2018"))
    assert judge(flawed).status is GateStatus.ERROR
