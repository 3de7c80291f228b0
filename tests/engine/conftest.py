"""Runs on fakes, begun, stopped and taken up again."""

import asyncio

import pytest

from cli_multi_rapid.engine import runner
from cli_multi_rapid.testing import RUN_ID, Drill, run_plan, step


@pytest.fixture(autouse=True)
def _final_steps_are_not_awaited_long(monkeypatch):
    monkeypatch.setattr(runner, "STOPPING_S", 0.2)


@pytest.fixture
def drill(tmp_path):
    """Make a run of some phases; `plan` are settings of its plan."""

    def make(*phases, plan=None, **settings):
        return Drill(plan=run_plan(*phases, **(plan or {})), folder=tmp_path, **settings)

    return make


@pytest.fixture
def again():
    """Take up the same run with other fakes."""

    def make(before, **settings):
        return Drill(plan=before.plan, folder=before.folder, store=before.store, **settings)

    return make


@pytest.fixture
def record():
    """Tell what is recorded, as kind and step."""
    return lambda drill: [f"{event.kind} {event.step}".strip() for event in drill.store.events(RUN_ID)]


@pytest.fixture
def reader():
    """Make steps that need and change nothing."""
    return lambda name, **settings: step(name, **({"needs": (), "writes": ()} | settings))


@pytest.fixture
def statuses():
    """Tell how the steps of a state ended."""
    return lambda state: {key: step.status.value for key, step in state.steps.items()}


@pytest.fixture
def interrupted():
    """Drive a run, interrupt it when a child has started, and return the state."""

    async def main(drill, at):
        runner = drill.runner()
        driving = asyncio.create_task(runner.drive())
        await drill.children.until("start", at)
        runner.interrupt("SIGTERM")
        return await driving

    return lambda drill, *, at: asyncio.run(main(drill, at))


@pytest.fixture
def cancelled():
    """Drive a run, cancel it from outside when a child has started, and return the state."""

    async def main(drill, at):
        driving = asyncio.create_task(drill.runner().drive())
        await drill.children.until("start", at)
        drill.cancel()
        return await driving

    return lambda drill, *, at: asyncio.run(main(drill, at))
