"""What was read is what is trusted: specs, gates and settings, also when they change in the instant between."""

import os
from pathlib import Path

import pytest

from cli_multi_rapid.errors import ProjectUntrusted, SpecInvalid
from cli_multi_rapid.services.compliance import prepare_validation
from cli_multi_rapid.services.phases import require_trusted
from cli_multi_rapid.services.project import CONFIG, ensure_state_dir
from cli_multi_rapid.services.settings import load_settings
from cli_multi_rapid.services.trust import approve
from cli_multi_rapid.services.wiring import GATES, PHASES, Project, open_project, read_specs

TEXTS = {
    CONFIG: "schema: cmr/config@v1\nproject: test\njobs: {default: [p]}\n",
    GATES: "schema: cmr/gates@v1\ngates: {secrets: {check: secrets}}\n",
    f"{PHASES}/p.yaml": "schema: cmr/phase@v1\nname: p\nsteps:\n  - {id: a, run: [echo]}\n",
}


@pytest.fixture
def project(make_sandbox) -> Project:
    made = make_sandbox("project")
    for path, text in TEXTS.items():
        made.write(path, text)
    opened = open_project(made.root)
    approve(opened.root, ensure_state_dir(opened.state))
    return opened


def read(project):
    return read_specs(project), load_settings(project.root, environ={})


def test_what_was_read_and_approved_may_run(project):
    assert require_trusted(project, *read(project)) == "approved"


@pytest.mark.parametrize("path", TEXTS)
def test_a_file_that_was_another_one_while_it_was_read(project, path):
    """It says something else just while it is read, and what was approved again when trust is asked."""
    (project.root / path).write_text(TEXTS[path] + "# and more\n")
    found = read(project)
    (project.root / path).write_text(TEXTS[path])
    with pytest.raises(ProjectUntrusted, match=f"{path} changed while it was being read"):
        require_trusted(project, *found)


@pytest.mark.parametrize("path", TEXTS)
def test_a_file_that_is_approved_anew_after_it_was_read(project, path):
    found = read(project)
    (project.root / path).write_text(TEXTS[path] + "# and more\n")
    with pytest.raises(ProjectUntrusted, match="it has changed since you approved it"):
        require_trusted(project, *found)
    approve(project.root, project.state)
    with pytest.raises(ProjectUntrusted, match="changed while it was being read"):
        require_trusted(project, *found)
    assert require_trusted(project, *read(project)) == "approved"


def test_settings_that_a_gate_is_judged_by_are_asked_for_too(project):
    """`validate-compliance` takes its level from the configuration."""
    (project.root / CONFIG).write_text(TEXTS[CONFIG] + "level: advisory\n")
    _, settings = read(project)
    (project.root / CONFIG).write_text(TEXTS[CONFIG])
    with pytest.raises(ProjectUntrusted, match="changed while it was being read"):
        prepare_validation(project, settings, gates=())


def test_accepting_the_checkout_accepts_what_was_read_only(project):
    accepting = Project(root=project.root, state=project.state, environ={**os.environ, "CMR_TRUST": "1"})
    (project.root / CONFIG).write_text(TEXTS[CONFIG] + "level: advisory\n")
    found = read(project)
    assert require_trusted(accepting, *found) == "environment"
    (project.root / CONFIG).write_text(TEXTS[CONFIG] + "level: strict\n")
    with pytest.raises(ProjectUntrusted, match="changed while it was being read"):
        require_trusted(accepting, *found)


def test_a_configuration_that_is_a_link_is_not_read(project, tmp_path: Path):
    outside = tmp_path / "outside.yaml"
    outside.write_text("password: outside\n")
    (project.root / CONFIG).unlink()
    (project.root / CONFIG).symlink_to(outside)
    with pytest.raises(SpecInvalid) as refused:
        load_settings(project.root, environ={})
    assert [problem.code for problem in refused.value.problems] == ["PATH-OUTSIDE"]
    assert "password" not in str(refused.value.problems)
