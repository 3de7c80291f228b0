"""One behaviour suite over both event logs, and what tampering with the one on disk does."""

import os
import pickle
import sqlite3
from pathlib import Path

import pytest

import cli_multi_rapid
from cli_multi_rapid.errors import Fenced, StateDamaged
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.system.store import open_store, verify_chain
from cli_multi_rapid.testing_memory import MemoryStore

SOURCES = str(Path(cli_multi_rapid.__file__).parent.parent)
RUN = "01JA2B3C4D5E6F7G8H9JKMNPQR"


def event(number, **payload):
    return NewEvent(kind=Kind.STEP_FINISHED, step=f"p/s{number}", attempt=1, payload=payload or {"number": number})


@pytest.fixture
def opened():
    """Open stores that are closed in the end."""
    stores = []

    def opening(path, **more):
        stores.append(open_store(path, **more))
        return stores[-1]

    yield opening
    for store in stores:
        store.close()


@pytest.fixture
def log(opened, tmp_path):
    """Open one log again and again."""
    return lambda: opened(tmp_path / "events.db", create=True)


@pytest.fixture(params=["sqlite", "memory"])
def connect(request):
    """Return what makes further connections to one and the same log."""
    return MemoryStore().beside if request.param == "memory" else request.getfixturevalue("log")


class TestBothStores:
    def test_events_are_kept_in_order_with_a_chain(self, connect):
        store = connect()
        fence = store.take(RUN)
        first = store.append(RUN, [event(1), event(2)], fence=fence)
        second = store.append(RUN, [event(3)], fence=fence)
        found = connect().events(RUN)
        assert found == first + second
        assert [one.seq for one in found] == [1, 2, 3]
        assert [one.prev for one in found] == ["", found[0].hash, found[1].hash]
        assert verify_chain(found) is None

    def test_payloads_come_back_as_plain_data(self, connect):
        payload = {"list": (1, 2.5, -0.0), "text": "\u00e9\ud800\x00\n", "none": None, "map": {"b": True, "a": 10**30}}
        connect().append(RUN, [NewEvent(kind=Kind.RUN_STARTED, payload=payload)])
        (found,) = connect().events(RUN)
        assert found.payload == payload | {"list": [1, 2.5, -0.0]}
        assert verify_chain([found]) is None

    def test_an_event_of_known_identity_is_left_out(self, connect):
        store = connect()
        store.append(RUN, [event(1, value="first")])
        added = store.append(RUN, [event(1, value="again"), event(2), event(2)])
        assert [one.step for one in added] == ["p/s2"]
        assert store.append(RUN, [event(1), event(2)]) == ()
        assert store.append(RUN, []) == ()
        found = store.events(RUN)
        assert [(one.seq, one.step) for one in found] == [(1, "p/s1"), (2, "p/s2")]
        assert found[0].payload == {"value": "first"}
        assert verify_chain(found) is None

    @pytest.mark.parametrize("other", [{"step": "p/x"}, {"attempt": 2}, {"kind": Kind.STEP_RETRIED}])
    def test_every_part_of_the_identity_counts(self, connect, other):
        same = {"kind": Kind.STEP_FINISHED, "step": "p/s", "attempt": 1}
        store = connect()
        store.append(RUN, [NewEvent(**same)])
        assert len(store.append(RUN, [NewEvent(**(same | other))])) == 1
        assert len(store.append("another run", [NewEvent(**same)])) == 1

    def test_who_lost_the_lease_cannot_write(self, connect):
        old, new = connect(), connect()
        stale = old.take(RUN)
        old.append(RUN, [event(1)], fence=stale)
        fence = new.take(RUN)
        assert fence == stale + 1
        with pytest.raises(Fenced):
            old.append(RUN, [event(2)], fence=stale)
        with pytest.raises(Fenced):
            old.append(RUN, [event(2)], fence=fence + 1)
        assert [one.step for one in new.events(RUN)] == ["p/s1"]
        assert len(new.append(RUN, [event(2)], fence=fence)) == 1

    def test_a_fence_of_a_run_nobody_took_is_refused(self, connect):
        with pytest.raises(Fenced):
            connect().append(RUN, [event(1)], fence=0)
        assert connect().events(RUN) == ()

    def test_leases_of_runs_are_independent(self, connect):
        store = connect()
        fence = store.take(RUN)
        store.take("another run")
        store.take("another run")
        assert len(store.append(RUN, [event(1)], fence=fence)) == 1

    def test_cancelling_needs_no_lease_and_takes_none(self, connect):
        store = connect()
        fence = store.take(RUN)
        connect().append(RUN, [NewEvent(kind=Kind.RUN_CANCEL, payload={"by": "x"})])
        assert len(store.append(RUN, [event(1)], fence=fence)) == 1
        assert [one.kind for one in store.events(RUN)] == [Kind.RUN_CANCEL, Kind.STEP_FINISHED]

    def test_all_or_nothing(self, connect):
        store = connect()
        fence = store.take(RUN)
        with pytest.raises(ValueError, match="JSON"):
            store.append(RUN, [event(1), event(2, value=float("nan"))], fence=fence)
        with pytest.raises(TypeError):
            store.append(RUN, [event(1), event(2, value=object())], fence=fence)
        assert connect().events(RUN) == ()
        assert len(store.append(RUN, [event(1)], fence=fence)) == 1

    def test_only_what_comes_after(self, connect):
        store = connect()
        store.append(RUN, [event(number) for number in range(1, 6)])
        assert [one.seq for one in store.events(RUN, after=3)] == [4, 5]
        assert store.events(RUN, after=5) == ()

    def test_runs_newest_first_without_those_that_never_began(self, connect):
        store = connect()
        for run in ("B", "C", "A"):
            store.append(run, [event(1)], fence=store.take(run))
        store.take("D")
        assert store.runs() == ("C", "B", "A")
        assert store.runs(limit=2) == ("C", "B")
        assert store.runs(limit=0) == ()

    def test_changes_of_others_are_seen_once_and_own_ones_not(self, connect):
        store, other = connect(), connect()
        assert not store.changed()
        store.append(RUN, [event(1)])
        assert not store.changed()
        other.append(RUN, [event(2)])
        assert store.changed()
        assert not store.changed()
        other.take(RUN)
        assert store.changed()


