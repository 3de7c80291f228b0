"""The licences check."""

import json

import pytest

from cli_multi_rapid.gates.licences import evaluate
from cli_multi_rapid.model.gate import GateStatus, Level, Severity
from cli_multi_rapid.model.gate_settings import Check, GateSpec

MIT = "License-Expression: MIT"
PYPROJECT = '[project]\ndependencies = ["x"]\n'


def judge(supply, *, level=Level.STANDARD, allow=("MIT",), **keys):
    return evaluate("licences", GateSpec(check=Check.LICENCES, allow=allow, **keys), supply.given(level=level))


@pytest.fixture
def python(supply):
    supply.project.write("pyproject.toml", PYPROJECT)
    return supply


@pytest.fixture
def node(supply):
    def write(**packages):
        entries = {f"node_modules/{name.replace('__', '/')}": value for name, value in packages.items()}
        supply.project.write("package-lock.json", json.dumps({"packages": {"": {}, **entries}}, indent=1))
        return supply

    return write


def test_allowed_licences_pass(python) -> None:
    python.install("a", "1.0", MIT)
    python.install("b", "2.0", "License: MIT License")
    python.install("c", "3.0", "Classifier: License :: OSI Approved :: MIT License")
    result = judge(python)
    assert (result.status, result.findings, result.observed) == (GateStatus.PASS, (), 0.0)
    assert result.summary == "no licence in 3 packages that is not allowed"
    assert result.details["licences"] == {"MIT": 3}


def test_others_are_named_with_what_the_package_says(python) -> None:
    python.install("a", "1.0", MIT)
    python.install("b", "2.0", "License: GPLv3")
    result = judge(python)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.severity) == ("licence-not-allowed", "pyproject.toml", Severity.HIGH)
    assert finding.message == "b 2.0 is under GPL-3.0-only, as it says 'GPLv3', which is not allowed"
    assert (result.status, result.observed) == (GateStatus.FAIL, 1.0)
    assert result.summary == "1 of 2 packages under a licence that is not allowed"


def test_denied_licences(python) -> None:
    python.install("a", "1.0", "License-Expression: AGPL-3.0-or-later")
    python.install("b", "1.0", "License-Expression: AGPL-3.0-or-later OR MIT")
    result = judge(python, allow=(), deny=("AGPL-3.0",))
    assert [(one.rule, one.message) for one in result.findings] == [
        ("licence-denied", "a 1.0 is under AGPL-3.0-or-later, which is refused")
    ]


def test_the_fingerprint_outlives_a_new_version_but_not_a_new_licence(supply) -> None:
    prints = []
    for number, (version, licence) in enumerate([("1.0", "ISC"), ("1.1", "ISC"), ("1.1", "0BSD")]):
        supply.install("a", version, f"License-Expression: {licence}", prefix=f".venv{number}")
        prints.append(judge(supply, environment=True).findings[0].fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_npm_packages(node) -> None:
    supply = node(
        a={"version": "1.0.0", "license": "MIT"},
        __scope__b={"version": "1.0.0", "license": "GPL-2.0"},
        c={"version": "1.0.0", "license": "(MIT OR GPL-2.0)"},
        d={"version": "1.0.0", "license": "UNLICENSED"},
    )
    result = judge(supply)
    assert [(one.message.partition(" is ")[0], one.line) for one in result.findings] == [
        ("/scope/b 1.0.0", 8),
        ("d 1.0.0", 16),
    ]


def test_node_modules_say_what_a_lock_file_does_not(node) -> None:
    supply = node(a={"version": "1.0.0"}, b={"version": "2.0.0"}, c={"version": "3.0.0"})
    supply.project.write("node_modules/a/package.json", '{"version": "1.0.0", "license": "ISC"}')
    supply.project.write("node_modules/b/package.json", '{"version": "9.0.0", "license": "MIT"}')
    supply.project.write("node_modules/c/package.json", "{")
    assert [(one.rule, one.message.partition(":")[0]) for one in judge(supply).findings] == [
        ("licence-not-allowed", "a 1.0.0 is under ISC, which is not allowed"),
        ("licence-unknown", "the licence of b 2.0.0 is not known"),
        ("licence-unknown", "the licence of c 3.0.0 is not known"),
    ]


@pytest.mark.parametrize(
    ("lock", "text", "folder"),
    [
        ("yarn.lock", '# yarn lockfile v1\n\n"@s/a@^1":\n  version "1.0.0"\n', "node_modules/@s/a"),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n  '@s/a@1.0.0':\n    x: y\n",
            "node_modules/.pnpm/@s+a@1.0.0/node_modules/@s/a",
        ),
    ],
)
def test_yarn_and_pnpm(supply, lock, text, folder) -> None:
    supply.project.write(f"web/{lock}", text)
    supply.project.write(f"web/{folder}/package.json", '{"version": "1.0.0", "license": "MIT"}')
    assert judge(supply, lock_files=(f"web/{lock}",)).status is GateStatus.PASS


