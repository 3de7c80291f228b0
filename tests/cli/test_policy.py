"""A change cannot loosen what judges it: gates, level, waivers and baseline are those of the base revision."""

import json

import pytest

PATTERN = "{id: no-foo, pattern: foo, paths: ['**/*.txt'], severity: high, message: foo, fix: bar}"
GATES = f"schema: cmr/gates@v1\ngates:\n  words: {{check: denylist, default-set: false, patterns: [{PATTERN}]}}\n"
NOTHING = "schema: cmr/gates@v1\ngates: {}\n"


@pytest.fixture
def project(sandbox):
    """A committed project with one gate and a clean file."""
    sandbox.write("config/compliance-gates.yaml", GATES)
    sandbox.write("a.txt", "fine\n")
    sandbox.git("add", "-A")
    sandbox.git("commit", "-q", "-m", "first")
    return sandbox


def judged(project, *arguments, code):
    done = project.cmr("validate-compliance", "--json", *arguments)
    assert done.code == code, done.out + done.err
    return done.data(), done.err


@pytest.mark.parametrize("gates", [
    NOTHING, GATES.replace("high", "info"), GATES.replace("pattern: foo", "pattern: never"),
    GATES.replace("check: denylist,", "check: denylist, exclude: ['**'],"), f"level: advisory\n{GATES}",
])  # fmt: skip
def test_a_change_that_edits_its_own_gates_does_not_pass_because_of_it(project, gates):
    project.write("a.txt", "foo\n")
    project.write("config/compliance-gates.yaml", gates)
    found, said = judged(project, code=1)
    assert [gate["status"] for gate in found["gates"]] == ["fail"]
    assert found["level"] == "standard"
    assert "config/compliance-gates.yaml differs from the base revision" in said
    assert "(HEAD)" in said


def test_a_level_that_the_change_lowers_stays(project):
    project.write("config/workflow-config.yaml", "schema: cmr/config@v1\nlevel: advisory\n")
    project.write("a.txt", "foo\n")
    assert judged(project, code=1)[0]["level"] == "standard"
    assert judged(project, "--level", "advisory", code=0)[0]["level"] == "advisory"  # a person's own word counts


def test_a_gate_that_is_new_counts_at_once(project):
    project.write("config/compliance-gates.yaml", GATES + "  more: {check: tests, reports: [junit.xml]}\n")
    found, _ = judged(project, code=3)
    assert {gate["id"]: gate["status"] for gate in found["gates"]} == {"words": "pass", "more": "error"}


def test_only_a_waiver_of_the_base_that_somebody_else_approved_counts(project):
    project.write("a.txt", "foo\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "foo")
    (finding,) = judged(project, code=1)[0]["gates"][0]["findings"]
    waiver = {
        "rule": "no-foo", "path": "a.txt", "fingerprint": finding["fingerprint"], "reason": "why not",
        "approved-by": "lead@example.org", "expires": "2999-01-01T00:00:00Z",
    }  # fmt: skip

    def waive(**changes):
        text = json.dumps({"schema": "cmr/waivers@v1", "waivers": [{**waiver, **changes}]}, indent=1)
        project.write("config/waivers.yaml", text)

    waive()
    assert judged(project, code=1)[0]["gates"][0]["waivers"] == []  # only in the change under test
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "waive")
    (gate,) = judged(project, code=0)[0]["gates"]
    assert (gate["status"], gate["findings"][0]["excused"]) == ("waived", "waiver")
    assert gate["waivers"][0]["approved_by"] == "lead@example.org"
    waive(**{"approved-by": "Test@example.org"})
    project.git("commit", "-q", "-a", "-m", "by its own author")
    found, said = judged(project, code=1)
    assert "Test@example.org approved what they wrote" in said
    waive(expires="2020-01-01T00:00:00Z")
    project.git("commit", "-q", "-a", "-m", "expired")
    found, _ = judged(project, code=1)
    assert found["gates"][0]["summary"].endswith(", 1 waiver expired")


@pytest.mark.parametrize(("key", "value", "said"), [
    ("expires", "2030-01-01", "no time with a zone"), ("expires", "2030-01-01T00:00:00", "no time with a zone"),
    ("expires", None, "expires"), ("path", "src/*.py", "not the path of one file"), ("path", "../a", "not the path"),
    ("reason", " ", "reason"), ("fingerprint", "sha256:*", "fingerprint"), ("rule", "", "rule"),
])  # fmt: skip
def test_an_ill_formed_waiver_is_refused_with_its_place(project, key, value, said):
    waiver = {
        "rule": "r", "path": "a.txt", "fingerprint": f"sha256:{'0' * 64}", "reason": "why", "approved-by": "b@c",
        "expires": "2030-01-01T00:00:00Z", key: value,
    }  # fmt: skip
    waiver = {name: text for name, text in waiver.items() if text is not None}
    project.write("config/waivers.yaml", json.dumps({"schema": "cmr/waivers@v1", "waivers": [waiver]}, indent=1))
    done = project.cmr("plan", "phase0")
    assert done.code == 2
    assert "config/waivers.yaml:" in done.err
    assert said in done.err


