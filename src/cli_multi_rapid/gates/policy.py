"""By which gates a change is judged: those of its base, and of its own only what is new.

A change must not be able to loosen what judges it.
"""

from dataclasses import replace

from cli_multi_rapid.model.gate_settings import GateFile


def effective_gates(present: GateFile, before: GateFile) -> GateFile:
    """Return the gates that judge a change: those of the base as they are there, and those that are new."""
    return replace(present, gates={**present.gates, **before.gates})
