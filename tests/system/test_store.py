"""One behaviour suite over both event logs; then what only a file can suffer: tampering, damage, kills, full disks."""

import os
import pickle
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

import cli_multi_rapid
from cli_multi_rapid.errors import Fenced, StateDamaged, StateUnwritable
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.system.store import open_store, verify_chain
from cli_multi_rapid.testing import MemoryStore

SOURCES = str(Path(cli_multi_rapid.__file__).parent.parent)
RUN = "01JA2B3C4D5E6F7G8H9JKMNPQR"


def event(number, **payload):
    return NewEvent(kind=Kind.STEP_FINISHED, step=f"p/s{number}", attempt=1, payload=payload or {"number": number})


def python(code, *arguments, wrap=(), **more):
    """Start a child that has the program, the path of a log in `path`, and the names used here."""
    head = (
        "import sys, os\n"
        "from pathlib import Path\n"
        "from cli_multi_rapid.errors import *\n"
        "from cli_multi_rapid.model.events import Kind, NewEvent\n"
        "from cli_multi_rapid.system.store import open_store\n"
        "path = Path(sys.argv[1])\n"
        "def event(number, **payload):\n"
        "    return NewEvent(kind=Kind.STEP_FINISHED, step=f'p/s{number}', attempt=1, payload=payload)\n"
    )
    return subprocess.Popen(
        (*wrap, sys.executable, "-c", head + code, *map(str, arguments)),
        env={**os.environ, "PYTHONPATH": SOURCES}, stdout=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def said(process):
    with process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out


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


class TestFile:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "events.db"

    @pytest.fixture
    def filled(self, path):
        store = open_store(path, create=True)
        store.append(RUN, [event(number, text="x" * 500) for number in range(200)])
        store.close()
        return path

    def test_nobody_else_can_read_it(self, path, opened):
        before = os.umask(0)
        try:
            opened(path, create=True).append(RUN, [event(1)])
        finally:
            os.umask(before)
        found = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.glob("events.*")}
        assert found == dict.fromkeys(("events.db", "events.db-shm", "events.db-wal", "events.marker"), 0o600)

    def test_making_it_leaves_nothing_else_behind(self, path, opened):
        opened(path, create=True).close()
        assert sorted(one.name for one in path.parent.iterdir()) == ["events.db", "events.marker"]

    def test_what_has_never_been_is_no_damage(self, path, opened):
        with pytest.raises(FileNotFoundError):
            opened(path)
        assert list(path.parent.iterdir()) == []

    def test_reading_makes_no_marker(self, filled, opened):
        filled.with_suffix(".marker").unlink()
        opened(filled)
        assert not filled.with_suffix(".marker").exists()
        opened(filled, create=True)
        assert filled.with_suffix(".marker").exists()

    @pytest.mark.parametrize("create", [True, False])
    def test_a_log_that_is_gone_is_not_made_anew(self, filled, opened, create):
        filled.unlink()
        with pytest.raises(StateDamaged, match="missing"):
            opened(filled, create=create)
        assert not filled.exists()

    @pytest.mark.parametrize("create", [True, False])
    @pytest.mark.parametrize("marked", [True, False])
    def test_an_empty_file_is_not_filled(self, path, opened, create, marked):
        path.touch()
        if marked:
            path.with_suffix(".marker").touch()
        with pytest.raises(StateDamaged, match="empty"):
            opened(path, create=create)
        assert path.read_bytes() == b""

    @pytest.mark.parametrize("create", [True, False])
    @pytest.mark.parametrize("damage", ["text", "foreign", "newer", "header", "cut", "cut to a page", "no tables"])
    def test_a_damaged_file_is_refused_and_kept(self, filled, opened, damage, create):
        DAMAGES[damage](filled)
        before = filled.read_bytes()
        with pytest.raises(StateDamaged) as refused:
            opened(filled, create=create).events(RUN)
        assert refused.value.exit_code == 3
        assert filled.read_bytes() == before

    def test_damage_in_the_middle_is_found_when_it_is_read(self, filled, opened):
        data = bytearray(filled.read_bytes())
        start = len(data) // 4096 * 3 // 4 * 4096
        data[start:] = os.urandom(len(data) - start)
        filled.write_bytes(data)
        store = opened(filled)
        with pytest.raises(StateDamaged):
            store.events(RUN)
        with pytest.raises(StateDamaged):
            store.append(RUN, [event(1000)])
        store.close()
        assert filled.read_bytes() == bytes(data)

    def test_a_folder_in_its_place(self, path, opened):
        path.mkdir()
        (path / "x").touch()
        with pytest.raises(StateUnwritable):
            opened(path, create=True)

    def test_a_folder_that_is_not_there(self, tmp_path, opened):
        with pytest.raises(StateUnwritable, match="No such file"):
            opened(tmp_path / "no" / "events.db", create=True)

    def test_odd_names_are_no_uri(self, tmp_path, opened):
        folder = tmp_path / "a?mode=memory#%41 b"
        folder.mkdir()
        opened(folder / "events.db", create=True).append(RUN, [event(1)])
        assert len(opened(folder / "events.db").events(RUN)) == 1
        assert (folder / "events.db").exists()

    def test_use_by_another_thread_is_a_bug_and_no_damage(self, path, opened):
        store, raised = opened(path, create=True), []

        def use():
            try:
                store.runs()
            except sqlite3.ProgrammingError as wrong:
                raised.append(wrong)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert len(raised) == 1

    def test_an_append_costs_the_same_memory_whatever_there_is(self, path, opened):
        store = opened(path, create=True)
        fence = store.take(RUN)
        peaks = {}
        for number in range(5000):
            if number in (100, 4999):
                tracemalloc.start()
                store.append(RUN, [event(number)], fence=fence)
                peaks[number] = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            elif number % 50 == 49:  # the rest in few commits: their number is not what is tried here
                store.append(RUN, [event(one) for one in range(number - 49, number + 1)], fence=fence)
        assert len(store.events(RUN)) >= 4900
        assert store.verify(RUN) is None
        assert peaks[4999] < peaks[100] + 4096


