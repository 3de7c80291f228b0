"""5. What you approved is what runs: approvals and resumes are bound to the hash of spec, inputs and tree."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.services.wiring import open_project
from cli_multi_rapid.system.store import open_store

CONFIG = "schema: cmr/config@v1\nproject: test\n"
needs_keys = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def project(sandbox):
    """A project whose user is Ann; the commit that is checked out is by Test."""
    be(sandbox, "Ann", "ann@example.org")
    return sandbox


def be(sandbox, name, email):
    sandbox.git("config", "user.name", name)
    sandbox.git("config", "user.email", email)


@pytest.fixture
def make_key(tmp_path):
    def make(name, comment=""):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment or name, "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
        return tmp_path / name

    return make


def config(project, approvers):
    lines = "".join(f"  {name}: {json.dumps(members)}\n" for name, members in approvers.items())
    project.write("config/workflow-config.yaml", f"{CONFIG}approvers:\n{lines}")


def public(key):
    return key.with_name(f"{key.name}.pub").read_text().strip()


def release(project, oracle, approval="{}", publish="true"):
    """Write a phase that makes something, waits, and publishes."""
    project.phase("p", f"""\
title: Release
inputs: {{version: {{type: string, default: "1"}}}}
steps:
  - {{id: make, run: {oracle.step("make", "echo made > made")}}}
  - {{id: review, title: Look at it, approval: {approval}}}
  - {{id: publish, run: {oracle.step("publish", publish)}}}
""")  # fmt: skip
    return project


def waiting(project, *arguments):
    """Run the phase until it waits; return the id of the run."""
    done = project.cmr("run-phase", "p", *arguments)
    assert done.code == 4, done.err
    return re.search(r"run (01\w{24})", done.err)[1]


def step_of(project, name="review"):
    (phase,) = project.cmr("status", "last", "--json").data()["phases"]
    return next(step for step in phase["steps"] if step["id"] == name)


def refused(done, code, *, exit_code=4):
    assert (done.code, f"error[{code}]" in done.err) == (exit_code, True), done.err
    return done.err


class TestWaiting:
    def test_from_the_wait_to_the_end(self, project, oracle):
        run = waiting(release(project, oracle))
        assert oracle.starts() == {"make": 1}
        for command in (("status", run), ("status",), ("resume",), ("run-phase", "p"), ("resume", run)):
            done = project.cmr(*command)
            assert done.code == (0 if command[0] == "status" else 4)
            assert "waiting" in done.out.lower()
            assert f"cli-multi-rapid approve {run} p/review" in done.out
            assert run in done.out + done.err
        shown = project.cmr("approve", "last", "review", "--reason", "read it")
        assert shown.code == 0, shown.err
        assert f"approved p/review of run {run} by Ann <ann@example.org>, unsigned" in shown.out
        fingerprint = project.cmr("status", run, "--json").data()["environment"]["fingerprint"]
        for text in ("Release: Look at it", f"fingerprint  {fingerprint[:12]}", f"cli-multi-rapid resume {run}",
                     "1 file since the run began: made"):  # fmt: skip
            assert text in shown.out
        assert "was approved by Ann <ann@example.org>: read it" in project.cmr("status", run).out
        done = project.cmr("resume")
        assert done.code == 0, done.err
        assert oracle.starts() == {"make": 1, "publish": 1}
        assert step_of(project)["outputs"] == {"by": "Ann <ann@example.org>", "reason": "read it"}
        assert "Ann &lt;ann@example.org&gt;" in project.cmr("generate-report", "-o", "-").out

    def test_it_is_shown_everywhere(self, project, oracle):
        config(project, {"leads": ["lead@example.org"]})
        release(project, oracle, "{by: [leads], not-author: true, expires: 24h}")
        words = "approval by leads for at most 24h, but not by who started the run or wrote the commit"
        assert words in project.cmr("plan", "p").out
        run = waiting(project)
        step = step_of(project)
        assert (step["status"], step["approval"]["by"], step["approval"]["decision"]) == ("waiting", ["leads"], "")
        assert datetime.fromisoformat(step["approval"]["expires_at"]) > datetime.now(UTC) + timedelta(hours=23)
        assert "waiting" in project.cmr("graph", run).out
        html = project.cmr("generate-report", run, "-o", "-").out
        assert "waits for approval by leads" in html
        for command in (("resume",), ("status", run)):
            assert f"git diff HEAD {step['approval']['ref']}" in project.cmr(*command).out
        assert project.git("show", f"{step['approval']['ref']}:made") == "made"

    def test_waiting_often_is_no_death(self, project, oracle):
        waiting(release(project, oracle))
        for _ in range(5):
            assert project.cmr("resume").code == 4
        assert project.cmr("approve", "last", "review").code == 0
        assert project.cmr("run-phase", "p").code == 0
        assert oracle.starts() == {"make": 1, "publish": 1}

    def test_the_project_is_free_meanwhile(self, project, oracle):
        waiting(release(project, oracle))
        project.phase("q", "steps:\n  - {id: x, run: [echo]}\n")
        assert project.cmr("run-phase", "q").code == 0

    def test_a_run_at_work_goes_on_by_itself(self, project, oracle, begin, tmp_path):
        hang = f'until test -e "{tmp_path / "go"}"; do sleep 0.02; done'
        project.phase("p", f"""\
