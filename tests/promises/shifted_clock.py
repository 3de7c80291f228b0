"""Runs the program with a clock that is SHIFT_S seconds ahead. For the tests of state faults only."""

import os
import sys
import time
from datetime import datetime, timedelta

from cli_multi_rapid.system import store

SHIFT_S = float(os.environ["SHIFT_S"])


class Shifted(datetime):
    """What the event log reads the time from."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=SHIFT_S)


def main() -> int:
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + SHIFT_S
    time.time_ns = lambda: now_ns() + int(SHIFT_S * 1e9)
    store.datetime = Shifted
    from cli_multi_rapid.cli.app import entry

    return entry("cmr", arguments=sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
