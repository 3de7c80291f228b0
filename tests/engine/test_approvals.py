"""Steps that wait for a person, on fakes: what is noted, what runs meanwhile, and what follows from a decision."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from cli_multi_rapid.engine import approvals
from cli_multi_rapid.engine.approvals import objection, own_work
from cli_multi_rapid.errors import GitFailed, StateDamaged
from cli_multi_rapid.model.approval import Choice, Decision, Person, Wait, keys_for, signed_text
from cli_multi_rapid.model.events import Kind
from cli_multi_rapid.model.run import Status
from cli_multi_rapid.system.signatures import key_id
from cli_multi_rapid.testing import HANGS, RUN_ID, Act, approval, phase, step
from cli_multi_rapid.testing_memory import MemoryCheckpoints

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICefKS3Wroyy+zPItKO6EvFgY15SOwQ6PeErwa9JYfua ann@example.org"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
GROUPS = {"leads": ("lead@example.org",), "signers": (KEY, OTHER)}
LEAD = {"user": "l", "name": "Lead", "email": "lead@example.org"}


@pytest.fixture
def files():
    return MemoryCheckpoints(a="1")


def waits(drill):
    return [event for event in drill.store.events(RUN_ID) if event.kind is Kind.STEP_WAITING]


class TestWaiting:
    def test_the_run_waits_and_nothing_of_what_follows_starts(self, drill, files, record):
        one = drill(phase("p", "x", approval("review"), "y"), checkpoints=files)
        state = one.drive()
        assert (state.status, state.exit_code, state.step("p/review").status) == (
            Status.WAITING, None, Status.WAITING,
        )  # fmt: skip
        assert one.children.started() == ["p/x"]
        assert record(one)[-2:] == ["step.waiting p/review", "run.waiting"]
        assert waits(one)[0].payload == {
            "by": [], "not_author": False, "expires_at": "", "fingerprint": "f" * 64, "tree": files.tree(),
            "ref": "refs/cmr/p/review.waiting.1", "warnings": [],
        }  # fmt: skip
        assert one.store.events(RUN_ID)[-1].payload == {"steps": ["p/review"]}

    def test_what_else_can_run_does(self, drill, reader):
        one = drill(phase("p", approval("review"), reader("r"), step("w", needs=("r",)), step("y", needs=("review",))))
        assert one.drive().status is Status.WAITING
        assert one.children.started() == ["p/r", "p/w"]

    def test_and_other_phases(self, drill):
        one = drill(phase("p", approval("review")), phase("q", "x"), phase("r", "x", needs=("p",)))
        state = one.drive()
        assert one.children.started() == ["q/x"]
        assert state.phases == {"p": Status.RUNNING, "q": Status.SUCCESS, "r": Status.PENDING}

    def test_it_is_noted_once(self, drill, again, files):
        one = drill(phase("p", approval("review")), checkpoints=files)
        one.drive()
        for _ in range(5):
            state = again(one, checkpoints=files).drive()
            assert (state.status, state.idle_takes) == (Status.WAITING, 0)
        assert len(waits(one)) == 1

    def test_what_changes_while_others_run_is_what_it_is_about_in_the_end(self, drill, files):
        one = drill(
            phase("p", approval("review"), step("w", needs=())),
            scripts={"p/w": lambda _: files.files.update(a="2") or Act()}, checkpoints=files,
        )  # fmt: skip
        one.drive()
        assert [event.payload["tree"] for event in waits(one)] == ['{"a": "1"}', '{"a": "2"}']
        again_ = waits(one)[1].payload
        assert (again_["changed"], again_["changed_total"], again_["voided"]) == (["a"], 1, False)

    def test_it_begins_when_nothing_changes_the_project(self, drill, files):
        one = drill(
            phase("p", step("w", needs=()), approval("review", needs=())), scripts={"p/w": HANGS}, checkpoints=files
        )

        async def main():
            driving = asyncio.create_task(one.runner().drive())
            await one.children.until("start", "p/w")
            files.files["a"] = "2"
            one.children.release("p/w")
            return await driving

        asyncio.run(main())
        assert waits(one)[-1].payload["tree"] == '{"a": "2"}'

    def test_promises_are_checked_before(self, drill, files, reader):
        def lying(command):
            files.files["a"], files.times["a"] = "2", datetime.now(UTC).timestamp()
            return Act()

        one = drill(
            phase("p", reader("x"), approval("review", needs=("x",))), scripts={"p/x": lying}, checkpoints=files
        )
        state = one.drive()
        assert (state.step("p/review").status, state.exit_code) == (Status.SKIPPED, 1)

    def test_a_step_whose_condition_does_not_hold_waits_for_nobody(self, drill):
        one = drill(phase("p", approval("review", if_="false"), "y"))
        assert one.drive().step("p/review").status is Status.SKIPPED

    def test_final_steps_wait_too(self, drill):
        one = drill(phase("p", approval("review"), finally_=(step("z"),)))
        one.drive()
        assert one.children.started() == []

    def test_without_a_repository_it_is_about_no_tree(self, drill, again):
        one = drill(phase("p", approval("review")))
        one.drive()
        assert waits(one)[0].payload["tree"] == ""
        one.decide("p/review")
        assert again(one).drive().exit_code == 0

    def test_an_interruption_meanwhile_is_one(self, drill, again, interrupted, reader):
        one = drill(phase("p", approval("review", needs=()), reader("r")), scripts={"p/r": HANGS})
        assert interrupted(one, at="p/r").status is Status.INTERRUPTED
        assert again(one).drive().status is Status.WAITING
        assert len(waits(one)) == 1


class TestDeciding:
    def test_approved_it_goes_on(self, drill, again, files):
        publish = step("publish", run=("echo", "${{ steps.review.outputs.by }}", "${{ steps.review.outputs.reason }}"))
        one = drill(phase("p", approval("review"), publish), checkpoints=files)
        one.drive()
        one.decide("p/review", by=LEAD, reason="fine")
        second = again(one, checkpoints=files)
        state = second.drive()
        assert state.exit_code == 0
        assert second.children.commands[0].argv == ("echo", "Lead <lead@example.org>", "fine")
        assert state.step("p/review").result.reason == "approved by Lead <lead@example.org>: fine"

    def test_rejected_it_fails(self, drill, again):
        one = drill(phase("p", approval("review"), "y"))
        one.drive()
        one.decide("p/review", "rejected", by=LEAD, reason="no")
        state = again(one).drive()
        assert (state.exit_code, state.step("p/y").status) == (1, Status.SKIPPED)
        assert state.step("p/review").result.reason == "rejected by Lead <lead@example.org>: no"

    def test_which_may_be_allowed(self, drill, again):
        one = drill(phase("p", approval("review", continue_on_error=True), "y"))
        one.drive()
        one.decide("p/review", "rejected")
        state = again(one).drive()
        assert (state.exit_code, state.step("p/review").result.outcome) == (0, Status.FAILURE)

    def test_a_run_that_is_at_work_takes_it_in(self, drill, reader):
        one = drill(phase("p", approval("review", needs=()), reader("r"), step("y", needs=("review",))),
                    scripts={"p/r": HANGS})  # fmt: skip

        async def main():
            driving = asyncio.create_task(one.runner().drive())
            await one.observer.until(Kind.STEP_WAITING, "p/review")
            await one.children.until("start", "p/r")
            one.decide("p/review")
            await one.observer.until(Kind.STEP_FINISHED, "p/review")
            one.children.release("p/r")
            return await driving

        assert asyncio.run(main()).exit_code == 0
        assert [event.kind for event in one.observer.events].count(Kind.STEP_APPROVED) == 1

    def test_what_is_decided_at_the_last_moment_counts(self, drill, files, monkeypatch):
        one = drill(phase("p", approval("review")), checkpoints=files)
        runner = one.runner()
        around = runner._look_around  # where a decision could come after the last look, and before the end
        runner._look_around = lambda: (one.decide("p/review"), around())
        assert asyncio.run(runner.drive()).exit_code == 0

    def test_only_the_first_decision_counts(self, drill, again):
        one = drill(phase("p", approval("review")))
        one.drive()
        one.decide("p/review", "rejected")
        one.decide("p/review")
        assert again(one).drive().exit_code == 1

    def test_another_state_of_the_project_voids_it(self, drill, again, files):
        one = drill(phase("p", approval("review"), "y"), checkpoints=files)
        one.drive()
        one.decide("p/review")
        files.files.update(a="2", b="1")
        second = again(one, checkpoints=files)
        assert second.drive().status is Status.WAITING
        assert second.children.started() == []
        wait = waits(one)[1]
        assert (wait.attempt, wait.payload["changed"], wait.payload["voided"]) == (2, ["a", "b"], True)
        one.decide("p/review")
        assert again(one, checkpoints=files).drive().exit_code == 0

    def test_a_decision_about_an_earlier_wait_is_none(self, drill, again, files):
        one = drill(phase("p", approval("review")), checkpoints=files)
        one.drive()
        before = one.state().step("p/review").wait
        files.files["a"] = "2"
        again(one, checkpoints=files).drive()
        stale = one.state()
        stale.step("p/review").wait = before
        one.state = lambda: stale
        one.decide("p/review")
        assert again(one, checkpoints=files).drive().status is Status.WAITING

    def test_where_the_repository_lost_the_tree_the_project_has_changed_somehow(self, drill, again, files, monkeypatch):
        one = drill(phase("p", approval("review")), checkpoints=files)
        one.drive()

        def gone(before, after):
            raise GitFailed("bad object")

        monkeypatch.setattr(files, "changed", gone)
        files.files["a"] = "2"
        assert again(one, checkpoints=files).drive().status is Status.WAITING
        assert waits(one)[1].payload["changed"] == []

    def test_an_editor_that_saves_all_the_time_does_not_keep_it_from_waiting(self, drill, files):
        class Restless(MemoryCheckpoints):
            def tree(self):
                self.files["a"] += "+"
                return super().tree()

        one = drill(phase("p", approval("review")), checkpoints=Restless(a=""))
        assert one.drive().status is Status.WAITING


def test_a_crash_at_any_point_approves_nothing(drill, again, files, tmp_path):
    one = drill(phase("p", "x", approval("review"), "y"), checkpoints=files)
    one.drive()
    one.decide("p/review")
    assert again(one, checkpoints=files).drive().exit_code == 0
    events = one.store.events(RUN_ID)
    decided = next(event.seq for event in events if event.kind is Kind.STEP_APPROVED)
    for seq in range(1, len(events)):
        second = again(one, checkpoints=files)
        second.store, second.folder = one.store.as_of(RUN_ID, seq), tmp_path / f"from-{seq}"
        second.folder.mkdir()
        state = second.drive()
        assert state.status is (Status.SUCCESS if seq >= decided else Status.WAITING)
        assert seq >= decided or "p/y" not in second.children.started()


class TestEnds:
    def expired(self, one, monkeypatch, days=2):
        class Later(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + timedelta(days=days)

        monkeypatch.setattr(approvals, "datetime", Later)

    def test_taken_up_too_late_it_fails(self, drill, again, monkeypatch):
        one = drill(phase("p", approval("review", expires="24h"), "y"))
        one.drive()
        end = datetime.fromisoformat(waits(one)[0].payload["expires_at"])
        assert timedelta(hours=23) < end - datetime.now(UTC) <= timedelta(hours=24)
        self.expired(one, monkeypatch)
        state = again(one).drive()
        assert state.exit_code == 1
        assert (
            state.step("p/review").result.reason
            == f"expired: nobody decided until {end.isoformat('T', 'milliseconds')}"
        )

    def test_decided_in_time_it_counts_whenever_it_is_taken_up(self, drill, again, monkeypatch):
        one = drill(phase("p", approval("review", expires="24h")))
        one.drive()
        one.decide("p/review")
        self.expired(one, monkeypatch)
        assert again(one).drive().exit_code == 0

    def test_decided_too_late_it_does_not(self, drill, again):
        one = drill(phase("p", approval("review", expires="1ms")))
        one.drive()
        time.sleep(0.01)
        one.decide("p/review")
        state = again(one).drive()
        assert state.step("p/review").result.reason.startswith("expired")

    def test_cancelled_it_ends_when_it_is_taken_up(self, drill, again, statuses):
        one = drill(phase("p", approval("review"), approval("always", needs=(), if_="always()"), finally_=(step("z"),)))
        one.drive()
        one.cancel()
        state = again(one).drive()
        assert state.status is Status.CANCELLED
        assert statuses(state) == {"p/review": "skipped", "p/always": "cancelled", "p/z": "success"}


class TestWhoMay:
    def test_somebody_of_the_named_groups(self):
        wait = Wait(number=1, by=("leads",))
        assert objection(Decision(choice=Choice.APPROVED, by=Person(email="LEAD@example.org")), wait, GROUPS) == ""
        for person in (Person(user="x", email="x@example.org"), Person(user="lead@example.org"), Person()):
            assert "none of leads" in objection(Decision(choice=Choice.APPROVED, by=person), wait, GROUPS)

    def test_a_group_of_keys_asks_for_a_signature_by_one_of_them(self):
        wait = Wait(number=1, by=("leads", "signers"))
        lead = Person(email="lead@example.org")
        decision = Decision(choice=Choice.APPROVED, by=lead)
        assert "has to be signed" in objection(decision, wait, GROUPS)
        signed = Decision(choice=Choice.APPROVED, by=Person(), key=key_id(KEY))
        assert objection(signed, wait, GROUPS) == ""
        assert "none of leads or signers" in objection(
            Decision(choice=Choice.APPROVED, by=lead, key="SHA256:x"), wait, GROUPS
        )

    def test_anybody_where_nobody_is_named_but_a_signature_is_one_of_the_approvers(self):
        wait = Wait(number=1)
        assert objection(Decision(choice=Choice.APPROVED, by=Person()), wait, {}) == ""
        assert objection(Decision(choice=Choice.APPROVED, by=Person(), key=key_id(OTHER)), wait, GROUPS) == ""
        assert "none of the approvers" in objection(Decision(choice=Choice.APPROVED, by=Person(), key="x"), wait, {})

    @pytest.mark.parametrize(
        ("person", "author", "same"),
        [
            (Person(email="A@x"), Person(email="a@X"), True),
            (Person(user="u", email="a@x"), Person(user="u", email="b@x"), False),
            (Person(user="u"), Person(user="u", email="b@x"), True),
            (Person(user="u"), Person(user="v"), False),
            (Person(), Person(), False),
        ],
    )
    def test_not_the_author(self, person, author, same):
        wait, decision = Wait(number=1, not_author=True), Decision(choice=Choice.APPROVED, by=person)
        assert bool(own_work(decision, wait, {}, authors=[("started it", author)])) is same
        rejection = Decision(choice=Choice.REJECTED, by=person)
        assert own_work(rejection, wait, {}, authors=[("started it", author)]) == ""
        assert own_work(decision, Wait(number=1), {}, authors=[("started it", author)]) == ""

    def test_nor_with_a_key_that_is_the_authors(self):
        wait = Wait(number=1, by=("signers",), not_author=True)
        decision = Decision(choice=Choice.APPROVED, by=Person(email="other@x"), key=key_id(KEY))
        ann = [("wrote it", Person(email="ann@example.org"))]
        assert "wrote it" in own_work(decision, wait, GROUPS, authors=ann)

    def test_keys_of_groups(self):
        assert keys_for(("signers", "leads", "gone"), GROUPS) == (KEY, OTHER)


class TestRecordIsBelievedOnlySoFar:
    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            ({"fingerprint": "0" * 64}, "another run"),
            ({"by": {"user": "me", "email": "me@example.org"}}, "none of leads"),
            ({"by": LEAD, "key": "SHA256:x"}, "none of the approvers"),
            ({"by": {"user": "starter", "email": "lead@example.org"}}, "started this run"),
        ],
    )
    def test_what_cannot_have_been_decided(self, drill, again, facts, why):
        given = {"approvers": {"leads": ["lead@example.org"]}}
        given["starter"] = Person(user="starter", email="lead@example.org" if "started" in why else "s@example.org")
        one = drill(phase("p", approval("review", by=("leads",), not_author=True)), **given)
        one.drive()
        one.decide("p/review", **facts)
        with pytest.raises(StateDamaged, match=why) as raised:
            again(one, **given).drive()
        assert raised.value.exit_code == 3

    def test_signatures_are_checked_again(self, drill, again):
        asked = []

        def signer(text, signature, keys):
            asked.append((text, keys))
            return key_id(KEY) if signature == "right" else ""

        given = {"approvers": {"signers": [KEY]}, "signer": signer}
        one = drill(phase("p", approval("review", by=("signers",))), **given)
        one.drive()
        one.decide("p/review", key=key_id(KEY), signature="wrong")
        with pytest.raises(StateDamaged, match="its signature is not right"):
            again(one, **given).drive()

        two = drill(phase("p", approval("review", by=("signers",))), **given)
        two.drive()
        two.decide("p/review", by=LEAD, key=key_id(KEY), signature="right", reason="ok")
        decision = two.state().step("p/review").decision
        assert again(two, **given).drive().exit_code == 0
        assert asked[-1] == (signed_text(decision, run=RUN_ID, step="p/review", number=1), (KEY,))
