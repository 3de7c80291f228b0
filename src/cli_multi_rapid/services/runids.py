"""Run ids: ULIDs, which sort by the time they were made."""

import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


def new_run_id() -> str:
    """Return a new ULID: 48 bits of Unix time in milliseconds and 80 random bits, as 26 characters."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
