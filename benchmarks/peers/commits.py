"""The floor of everything durable: run `true` and commit one row for it, N times, W at a time:  commits.py DB N W."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def act(number: int) -> int:
    subprocess.run(["true"], check=True)
    return number


def main(path: str, steps: int, width: int) -> None:
    log = sqlite3.connect(path, isolation_level=None)
    log.execute("PRAGMA journal_mode = WAL")
    log.execute("PRAGMA synchronous = FULL")
    log.execute("CREATE TABLE IF NOT EXISTS done (run TEXT, step INTEGER, PRIMARY KEY (run, step)) WITHOUT ROWID")
    run = os.urandom(8).hex()
    if width == 1:
        for number in range(steps):
            log.execute("INSERT INTO done VALUES (?, ?)", (run, act(number)))
        return
    with ThreadPoolExecutor(width) as threads:
        for number in threads.map(act, range(steps)):
            log.execute("INSERT INTO done VALUES (?, ?)", (run, number))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
