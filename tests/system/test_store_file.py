"""The event log as a file: damage, rights, crashes, many processes, full and read-only disks."""

import os
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
from cli_multi_rapid.errors import StateDamaged, StateUnwritable
from cli_multi_rapid.model.events import Kind, NewEvent
from cli_multi_rapid.system.store import open_store

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
