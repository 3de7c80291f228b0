"""One child process outside of a run."""

import asyncio

from cli_multi_rapid.model.process import Command, Exit


def run_alone(command: Command) -> Exit:
    """Run a command to its end under a supervisor of its own: nothing of it outlives this call.

    Raises:
        CouldNotRun: no supervisor could be started.
    """
    return asyncio.run(_run(command))


async def _run(command: Command) -> Exit:
    from cli_multi_rapid.system.process import SupervisedRunner

    children = SupervisedRunner()
    try:
        return await children.run(command)
    finally:
        await children.close()