def test_modules_outside_the_project_are_not_read(node) -> None:
    supply = node(a={"version": "1.0.0"})
    outside = supply.project.root.parent / "modules"
    (outside / "a").mkdir(parents=True)
    (outside / "a" / "package.json").write_text('{"version": "1.0.0", "license": "MIT"}')
    (supply.project.root / "node_modules").symlink_to(outside)
    assert [one.rule for one in judge(supply).findings] == ["licence-unknown"]


@pytest.mark.parametrize(
    ("lists", "standard", "strict"),
    [
        ({"allow": ("MIT",)}, GateStatus.FAIL, GateStatus.FAIL),
        ({"allow": (), "deny": ("ISC",)}, GateStatus.WARN, GateStatus.FAIL),
        ({"allow": ("MIT", "unknown")}, GateStatus.WARN, GateStatus.WARN),
        ({"allow": (), "deny": ("ISC", "unknown")}, GateStatus.FAIL, GateStatus.FAIL),
    ],
)
def test_what_cannot_be_told(python, lists, standard, strict) -> None:
    python.install("a", "1.0", MIT)
    python.install("b", "1.0", "License: ask us", "Classifier: License :: OSI Approved")
    result = judge(python, **lists)
    (finding,) = result.findings
    assert (finding.rule, finding.message) == (
        "licence-unknown",
        "the licence of b 1.0 is not known: 'ask us; License :: OSI Approved' names none",
    )
    assert result.status is standard
    assert judge(python, level=Level.STRICT, **lists).status is strict
    assert result.summary.endswith("that is not allowed, 1 not known")


def test_locked_packages_that_are_not_installed_are_not_known(python) -> None:
    python.project.write(
        "uv.lock", 'version = 1\n[[package]]\nname = "a"\nversion = "1"\n[[package]]\nname = "b"\nversion = "2"\n'
    )
    python.install("a", "1", MIT)
    (finding,) = judge(python).findings
    assert (finding.rule, finding.path, finding.line) == ("licence-unknown", "uv.lock", 5)


def test_a_package_in_several_files_is_judged_once(python) -> None:
    python.project.write("uv.lock", 'version = 1\n[[package]]\nname = "a"\nversion = "1"\n')
    python.project.write("requirements.txt", "a==1\nb==2\n")
    python.install("a", "1", MIT)
    python.install("b", "2", "License-Expression: ISC")
    result = judge(python)
    assert [one.path for one in result.findings] == ["requirements.txt"]
    assert result.details["packages"] == 2


def test_requirements_that_are_not_installed_are_not_known(python) -> None:
    python.project.write("requirements.txt", "a>=1\nc>=1\n")
    python.install("a", "1", MIT)
    (finding,) = judge(python).findings
    assert finding.message == "the licence of c>=1 is not known: it is not installed, it names no exact version"


def test_the_projects_own_packages_are_not_judged(python) -> None:
    python.install("a", "1", MIT)
    python.install("own", "1", files='{"url": "file:///x", "dir_info": {"editable": true}}')
    assert (judge(python).status, judge(python).details["own"]) == (GateStatus.PASS, 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", PYPROJECT),
        ("uv.lock", ""),
        ("package-lock.json", "{"),
        ("uv.lock", "version = 1\n"),
        ("README", "x"),
    ],
)
def test_nothing_and_broken_files_are_errors(supply, path, text) -> None:
    supply.project.write(path, text)
    result = judge(supply)
    assert result.status is GateStatus.ERROR
    assert result.fix


def test_an_environment_that_is_asked_for_must_be_there(node) -> None:
    supply = node(a={"version": "1.0.0", "license": "MIT"})
    assert judge(supply).status is GateStatus.PASS
    assert judge(supply, environment=True).status is GateStatus.ERROR


def test_metadata_that_is_missing_is_not_known(python) -> None:
    (python.install("a", "1.0", MIT) / "METADATA").unlink()
    assert [one.rule for one in judge(python).findings] == ["licence-unknown"]