steps:
  - {{id: review, approval: {{}}}}
  - {{id: publish, run: {oracle.step("publish")}, writes: []}}
  - {{id: slow, needs: [], run: {oracle.step("slow", hang)}, writes: []}}
""")  # fmt: skip
        working = begin(project.root, "run-phase", "p")
        working.until(lambda: oracle.starts()["slow"] and "waits for" in working.text())
        done = project.cmr("approve", "last", "p/review", "--json")
        assert (done.code, done.data()["running"]) == (0, True)
        working.until(lambda: oracle.starts()["publish"])
        (tmp_path / "go").touch()
        assert working.end() == 0

    def test_cancelled_it_ends_when_it_is_taken_up(self, project, oracle):
        run = waiting(release(project, oracle))
        assert f"will end as cancelled:  cli-multi-rapid resume {run}" in project.cmr("cancel").err
        assert f"next     cli-multi-rapid resume {run}" in project.cmr("status", run).out
        done = project.cmr("resume")
        assert (done.code, "Cancelled" in done.out) == (1, True)
        assert oracle.starts() == {"make": 1}


class TestWhatIsApproved:
    def test_a_changed_tree_cannot_be_approved_before_the_run_was_taken_up(self, project, oracle):
        run = waiting(release(project, oracle))
        project.write("made", "something else")
        project.write("new", "x")
        said = refused(project.cmr("approve", run, "review"), "APPROVAL-STALE")
        assert "since p/review began to wait these files changed: made, new" in said
        assert f"cli-multi-rapid resume {run}" in said
        done = project.cmr("resume")
        assert done.code == 4
        assert "anew, because since it began to wait these files changed: made, new" in done.err
        assert project.cmr("approve", run, "review").code == 0
        assert project.cmr("resume").code == 0
        assert oracle.starts()["publish"] == 1

    def test_a_tree_that_changes_after_the_approval_voids_it(self, project, oracle):
        waiting(release(project, oracle, publish="cat made > published"))
        assert project.cmr("approve", "last", "review").code == 0
        project.write("made", "something else")
        done = project.cmr("resume")
        assert done.code == 4
        assert "anew, because since it was approved these files changed: made" in done.err
        assert oracle.starts()["publish"] == 0
        project.write("made", "made\n")  # what was approved, but that approval is void
        assert project.cmr("resume").code == 4
        assert project.cmr("approve", "last", "review").code == 0
        assert project.cmr("resume").code == 0
        assert (project.root / "published").read_text() == "made\n"

    def test_a_changed_spec_does_not_run(self, project, oracle):
        run = waiting(release(project, oracle))
        spec = project.root / "workflows/phase_definitions/p.yaml"
        spec.write_text(spec.read_text().replace("echo publish", "echo evil"))
        assert "workflows/phase_definitions/p.yaml" in refused(project.cmr("approve", run, "review"), "APPROVAL-STALE")
        done = project.cmr("resume")
        assert "p.yaml has changed since; this run goes on with the text it began with" in done.err
        assert project.cmr("approve", run, "review").code == 0
        assert project.cmr("resume").code == 0
        assert oracle.starts() == {"make": 1, "publish": 1}

    def test_another_spec_or_input_is_another_run(self, project, oracle):
        first = waiting(release(project, oracle))
        assert project.cmr("approve", first, "review").code == 0
        second = waiting(project, "--input", "version=2")
        assert second != first
        assert oracle.starts() == {"make": 2}

    def test_a_snapshot_that_was_altered_does_not_go_on(self, project, oracle, monkeypatch):
        """Also if whoever did it mends the chain of hashes."""
        run = waiting(release(project, oracle))
        log = open_project(project.root).log
        store = open_store(log)
        events = store.events(run)
        store.close()
        altered = json.loads(json.dumps(events[0].payload).replace("echo publish", "echo evil"))
        assert altered != events[0].payload
        log.unlink()
        log.with_suffix(".marker").unlink()
        store = open_store(log, create=True)
        payloads = [altered, *(event.payload for event in events[1:])]
        store.append(run, [NewEvent(kind=one.kind, step=one.step, attempt=one.attempt, payload=payload)
                           for one, payload in zip(events, payloads, strict=True)])  # fmt: skip
        store.close()
        for command in (("approve", run, "review"), ("resume", run)):
            refused(project.cmr(*command), "STATE-DAMAGED", exit_code=3)
        assert oracle.starts()["evil"] == 0

    def test_without_a_repository_it_is_the_fingerprint_alone(self, make_sandbox, oracle):
        project = release(make_sandbox("bare"), oracle)
        waiting(project)
        done = project.cmr("approve", "last", "review")
        assert "none: no git repository" in done.out
        assert project.cmr("resume").code == 0


class TestDecisions:
    def test_rejected(self, project, oracle):
        waiting(release(project, oracle))
        done = project.cmr("approve", "last", "review", "--reject", "--reason", "not like this", "--json")
        assert (done.code, done.data()["decision"]) == (0, "rejected")
        done = project.cmr("resume")
        assert done.code == 1
        assert "step p/review failed: rejected by Ann <ann@example.org>: not like this" in done.out
        assert oracle.starts()["publish"] == 0

    def test_expired(self, project, oracle):
        waiting(release(project, oracle, "{expires: 2s}"))
        end = datetime.fromisoformat(step_of(project)["approval"]["expires_at"])
        time.sleep(max((end - datetime.now(UTC)).total_seconds(), 0) + 0.01)
        said = refused(project.cmr("approve", "last", "review"), "APPROVAL-EXPIRED")
        assert "it fails when the run is taken up" in said
        done = project.cmr("resume")
        assert (done.code, "expired: nobody decided until" in done.out) == (1, True)
        assert oracle.starts()["publish"] == 0

    def test_one_decision_for_each_wait(self, project, oracle):
        waiting(release(project, oracle))
        assert project.cmr("approve", "last", "review", "--reject").code == 0
        said = refused(project.cmr("approve", "last", "review"), "STEP-NOT-WAITING", exit_code=2)
        assert "was rejected already by Ann <ann@example.org>" in said
        assert project.cmr("resume").code == 1

    @pytest.mark.parametrize(
        ("step", "code", "text"),
        [("make", "STEP-NOT-WAITING", "p/make is no approval"), ("nothing", "STEP-UNKNOWN", "has no step 'nothing'"),
         ("second", "STEP-NOT-WAITING", "p/second does not wait yet")],
    )  # fmt: skip
    def test_what_does_not_wait(self, project, oracle, step, code, text):
        release(project, oracle)
        spec = project.root / "workflows/phase_definitions/p.yaml"
        spec.write_text(spec.read_text() + "  - {id: second, approval: {}}\n")
        waiting(project)
        assert text in refused(project.cmr("approve", "last", step), code, exit_code=2)

    def test_what_has_ended(self, project, oracle):
        waiting(release(project, oracle))
        refused(project.cmr("approve", "01ZZZ", "review"), "RUN-UNKNOWN", exit_code=2)
        assert project.cmr("approve", "last", "review").code == 0
        assert project.cmr("resume").code == 0
        refused(project.cmr("approve", "last", "review"), "RUN-FINISHED", exit_code=2)

    def test_a_step_that_has_ended_in_a_run_that_has_not(self, project):
        project.phase("p", "steps:\n  - {id: review, approval: {}}\n  - {id: second, approval: {}}\n")
        waiting(project)
        assert project.cmr("approve", "last", "review").code == 0
        assert project.cmr("resume").code == 4
        said = refused(project.cmr("approve", "last", "review"), "STEP-NOT-WAITING", exit_code=2)
        assert "p/review has ended: approved by Ann" in said

    def test_names_that_several_phases_have(self, project):
        project.phase("p", "steps:\n  - {id: review, approval: {}}\n")
        project.phase("q", "steps:\n  - {id: review, approval: {}}\n")
        project.write("config/workflow-config.yaml", f"{CONFIG}jobs: {{default: [p, q]}}\n")
        assert project.cmr("run-job").code == 4
        said = refused(project.cmr("approve", "last", "review"), "STEP-UNKNOWN", exit_code=2)
        assert "several steps 'review': p/review, q/review" in said
        assert project.cmr("approve", "last", "p/review").code == 0
        assert project.cmr("approve", "last", "q/review", "--reject").code == 0
        assert project.cmr("resume").code == 1

    def test_a_reason_hides_secrets_and_has_an_end(self, project):
        env = {"TOKEN": "a value to be hidden"}
        project.phase("p", "secrets: [TOKEN]\nsteps:\n  - {id: review, approval: {}}\n")
        assert project.cmr("run-phase", "p", env=env).code == 4
        long = project.cmr("approve", "last", "review", "--reason", "x" * 2001, env=env)
        refused(long, "USAGE", exit_code=2)
        done = project.cmr("approve", "last", "review", "--reason", f"with {env['TOKEN']}", env=env)
        assert done.code == 0
        assert env["TOKEN"].encode() not in open_project(project.root).log.read_bytes()


class TestPeople:
    def test_the_wrong_person(self, project, oracle):
        config(project, {"leads": ["lead@example.org"]})
        waiting(release(project, oracle, "{by: [leads]}"))
        said = refused(project.cmr("approve", "last", "review"), "APPROVAL-REFUSED")
        assert "Ann <ann@example.org> is none of leads" in said
        be(project, "Lead", "lead@example.org")
        assert project.cmr("approve", "last", "review").code == 0
        assert project.cmr("resume").code == 0

    @pytest.mark.parametrize(
        ("who", "did"),
        [("ann@example.org", "started this run"), ("test@example.org", "authored the commit that is checked out")],
    )
    def test_not_the_author(self, project, oracle, who, did):
        waiting(release(project, oracle, "{not-author: true}"))
        be(project, "Somebody", who)
        assert did in refused(project.cmr("approve", "last", "review"), "APPROVAL-REFUSED")
        be(project, "Bob", "bob@example.org")
        assert project.cmr("approve", "last", "review").code == 0
        assert project.cmr("resume").code == 0

    def test_not_from_inside_a_step(self, project, oracle, tmp_path):
        """Nor by one that hides that it is one."""
        command = f'"{sys.executable}" -m cli_multi_rapid approve last review >>"{tmp_path / "said"}" 2>&1'
        hidden = f"env -u CMR_RUN -u CMR_TAG -u CMR_STEP {command}"
        project.phase("p", f"""\
