"""validate-contracts --compat: what was published stays, and what is new fits what was before."""

import json

import pytest

FOLDER = "contracts/events"


def schema(name, version, *, size=5, required=(), **more):
    return {
        "$id": f"urn:cmr:contract:{name}:{version}", "type": "object", "additionalProperties": False,
        "required": list(required), "properties": {"x": {"type": "string", "maxLength": size}, **more},
    }  # fmt: skip


class Work:
    """A project whose contracts are written, committed and compared."""

    def __init__(self, sandbox):
        self.sandbox, self.git = sandbox, sandbox.git

    def put(self, version="1.0", name="Tick", **changed):
        self.raw(json.dumps(schema(name, version, **changed)), f"{name}@{version}.json")

    def raw(self, text, file="Tick@1.0.json"):
        self.sandbox.write(f"{FOLDER}/{file}", text)

    def remove(self, file):
        (self.sandbox.root / FOLDER / file).unlink()

    def commit(self, tag=None, *options):
        self.git("add", "-A")
        self.git("commit", "-qm", "work", "--allow-empty")
        if tag:
            self.git("tag", *options, tag)

    def ask(self, base="HEAD", *more):
        """Return exit code and, by contract, the checks of compatibility as (status, pointer, detail)."""
        done = self.sandbox.cmr("validate-contracts", f"--compat={base}", "--json", *more, trust=False)
        if "contracts" not in (data := done.data()):
            return done.code, json.dumps(data)
        return done.code, {
            f"{one['name']}@{one['version']}": [
                (each["status"], each["pointer"].removeprefix(f"{FOLDER}/"), each["detail"])
                for each in one["checks"]
                if each["check"] == "compat"
            ]
            for one in data["contracts"]
        }


@pytest.fixture
def work(sandbox):
    made = Work(sandbox)
    made.put()
    made.commit()
    return made


def only(found, name="Tick@1.0"):
    (check,) = found[name]
    return check


def test_what_is_unchanged_or_annotated(work):
    code, found = work.ask()
    assert (code, only(found)) == (0, ("pass", "", "the same as at HEAD"))
    work.raw(json.dumps({"title": "t", **schema("Tick", "1.0")}))
    code, found = work.ask()
    assert (code, only(found)) == (0, ("pass", "", "apart from annotations the same as at HEAD"))


def test_a_breaking_change_without_a_new_version_names_its_place(work):
    work.put(size=4)
    code, found = work.ask()
    status, pointer, detail = only(found)
    assert (code, status, pointer) == (1, "fail", "Tick@1.0.json#/properties/x/maxLength")
    assert "breaks it" in detail
    assert "publish the change as Tick@2.0" in detail


def test_a_compatible_change_of_what_is_published(work):
    work.put(size=6)
    code, found = work.ask()
    status, pointer, detail = only(found)
    assert (code, status, pointer) == (1, "fail", "Tick@1.0.json#/properties/x/maxLength")
    assert "the change is compatible: put it back, and publish the change as Tick@1.1" in detail


@pytest.mark.parametrize(
    ("mode", "size", "code"),
    [("backward", 6, 0), ("backward", 4, 1), ("forward", 4, 0), ("forward", 6, 1), ("full", 6, 1), ("full", 5, 0)],
)
def test_a_new_minor(work, mode, size, code):
    work.put("1.1", size=size)
    got, found = work.ask("HEAD", "--mode", mode)
    assert got == code
    assert only(found)[0] == "pass"
    status, pointer, detail = only(found, "Tick@1.1")
    if code:
        assert (status, pointer) == ("fail", "Tick@1.1.json#/properties/x/maxLength")
        assert f"({mode if mode != 'full' else 'forward'}); publish it as Tick@2.0" in detail
    else:
        assert (status, detail) == ("pass", "new since HEAD")


def test_a_new_minor_fits_all_earlier_ones(work):
    work.put("1.1", size=9)
    work.put("1.2", size=7)
    code, found = work.ask()
    assert code == 1
    assert only(found, "Tick@1.1")[0] == "pass"
    assert "not compatible with Tick@1.1: " in only(found, "Tick@1.2")[2]


def test_a_minor_that_is_put_before_a_published_one(work):
    work.put("1.2", size=7)
    work.commit()
    work.put("1.1", size=9)
    code, found = work.ask()
    assert code == 1
    assert [one[0] for one in found["Tick@1.1"]] == ["pass"]
    assert "not compatible with Tick@1.1: " in only(found, "Tick@1.2")[2]