class TestTampering:
    @pytest.fixture
    def recorded(self, log):
        log().append(RUN, [event(number) for number in range(1, 6)])
        return log()

    @pytest.fixture
    def tamper(self, recorded, tmp_path):
        def execute(*statements):
            connection = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
            for statement in statements:
                connection.execute(statement)
            connection.close()

        return execute

    def test_an_untouched_chain_is_right(self, recorded):
        assert recorded.verify(RUN) is None
        assert recorded.verify("no such run") is None

    @pytest.mark.parametrize(
        "change",
        [
            "step = 'p/other'",
            "attempt = 7",
            "kind = 'step.retried'",
            "payload = '{\"number\":9}'",
            "at = '2020-01-01T00:00:00.000+00:00'",
            "prev = 'x'",
            "hash = 'x'",
        ],
    )
    def test_an_edited_event_is_found(self, recorded, tamper, change):
        tamper(f"UPDATE event SET {change} WHERE seq = 3")
        assert recorded.verify(RUN) == 3
        assert verify_chain(recorded.events(RUN)) == 3

    def test_a_deleted_event_is_found(self, recorded, tamper):
        tamper("DELETE FROM event WHERE seq = 2")
        assert recorded.verify(RUN) == 3
        tamper("DELETE FROM event WHERE seq = 1")
        assert recorded.verify(RUN) == 3

    def test_events_cut_off_at_the_end_are_found(self, recorded, tamper):
        tamper("DELETE FROM event WHERE seq > 3")
        assert verify_chain(recorded.events(RUN)) is None, "the chain alone cannot tell"
        assert recorded.verify(RUN) == 4

    def test_no_events_left_is_found(self, recorded, tamper):
        tamper("DELETE FROM event")
        assert recorded.verify(RUN) == 1

    def test_swapped_events_are_found(self, recorded, tamper):
        swap = ("seq = 99 WHERE seq = 2", "seq = 2 WHERE seq = 3", "seq = 3 WHERE seq = 99")
        tamper(*(f"UPDATE event SET {one}" for one in swap))
        assert recorded.verify(RUN) == 2

    def test_a_planted_event_is_found_and_nothing_is_written_over_it(self, recorded, tamper):
        tamper("INSERT INTO event SELECT run, 6, 'p/s6', 1, kind, payload, at, hash, 'x' FROM event WHERE seq = 5")
        assert recorded.verify(RUN) == 6
        with pytest.raises(StateDamaged):
            recorded.append(RUN, [event(7)])

    def test_events_moved_to_another_run_are_found(self, recorded, tamper):
        tamper("UPDATE event SET run = 'another'", "UPDATE head SET run = 'another'")
        assert recorded.verify("another") == 1

    @pytest.mark.parametrize(
        "payload",
        [
            "'{'", "'[1]'", "'null'", "x'80049503'", "CAST(x'ff' AS TEXT)", "'{\"a\":' || printf('%.*c', 100000, '[')",
        ],
    )  # fmt: skip
    def test_what_is_no_payload_is_reported(self, recorded, tamper, payload):
        tamper(f"UPDATE event SET payload = {payload} WHERE seq = 2")
        with pytest.raises(StateDamaged):
            recorded.events(RUN)
        with pytest.raises(StateDamaged):
            recorded.verify(RUN)

    def test_an_unknown_kind_is_reported(self, recorded, tamper):
        tamper("UPDATE event SET kind = 'step.invented' WHERE seq = 2")
        with pytest.raises(StateDamaged, match="event 2 of run"):
            recorded.events(RUN)

    def test_nothing_is_ever_unpickled(self, recorded, tmp_path):
        trap = tmp_path / "trap"

        class Bomb:
            def __reduce__(self):
                return (os.mkdir, (str(trap),))

        connection = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
        connection.execute("UPDATE event SET payload = ? WHERE seq = 1", (pickle.dumps(Bomb()),))
        connection.close()
        with pytest.raises(StateDamaged):
            recorded.events(RUN)
        assert not trap.exists()
