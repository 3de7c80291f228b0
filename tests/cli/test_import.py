"""The command `import`: files, exit codes, what it prints where, and that it overwrites nothing."""

import json
import os

import pytest

WORKFLOW = """\
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {matrix: {word: [one, two]}}
    steps:
      - uses: actions/checkout@v4
      - name: Say it
        run: echo "$A said ${{ matrix.word }}" 'at ${{ github.ref_name }}' $((1 + 1))
        env: {A: "${{ secrets.WHO }}"}
  all:
    needs: test
    steps:
      - {run: 'echo "after ${{ needs.test.result }}"; pwd', working-directory: "a b"}
"""
PHASES = "workflows/phase_definitions"


@pytest.fixture
def project(sandbox):
    sandbox.write(".github/workflows/ci.yml", WORKFLOW)
    (sandbox.root / "a b").mkdir()
    return sandbox


def test_what_is_imported_runs(project):
    done = project.cmr("import", "github", ".github/workflows/ci.yml")
    assert done.code == 0, done.err
    assert done.out == f"wrote  {PHASES}/test.yaml\nwrote  {PHASES}/all.yaml\n"
    assert done.err.startswith(
        ".github/workflows/ci.yml:1:1  on: [push]\n"
        "    a phase runs when it is asked for\n"
        "    fix  cli-multi-rapid run-phase NAME\n"
        ".github/workflows/ci.yml:4:5  runs-on: ubuntu-latest\n"
    )
    assert done.err.endswith("2 phases; 4 things left out\nread the phases, then:  cli-multi-rapid trust\n")
    text = (project.root / PHASES / "test.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../../.cmr/schema/phase.schema.json\n# Made by")
    ran = project.cmr("run-phase", "all", env={"WHO": "nobody-special"})
    assert ran.code == 0, ran.out + ran.err
    assert project.cmr("logs", "last", "say-it[1]").out == "*** said two at main 2\n"
    assert project.cmr("logs", "last", "all/echo-pwd").out.startswith(f"after success\n{project.root}/a b")


def test_as_json_and_to_another_folder(project):
    done = project.cmr("import", "github", ".github/workflows/ci.yml", "--out", "new/folder", "--json")
    data = json.loads(done.out)
    assert done.code == 0
    assert done.err == ""
    assert data["written"] == ["new/folder/test.yaml", "new/folder/all.yaml"]
    assert set(data) == {"written", "unchanged", "left_out"}
    assert data["left_out"][2] == {
        "where": ".github/workflows/ci.yml:5:16",
        "what": "strategy: {matrix: {word: [one, two]}}",
        "why": "each step goes through its combinations before the next one starts",
        "fix": "make one step of those that belong together",
    }
    assert not (project.root / "new/folder/test.yaml").read_text().startswith("# yaml-language-server")


def test_nothing_is_overwritten(project):
    arguments = ("import", "github", ".github/workflows/ci.yml")
    assert project.cmr(*arguments).code == 0
    again = project.cmr(*arguments)
    assert (again.code, again.out) == (0, f"same   {PHASES}/test.yaml\nsame   {PHASES}/all.yaml\n")
    mine = project.root / PHASES / "test.yaml"
    mine.write_text("mine")
    (project.root / PHASES / "all.yaml").unlink()
    refused = project.cmr(*arguments)
    assert refused.code == 2
    assert refused.err == (
        "error[USAGE]: nothing was written: there is already another test.yaml\n"
        f"  where  {project.root}/{PHASES}\n"
        "  fix    --out ANOTHER_FOLDER, or move what is there away   (cli-multi-rapid explain USAGE)\n"
    )
    assert mine.read_text() == "mine"
    assert not (project.root / PHASES / "all.yaml").exists()


def test_a_link_in_the_place_of_a_phase_is_not_followed(project, tmp_path):
    (project.root / PHASES / "test.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert project.cmr("import", "github", ".github/workflows/ci.yml").code == 2
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_to_standard_output_without_a_project(tmp_path, sandbox):
    (tmp_path / "one.yml").write_text(WORKFLOW)
    done = sandbox.cmr("import", "github", "one.yml", "--stdout", cwd=tmp_path)
    assert done.code == 0
    assert done.out.count("schema: cmr/phase@v1") == 2
    assert done.out.count("\n---\n") == 1
    data = sandbox.cmr("import", "github", "one.yml", "--stdout", "--json", cwd=tmp_path).data()
    assert (data["written"], set(data["phases"])) == ([], {"test", "all"})
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["one.yml"]
    refused = sandbox.cmr("import", "github", "one.yml", cwd=tmp_path)
    assert refused.code == 2
    assert "error[PROJECT-MISSING]" in refused.err


def test_where_nothing_can_be_imported(project):
    project.write("w.yml", "jobs: {a: {if: github.actor == 'x', steps: [{run: echo}]}}\n")
    done = project.cmr("import", "github", "w.yml")
    assert done.code == 1
    assert done.out == ""
    assert done.err.endswith("nothing could be imported; 1 thing left out\n")
    assert project.cmr("import", "github", "w.yml", "--json").code == 1
    assert project.cmr("import", "github", "w.yml", "--without-conditions").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gitlab", "w.yml"), "error[USAGE]: Invalid value for '{github}'"),
        (("github",), "error[USAGE]: Missing argument 'FILE...'"),
        (("github", "nope.yml"), "error[USAGE]: the file does not exist\n  where  nope.yml\n"),
        (("github", "a b"), "error[USAGE]: the file is not a regular file"),
        (("github", "/dev/zero"), "error[USAGE]: the file is not a regular file"),
        (("github", "pipe"), "error[USAGE]: the file is not a regular file"),
        (("github", "large.yml"), "error[USAGE]: the file is larger than 2097152 bytes"),
        (("github", "binary.yml"), "error[YAML-SYNTAX]: byte 0xff is not UTF-8 text\n  where  binary.yml:1:1\n"),
        (("github", "action.yml"), "error[WORKFLOW-INVALID]: this is an action, not a workflow\n"),
        (("github", ".github/workflows/ci.yml", "--out", "x", "--stdout"), "error[USAGE]: --out and --stdout exclude"),
    ],
)
def test_bad_input(project, arguments, message):
    os.mkfifo(project.root / "pipe")
    project.write("large.yml", "#" * (3 << 20))
    project.write("action.yml", "runs: {using: composite}\n")
    (project.root / "binary.yml").write_bytes(b"\xff\xfe\x00")
    done = project.cmr("import", *arguments)
    assert done.code == 2
    assert done.err.startswith(message)
    assert done.out == ""


def test_what_a_file_says_cannot_drive_the_terminal(project):
    project.write("w.yml", 'jobs: {a: {"x\\e[2J": "\\e]0;title\\a", steps: [{run: "echo", name: "a\\e[31mb"}]}}\n')
    done = project.cmr("import", "github", "w.yml")
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "\x1b" not in (project.root / PHASES / "a.yaml").read_text()


def test_a_folder_that_cannot_be_written(project):
    project.write("file", "")
    done = project.cmr("import", "github", ".github/workflows/ci.yml", "--out", "file/x")
    assert done.code == 3
    assert "error[FOLDER-UNWRITABLE]" in done.err
