"""The benchmarks still run. What they find is not judged here: times depend on the machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "run.py"
GROUPS = {"start-up", "few", "many", "fan"}

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system has no os.wait4")


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((sys.executable, SCRIPT, *arguments), capture_output=True, text=True, timeout=100)


def test_every_part_is_measured_and_every_aim_has_a_verdict(tmp_path):
    done = benchmark(
        "--quick", "--rounds", "1", "--steps", "3", "--json", str(tmp_path / "found.json"), "--folder", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    ours = {time["group"]: time["samples"] for time in found["times"] if time["name"].startswith("cli-multi-rapid")}
    assert set(ours) == GROUPS, found["not_run"]
    assert all(sample["cpu_ms"] > 0 and sample["wall_ms"] > 0 for samples in ours.values() for sample in samples)
    assert found["load"]["best_ms"] > 0
    assert found["judged"] == []  # it is no part of a quick run
    assert found["kept"]["files"] == 60
    assert {row["group"] for row in found["searched"]["rows"]} == {"known", "generic", "negative"}
    assert "python" in found["generated"]["targets"]
    assert all(ms > 0 for ms in found["generated"]["drift_ms"])
    assert all(ms > 0 for times in (found["kept"]["ours_ms"], found["kept"]["plumbing_ms"]) for ms in times["50"])
    assert not {name for name in found["not_run"] if "cli-multi-rapid" in name}
    verdicts = {aim["name"]: aim["verdict"] for aim in found["aims"]}
    assert verdicts["one step / floor"] in ("met", "MISSED", "not measured")  # so few steps may tell nothing
    assert all(name in done.stdout for name in verdicts)
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_gates_are_measured_in_every_situation(tmp_path):
    done = benchmark(
        "--quick", "--rounds", "1", "--steps", "3", "--only", "compliance", "--json", str(tmp_path / "found.json"),
        "--folder", str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    judged = {one["situation"]: one["wall_ms"] for one in found["judged"] if one["name"] == "cli-multi-rapid"}
    assert set(judged) == {"cold", "unchanged", "one changed"}
    assert all(ms > 0 for times in judged.values() for ms in times)


def test_a_contender_that_fails_is_out_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import measuring

    def contender(name, code):
        argv = (sys.executable, "-c", code)
        return measuring.Contender(group="g", name=name, argv=argv, cwd=tmp_path, env=dict(os.environ))

    measured = measuring.Measured()
    playing = [contender("good", "pass"), contender("bad", "import sys; print('no luck'); sys.exit(3)")]
    measuring.interleave(playing, measured, rounds=2, seconds=60, output=tmp_path / "output")
    assert measured.missing == {"g: bad": "exit code 3: no luck"}
    assert measured.names("g") == ["good"]
    assert measured.count("g", "good") == 2
    assert measured.least("g", "good") <= measured.median("g", "good")
    assert measured.least("g", "bad") is None


def test_missed_met_and_unknown_aims_are_told_apart(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import reporting

    verdicts = [reporting.Aim(name="a", value=value, limit=2.5, unit="x").verdict for value in (2.5, 2.51, None)]
    assert verdicts == ["met", "MISSED", "not measured"]
