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


def test_the_newest_is_the_last_one_made_whatever_the_clock_says(monkeypatch):
    def at(ms, after):
        monkeypatch.setattr(runids.time, "time_ns", lambda: ms * 1_000_000)
        return new_run_id(after=after)

    year_ms = 365 * 86_400_000
    ahead = at(1_800_000_000_000 + year_ms, "")
    made = [ahead]
    for _ in range(50):
        made.append(at(1_800_000_000_000, made[-1]))  # the clock was put right
    assert made == sorted(made)
    assert [milliseconds(run) - milliseconds(ahead) for run in made] == list(range(51))
    later = at(1_800_000_000_000 + 2 * year_ms, made[-1])
    assert milliseconds(later) == 1_800_000_000_000 + 2 * year_ms


def test_an_id_that_is_none_of_ours_does_no_harm():
    latest = "7ZZZZZZZZZ" + "Z" * 16
    for odd in ("", "x", "../../etc/passwd", "é" * 26, latest):
        assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", new_run_id(after=odd))
    before = time.time_ns() // 1_000_000
    assert milliseconds(new_run_id(after="../../etc/passwd")) - before < 1000