def test_a_new_major_and_a_new_contract_are_free(work):
    work.put("2.0", size=1, y={"type": "integer"})
    work.put("1.0", name="Other", size=1)
    code, found = work.ask()
    assert code == 0
    assert only(found, "Tick@2.0")[2] == "new since HEAD"
    assert only(found, "Other@1.0")[2] == "new since HEAD"


def test_a_contract_that_is_gone(work):
    work.put(name="Other")
    work.remove("Tick@1.0.json")
    code, found = work.ask()
    status, pointer, detail = only(found)
    assert (code, status, pointer) == (1, "fail", "Tick@1.0.json")
    assert "is gone" in detail


def test_a_shared_file_counts_for_everybody_who_refers_to_it(work):
    work.raw(json.dumps({"$defs": {"m": {"maxLength": 5}}}), "parts/money.json")
    for name in ("A", "B"):
        work.put(name=name, y={"$ref": "parts/money.json#/$defs/m"})
    work.commit()
    work.raw(json.dumps({"$defs": {"m": {"maxLength": 4}, "unused": {}}}), "parts/money.json")
    code, found = work.ask()
    assert code == 1
    assert [only(found, f"{name}@1.0")[1] for name in "AB"] == ["parts/money.json#/$defs/m/maxLength"] * 2
    assert only(found)[0] == "pass"


