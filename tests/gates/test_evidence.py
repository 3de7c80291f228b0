import os
from hashlib import sha256

import pytest

from cli_multi_rapid.gates import evidence
from cli_multi_rapid.gates.evidence import EvidenceError, NotRegularError, TooLargeError, collect, read_regular
from cli_multi_rapid.model.gate_settings import Check, GateSpec

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


def spec(*reports: str) -> GateSpec:
    return GateSpec(check=Check.TESTS, reports=reports)


def test_own_reports_are_read_once_with_their_hash(project) -> None:
    project.write("out/a.xml", "<a/>")
    project.write("out/b.xml", "<b/>")
    reports = collect(spec("out/*.xml", "out/a.xml"), project.given())
    assert [report.path for report in reports] == ["out/a.xml", "out/b.xml"]
    assert reports[0].evidence.sha256 == sha256(b"<a/>").hexdigest()
    assert all(report.own for report in reports)


def test_the_evidence_of_a_phase_comes_first(project) -> None:
    project.write("own.xml", "<own/>")
    made = project.aside / "made.xml"
    made.write_text("<made/>")
    (report,) = collect(spec("own.xml"), project.given(evidence=(str(made),)))
    assert (report.data, report.own, report.path) == (b"<made/>", False, made.as_posix())


@pytest.mark.parametrize(
    ("reports", "says"),
    [
        (("gone.xml",), "gone.xml does not exist"),
        (("file.txt/x.xml",), "does not exist"),
        (("*.nothing",), "*.nothing matches no file"),
        (("empty.xml",), "empty.xml is empty"),
        (("blank.xml",), "blank.xml is empty"),
        (("folder",), "folder is not a regular file"),
        (("../x.xml",), "leads outside the project"),
        (("/etc/passwd",), "leads outside the project"),
        ((), "no reports are named"),
        (("nul\0.xml",), "cannot be read"),
        (("n" * 400,), "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_fix(project, reports, says) -> None:
    project.write("empty.xml", "")
    project.write("blank.xml", " \n")
    project.write("file.txt", "x")
    project.write("folder/x", "x")
    with pytest.raises(EvidenceError, match=says.replace("*", r"\*").replace(".", r"\.")) as caught:
        collect(spec(*reports), project.given())
    assert caught.value.fix


def test_a_phase_without_evidence(project) -> None:
    with pytest.raises(EvidenceError, match="produced no evidence"):
        collect(spec("a.xml"), project.given(evidence=()))


@posix
def test_links_pipes_and_devices_are_refused_without_waiting(project) -> None:
    project.write("real.xml", "<a/>")
    (project.root / "link.xml").symlink_to("real.xml")
    os.mkfifo(project.root / "pipe.xml")
    for name in ("link.xml", "pipe.xml"):
        with pytest.raises(EvidenceError, match="not a regular file"):
            collect(spec(name), project.given())
    with pytest.raises(EvidenceError, match="not a regular file"):
        collect(spec(), project.given(evidence=("/dev/zero",)))
    with pytest.raises(NotRegularError):
        read_regular(project.root / "pipe.xml", limit_bytes=10)


@posix
def test_a_linked_folder_that_leads_outside_is_refused(project) -> None:
    (project.aside / "a.xml").write_text("<a/>")
    (project.root / "linked").symlink_to(project.aside, target_is_directory=True)
    with pytest.raises(EvidenceError, match="leads outside the project"):
        collect(spec("linked/a.xml"), project.given())


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_report(project) -> None:
    project.write("a.xml", "<a/>").chmod(0)
    with pytest.raises(EvidenceError, match="cannot be read"):
        collect(spec("a.xml"), project.given())


def test_the_size_is_limited(project, monkeypatch) -> None:
    file = project.write("a.xml", "x" * 11)
    with pytest.raises(TooLargeError):
        read_regular(file, limit_bytes=10)
    assert len(read_regular(file, limit_bytes=11)[0]) == 11
    monkeypatch.setattr(evidence, "LIMIT_BYTES", 10)
    with pytest.raises(EvidenceError, match="larger than"):
        collect(spec("a.xml"), project.given())
