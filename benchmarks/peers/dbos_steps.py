"""The same steps in DBOS, set up so that it does well:  dbos_steps.py DB N W.

Its database is in WAL mode before it opens it (it would use the slower default), values are stored as JSON and not
pickled, and the process ends without `DBOS.destroy()`, which waits for threads for up to a second. By then the
workflow is recorded as ended.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
import uuid

from dbos import DBOS, DBOSConfig
from dbos._serialization import DBOSPortableJSON


def run_true(number: int) -> int:
    subprocess.run(["true"], check=True)
    return number


@DBOS.step()
def act(number: int) -> int:
    return run_true(number)


@DBOS.workflow()
def linear(steps: int) -> int:
    for number in range(steps):
        act(number)
    return steps


@DBOS.workflow()
async def fan_out(steps: int, width: int) -> int:
    gate = asyncio.Semaphore(width)

    async def one(number: int) -> int:
        async with gate:
            return await asyncio.to_thread(run_true, number)

    await asyncio.gather(*(DBOS.run_step_async(None, one, number) for number in range(steps)))
    return steps


def main(path: str, steps: int, width: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    config: DBOSConfig = {
        "name": "benchmark",
        "system_database_url": f"sqlite:///{path}",
        "executor_id": uuid.uuid4().hex,
        "application_version": "v1",
        "serializer": DBOSPortableJSON,
        "notification_listener_polling_interval_sec": 0.05,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    if width == 1:
        linear(steps)
    else:
        asyncio.run(fan_out(steps, width))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
