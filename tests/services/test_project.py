"""Where a project is, and where its state is kept."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cli_multi_rapid.errors import ProjectMissing, StateForeign, StateUnwritable, UsageError
from cli_multi_rapid.services.project import CONFIG, ensure_state_dir, find_root, project_id, state_dir


@pytest.fixture
def project(tmp_path) -> Path:
    return make(tmp_path / "project")


def make(folder: Path) -> Path:
    (folder / CONFIG).parent.mkdir(parents=True)
    (folder / CONFIG).write_text("")
    return folder


class TestFindRoot:
    def test_here_and_above(self, project):
        (project / "a" / "b").mkdir(parents=True)
        assert find_root(project) == find_root(project / "a" / "b") == project

    def test_the_nearest(self, project):
        assert find_root(make(project / "inner") / "config") == project / "inner"

    @pytest.mark.parametrize("form", ["folder", "file"])
    def test_not_above_the_repository(self, project, form):
        inner = project / "inner"
        (inner / "sub").mkdir(parents=True)
        if form == "folder":
            (inner / ".git").mkdir()
        else:
            (inner / ".git").write_text("gitdir: elsewhere\n")
        with pytest.raises(ProjectMissing):
            find_root(inner / "sub")
        (inner / "config").mkdir()
        (inner / CONFIG).write_text("")
        assert find_root(inner / "sub") == inner

    def test_links_are_resolved(self, project, tmp_path):
        (tmp_path / "link").symlink_to(project)
        assert find_root(tmp_path / "link") == project

    def test_none(self, tmp_path):
        with pytest.raises(ProjectMissing) as missing:
            find_root(tmp_path)
        assert missing.value.where == str(tmp_path)
        assert missing.value.hint == "cli-multi-rapid init"
        with pytest.raises(ProjectMissing, match="does not exist"):
            find_root(tmp_path / "none")

    def test_a_folder_in_the_place_of_the_marker(self, tmp_path):
        (tmp_path / CONFIG).mkdir(parents=True)
        with pytest.raises(ProjectMissing):
            find_root(tmp_path)


class TestStateDir:
    def test_id(self, project, tmp_path):
        (tmp_path / "link").symlink_to(project)
        assert len(project_id(project)) == 16
        assert int(project_id(project), 16) >= 0
        assert project_id(project) == project_id(tmp_path / "link")
        assert project_id(project) != project_id(tmp_path)

    def test_order_of_places(self, project):
        own = project_id(project)
        environ = {"HOME": "/home/user"}
        if os.name == "posix":
            assert state_dir(project, environ) == Path("/home/user/.local/state/cli-multi-rapid") / own
        environ["XDG_STATE_HOME"] = "relative/is/ignored"
        assert state_dir(project, environ).is_relative_to("/home/user")
        environ["XDG_STATE_HOME"] = "/xdg"
        assert state_dir(project, environ) == Path("/xdg/cli-multi-rapid") / own
        environ["CMR_STATE_DIR"] = "/chosen"
        assert state_dir(project, environ) == Path("/chosen") / own

    def test_nothing_is_made(self, project, tmp_path):
        assert not state_dir(project, {"CMR_STATE_DIR": str(tmp_path / "state")}).parent.exists()

    def test_not_in_the_project(self, project, tmp_path):
        (tmp_path / "link").symlink_to(project / "config")
        for chosen in (project / "state", tmp_path / "link"):
            with pytest.raises(UsageError, match="inside the project") as refused:
                state_dir(project, {"CMR_STATE_DIR": str(chosen)})
            assert "CMR_STATE_DIR" in refused.value.hint

    def test_not_relative(self, project):
        with pytest.raises(UsageError, match="absolute"):
            state_dir(project, {"CMR_STATE_DIR": "state"})


class TestEnsureStateDir:
    def test_made_for_the_user_alone(self, tmp_path):
        state = tmp_path / "a" / "b" / "state"
        before = os.umask(0)
        try:
            assert ensure_state_dir(state) == state
        finally:
            os.umask(before)
        for folder in (tmp_path / "a", tmp_path / "a" / "b", state):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert ensure_state_dir(state) == state

    def test_one_that_is_open_to_others_is_closed(self, tmp_path):
        state = tmp_path / "state"
        state.mkdir()
        state.chmod(0o755)
        assert stat.S_IMODE(ensure_state_dir(state).stat().st_mode) == 0o700

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
    def test_foreign(self, tmp_path):
        state = tmp_path / "state"
        state.mkdir()
        os.chown(state, 65534, 65534)
        with pytest.raises(StateForeign) as foreign:
            ensure_state_dir(state)
        assert foreign.value.where == str(state)

    def test_a_link_or_a_file(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        (tmp_path / "file").write_text("")
        for name in ("link", "file"):
            with pytest.raises(StateForeign, match="a link or a file"):
                ensure_state_dir(tmp_path / name)

    def test_a_parent_in_which_everybody_may_replace_it(self, tmp_path):
        shared = tmp_path / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        with pytest.raises(StateForeign, match="could replace"):
            ensure_state_dir(shared / "state")
        shared.chmod(0o1777)
        ensure_state_dir(shared / "state")

    def test_unwritable(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(StateUnwritable) as unwritable:
            ensure_state_dir(tmp_path / "file" / "state")
        assert "CMR_STATE_DIR" in unwritable.value.hint

    @pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that nobody can write to")
    def test_a_read_only_place(self):
        with pytest.raises(StateUnwritable):
            ensure_state_dir(Path("/proc/cli-multi-rapid/state"))


def test_finding_a_project_imports_nothing_heavy():
    code = "import sys; had = set(sys.modules); import cli_multi_rapid.services.project; print(*set(sys.modules) - had)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "click", "json", "pydantic", "shutil", "sqlite3", "subprocess", "tempfile", "yaml"}
    loaded = ended.stdout.split()
    assert "cli_multi_rapid.services.project" in loaded
    assert heavy.isdisjoint(loaded)
