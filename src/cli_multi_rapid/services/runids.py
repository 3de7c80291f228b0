"""Run ids: ULIDs, which sort in the order in which they were made."""

import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_TIME_CHARS = 10
_LATEST_MS = 2**48 - 1


def new_run_id(*, after: str = "") -> str:
    """Return a new ULID: 48 bits of Unix time in milliseconds and 80 random bits, as 26 characters.

    `after` is the newest id there is. Where the clock has not passed its time, because it was ahead then, the new one
    gets the next millisecond: which run is the newest does not depend on the clock.
    """
    now_ms = max(time.time_ns() // 1_000_000, min(_milliseconds(after) + 1, _LATEST_MS))
    value = now_ms << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def _milliseconds(run: str) -> int:
    """Return the time in an id; -1 without one, or if it is none of ours."""
    found = 0
    for char in run[:_TIME_CHARS]:
        found = found << 5 | max(_ALPHABET.find(char), 0)
    return found if len(run) > _TIME_CHARS else -1
