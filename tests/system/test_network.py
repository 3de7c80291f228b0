"""Commands without a network, for real."""

import json
import socket
import subprocess
import sys

import pytest

from cli_multi_rapid.model.phase import Network, Permissions
from cli_multi_rapid.system import network
from cli_multi_rapid.testing import Drill, phase, run_plan

PROBE = """\
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2).close()
except OSError:
    sys.exit(7)
"""


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def prefix():
    found = network.without_network()
    if found is None:
        pytest.skip("this system does not allow a network of one's own")
    return found


def test_not_even_loopback_is_reached(prefix, listening):
    argv = (sys.executable, "-c", PROBE, listening)
    assert subprocess.run(argv).returncode == 0
    assert subprocess.run((*prefix, *argv)).returncode == 7


def test_a_phase_without_a_network(sandbox, prefix, listening):
    command = json.dumps([sys.executable, "-c", PROBE, listening])
    for setting, code in (("system", 0), ("none", 1)):
        sandbox.phase("p", f"permissions: {{write: [], network: {setting}}}\nsteps:\n  - {{id: a, run: {command}}}\n")
        assert sandbox.cmr("run-phase", "p", "--no-resume").code == code
    assert "network none" in " ".join(sandbox.cmr("plan", "p").out.split())


def test_where_it_cannot_be_it_is_not_run(tmp_path):
    closed = phase("p", "a", permissions=Permissions(write=(), network=Network.NONE))
    one = Drill(plan=run_plan(closed), folder=tmp_path)
    state = one.drive()
    assert (state.exit_code, one.children.started()) == (3, [])
    assert "cannot be enforced" in state.step("p/a").result.reason


@pytest.mark.parametrize("tool", ["", "/nonexistent/unshare", "/bin/false"])
def test_what_the_system_does_not_have(monkeypatch, tool):
    network.without_network.cache_clear()
    monkeypatch.setattr(network, "system_tool", lambda name: tool)
    assert network.without_network() is None
    network.without_network.cache_clear()
