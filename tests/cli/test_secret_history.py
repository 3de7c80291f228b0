"""validate-compliance --history, and `history: true` in the file of the gates."""

import pytest
from secret_samples import github_token

from cli_multi_rapid.services.snapshot import fingerprint_of, plan_of
from cli_multi_rapid.services.wiring import open_project
from cli_multi_rapid.system.store import open_store

GATES = "schema: cmr/gates@v1\ngates:\n  secrets: {check: secrets}\n  words: {check: denylist}\n"


@pytest.fixture
def project(sandbox):
    """A project whose second commit took a secret out."""
    sandbox.write("config/compliance-gates.yaml", GATES)
    for text in (f'token = "{github_token()}"\n', "x = 1\n"):
        sandbox.write("a.py", text)
        sandbox.git("add", "-A")
        sandbox.git("commit", "-q", "-m", "change")
    return sandbox


def recorded(project):
    opened = open_project(project.root)
    store = open_store(opened.log)
    try:
        return store.events(store.runs()[0])[0].payload
    finally:
        store.close()


def test_history_searches_what_the_commits_have_added(project):
    assert project.cmr("validate-compliance").code == 0
    done = project.cmr("validate-compliance", "--history", "--json")
    assert done.code == 1
    secrets, words = done.data()["gates"]
    assert [(one["path"], one["rule"]) for one in secrets["findings"]] == [("a.py", "github-pat")]
    assert secrets["details"]["history"][0]["commit"] == project.git("rev-parse", "HEAD~1")
    assert (words["status"], github_token() in done.out + done.err) == ("pass", False)


def test_a_run_remembers_that_the_history_was_wanted(project):
    project.cmr("validate-compliance", "--history")
    with_history = recorded(project)
    assert plan_of(with_history).gates["secrets"].history
    assert not plan_of(with_history).gates["words"].history
    assert with_history["fingerprint"] == fingerprint_of(with_history)
    assert fingerprint_of({**with_history, "history": False}) != with_history["fingerprint"]
    assert project.cmr("rerun").code == 1
    assert plan_of(recorded(project)).gates["secrets"].history
    project.cmr("validate-compliance")
    assert not plan_of(recorded(project)).gates["secrets"].history


def test_the_file_of_the_gates_can_ask_for_it(project):
    project.write("config/compliance-gates.yaml", GATES.replace("check: secrets", "check: secrets, history: true"))
    project.git("commit", "-q", "-a", "-m", "gates")
    assert project.cmr("validate-compliance").code == 1


def test_without_a_gate_for_secrets_the_option_is_an_error(project):
    done = project.cmr("validate-compliance", "--history", "--gate", "words")
    assert done.code == 2
    assert "none of these gates is of the kind secrets" in done.err


def test_a_folder_without_git_cannot_be_judged(sandbox):
    sandbox.write("config/compliance-gates.yaml", GATES)
    (sandbox.root / ".git").rename(sandbox.root.parent / "git")
    done = sandbox.cmr("validate-compliance", "--history", "--gate", "secrets")
    assert done.code == 3
    assert "no git repository" in done.out + done.err
