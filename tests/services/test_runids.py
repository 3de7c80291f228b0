"""Run ids are ULIDs."""

import re
import time

from cli_multi_rapid.services import runids
from cli_multi_rapid.services.runids import new_run_id

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def milliseconds(run):
    value = 0
    for character in run[:10]:
        value = value * 32 + ALPHABET.index(character)
    return value


def test_they_are_26_characters_of_which_none_can_be_mistaken():
    for _ in range(1000):
        assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", new_run_id())


def test_the_first_ten_are_the_time():
    before = time.time_ns() // 1_000_000
    found = milliseconds(new_run_id())
    assert before <= found <= time.time_ns() // 1_000_000


def test_they_sort_by_time_far_beyond_any_of_us(monkeypatch):
    def at(ms):
        monkeypatch.setattr(runids.time, "time_ns", lambda: ms * 1_000_000)
        return new_run_id()

    instants = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 2**48 - 1]
    made = [at(ms) for ms in instants]
    assert made == sorted(made)
    assert [milliseconds(run) for run in made] == instants


def test_many_of_one_instant_differ(monkeypatch):
    monkeypatch.setattr(runids.time, "time_ns", lambda: 10**18)
    made = {new_run_id() for _ in range(5000)}
    assert len(made) == 5000
    assert len({run[:10] for run in made}) == 1
    assert all(len({run[place] for run in made}) == 32 for place in range(10, 26)), "all of the rest is random"
