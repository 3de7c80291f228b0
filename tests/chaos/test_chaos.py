"""A short run of all faults finds nothing, and with a protection off it finds something: the judge is not blind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
FAULTS = (
    "calm", "term", "int", "rivals", "commits", "syncs", "moments", "middle", "series", "orphans", "git",
    "disk", "broken", "readonly", "edits",
)  # fmt: skip
PROTECTIONS = {
    "restore": {"half-done"},
    "sweep": {"survivor"},
    "lease": {"overlap", "survivor", "exit-code"},
    "adoption": {"rerun"},
    "masking": {"leak"},
}

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")


def chaos(folder: Path, *arguments: str) -> tuple[int, dict, str]:
    """Run the faults; return the exit code, the outcome as data, and all that was printed."""
    outcome = folder / "outcome.json"
    done = subprocess.run(
        (sys.executable, FOLDER / "run.py", "--short", "--json", outcome, *arguments),
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=280,
    )  # fmt: skip
    assert outcome.exists(), done.stderr
    return done.returncode, json.loads(outcome.read_text(encoding="utf-8")), done.stdout + done.stderr


@pytest.fixture
def modules(monkeypatch):
    """Make the modules beside this file importable."""
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.mark.timeout(300)
def test_no_fault_breaks_a_promise(tmp_path, modules):
    import run

    code, outcome, said = chaos(tmp_path)
    assert not outcome["violations"], said
    assert code == 0
    rows = {row["fault"]: row for row in outcome["faults"]}
    assert set(rows) == set(FAULTS)
    unfit = {fault.name for fault in run.FAULTS if fault.unfit()}
    assert {name for name, row in rows.items() if row["not_run"]} <= unfit, said
    assert all(row["tried"] for name, row in rows.items() if name not in unfit), said


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_can_be_made_here(modules, name):
    import run

    (why,) = [fault.unfit() for fault in run.FAULTS if fault.name == name]
    if why:
        pytest.skip(f"fault {name} was not tried: {why}")


@pytest.mark.parametrize("name", PROTECTIONS)
def test_a_protection_that_is_off_is_noticed(tmp_path, name):
    code, outcome, said = chaos(tmp_path, "--without", name, "--workers", "1")  # it stops at the first violation
    why = "; ".join(row["not_run"] for row in outcome["faults"] if row["not_run"])
    if why and not outcome["violations"]:
        pytest.skip(f"{name} was not switched off: {why}")
    kinds = {one["kind"] for row in outcome["faults"] for one in row["violations"]}
    assert kinds & PROTECTIONS[name], said
    assert code == 1
    assert f"--without {name}" in said


def test_overlapping_attempts_are_seen(modules):
    import oracle

    def line(what, attempt, pid):
        return oracle.Line(what=what, key="p/s", attempt=attempt, pid=pid, namespace="n", run="r", detail="")

    after_each_other = [line("start", 1, 5), line("do", 1, 5), line("start", 2, 5), line("end", 2, 5)]
    assert not list(oracle.overlaps(after_each_other))
    assert oracle.unended(after_each_other[:3]) == {"p/s"}
    (said,) = oracle.overlaps([*after_each_other[:3], line("do", 1, 5), line("end", 1, 5), line("end", 2, 5)])
    assert said.startswith("attempt 1 of p/s")


@pytest.mark.parametrize("offset", range(3))
def test_every_form_of_a_secret_is_found(modules, tmp_path, offset):
    import base64
    import urllib.parse

    import leaks

    secret = leaks.new_secret()
    raw = secret.encode()
    encoded = base64.b64encode(b"x" * offset + raw + b"tail")
    written = (raw, raw.hex().encode(), json.dumps(secret).encode(), urllib.parse.quote(secret).encode(), encoded)
    for content in written:
        (tmp_path / "file").write_bytes(b"before " + content + b" after")
        assert len(list(leaks.leaks(secret, [tmp_path]))) == 1
    (tmp_path / "file").write_bytes(b"before *** after")
    assert not list(leaks.leaks(secret, [tmp_path]))
