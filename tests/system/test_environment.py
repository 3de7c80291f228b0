"""Which environment the steps of a project see, and what of it is missing."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from cli_multi_rapid.system.environment import (
    Presence,
    find_environment,
    find_program,
    missing_requirements,
    present_without_running,
    step_environ,
)

OWN = sysconfig.get_path("scripts")


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def tools(tmp_path) -> Path:
    """Return a folder with one program, `tool`."""
    return program(tmp_path / "tools" / "tool").parent


@pytest.fixture(scope="module")
def real_venv(tmp_path_factory) -> Path:
    """Return a project with a real virtual environment, which has the module `present_one`."""
    project = tmp_path_factory.mktemp("real")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    site = next((project / ".venv").glob("lib/python*/site-packages"))
    (site / "present_one.py").write_text("raise SystemExit('modules are looked for, not run')\n")
    return project


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def venv(folder: Path, configuration: str = "home = /usr/bin\n") -> Path:
    program(folder / "bin" / "python")
    (folder / "pyvenv.cfg").write_text(configuration)
    return folder


class TestFinding:
    @pytest.mark.parametrize("name", [".venv", "venv"])
    def test_the_projects_own(self, root, name):
        made = venv(root / name)
        found = find_environment(root, {})
        assert found.kind == "venv"
        assert found.prefix == str(made)
        assert found.python == str(made / "bin" / "python")
        assert found.path_entries == (str(made / "bin"),)
        assert found.notes == ()

    def test_the_first_of_two(self, root):
        venv(root / "venv")
        assert find_environment(root, {}).prefix.endswith("/venv")
        venv(root / ".venv")
        assert find_environment(root, {}).prefix.endswith("/.venv")

    def test_made_by_uv(self, root):
        venv(root / ".venv", "home = /usr/bin\nuv = 0.9.1\n")
        assert find_environment(root, {}).kind == "uv"

    @pytest.mark.parametrize("broken", ["pyvenv.cfg", "bin/python"])
    def test_a_broken_one_does_not_count(self, root, broken):
        (venv(root / ".venv") / broken).unlink()
        assert find_environment(root, {"PATH": ""}).kind == "none"

    def test_an_activated_one_in_the_project(self, root):
        made = venv(root / "env")
        venv(root / ".tox" / "py313")
        found = find_environment(root, {"VIRTUAL_ENV": str(made)})
        assert (found.kind, found.prefix, found.notes) == ("active", str(made), ())

    def test_an_activated_one_elsewhere_only_where_the_project_has_none(self, root, tmp_path):
        other = venv(tmp_path / "other")
        found = find_environment(root, {"VIRTUAL_ENV": str(other)})
        assert (found.kind, found.prefix) == ("active", str(other))
        assert "outside the project" in found.notes[0]
        own = venv(root / ".venv")
        found = find_environment(root, {"VIRTUAL_ENV": str(other)})
        assert found.prefix == str(own)
        assert found.notes == (f"VIRTUAL_ENV={other} is not used: the project has its own .venv",)

    def test_the_projects_own_being_active_needs_no_note(self, root):
        own = venv(root / ".venv")
        assert find_environment(root, {"VIRTUAL_ENV": str(own)}).notes == ()

    def test_this_programs_own_is_not_the_projects(self, root, tmp_path):
        ours = venv(tmp_path / "ours")
        found = find_environment(root, {"VIRTUAL_ENV": str(ours), "PATH": ""}, program_prefix=str(ours))
        assert found.kind == "none"
        assert "this program's own" in found.notes[0]

    @pytest.mark.parametrize("value", ["relative", "/does/not/exist", ""])
    def test_a_senseless_value_is_ignored(self, root, value):
        assert find_environment(root, {"VIRTUAL_ENV": value, "PATH": ""}).kind == "none"

    def test_the_newest_of_tox(self, root):
        for name in ("py39", "py311", "py313", "pypy3"):
            venv(root / ".tox" / name)
        (root / ".tox" / "py314").mkdir()
        found = find_environment(root, {})
        assert (found.kind, found.prefix) == ("tox", str(root / ".tox" / "py313"))

    def test_node(self, root):
        venv(root / ".venv")
        (root / "node_modules" / ".bin").mkdir(parents=True)
        entries = find_environment(root, {}).path_entries
        assert entries == (str(root / ".venv" / "bin"), str(root / "node_modules" / ".bin"))

    def test_none(self, root, tmp_path):
        python = program(tmp_path / "bin" / "python")
        found = find_environment(root, {"PATH": f"relative::{python.parent}"})
        assert (found.kind, found.prefix, found.python) == ("none", None, str(python))
        assert found.notes == (f"no environment in the project; python is {python}",)

    def test_none_anywhere_but_this_programs_own(self, root):
        found = find_environment(root, {"PATH": ""})
        assert found.python == str(Path(OWN) / "python")
        assert found.notes == (f"no environment in the project; python is {OWN}/python, this program's own",)


class TestStepEnviron:
    def test_order_of_path(self, root):
        venv(root / ".venv")
        environ = {"PATH": os.pathsep.join(["/usr/bin", "", ".", "bin", "/bin", "/usr/bin"]), "HOME": "/h"}
        made = step_environ(find_environment(root, environ), environ, {"CMR_RUN": "1"})
        assert made["PATH"].split(os.pathsep) == [str(root / ".venv" / "bin"), "/usr/bin", "/bin", OWN]
        assert made["VIRTUAL_ENV"] == str(root / ".venv")
        assert (made["HOME"], made["CMR_RUN"]) == ("/h", "1")

    def test_what_leads_elsewhere_is_removed_and_the_rest_stays(self, root):
        environ = {
            "PATH": "/usr/bin", "PYTHONHOME": "/wrong", "VIRTUAL_ENV": "/gone", "VIRTUAL_ENV_PROMPT": "x",
            "NO_COLOR": "1", "PYTHONPATH": "/kept",
        }  # fmt: skip
        made = step_environ(find_environment(root, environ), environ, {})
        assert made == {"PATH": f"/usr/bin{os.pathsep}{OWN}", "NO_COLOR": "1", "PYTHONPATH": "/kept"}

    def test_extra_wins(self, root):
        made = step_environ(find_environment(root, {}), {"A": "1"}, {"A": "2", "PATH": "/only"})
        assert (made["A"], made["PATH"]) == ("2", "/only")

    def test_a_step_runs_the_projects_python(self, real_venv):
        made = step_environ(find_environment(real_venv, os.environ), os.environ, {})
        ask = ["python", "-c", "import sys; print(sys.prefix)"]
        ended = subprocess.run(ask, env=made, capture_output=True, text=True, check=True)
        assert ended.stdout.strip() == str(real_venv / ".venv")


class TestMissing:
    def test_programs(self, tools):
        found = missing_requirements(["tool", "absent-tool"], environ_path=str(tools), python=None)
        assert [(one.name, one.fix) for one in found] == [
            ("absent-tool", "install absent-tool so that it is on the PATH")
        ]

    def test_modules_in_the_projects_interpreter(self, real_venv):
        python = str(real_venv / ".venv" / "bin" / "python")
        wanted = [
            "python:json",
            "python:present_one",
            "python:absent_one",
            "python:pytest_cov",
            "python:os; print(1)",
            "ruff",
        ]
        found = missing_requirements(wanted, environ_path="", python=python, root=real_venv)
        assert {one.name: one.fix for one in found} == {
            "python:absent_one": ".venv/bin/python -m pip install absent_one",
            "python:pytest_cov": ".venv/bin/python -m pip install pytest-cov",
            "python:os; print(1)": "correct it: this is not the name of a module",
            "ruff": ".venv/bin/python -m pip install ruff",
        }

    def test_the_project_folder_cannot_pass_for_a_module(self, real_venv, monkeypatch):
        (real_venv / "shadow_module.py").write_text("")
        (real_venv / "sitecustomize.py").write_text("raise SystemExit(3)\n")
        monkeypatch.chdir(real_venv)
        monkeypatch.setenv("PYTHONPATH", str(real_venv))
        python = str(real_venv / ".venv" / "bin" / "python")
        found = missing_requirements(["python:shadow_module", "python:present_one"], environ_path="", python=python)
        assert [one.name for one in found] == ["python:shadow_module"]
        assert found[0].fix == f"{python} -m pip install shadow_module"

    def test_one_child_for_all_modules(self, tmp_path):
        asked = []

        def run(argv: tuple[str, ...]) -> str:
            asked.append(argv)
            return "noise\nabsent:b\n"

        found = missing_requirements(["python:a", "python:b"], environ_path="", python="/p/bin/python", run=run)
        assert [one.name for one in found] == ["python:b"]
        assert len(asked) == 1
        assert asked[0][:3] == ("/p/bin/python", "-I", "-c")

    def test_no_child_where_no_module_is_wanted(self, tools):
        def run(argv: tuple[str, ...]) -> str:
            raise AssertionError(argv)

        assert missing_requirements(["tool"], environ_path=str(tools), python="/p", run=run) == ()

    def test_names_that_are_none_are_not_looked_for(self):
        def run(argv: tuple[str, ...]) -> str:
            raise AssertionError(argv)

        assert len(missing_requirements(["python:-c", "python:"], environ_path="", python="/p", run=run)) == 2

    def test_an_interpreter_that_does_not_work_has_nothing(self, tmp_path):
        broken = program(tmp_path / "bin" / "python", "#!/bin/sh\nexit 1\n")
        for python in (str(broken), str(tmp_path / "none"), None):
            found = missing_requirements(["python:json"], environ_path="", python=python)
            assert [one.name for one in found] == ["python:json"]

    def test_fix_without_an_environment(self, root):
        wanted = ["python:pytest", "python:pytest_cov", "python:xdist", "shellcheck"]
        fixes = [one.fix for one in missing_requirements(wanted, environ_path="", python=None, root=root)]
        assert fixes[0] == "python3 -m venv .venv && .venv/bin/python -m pip install pytest pytest-cov pytest-xdist"
        assert fixes[-1] == "install shellcheck so that it is on the PATH"
        (root / "pyproject.toml").write_text("")
        fixes = [one.fix for one in missing_requirements(wanted[:2], environ_path="", python=None, root=root)]
        assert set(fixes) == {"python3 -m venv .venv && .venv/bin/python -m pip install -e . pytest pytest-cov"}

    def test_fix_in_an_environment_of_uv(self, root):
        python = str(venv(root / ".venv", "uv = 0.9\n") / "bin" / "python")
        found = missing_requirements(["python:yaml"], environ_path="", python=python, root=root)
        assert found[0].fix == "uv pip install --python .venv/bin/python pyyaml"

    def test_nothing_is_installed_into_this_programs_own_environment(self, root):
        python = str(Path(OWN) / "python")
        found = missing_requirements(["python:absent_one"], environ_path="", python=python, root=root)
        assert found[0].fix.startswith("python3 -m venv .venv && ")

    def test_a_path_with_a_space_is_quoted(self, tmp_path):
        python = str(venv(tmp_path / "with space") / "bin" / "python")
        found = missing_requirements(["python:a"], environ_path="", python=python)
        assert found[0].fix == f"'{python}' -m pip install a"


class TestPresentWithoutRunning:
    def test_nothing_is_run(self, root, tools, tmp_path):
        made = venv(root / ".venv")
        program(made / "bin" / "python", f"#!/bin/sh\n: > {tmp_path}/executed\n")
        site = made / "lib" / "python3.12" / "site-packages"
        (site / "package").mkdir(parents=True)
        (site / "module.py").write_text("")
        (site / "compiled.cpython-312-x86_64-linux-gnu.so").write_text("")
        (site / "distutils-precedence.pth").write_text("")
        wanted = ["tool", "other", "python:package", "python:module", "python:compiled", "python:absent", "python:json"]
        found = present_without_running(wanted, find_environment(root, {}), environ_path=str(tools))
        assert [found[name] for name in wanted] == [
            Presence.PRESENT, Presence.MISSING, Presence.PRESENT, Presence.PRESENT, Presence.PRESENT, Presence.MISSING,
            Presence.PRESENT,
        ]  # fmt: skip
        assert not (tmp_path / "executed").exists()

    def test_what_cannot_be_known(self, root):
        wanted = ["python:absent"]
        assert present_without_running(wanted, find_environment(root, {}), environ_path="") == {
            "python:absent": Presence.UNKNOWN
        }
        made = venv(root / ".venv", "include-system-site-packages = true\n")
        assert (
            present_without_running(wanted, find_environment(root, {}), environ_path="")["python:absent"] == "unknown"
        )
        (made / "pyvenv.cfg").write_text("")
        (made / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
        (made / "lib" / "python3.12" / "site-packages" / "__editable__.thing.pth").write_text("")
        assert (
            present_without_running(wanted, find_environment(root, {}), environ_path="")["python:absent"] == "unknown"
        )


class TestFindProgram:
    def test_only_absolute_entries_and_executable_files(self, tools, monkeypatch):
        monkeypatch.chdir(tools)
        (tools / "data").write_text("")
        (tools / "folder").mkdir()
        path = os.pathsep.join(["", ".", str(tools)])
        assert find_program("tool", path) == str(tools / "tool")
        assert find_program("tool", os.pathsep.join(["", "."])) is None
        assert find_program("data", path) is None
        assert find_program("folder", path) is None


def test_a_folder_of_the_path_that_may_not_be_entered_is_passed_over(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.touch(mode=0o755)
    real = os.stat

    def refusing(path, *arguments, **named):
        if "closed" in os.fspath(path):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "stat", refusing)
    assert find_program("tool", f"{tmp_path}/closed:{program.parent}") == str(program)