def _foreign(path):
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE event (run)")
    connection.commit()
    connection.close()


def _execute(path, script):
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


DAMAGES = {
    "text": lambda path: path.write_bytes(b"this is no database\n" * 500),
    "foreign": _foreign,
    "newer": lambda path: _execute(path, "PRAGMA user_version = 99"),
    "header": lambda path: path.write_bytes(b"\0" * 100 + path.read_bytes()[100:]),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut to a page": lambda path: path.write_bytes(path.read_bytes()[:4096]),
    "no tables": lambda path: _execute(path, "DROP TABLE head"),
}


class TestProcesses:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "events.db"

    def test_eight_processes_make_one_log_and_fork_no_chain(self, path, opened):
        """All of them begin at the same time and write to the same run."""
        code = (
            "sys.stdin.readline()\n"
            "store = open_store(path, create=True)\n"
            "for number in range(20):\n"
            "    store.append('RUN', [event(f'{sys.argv[2]}-{number}-{part}') for part in 'ab'])\n"
        )
        writers = [python(code, path, number, stdin=subprocess.PIPE) for number in range(8)]
        for writer in writers:
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            said(writer)
        store = opened(path)
        assert len(store.events("RUN")) == 8 * 20 * 2
        assert store.verify("RUN") is None

    def test_each_process_takes_the_lease_from_the_one_before(self, path, opened):
        open_store(path, create=True).close()
        code = "store = open_store(path)\nprint(*[store.take('RUN') for _ in range(25)])\n"
        takers = [python(code, path) for _ in range(4)]
        taken = [int(one) for taker in takers for one in said(taker).split()]
        assert sorted(taken) == list(range(1, 101))

    def test_commits_of_other_processes_are_noticed(self, path, opened):
        store = opened(path, create=True)
        said(python("open_store(path).append('RUN', [event(1)])", path))
        assert store.changed()
        said(python("open_store(path).events('RUN')", path))
        assert not store.changed()

    def test_a_writer_that_is_killed_leaves_all_it_had_committed(self, path, opened):
        code = (
            "store = open_store(path, create=True)\n"
            "fence = store.take('RUN')\n"
            "for number in range(10**6):\n"
            "    store.append('RUN', [event(f'{number}{part}', text='x' * 3000) for part in 'ab'], fence=fence)\n"
            "    print(number, flush=True)\n"
        )
        with python(code, path) as writer:
            for _ in range(50):
                last = int(writer.stdout.readline())
            writer.kill()
            rest = writer.stdout.read().split()
        assert writer.returncode == -signal.SIGKILL
        last = int(rest[-1]) if rest else last
        store = opened(path)
        found = store.events("RUN")
        assert store.verify("RUN") is None
        assert len(found) % 2 == 0, "half a transaction"
        assert len(found) in (2 * last + 2, 2 * last + 4), "what was reported is there; at most one more"
        assert len(store.append("RUN", [event("next")], fence=store.take("RUN"))) == 1

    def test_a_file_that_may_not_grow(self, path, opened):
        code = (
            "import resource, signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "store = open_store(path, create=True)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        ) + FILL_UP
        kept = int(said(python(code, path)))
        store = opened(path)
        assert len(store.events("RUN")) == kept
        assert store.verify("RUN") is None