BROKEN = {
    "no JSON": "{", "no schema": json.dumps({**schema("Tick", "1.0"), "type": "strnig"}),
    "another id": json.dumps(schema("Tock", "1.0")),
    "a reference outside": json.dumps(schema("Tick", "1.0", y={"$ref": "http://127.0.0.1:9/x.json"})),
    "a reference to nothing": json.dumps(schema("Tick", "1.0", y={"$ref": "parts/no.json"})),
    "a circle": json.dumps({**schema("Tick", "1.0"), "$ref": "#"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("now", ["same version", "next minor", "gone"])
def test_a_contract_at_the_base_that_cannot_be_judged_by(work, name, now):
    work.raw(BROKEN[name])
    work.commit()
    work.put(size=4)
    work.put(name="Other")
    if now == "next minor":
        work.put("1.1")
    if now == "gone" and name not in ("no schema", "a circle"):
        work.remove("Tick@1.0.json")
    code, found = work.ask()
    assert code == 3
    assert only(found, "Tick@1.1" if now == "next minor" else "Tick@1.0")[0] == "error"
    assert only(found, "Other@1.0")[0] == "pass"


def test_links_at_the_base_are_not_followed(work, tmp_path):
    (tmp_path / "secret.json").write_text(json.dumps(schema("Tick", "1.0")))
    work.remove("Tick@1.0.json")
    (work.sandbox.root / FOLDER / "Tick@1.0.json").symlink_to(tmp_path / "secret.json")
    work.commit()
    work.remove("Tick@1.0.json")
    work.put()
    code, found = work.ask()
    assert (code, only(found)[0]) == (3, "error")
    assert "symbolic link" in only(found)[2]


def test_a_folder_of_contracts_that_is_a_link_at_the_base(work, tmp_path):
    root = work.sandbox.root / "contracts"
    root.rename(tmp_path / "contracts")
    root.symlink_to(tmp_path / "contracts")
    work.commit()
    root.unlink()
    work.put(size=1)
    code, found = work.ask()
    assert code == 0  # through a link nothing was ever published
    assert only(found)[2] == "new since HEAD"
    (work.sandbox.root / FOLDER / "Tick@1.0.json").unlink()
    (work.sandbox.root / FOLDER).rmdir()
    (work.sandbox.root / FOLDER).symlink_to(tmp_path)
    work.commit()
    (work.sandbox.root / FOLDER).unlink()
    work.put()
    code, said = work.ask()
    assert code == 3
    assert "GIT-FAILED" in said
    assert "is a symbolic link" in said


@pytest.mark.parametrize(
    "base",
    ["no-such", "--output=/tmp/x", "-h", "HEAD^{tree}", "HEAD:README.md", "main..HEAD", "", "a\nb", ":(glob)*",
     "\udcff", "x" * 5000],
)  # fmt: skip
def test_a_revision_that_is_none(work, base):
    if not base:
        assert work.ask(base)[0] == 0  # nothing is asked
        return
    code, said = work.ask(base)
    assert code == 2
    assert "is no commit of this repository" in said


def test_a_name_of_two_things(work):
    work.git("tag", "same")
    work.put("1.1", size=1)
    work.commit()
    work.git("branch", "same")
    code, said = work.ask("same")
    assert code == 2
    assert "may mean different commits" in said


@pytest.mark.parametrize("base", ["main", "HEAD~1", "v1", "refs/heads/main", "@"])
def test_branches_tags_and_commits(work, base):
    work.commit("v1", "-a", "-m", "annotated")
    work.put(size=4)
    assert work.ask(base)[0] == 1


def test_the_last_release_by_its_version(work):
    work.commit("v1.9.0")
    work.put("1.1", size=6)
    work.commit("v1.10.0", "-a", "-m", "annotated")
    work.commit("1.2.0")
    work.commit("v2.0.0-rc1")
    work.commit("vv3.0.0")
    work.put("1.1", size=7)
    code, found = work.ask("last-release")
    assert code == 1
    assert "was published at v1.10.0" in only(found, "Tick@1.1")[2]


def test_a_release_is_not_compared_with_itself(work):
    work.commit("v1.0.0")
    assert only(work.ask("last-release")[1])[::2] == ("pass", "the same as at v1.0.0")
    work.put(size=4)
    assert work.ask("last-release")[0] == 1
    work.commit("v1.0.1")
    code, found = work.ask("last-release")
    assert code == 1
    assert "was published at v1.0.0" in only(found)[2]
    work.put(size=3)
    assert "was published at v1.0.1" in only(work.ask("last-release")[1])[2]


def test_a_release_that_is_not_reachable(work):
    work.commit("v1.0.0")
    work.git("checkout", "-q", "-b", "side")
    work.put("1.1", size=9)
    work.commit("v9.0.0")
    work.git("checkout", "-q", "main")
    work.put(size=4)
    assert "was published at v1.0.0" in only(work.ask("last-release")[1])[2]


def test_without_a_release_nothing_is_run_and_nothing_fails(work):
    code, found = work.ask("last-release")
    status, _, detail = only(found)
    assert (code, status) == (0, "not_run")
    assert "no tag such as v1.0.0" in detail
    work.raw("{")
    assert work.ask("last-release")[0] == 2
    work.put()
    assert work.ask("last-release", "--examples")[0] == 3  # this one had to be run


def test_two_tags_of_one_version(work):
    work.commit("v1.0.0")
    work.commit("1.0.0")
    code, said = work.ask("last-release")
    assert code == 2
    assert "refs/tags/1.0.0, refs/tags/v1.0.0" in said


def test_a_history_that_is_incomplete(work, tmp_path, make_sandbox):
    work.commit("v1.0.0")
    work.commit()
    clone = make_sandbox("clone")
    clone.git("init", "-q")
    clone.git("fetch", "-q", "--depth=1", "--no-tags", f"file://{work.sandbox.root}", "main")
    clone.git("reset", "-q", "--hard", "FETCH_HEAD")
    code, said = Work(clone).ask("last-release")
    assert code == 3
    assert "git fetch --unshallow --tags" in said


def test_a_project_without_git(make_sandbox):
    made = Work(make_sandbox("plain"))
    made.put()
    assert made.ask("main")[0] == 2
    code, found = made.ask("last-release")
    assert (code, only(found)[0]) == (0, "not_run")


def test_a_project_in_a_folder_of_its_repository(work, make_sandbox):
    inner = make_sandbox("project/inner")
    made = Work(inner)
    made.put()
    work.commit()
    made.put(size=4)
    code, found = made.ask()
    assert (code, only(found)[1]) == (1, "Tick@1.0.json#/properties/x/maxLength")


def test_the_checkout_and_the_index_are_left_alone(work):
    work.put(size=4)
    before = work.git("status", "--porcelain")
    work.ask()
    assert work.git("status", "--porcelain") == before


def test_lines_for_people(work):
    work.put(size=4)
    done = work.sandbox.cmr("validate-contracts", "--compat", "HEAD")
    assert done.code == 1
    assert f"  compat fail  {FOLDER}/Tick@1.0.json#/properties/x/maxLength: Tick@1.0 was published at HEAD" in done.out
