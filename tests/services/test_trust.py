"""Nothing of a project runs before its content has been approved, and any change asks again."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli_multi_rapid.errors import CouldNotRun, ProjectUntrusted
from cli_multi_rapid.services import trust
from cli_multi_rapid.services.trust import approve, approves, difference, fingerprint, require_trust, revoke, trusted

COVERED = (
    "agentic_framework_v3.py",
    "config/workflow-config.yaml",
    "contracts/validators/check.py",
    "scripts/compliance-checker.py",
    "scripts/workflow-runner.py",
    "workflows/phase_definitions/phase1.yaml",
    "workflows/templates/deep/page.md",
)


@pytest.fixture
def root(tmp_path) -> Path:
    """Return a project with one file of each kind that trust covers, and some that it does not."""
    folder = tmp_path / "project"
    for path in (*COVERED, "src/code.py", "conftest.py", "contracts/schema.json", "scripts/other.py"):
        write(folder, path, f"content of {path}\n")
    return folder


@pytest.fixture
def state(tmp_path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


def write(root: Path, path: str, content: str | bytes) -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return target


class TestFingerprint:
    def test_what_is_covered(self, root):
        assert tuple(sorted(fingerprint(root).files)) == COVERED

    def test_nothing_to_cover(self, tmp_path):
        assert fingerprint(tmp_path).files == {}

    @pytest.mark.parametrize("path", COVERED)
    def test_every_covered_file_counts(self, root, path):
        before = fingerprint(root).digest
        write(root, path, "changed")
        changed = fingerprint(root).digest
        (root / path).unlink()
        assert len({before, changed, fingerprint(root).digest}) == 3

    def test_a_new_name_or_place_counts(self, root):
        before = fingerprint(root).digest
        (root / "config" / "workflow-config.yaml").rename(root / "config" / "other.yaml")
        assert fingerprint(root).digest != before

    def test_the_rest_does_not(self, root):
        before = fingerprint(root).digest
        write(root, "src/code.py", "changed")
        write(root, "workflows/__pycache__/x.pyc", "compiled")
        assert fingerprint(root).digest == before

    @pytest.mark.parametrize(
        "path", ["workflows/link.yaml", "config/link", "agentic_framework_v3.py", "scripts/workflow-runner.py"]
    )
    def test_links_are_refused(self, root, path):
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(root / "src" / "code.py")
        with pytest.raises(CouldNotRun, match="is a symbolic link") as refused:
            fingerprint(root)
        assert refused.value.where == path

    @pytest.mark.parametrize("path", ["workflows", "contracts", "contracts/validators", "scripts"])
    def test_linked_folders_are_refused(self, root, path):
        (root / path).rename(root / "moved")
        (root / path).symlink_to(root / "moved")
        with pytest.raises(CouldNotRun, match="folder that decides what runs is a symbolic link"):
            fingerprint(root)

    def test_a_linked_folder_below_is_refused(self, root, tmp_path):
        (root / "workflows" / "more").symlink_to(tmp_path)
        with pytest.raises(CouldNotRun, match="symbolic link"):
            fingerprint(root)

    def test_a_pipe_is_refused_without_waiting(self, root):
        os.mkfifo(root / "config" / "pipe")
        with pytest.raises(CouldNotRun, match="is not a regular file"):
            fingerprint(root)

    def test_too_much(self, root, monkeypatch):
        monkeypatch.setattr(trust, "_LIMIT_BYTES", 100)
        write(root, "config/large", "x" * 101)
        with pytest.raises(CouldNotRun, match="is larger than 100 bytes"):
            fingerprint(root)
        monkeypatch.setattr(trust, "_LIMIT_FILES", 3)
        with pytest.raises(CouldNotRun, match="8 files; 3 is the limit"):
            fingerprint(root)

    def test_names_that_are_not_utf8(self, root, state):
        write(root, os.fsdecode(b"config/\xff"), "1")
        approve(root, state)
        assert trusted(root, state, {}).given


class TestStanding:
    def test_none(self, root, state):
        found = trusted(root, state, {})
        assert found.state == "none"
        assert not found.given
        assert found.changed == tuple((path, "added") for path in COVERED)

    @pytest.mark.parametrize("how", ["approved", "initialised"])
    def test_approved(self, root, state, how):
        covered = approve(root, state, how=how)
        found = trusted(root, state, {"CMR_TRUST": "1"})
        assert (found.state, found.given, found.changed, found.covered) == (how, True, (), covered)

    def test_any_change_asks_again(self, root, state):
        approve(root, state)
        write(root, "config/workflow-config.yaml", "other")
        write(root, "workflows/new.yaml", "new")
        (root / "agentic_framework_v3.py").unlink()
        found = trusted(root, state, {})
        assert found.state == "changed"
        assert found.changed == (
            ("agentic_framework_v3.py", "removed"),
            ("config/workflow-config.yaml", "changed"),
            ("workflows/new.yaml", "added"),
        )

    def test_the_environment_accepts_the_checkout_and_says_so(self, root, state):
        assert trusted(root, state, {"CMR_TRUST": "1"}).state == "environment"
        assert require_trust(root, state, {"CMR_TRUST": "1"}).given
        for value in ("0", "", "true", "yes"):
            assert trusted(root, state, {"CMR_TRUST": value}).state == "none"

    def test_an_approval_of_another_folder_does_not_count(self, root, state, tmp_path):
        approve(root, state)
        root.rename(tmp_path / "moved")
        assert trusted(tmp_path / "moved", state, {}).state == "none"

    @pytest.mark.parametrize("damage", [
        b"", b"{", b"[]", b"{}", b'{"format": 2}', b"\xff", b'"text"',
        lambda record: {**record, "digest": "0" * 64},
        lambda record: {**record, "how": "environment"},
        lambda record: {**record, "files": []},
        lambda record: {**record, "files": {**record["files"], "workflows/extra.yaml": "0" * 64}},
    ])  # fmt: skip
    def test_a_damaged_record_is_no_approval(self, root, state, damage):
        approve(root, state)
        path = state / "trust" / "approved.json"
        path.write_bytes(
            damage if isinstance(damage, bytes) else json.dumps(damage(json.loads(path.read_text()))).encode()
        )
        assert trusted(root, state, {}).state == "none"

    def test_a_linked_record_is_no_approval(self, root, state, tmp_path):
        approve(root, state)
        path = state / "trust" / "approved.json"
        path.rename(tmp_path / "elsewhere.json")
        path.symlink_to(tmp_path / "elsewhere.json")
        assert trusted(root, state, {}).state == "none"

    def test_revoked(self, root, state):
        assert not revoke(state)
        approve(root, state)
        assert revoke(state)
        assert trusted(root, state, {}).state == "none"
        assert list((state / "trust" / "objects").iterdir()) == []


class TestRequire:
    def test_names_what_changed(self, root, state):
        with pytest.raises(
            ProjectUntrusted, match=r"not been trusted yet: added agentic_framework_v3\.py, "
        ) as refused:
            require_trust(root, state, {})
        assert refused.value.exit_code == 4
        assert refused.value.where == str(root)
        approve(root, state)
        assert require_trust(root, state, {}).state == "approved"
        write(root, "config/\x1b[2Jtrick", "1")
        with pytest.raises(ProjectUntrusted, match=r"changed since you approved it: added config/\\x1b\[2Jtrick$"):
            require_trust(root, state, {})

    def test_a_long_list_is_cut(self, root, state):
        for number in range(20):
            write(root, f"config/{number}", "1")
        with pytest.raises(ProjectUntrusted, match=r"and 17 more$"):
            require_trust(root, state, {})


class TestApprove:
    def test_what_is_stored_is_private(self, root, state):
        approve(root, state, now=datetime(2030, 1, 2, tzinfo=UTC))
        record = json.loads((state / "trust" / "approved.json").read_text())
        assert record["at"] == "2030-01-02T00:00:00+00:00"
        assert record["project"] == str(root)
        for path in (state / "trust").rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)

    def test_only_what_was_shown(self, root, state):
        shown = trusted(root, state, {}).covered.digest
        write(root, "config/workflow-config.yaml", "sneaked in")
        with pytest.raises(ProjectUntrusted, match="while you were reading"):
            approve(root, state, expected=shown)
        assert trusted(root, state, {}).state == "none"
        approve(root, state, expected=fingerprint(root).digest)
        assert trusted(root, state, {}).state == "approved"

    def test_old_copies_are_forgotten(self, root, state):
        approve(root, state)
        write(root, "config/workflow-config.yaml", "new")
        covered = approve(root, state)
        assert {path.name for path in (state / "trust" / "objects").iterdir()} == set(covered.files.values())


class TestDifference:
    def test_everything_is_new_before_the_first_approval(self, root, state):
        shown = difference(root, state)
        assert shown.startswith(
            "--- /dev/null\n+++ b/agentic_framework_v3.py\n@@ -0,0 +1 @@\n+content of agentic_framework_v3.py\n--- "
        )
        assert all(f"+++ b/{path}\n" in shown for path in COVERED)

    def test_nothing_has_changed(self, root, state):
        approve(root, state)
        assert difference(root, state) == ""

    def test_added_removed_changed(self, root, state):
        write(root, "config/a", "one\ntwo\nthree\n")
        approve(root, state)
        write(root, "config/a", "one\n2\nthree\n")
        write(root, "config/b", "new")
        (root / "scripts" / "workflow-runner.py").unlink()
        assert difference(root, state) == (
            "--- a/config/a\n+++ b/config/a\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
            "--- /dev/null\n+++ b/config/b\n@@ -0,0 +1 @@\n+new\\ (no newline at the end)\n"
            "--- a/scripts/workflow-runner.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-content of scripts/workflow-runner.py\n"
        )

    def test_a_missing_newline_is_a_difference(self, root, state):
        write(root, "config/a", "one\n")
        approve(root, state)
        write(root, "config/a", "one")
        assert difference(root, state).endswith("-one\n+one\\ (no newline at the end)\n")

    def test_what_would_deceive_the_reader_is_escaped(self, root, state):
        approve(root, state)
        hidden = "\x1b[8m", "\r", "\x00", "\u202e", "\u200b", "\u2028", "\x0b", "\x85"
        write(root, "config/tri\x1bck", "".join(hidden).encode() + b"\xff ok\n")
        shown = difference(root, state)
        assert "+++ b/config/tri\\x1bck\n" in shown
        assert shown.endswith("+\\x1b[8m\\r\\x00\\u202e\\u200b\\u2028\\x0b\\x85\\xff ok\n")
        assert all(char.isprintable() or char == "\n" for char in shown)

    def test_a_copy_that_is_gone_or_altered_is_not_shown_as_approved(self, root, state):
        path = write(root, "config/a", "approved\n")
        covered = approve(root, state)
        path.write_text("new\n")
        copy = state / "trust" / "objects" / covered.files["config/a"]
        for alter in (lambda: copy.write_text("forged\n"), copy.unlink):
            alter()
            shown = difference(root, state)
            assert "copy of what was approved is missing" in shown
            assert "forged" not in shown
            assert "+new\n" in shown

    def test_large_files_are_shown_whole_and_quickly(self, root, state):
        path = write(root, "config/a", "\n".join(f"{number % 7}" for number in range(5000)) + "\n")
        approve(root, state)
        path.write_text("\n".join(f"{number % 5}" for number in range(5000)) + "\n")
        lines = difference(root, state).splitlines()
        assert lines[2] == "@@ -1,5000 +1,5000 @@"
        assert len(lines) == 3 + 10_000


class TestOneFile:
    VALIDATOR = "workflows/validators/v.py"

    def approve(self, root, state, *contents: str, path: str = VALIDATOR) -> None:
        for content in contents:
            write(root, path, content)
            approve(root, state)

    def runs(self, root, state, content: str, *, path: str = VALIDATOR, **environ: str) -> bool:
        return approves(root, state, environ, path=path, data=content.encode())

    def test_what_a_validator_was_when_it_was_approved_before_may_run(self, root, state):
        self.approve(root, state, "one", "two", "two", "one", "three")
        assert [self.runs(root, state, content) for content in ("one", "two", "three", "four")] == [True] * 3 + [False]
        assert not self.runs(root, state, "one", path="workflows/validators/w.py")

    def test_of_other_files_only_what_is_approved_now(self, root, state):
        path = "workflows/phase_definitions/p.yaml"
        self.approve(root, state, "one", "two", path=path)
        assert not self.runs(root, state, "one", path=path)
        assert self.runs(root, state, "two", path=path)

    def test_nothing_of_it_is_left_when_trust_is_taken_back(self, root, state):
        self.approve(root, state, "one", "two")
        revoke(state)
        self.approve(root, state, "three")
        assert not self.runs(root, state, "one")
        assert self.runs(root, state, "one", CMR_TRUST="1")

    def test_only_the_last_hundred_are_remembered(self, root, state):
        self.approve(root, state, *map(str, range(103)))
        assert [self.runs(root, state, str(number)) for number in (1, 2, 3)] == [False, True, True]

    @pytest.mark.parametrize("damage", [None, [], {"workflows/validators/v.py": "0"}, "text"])
    def test_a_record_without_or_with_a_strange_history(self, root, state, damage):
        self.approve(root, state, "one", "two")
        path = state / "trust" / "approved.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "earlier": damage}))
        assert trusted(root, state, {}).given
        assert self.runs(root, state, "two")
        assert not self.runs(root, state, "one")
