"""Runs the program and kills it, for good, before or after its n-th commit. For the kill tests only."""

import os
import signal
import sys

from cli_multi_rapid.cli.app import entry
from cli_multi_rapid.system.store import SqliteStore


def main() -> int:
    at, when = int(os.environ["KILL_AT"]), os.environ["KILL_WHEN"]
    count = 0
    original = {name: getattr(SqliteStore, name) for name in ("append", "take")}

    def wrapped(name):
        def call(self, *arguments, **named):
            nonlocal count
            count += 1
            mine = count
            if mine == at and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = original[name](self, *arguments, **named)
            if mine == at and when == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in original:
        setattr(SqliteStore, name, wrapped(name))
    code = entry("cmr", arguments=sys.argv[1:])
    if count < at:
        print(f"only {count} commits", file=sys.stderr)
        return 99
    return code


if __name__ == "__main__":
    sys.exit(main())