steps:
  - {{id: review, approval: {{}}}}
  - id: agent
    needs: []
    writes: []
    ok-codes: [4]
    run: |
      sleep 0.5
      {command} || true
      {hidden}
  - {{id: publish, run: {oracle.step("publish")}, needs: [review]}}
""")  # fmt: skip
        waiting(project)
        said = (tmp_path / "said").read_text()
        assert said.count("error[APPROVAL-REFUSED]: this is a step of run") == 2, said
        assert step_of(project, "agent")["status"] == "success"
        inside = project.cmr("approve", "last", "review", env={"CMR_RUN": "01XXXXXXXXXXXXXXXXXXXXXXXX"})
        refused(inside, "APPROVAL-REFUSED")
        assert oracle.starts()["publish"] == 0

    def test_a_group_that_nobody_has_defined(self, project, oracle):
        config(project, {"leads": ["lead@example.org"]})
        release(project, oracle, "{by: [leads, leeds]}")
        for command in (("run-phase", "p"), ("plan", "p")):
            done = project.cmr(*command)
            said = refused(done, "APPROVER-UNKNOWN", exit_code=2)
            assert "where  workflows/phase_definitions/p.yaml:7:60" in said
            assert "the approvers 'leeds' are not defined in config/workflow-config.yaml" in said
            assert "did you mean 'leads'?" in said
        assert oracle.starts() == {}


@needs_keys
class TestSignatures:
    def test_signed(self, project, oracle, make_key):
        key, stranger = make_key("lead"), make_key("stranger")
        config(project, {"leads": [public(key)]})
        waiting(release(project, oracle, "{by: [leads]}"))
        said = refused(project.cmr("approve", "last", "review"), "APPROVAL-REFUSED")
        assert "has to be signed by one of their keys" in said
        assert "--sign KEYFILE" in said
        said = refused(project.cmr("approve", "last", "review", "--sign", str(stranger)), "APPROVAL-REFUSED")
        assert "is no key of leads as they were when the run began" in said
        done = project.cmr("approve", "last", "review", "--sign", str(key), "--reason", "ok", "--json")
        assert done.code == 0, done.err
        assert done.data()["signed"]
        assert done.data()["key"].startswith("SHA256:")
        assert project.cmr("resume").code == 0
        assert step_of(project)["approval"]["key"] == done.data()["key"]
        assert oracle.starts()["publish"] == 1

    def test_by_the_agent(self, project, oracle, make_key, tmp_path):
        if shutil.which("ssh-agent") is None:
            pytest.skip("ssh-agent is not installed")
        key = make_key("lead")
        config(project, {"leads": [public(key)]})
        waiting(release(project, oracle, "{by: [leads]}"))
        socket = tmp_path / "agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
        try:
            while not socket.exists():
                assert agent.poll() is None
            env = {"SSH_AUTH_SOCK": str(socket)}
            subprocess.run(["ssh-add", "-q", str(key)], env={**os.environ, **env}, check=True)
            key.unlink()
            done = project.cmr("approve", "last", "review", "--sign", f"{key}.pub", env=env)
        finally:
            agent.kill()
            agent.wait()
        assert done.code == 0, done.err
        assert project.cmr("resume").code == 0

    def test_a_key_that_is_added_later_is_none(self, project, oracle, make_key):
        key, stranger = make_key("lead"), make_key("stranger")
        config(project, {"leads": [public(key)]})
        project.git("add", "-A")
        run = waiting(release(project, oracle, "{by: [leads]}"))
        config(project, {"leads": [public(key), public(stranger)]})
        assert project.cmr("resume", run).code == 4
        refused(project.cmr("approve", run, "review", "--sign", str(stranger)), "APPROVAL-REFUSED")

    def test_not_the_author_by_the_comment_of_the_key(self, project, oracle, make_key):
        own = make_key("own", "ann@example.org")
        config(project, {"leads": [public(own)]})
        waiting(release(project, oracle, "{by: [leads], not-author: true}"))
        be(project, "Bob", "bob@example.org")
        said = refused(project.cmr("approve", "last", "review", "--sign", str(own)), "APPROVAL-REFUSED")
        assert "started this run" in said

    @pytest.mark.forged_events
    @pytest.mark.parametrize("signature", ["of another text", "of nobody"])
    def test_forged(self, project, oracle, make_key, signature):
        """Somebody who can write to the log has no key. The chain of hashes fits, the signature does not."""
        key = make_key("lead")
        config(project, {"leads": [public(key)]})
        run = waiting(release(project, oracle, "{by: [leads]}"))
        command = ["ssh-keygen", "-Y", "sign", "-n", "cli-multi-rapid", "-f", str(key)]
        made = subprocess.run(command, input=b"another", capture_output=True, check=True).stdout.decode().strip()
        listed = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True).stdout
        store = open_store(open_project(project.root).log)
        wait = next(event for event in store.events(run) if event.kind is Kind.STEP_WAITING)
        payload = {
            "decision": "approved", "by": {"user": "lead"}, "reason": "", "fingerprint": wait.payload["fingerprint"],
            "tree": wait.payload["tree"], "key": listed.split()[1],
            "signature": made if signature == "of another text" else "",
        }  # fmt: skip
        store.append(run, [NewEvent(kind=Kind.STEP_APPROVED, step="p/review", attempt=1, payload=payload)])
        store.close()
        said = refused(project.cmr("resume"), "STATE-DAMAGED", exit_code=3)
        assert "what is recorded as decided about p/review cannot have been: its signature is not right" in said
        assert oracle.starts()["publish"] == 0
        assert project.cmr("cancel").code == 0  # which nobody has to sign
        assert "Cancelled" in project.cmr("resume").out

    def test_without_ssh_keygen(self, project, oracle, make_key, tmp_path):
        key = make_key("lead")
        config(project, {"leads": [public(key)]})
        waiting(release(project, oracle, "{by: [leads]}"))
        programs = tmp_path / "programs"
        programs.mkdir()
        for name in ("git", "sh", "env", "ls"):
            (programs / name).symlink_to(shutil.which(name))
        env = {"PATH": str(programs)}
        refused(project.cmr("approve", "last", "review", "--sign", str(key), env=env), "TOOL-MISSING", exit_code=3)
        assert project.cmr("approve", "last", "review", "--sign", str(key)).code == 0
        for _ in range(4):  # that is no death either
            refused(project.cmr("resume", env=env), "TOOL-MISSING", exit_code=3)
        assert project.cmr("resume").code == 0
