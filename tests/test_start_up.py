"""What the quick commands import. Heavy libraries must wait until they are needed."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "asyncio", "dbos", "httpx", "importlib.metadata", "jinja2", "jsonschema_rs", "kingfisher_sdk", "platformdirs",
    "procrastinate", "psycopg", "pydantic", "re2", "rich", "ruff", "ssl", "starlette", "subprocess", "yaml",
}  # fmt: skip
LIGHT_COMMANDS = {
    "help": ["--help"],
    "status": ["status"],
    "status of a run": ["status", "last"],
    "logs": ["logs"],
    "health-check": ["health-check"],
    "explain": ["explain", "PHASE-UNKNOWN"],
}
PARSING_COMMANDS = {
    "plan": ["plan", "p"],
    "graph": ["graph", "p"],
    "schema": ["schema", "phase"],
}
PARSERS = {"yaml", "jsonschema_rs", "re2", "platformdirs", "subprocess"}
SCRIPT = """
import json, sys
from cli_multi_rapid.cli.app import entry
code = entry("cmr", arguments=sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules(sandbox, arguments):
    done = subprocess.run(
        (sys.executable, "-c", SCRIPT, *arguments), cwd=sandbox.root, capture_output=True, text=True, timeout=60,
        env={**os.environ, "CMR_TRUST": "1"},
    )  # fmt: skip
    code, loaded = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(loaded)


@pytest.fixture
def used(sandbox):
    assert sandbox.cmr("run-phase", "p").code == 0
    return sandbox


@pytest.mark.parametrize("name", LIGHT_COMMANDS)
def test_quick_commands_import_nothing_heavy(used, name):
    assert not modules(used, LIGHT_COMMANDS[name]) & HEAVY


def test_to_tell_whether_a_verdict_still_holds_git_is_asked_and_nothing_else_loaded(sandbox):
    sandbox.write("config/compliance-gates.yaml", "schema: cmr/gates@v1\ngates:\n  secrets: {check: denylist}\n")
    assert sandbox.cmr("validate-compliance").code == 0
    assert modules(sandbox, ["status", "--include-compliance"]) & HEAVY == {"subprocess"}


@pytest.mark.parametrize("name", PARSING_COMMANDS)
def test_commands_that_read_specs_import_only_the_parsers(used, name):
    assert modules(used, PARSING_COMMANDS[name]) & HEAVY <= {
        "yaml",
        "jsonschema_rs",
        "re2",
        "platformdirs",
        "subprocess",
    }


def test_running_a_phase_needs_no_renderer_of_terminals_off_one(used):
    heavy = modules(used, ["run-phase", "p"]) & HEAVY
    assert not heavy & {"rich", "jinja2", "kingfisher_sdk", "pydantic"}


def test_help_lists_commands_without_importing_them(used):
    assert not {name for name in modules(used, ["--help"]) if name.startswith("cli_multi_rapid.cli.commands")}
