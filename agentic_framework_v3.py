"""Run tasks and phases of this project.

Made by `cli-multi-rapid init`, which also tells whether it was edited
(`init --check`). The program itself is the installed package.
"""

import sys

try:
    from cli_multi_rapid.cli.app import entry
except ModuleNotFoundError as missing:
    if missing.name != "cli_multi_rapid":
        raise
    sys.exit("cli-multi-rapid is not installed for this Python")

if __name__ == "__main__":
    sys.exit(entry("python agentic_framework_v3.py"))