def test_after_a_baseline_only_what_is_new_blocks(project):
    project.write("a.txt", "foo\nother\n")
    project.git("commit", "-q", "-a", "-m", "old code")
    judged(project, code=1)
    written = project.cmr("validate-compliance", "--write-baseline")
    assert written.code == 0, written.err
    assert "config/compliance-baseline.json has 1 finding;" in written.err
    judged(project, code=1)  # it does not count before it is in the base revision
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "baseline")
    (gate,) = judged(project, code=0)[0]["gates"]
    assert gate["summary"].endswith("1 known from the baseline")
    project.write("a.txt", "first\nfoo\nother\n")  # the line moved
    judged(project, code=0)
    project.write("a.txt", "foo\nfoo\n")
    found, _ = judged(project, code=1)
    assert [one["excused"] for one in found["gates"][0]["findings"]] == ["baseline", None]


def test_a_baseline_that_a_person_broke_is_refused(project):
    project.write("config/compliance-baseline.json", '{"schema": "cmr/baseline@v1"}')
    done = project.cmr("plan", "phase0")
    assert done.code == 2
    assert "BASELINE" in done.err
    assert "--write-baseline" in done.err


def test_the_base_is_the_common_ancestor(project):
    project.write("a.txt", "foo\n")
    project.git("commit", "-q", "-a", "-m", "foo")
    project.write("config/compliance-gates.yaml", NOTHING)
    project.git("commit", "-q", "-a", "-m", "loosened")
    nothing = project.cmr("validate-compliance")  # HEAD has no gates: nothing was judged
    assert nothing.code == 3
    assert "error[GATES-MISSING]" in nothing.err
    project.git("branch", "elsewhere", "HEAD~2")
    assert judged(project, "--changed", "elsewhere", code=1)[0]["gates"][0]["status"] == "fail"
    project.git("branch", "--set-upstream-to", "elsewhere")
    _, said = judged(project, code=1)
    assert "common ancestor with the upstream branch" in said
    wrong = project.cmr("validate-compliance", "--changed", "nowhere")
    assert wrong.code == 2
    assert "'nowhere' is no commit" in wrong.err


def test_only_changed_files_are_looked_at_when_asked(project):
    project.write("old.txt", "foo\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "old")
    found, _ = judged(project, "--changed", code=0)
    assert found["gates"][0]["summary"] == "no match in 0 changed files"
    project.write("new.txt", "foo\n")
    found, _ = judged(project, "--changed", code=1)
    assert [one["path"] for one in found["gates"][0]["findings"]] == ["new.txt"]
    both = project.cmr("validate-compliance", "--changed", "--write-baseline")
    assert both.code == 2


def test_an_attempt_is_done_again_until_its_gate_accepts_it(project):
    """The step says that it succeeded each time; its gate, which judges what it produced, decides."""
    words = "check: command, format: json, reports: [none.json]"
    project.write("config/compliance-gates.yaml", f"schema: cmr/gates@v1\ngates:\n  words: {{{words}}}\n")
    finding = '[{\\"rule\\": \\"r\\", \\"message\\": \\"m\\", \\"path\\": \\"a.txt\\", \\"line\\": 1}]'
    command = (
        f'echo x >> ../tries; [ $(wc -l < ../tries) -ge 3 ] && echo "[]" > $CMR_OUT/w || echo "{finding}" > $CMR_OUT/w'
    )
    project.phase(
        "p",
        "steps:\n"
        f"  - {{id: try, run: {json.dumps(command)}, accept: [words], produces: {{words: w}}, writes: [],"
        " retry: {attempts: 4, initial: 1ms}}\n",
    )  # fmt: skip
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "words")
    done = project.cmr("run-phase", "p")
    assert done.code == 0, done.out + done.err
    assert (project.root.parent / "tries").read_text() == "x\n" * 3
    (step,) = project.cmr("status", "last", "--json").data()["phases"][0]["steps"]
    assert [one["status"] for one in step["gates"]] == ["pass"]
    assert "did not accept it" in step["attempts"][0]["reason"]
    done = project.cmr("run-phase", "p", "--no-resume", "--level", "strict")
    assert done.code == 0


def test_a_new_suppression_does_not_pass_in_strict(project):
    """The project names no gate that looks at the change; strict does so all the same."""
    project.write("b.py", "import os\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "b")
    judged(project, "--level", "strict", code=0)
    project.write("b.py", "import os  # no" + "qa\n")
    judged(project, code=0)
    found, _ = judged(project, "--level", "strict", code=1)
    gates = {gate["id"]: gate for gate in found["gates"]}
    assert (gates["words"]["status"], gates["diff"]["status"]) == ("pass", "fail")
    assert gates["diff"]["findings"][0]["rule"] == "new-suppression"
    project.phase("p", "steps: [{id: a, run: [echo], writes: []}]\ngates: [words]\n")
    assert project.cmr("run-phase", "p").code == 0
    assert project.cmr("run-phase", "p", "--level", "strict", "--no-resume").code == 1
