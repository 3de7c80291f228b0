"""Record N real runs of a phase in the project of the working folder:  history.py N PHASE."""

import sys

from cli_multi_rapid.cli.app import entry

if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        if code := entry("cmr", arguments=["run-phase", sys.argv[2]]):
            sys.exit(code)
