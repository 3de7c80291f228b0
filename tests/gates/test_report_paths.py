import pytest

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.report_paths import ReportPaths


@pytest.fixture
def paths(project):
    def made(report: str, *files: str) -> ReportPaths:
        for path in files:
            project.write(path, "x")
        absolute = project.root / report
        report = Report(path=report, absolute=absolute, data=b"", sha256="", mtime_ns=0, own=True)
        return ReportPaths(root=project.root, report=report, files=tuple(sorted(files)))

    return made


def test_names_are_tried_from_the_folder_of_the_report_upwards(paths, project) -> None:
    found = paths("web/out/lcov.info", "src/a.js", "web/src/a.js", "src/b.js", "c.js")
    assert found.named("src/a.js") == "web/src/a.js"
    assert found.named("src/b.js") == "src/b.js"
    assert found.named(f"{project.root}/src/a.js") == "src/a.js"
    assert found.named("../../c.js") == "c.js"
    assert found.named("src\\b.js") == "src/b.js"
    assert found.named("a.js", sources=["src"]) == "src/a.js"
    assert found.named("gone.js") == "gone.js"


def test_only_folders_that_exist_are_looked_in_and_each_once(paths) -> None:
    found = paths("coverage.xml", "src/a.py", "lib/b.py")
    assert found.folders(["src", "gone", "", "src", "gone/../lib", "x" * 5_000, "src/a.py"]) == ["src", "gone/../lib"]
    assert found.named("b.py", sources=found.folders(["gone/../lib"])) == "lib/b.py"


def test_a_file_elsewhere_keeps_its_whole_path(paths, project) -> None:
    outside = project.aside / "a.py"
    outside.write_text("x")
    assert paths("coverage.json").named(str(outside)) == outside.as_posix()
    assert paths("coverage.json").named("../aside/a.py") == outside.as_posix()


def test_a_report_from_elsewhere_is_about_this_project(project) -> None:
    project.write("src/a.py", "x")
    report = Report(
        path="/r.json", absolute=project.aside / "r.json", data=b"", sha256="", mtime_ns=0, own=False
    )  # fmt: skip
    assert ReportPaths(root=project.root, report=report, files=("src/a.py",)).named("src/a.py") == "src/a.py"


@pytest.mark.parametrize(
    ("files", "ending", "module", "expected"),
    [
        (("src/main/java/org/acme/A.java",), "org/acme/A.java", "", "src/main/java/org/acme/A.java"),
        (("org/acme/A.java",), "org/acme/A.java", "", "org/acme/A.java"),
        (("src/main/kotlin/org/acme/A.kt", "src/A.kt"), "org/acme/A.kt", "", "src/main/kotlin/org/acme/A.kt"),
        (("src/main/kotlin/util/A.kt",), "org/acme/util/A.kt", "", "src/main/kotlin/util/A.kt"),
        (("x/p/A.java", "y/p/A.java"), "p/A.java", "y", "y/p/A.java"),
        (("x/p/A.java", "y/p/A.java", "core/p/A.java"), "p/A.java", "other", "core/p/A.java"),
    ],
)
def test_the_one_file_with_an_ending_is_found(paths, files, ending, module, expected) -> None:
    assert paths("core/target/jacoco.xml", *files).ending(ending, module=module) == expected


@pytest.mark.parametrize(
    ("files", "ending", "says"),
    [
        ((), "p/A.java", "of which the project has no source"),
        (("A.java",), "p/A.java", "of which the project has no source"),
        (("x/notp/A.java",), "p/A.java", "of which the project has no source"),
        (("x/p/A.java", "y/p/A.java"), "p/A.java", "which may be any of x/p/A.java, y/p/A.java"),
        (("x/A.kt", "y/A.kt"), "p/A.kt", "which may be any of"),
    ],
)
def test_none_or_several_are_an_error(paths, files, ending, says) -> None:
    with pytest.raises(EvidenceError, match=says):
        paths("jacoco.xml", *files).ending(ending)
