"""A phase of 1,000 steps: memory and descriptors of the orchestrator stay what they were."""

import os
import subprocess
import sys

import pytest

STEPS = 1000
WATCHER = """\
import os, sys
from cli_multi_rapid.cli.app import entry
from cli_multi_rapid.system.store import SqliteStore
original, count = SqliteStore.append, 0
def append(self, *arguments, **named):
    global count
    result = original(self, *arguments, **named)
    count += 1
    if count % 50 == 0:
        with open("/proc/self/status") as file:
            rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        print("sample", rss, len(os.listdir("/proc/self/fd")), file=sys.__stderr__)
    return result
SqliteStore.append = append
sys.exit(entry("cmr", arguments=sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_thousand_steps(sandbox):
    steps = "".join(f"  - {{id: s{number}, needs: [], run: ['true'], writes: []}}\n" for number in range(STEPS))
    sandbox.phase("p", f"steps:\n{steps}")
    done = subprocess.run(
        (sys.executable, "-c", WATCHER, "run-phase", "p"), cwd=sandbox.root, env={**os.environ, "CMR_TRUST": "1"},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    samples = [tuple(map(int, line.split()[1:])) for line in done.stderr.splitlines() if line.startswith("sample")]
    early, late = samples[1 : len(samples) // 4], samples[-5:]
    assert max(kib for kib, _ in late) < 1.3 * max(kib for kib, _ in early) + 8192
    assert max(count for _, count in late) <= max(count for _, count in early) + 2
    assert f"{STEPS:,} success" in done.stdout
