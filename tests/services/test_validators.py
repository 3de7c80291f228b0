"""Validators are judged with as the base revision has them, and only where somebody has approved that."""

from dataclasses import replace
from pathlib import Path

import pytest

from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.services.project import ensure_state_dir
from cli_multi_rapid.services.tree import opened
from cli_multi_rapid.services.trust import approve, revoke
from cli_multi_rapid.services.validators import validator_source
from cli_multi_rapid.services.wiring import Project, open_project

PATH = "workflows/validators/v.py"
FIRST, SECOND, THIRD = b"first = 1\n", b"second = 2\n", b"third = 3\n"


@pytest.fixture
def project(sandbox) -> Project:
    """A trusted project whose one commit has a validator."""
    sandbox.write(PATH, FIRST.decode())
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "validator")
    found = open_project(sandbox.root)
    ensure_state_dir(found.state)
    approve(found.root, found.state)
    return found


@pytest.fixture
def head(project, sandbox) -> str:
    return sandbox.git("rev-parse", "HEAD")


def source(project: Project, *, base: str, judged: Path | None = None, path: str = PATH) -> bytes:
    there = replace(project, root=judged or project.root)
    return validator_source(there, opened(project), path, trusted_in=project, base=base)


def test_what_is_committed_and_approved_judges(project, head) -> None:
    assert source(project, base=head) == source(project, base="") == FIRST


def test_a_change_is_judged_by_the_validator_of_its_base(project, head) -> None:
    (project.root / PATH).write_bytes(SECOND)
    assert source(project, base=head) == FIRST
    approve(project.root, project.state)  # of what is there now: the earlier approval still stands
    assert source(project, base=head) == FIRST
    assert source(project, base="") == SECOND
    (project.root / PATH).unlink()
    assert source(project, base=head) == FIRST


def test_one_that_changed_since_it_was_approved_does_not_run(project) -> None:
    (project.root / PATH).write_bytes(SECOND)
    with pytest.raises(CouldNotRun, match="may not run as it is now: nobody has approved that"):
        source(project, base="")


def test_a_base_that_nobody_approved_does_not_run(project, sandbox) -> None:
    sandbox.write(PATH, SECOND.decode())
    sandbox.git("commit", "-q", "-a", "-m", "second")
    sandbox.write(PATH, THIRD.decode())
    approve(project.root, project.state)
    head = sandbox.git("rev-parse", "HEAD")
    with pytest.raises(CouldNotRun, match=f"may not run as the base revision {head[:12]} has it") as caught:
        source(project, base=head)
    assert "cli-multi-rapid trust" in caught.value.hint


def test_a_new_one_runs_once_it_is_approved(project, head) -> None:
    (project.root / "workflows/validators/new.py").write_bytes(SECOND)
    with pytest.raises(CouldNotRun, match="may not run as it is now"):
        source(project, base=head, path="workflows/validators/new.py")
    approve(project.root, project.state)
    assert source(project, base=head, path="workflows/validators/new.py") == SECOND


def test_an_approval_is_of_a_path(project, head) -> None:
    (project.root / "workflows/validators/copy.py").write_bytes(FIRST)
    with pytest.raises(CouldNotRun):
        source(project, base=head, path="workflows/validators/copy.py")


def test_what_was_taken_back_does_not_run(project, head) -> None:
    revoke(project.state)
    with pytest.raises(CouldNotRun):
        source(project, base=head)


def test_a_checkout_that_is_accepted_as_a_whole(project, head) -> None:
    revoke(project.state)
    accepted = replace(project, environ={**project.environ, "CMR_TRUST": "1"})
    (project.root / PATH).write_bytes(SECOND)
    assert source(accepted, base=head) == FIRST
    assert source(accepted, base="") == SECOND


def test_a_checkout_elsewhere_is_judged_with_what_was_approved_here(project, head, tmp_path) -> None:
    elsewhere = tmp_path / "worktree"
    (elsewhere / PATH).parent.mkdir(parents=True)
    (elsewhere / PATH).write_bytes(SECOND)
    assert source(project, base=head, judged=elsewhere) == FIRST
    with pytest.raises(CouldNotRun):
        source(project, base="", judged=elsewhere)
    (elsewhere / PATH).write_bytes(FIRST)
    assert source(project, base="", judged=elsewhere) == FIRST


def test_what_is_not_there_or_no_file(project, head) -> None:
    with pytest.raises(CouldNotRun, match=r"gone\.py does not exist"):
        source(project, base=head, path="workflows/validators/gone.py")
    (project.root / "workflows/validators/link.py").symlink_to("v.py")
    with pytest.raises(CouldNotRun, match=r"link\.py"):
        source(project, base=head, path="workflows/validators/link.py")
