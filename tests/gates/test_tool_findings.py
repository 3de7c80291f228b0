import json
import os
from pathlib import Path

import pytest

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.listing import read_listing
from cli_multi_rapid.gates.tool_findings import LineTexts, project_path, uri_path
from cli_multi_rapid.model.gate import Severity


def test_paths_inside_and_outside_the_project(tmp_path) -> None:
    assert project_path(str(tmp_path / "src" / "a.py"), tmp_path) == "src/a.py"
    assert project_path("src/a.py", tmp_path) == "src/a.py"
    assert project_path("src\\a.py", tmp_path) == "src/a.py"
    assert project_path("", tmp_path) == ""
    outside = tmp_path.parent / "b.py"
    assert project_path(str(outside), tmp_path) == outside.as_posix()
    assert uri_path((tmp_path / "a b.py").as_uri(), tmp_path) == "a b.py"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_project_that_is_reached_through_a_link(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert project_path(str(tmp_path / "real" / "a.py"), tmp_path / "link") == "a.py"


def test_line_texts(tmp_path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo")
    (tmp_path.parent / "outside.py").write_text("x")
    lines = LineTexts(tmp_path)
    assert [lines.line("a.py", number) for number in (0, 1, 2, 3)] == ["", "one", "two", ""]
    assert (lines.line("gone.py", 1), lines.line("", 1), lines.line("../outside.py", 1)) == ("", "", "")


def read(item: dict):
    return read_listing(json.dumps([item]).encode(), path="r.json", root=Path.cwd()).findings[0]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("high", Severity.HIGH),
        ("Medium", Severity.MEDIUM),
        ("low", Severity.LOW),
        ("info", Severity.INFO),
        ("error", Severity.HIGH),
        ("WARNING", Severity.MEDIUM),
        ("note", Severity.LOW),
        (None, Severity.HIGH),
    ],
)
def test_severities_of_a_listing(word, severity) -> None:
    assert read({"rule": "R", "severity": word}).severity is severity


def test_what_an_item_may_leave_out() -> None:
    assert (read({"rule": "R"}).message, read({"message": "bad"}).rule) == ("R", "unnamed-rule")
    assert (read({"rule": "R"}).path, read({"rule": "R"}).line) == ("", 0)


def test_a_severity_that_is_no_text_is_refused() -> None:
    with pytest.raises(EvidenceError, match="no severity"):
        read({"rule": "R", "severity": 3})
