"""The sample project, from the mistake to the report, on a machine without a C++ compiler."""

import os
from pathlib import Path

import pytest

COMPILERS = ("g++", "c++", "clang++")


@pytest.fixture
def no_compiler(tmp_path):
    """A PATH with all programs of this machine but compilers of C++."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for entry in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in entry.iterdir() if entry.is_dir() else ():
            if not program.name.endswith(COMPILERS) and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return str(folder)


@pytest.mark.timeout(300)  # three runs and a round trip: a minute on a machine with five times the load it can carry
def test_the_demo(sandbox, tmp_path, no_compiler):
    folder = tmp_path / "demo"
    done = sandbox.cmr("demo", "--folder", str(folder), trust=False, env={"PATH": no_compiler})
    assert done.code == 0, done.out + done.err
    assert "coverage failed: 65.0 % of 20 lines, needs 85 %" in done.out
    assert 'if mode == "TIGHT"' in (folder / "src/trading/stops.py").read_text()
    assert "5 contracts through python, " in done.err
    assert "; not run: mql4, " in done.err
    assert "phase2 gate contracts  pass" in done.err
    assert (folder / "contracts/models/python/order_intent_v1_0.py").is_file()
    (report,) = (folder / ".cmr/reports").glob("*.html")
    assert str(report) in done.out
    assert sandbox.cmr("demo", "--folder", str(folder)).code == 2
