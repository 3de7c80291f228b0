"""By which gates a change is judged: those of its base, and of its own only what is new.

A change must not be able to loosen what judges it.
"""

from collections.abc import Mapping
from dataclasses import replace

from cli_multi_rapid.model.gate_settings import Check, GateFile, GateSpec

IMPLIED = "diff"
"""The gate that strict adds where a project has none of its kind: no suppression that is new passes unseen."""


def effective_gates(present: GateFile, before: GateFile) -> GateFile:
    """Return the gates that judge a change: those of the base as they are there, and those that are new."""
    return replace(present, gates={**present.gates, **before.gates})


def implied_gates(present: Mapping[str, GateSpec], before: Mapping[str, GateSpec]) -> dict[str, GateSpec]:
    """Return what strict judges beside the gates of a project: a gate that is new does not take its place.

    `present` are the gates in force, `before` those of the base revision, or the same where there is none.
    """
    if IMPLIED in before or any(gate.check is Check.DIFF for gate in before.values()):
        return {}
    own = present.get(IMPLIED)
    return {IMPLIED: own if own and own.check is Check.DIFF else GateSpec(check=Check.DIFF)}
