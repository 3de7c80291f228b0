"""Importing a small workflow, or one job, and loading what comes of it."""

from collections.abc import Callable, Mapping

import pytest

from cli_multi_rapid.engine.loader import load_phases
from cli_multi_rapid.model.phase import PhaseSpec, Step
from cli_multi_rapid.services.importing.github import Imported, import_workflows

ALWAYS = {"a phase runs when it is asked for", "every step runs on this machine, as on Linux"}


class Result:
    """What an import made, loaded; `left` are the things left out, but for those that every workflow has."""

    def __init__(self, found: Imported) -> None:
        self.texts = found.phases
        files = {f"{name}.yaml": text for name, text in found.phases.items()}
        self.phases: Mapping[str, PhaseSpec] = load_phases(files, gates=None)
        self.left = [one for one in found.left_out if one.why not in ALWAYS]

    @property
    def whys(self) -> list[str]:
        return [one.why for one in self.left]

    @property
    def why(self) -> str:
        (why,) = self.whys
        return why

    @property
    def phase(self) -> PhaseSpec:
        (phase,) = self.phases.values()
        return phase

    @property
    def step(self) -> Step:
        (step,) = self.phase.steps
        return step

    @property
    def places(self) -> list[tuple[str, str, str]]:
        return [(one.where, one.what, one.why) for one in self.left]


def import_files(files: Mapping[str, bytes]) -> Result:
    return Result(import_workflows(files))


def import_jobs(jobs: str, head: str = "on: [push]\n", *, conditions: bool = True) -> Result:
    return Result(import_workflows({"ci.yml": f"{head}jobs:\n{jobs}".encode()}, conditions=conditions))


def import_steps(steps: str, more: str = "", head: str = "on: [push]\n") -> Result:
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    body = "".join(f"      {line}\n" for line in steps.splitlines())
    return import_jobs(f"  test:\n    runs-on: ubuntu-latest\n{lines}    steps:\n{body}", head)


@pytest.fixture
def files() -> Callable[..., Result]:
    """Import files, given by path."""
    return import_files


@pytest.fixture
def workflow() -> Callable[..., Result]:
    """Import `ci.yml`, given by its jobs and what stands before them."""
    return import_jobs


@pytest.fixture
def job() -> Callable[..., Result]:
    """Import one job, `test`, given by its steps, more of its keys, and what stands before the jobs."""
    return import_steps