FILL_UP = """
number = 0
try:
    while True:
        store.append('RUN', [event(number, text='x' * 4000)])
        number += 1
except StateUnwritable as full:
    assert full.exit_code == 3 and full.hint, full
assert [one.step for one in store.events('RUN')] == [f'p/s{one}' for one in range(number)], number
assert number > 3
assert store.verify('RUN') is None
store.close()
print(number)
"""

IN_TMPFS = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


def _tmpfs_possible():
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    probe = (*IN_TMPFS, 'mount -t tmpfs none "$0"', "/mnt")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _tmpfs_possible(), reason="needs Linux and user namespaces that may mount")
class TestDisk:
    """On a small file system of its own, which only the child sees."""

    @pytest.fixture
    def inside(self, tmp_path):
        mount = f'mount -t tmpfs -o size=300k none "{tmp_path}" && exec "$@"'
        return lambda code: said(python(code, tmp_path, wrap=(*IN_TMPFS, mount, "sh")))

    def test_a_full_disk(self, inside):
        code = (
            "path = path / 'events.db'\n"
            "store = open_store(path, create=True)\n"
            "filler = path.with_name('filler')\n"
            "filler.write_bytes(b'x' * 100_000)\n"
            + FILL_UP
            + "filler.unlink()\n"
            "store = open_store(path)\n"
            "assert store.append('RUN', [event('more')])[0].seq == number + 1\n"
            "assert store.verify('RUN') is None\n"
        )  # fmt: skip
        assert int(inside(code)) > 3

    def test_no_room_to_make_one(self, inside):
        code = (
            "path = path / 'events.db'\n"
            "with path.with_name('filler').open('wb', buffering=0) as filler:\n"
            "    try:\n"
            "        while True: filler.write(b'x' * 1000)\n"
            "    except OSError: pass\n"
            "try:\n"
            "    open_store(path, create=True)\n"
            "except StateUnwritable as full: print('refused')\n"
            "assert sorted(one.name for one in path.parent.iterdir()) == ['filler'], list(path.parent.iterdir())\n"
            "path.with_name('filler').unlink()\n"
            "open_store(path, create=True).append('RUN', [event(1)])\n"
        )
        assert inside(code) == "refused\n"

    def test_a_read_only_disk(self, inside):
        code = (
            "import subprocess\n"
            "folder, path = path, path / 'events.db'\n"
            "store = open_store(path, create=True)\n"
            "store.append('RUN', [event(1)])\n"
            "store.close()\n"
            "subprocess.run(['mount', '-o', 'remount,ro', str(folder)], check=True)\n"
            "reader = open_store(path)\n"
            "assert reader.runs() == ('RUN',) and reader.verify('RUN') is None and not reader.changed()\n"
            "def refused(call):\n"
            "    try: call()\n"
            "    except StateUnwritable as found: print(found)\n"
            "refused(lambda: reader.append('RUN', [event(2)]))\n"
            "refused(lambda: open_store(path, create=True))\n"
            "refused(lambda: open_store(folder / 'other.db', create=True))\n"
        )
        lines = inside(code).splitlines()
        assert len(lines) == 3
        assert all("cannot be" in line for line in lines), lines
