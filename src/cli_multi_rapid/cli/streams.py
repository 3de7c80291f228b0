"""The standard streams, made ready before anything is said. Imports nothing: every command begins here."""

import sys


def use_utf8() -> None:
    """Make the standard streams write UTF-8 and replace what cannot be encoded, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
