"""The settings in force, where each comes from, and what is refused."""

import os
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from cli_multi_rapid.errors import ProjectMissing, SpecInvalid
from cli_multi_rapid.model.contract import ModelTarget, PythonStyle
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.problems import PROBLEMS
from cli_multi_rapid.services.settings import ProjectSettings, load_settings, read_jobs, shown_settings

HEAD = "schema: cmr/config@v1\n"


class Place:
    """A project with a configuration, and a user's file."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "calc"
        (self.root / "config").mkdir(parents=True)
        self.user = folder / "user.yaml"
        self.environ: dict[str, str] = {}
        self.flags: dict[str, str | None] = {}
        self.write(HEAD)

    def write(self, text: str) -> None:
        (self.root / "config/workflow-config.yaml").write_text(text, encoding="utf-8")

    def load(self, phases: frozenset[str] | None = None) -> ProjectSettings:
        return load_settings(self.root, environ=self.environ, flags=self.flags, user_file=self.user, phases=phases)

    def said(self, phases: frozenset[str] | None = None) -> list[tuple[str, str, str, str]]:
        with pytest.raises(SpecInvalid) as caught:
            self.load(phases)
        assert all(problem.code in PROBLEMS for problem in caught.value.problems)
        return [(p.where.replace(str(self.user), "USER"), p.code, p.message, p.fix) for p in caught.value.problems]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_defaults(place: Place) -> None:
    found = place.load()
    assert found == ProjectSettings(
        digest=sha256(HEAD.encode()).hexdigest(),
        project="calc", level=Level.STANDARD, jobs={}, parallel=min(os.cpu_count() or 1, 64), log_cap_bytes=8 << 20,
        keep_runs=100,
        timeout_s=None,
        origins={"project": "name of the folder", "level": "default", "engine.parallel": "default",
                 "engine.log_cap": "default", "engine.keep_runs": "default", "engine.timeout": "default"},
    )  # fmt: skip


def test_every_layer_beats_the_one_below(place: Place) -> None:
    place.user.write_text(f"{HEAD}level: advisory\nengine: {{parallel: 2, timeout: 1h, log_cap: 2048}}\n")
    assert place.load().origins["level"] == f"user file {place.user}:2"
    place.write(f"{HEAD}project: demo\nlevel: strict\nengine:\n  parallel: 3\n  timeout: 2h\njobs:\n  all: [a, b]\n")
    place.environ = {"CMR_PARALLEL": "4", "CMR_TIMEOUT": "3h", "CMR_LEVEL": ""}
    place.flags = {"timeout": "90s", "level": None}
    found = place.load()
    assert (found.project, found.level, found.parallel, found.log_cap_bytes, found.timeout_s) == (
        "demo", Level.STRICT, 4, 2048, 90.0,
    )  # fmt: skip
    assert found.jobs == {"all": ("a", "b")}
    assert found.origins == {
        "project": "config/workflow-config.yaml:2",
        "level": "config/workflow-config.yaml:3",
        "engine.parallel": "environment CMR_PARALLEL",
        "engine.timeout": "flag",
        "engine.log_cap": f"user file {place.user}:3",
        "engine.keep_runs": "default",
        "jobs.all": "config/workflow-config.yaml:8",
    }


def test_all_four_from_environment_and_from_flags(place: Place) -> None:
    place.environ = {"CMR_LEVEL": "ADVISORY", "CMR_PARALLEL": "1", "CMR_LOG_CAP": "1024", "CMR_TIMEOUT": "1d",
                     "CMR_KEEP_RUNS": "7"}  # fmt: skip
    found = place.load()
    assert (found.level, found.parallel, found.log_cap_bytes, found.timeout_s) == (Level.ADVISORY, 1, 1024, 86400.0)
    place.flags = {"level": "strict", "parallel": "64", "log_cap": "4096", "timeout": "5m", "keep_runs": "8"}
    found = place.load()
    assert (found.level, found.parallel, found.log_cap_bytes, found.timeout_s) == (Level.STRICT, 64, 4096, 300.0)
    assert {origin for key, origin in found.origins.items() if key != "project"} == {"flag"}


DURATION = "write a whole number and a unit: 90s, 10m, 24h or 7d"


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("LEVEL", "strikt", "did you mean 'strict'?"),
        ("LEVEL", "zzz", "use one of: advisory, standard, strict"),
        ("PARALLEL", "0", "use a whole number from 1 to 64"),
        ("PARALLEL", "65", "use a whole number from 1 to 64"),
        ("PARALLEL", "many", "use a whole number from 1 to 64"),
        ("LOG_CAP", "1023", "use a whole number of at least 1024"),
        ("KEEP_RUNS", "0", "use a whole number of at least 1"),
        ("TIMEOUT", "soon", DURATION),
        ("TIMEOUT", "0s", DURATION),
        ("TIMEOUT", "366d", DURATION),
        ("TIMEOUT", "9" * 400 + "d", DURATION),
        ("TIMEOUT", "9" * 5000 + "d", DURATION),
        ("TIMEOUT", "\u00b2s", DURATION),
    ],
)
def test_bad_values_name_the_variable_or_the_flag(place: Place, name: str, text: str, fix: str) -> None:
    place.environ = {f"CMR_{name}": text}
    assert place.said() == [(f"CMR_{name}", "SETTING-VALUE", f"CMR_{name} is '{text}'", fix)]
    place.environ, place.flags = {}, {name.lower(): text}
    flag = f"--{name.lower().replace('_', '-')}"
    assert place.said() == [(flag, "SETTING-VALUE", f"{flag} is '{text}'", fix)]


def test_all_problems_of_all_layers_at_once(place: Place) -> None:
    place.write(
        f"{HEAD}levl: strict\nengine: {{parallel: 65, log_cap: 1, timeout: 0s}}\njobs: {{'a b': [], c: [x, phse1]}}\n"
    )
    place.user.write_text(f"{HEAD}project: x\njobs: {{a: [b]}}\nengine: {{timeout: soon}}\n")
    place.environ = {"CMR_LEVEL": "x"}
    move = "move it to config/workflow-config.yaml"
    assert place.said(frozenset({"phase1", "x"})) == [
        ("config/workflow-config.yaml:2:1", "SPEC-KEY-UNKNOWN", "unknown key 'levl'", "did you mean 'level'?"),
        ("config/workflow-config.yaml:3:10", "SPEC-VALUE", "'parallel' is 65", "use a whole number from 1 to 64"),
        ("config/workflow-config.yaml:3:24", "SPEC-VALUE", "'log_cap' is 1", "use a whole number of at least 1024"),
        ("config/workflow-config.yaml:3:36", "SPEC-VALUE", "'timeout' must be longer than zero", "write a longer one"),
        ("config/workflow-config.yaml:4:8", "SPEC-VALUE", "'a b' is not a name",
         "start with a letter; then letters, digits, '_' and '-', at most 63 in all"),
        ("config/workflow-config.yaml:4:8", "SPEC-VALUE", "the job 'a b' has no phases", "add one, or remove it"),
        ("config/workflow-config.yaml:4:26", "PHASE-UNKNOWN",
         "the job 'c' names the phase 'phse1', which is not defined",
         "did you mean 'phase1'?"),
        ("USER:2:1", "SPEC-KEY-UNKNOWN", "'project' belongs into the file of a project", move),
        ("USER:3:1", "SPEC-KEY-UNKNOWN", "'jobs' belongs into the file of a project", move),
        ("USER:4:10", "SPEC-VALUE", "'timeout' is 'soon', which is not a duration",
         "write a whole number and a unit: 250ms, 90s, 10m, 24h or 7d"),
        ("CMR_LEVEL", "SETTING-VALUE", "CMR_LEVEL is 'x'", "use one of: advisory, standard, strict"),
    ]  # fmt: skip


@pytest.mark.parametrize("timeout", ["soon", "9" * 400 + "d", "9" * 5000 + "d"])
def test_bad_time_limits_in_a_file(place: Place, timeout: str) -> None:
    place.write(f"{HEAD}engine: {{timeout: '{timeout}'}}\n")
    assert [(where, code) for where, code, _, _ in place.said()] == [("config/workflow-config.yaml:2:10", "SPEC-VALUE")]


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICefKS3Wroyy+zPItKO6EvFgY15SOwQ6PeErwa9JYfua"


def test_approvers(place: Place) -> None:
    place.write(f"{HEAD}approvers:\n  leads: [a@example.org, b@example.org]\n  signers:\n    - {KEY} c@example.org\n")
    found = place.load()
    assert found.approvers == {"leads": ("a@example.org", "b@example.org"), "signers": (f"{KEY} c@example.org",)}
    assert found.origins["approvers.signers"] == "config/workflow-config.yaml:4"
    assert shown_settings(found)["approvers.leads"] == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize(
    ("text", "at", "message", "fix"),
    [
        ("{leads: []}", "2:13", "the group 'leads' has no members, so nobody could approve",
         "add a public key or an e-mail address"),
        ("{'a b': [a@b]}", "2:13", "'a b' is not a name",
         "start with a letter; then letters, digits, '_' and '-', at most 63 in all"),
        ("{leads: [ann]}", "2:21", "item 1 of 'leads' is neither a public key nor an e-mail address",
         "write the line of a .pub file (ssh-ed25519 AAAA…), or name@example.org"),
        ("{leads: [ssh-ed25519 AAAA]}", "2:21", "item 1 of 'leads' is neither a public key nor an e-mail address",
         "write the line of a .pub file (ssh-ed25519 AAAA…), or name@example.org"),
        (f"{{leads: [a@b, {KEY}]}}", "2:26",
         "the group 'leads' has both keys, which must sign, and addresses, which cannot",
         "make two groups of it"),
        ("{leads: a@b}", "2:13", "'leads': expected a list, got text", "write  [a@b]"),
    ],
)  # fmt: skip
def test_bad_approvers(place: Place, text: str, at: str, message: str, fix: str) -> None:
    place.write(f"{HEAD}approvers: {text}\n")
    assert place.said() == [(f"config/workflow-config.yaml:{at}", "SPEC-VALUE", message, fix)]


def test_users_cannot_make_themselves_approvers(place: Place) -> None:
    place.user.write_text(f"{HEAD}approvers: {{leads: [a@b]}}\n")
    assert [one[:3] for one in place.said()] == [
        ("USER:2:1", "SPEC-KEY-UNKNOWN", "'approvers' belongs into the file of a project")
    ]


def test_a_file_that_cannot_be_read(place: Place) -> None:
    (place.root / "config/workflow-config.yaml").write_bytes(b"\xff")
    assert [(where, code) for where, code, _, _ in place.said()] == [("config/workflow-config.yaml:1:1", "YAML-SYNTAX")]


def test_without_a_configuration_there_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectMissing, match=r"no config/workflow-config\.yaml"):
        load_settings(tmp_path, environ={})


@pytest.mark.skipif(sys.platform != "linux", reason="the place differs by system")
def test_the_users_file_has_the_systems_place(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    file = tmp_path / "xdg/cli-multi-rapid/config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"{HEAD}level: strict\n")
    found = load_settings(place.root, environ={})
    assert (found.level, found.origins["level"]) == (Level.STRICT, f"user file {file}:2")


def test_jobs_of_another_file(tmp_path: Path) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(f"{HEAD}jobs: {{all: [a, b]}}\n")
    assert read_jobs(str(file)) == {"all": ("a", "b")}
    file.write_text(f"{HEAD}jobs: {{all: a}}\n")
    with pytest.raises(SpecInvalid, match="'all': expected a list, got text"):
        read_jobs(str(file))


def test_shown_settings(place: Place) -> None:
    place.write(f"{HEAD}engine: {{parallel: 3, timeout: 2h}}\njobs: {{all: [a, b]}}\n")
    found = place.load()
    assert shown_settings(found) == {
        "project": "calc", "level": "standard", "engine.parallel": 3, "engine.log_cap": 8388608,
        "engine.keep_runs": 100,
        "engine.timeout": "7200s",
        "jobs.all": ["a", "b"],
    }  # fmt: skip
    assert set(shown_settings(found)) == set(found.origins)


def test_what_is_generated_of_contracts(place: Place) -> None:
    body = "contracts:\n  targets: [python, mql4]\n  python:\n    {style: typed-dict, folder: src/shop/models}\n"
    place.write(HEAD + body)
    found = place.load()
    assert found.contracts.targets == (ModelTarget.PYTHON, ModelTarget.MQL4)
    assert (found.contracts.python.style, found.contracts.python.folder) == (PythonStyle.TYPED_DICT, "src/shop/models")
    shown = {name: value for name, value in shown_settings(found).items() if name.startswith("contracts.")}
    assert shown == {
        "contracts.targets": ["python", "mql4"], "contracts.python.style": "typed-dict",
        "contracts.python.folder": "src/shop/models",
    }  # fmt: skip
    assert found.origins["contracts.targets"] == "config/workflow-config.yaml:3"
    place.write(f"{HEAD}contracts: {{targets: [pyhton]}}\n")
    ((where, code, message, fix),) = place.said()
    assert (where, code) == ("config/workflow-config.yaml:2:23", "SPEC-VALUE")
    assert "python" in fix, message
    place.write(HEAD)
    place.user.write_text(f"{HEAD}contracts: {{targets: [python]}}\n")
    assert [one[:3] for one in place.said()] == [
        ("USER:2:1", "SPEC-KEY-UNKNOWN", "'contracts' belongs into the file of a project")
    ]
