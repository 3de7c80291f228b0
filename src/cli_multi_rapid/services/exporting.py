"""What other systems need to run this project's gates."""

from cli_multi_rapid.model.gate_settings import Check
from cli_multi_rapid.services.wiring import Specs

FAST = frozenset({Check.SECRETS, Check.DENYLIST})
"""Checks that look at one file at a time, so that a commit need not wait for more than what it changes."""


def pre_commit_hooks(specs: Specs) -> str:
    """Return the text of a `.pre-commit-config.yaml` with hooks for the gates of a project.

    Before a commit, gates that look at one file at a time judge what is changed; before a push, the others judge the
    project; where one of them is an expression over others, all do. Hooks without a gate are left out.
    """
    fast = [name for name, gate in specs.gates.gates.items() if gate.check in FAST]
    expressions = any(gate.check is Check.EXPRESSION for gate in specs.gates.gates.values())
    slow = [name for name in specs.gates.gates if expressions or name not in fast]
    hooks = [
        _hook("compliance-changed", "compliance of what is changed", "pre-commit", ["--changed", "HEAD"], fast),
        _hook("compliance", "compliance of the project", "pre-push", [], slow),
    ]
    listed = [hook for hook, gates in zip(hooks, (fast, slow), strict=True) if gates]
    head = "# Written by `cli-multi-rapid export pre-commit`.\nrepos:\n  - repo: local\n    hooks:\n"
    return head + "".join(listed)


def _hook(name: str, title: str, stage: str, options: list[str], gates: list[str]) -> str:
    words = ["cli-multi-rapid", "validate-compliance", *options, *(part for gate in gates for part in ("--gate", gate))]
    return (
        f"      - id: {name}\n        name: {title}\n        entry: {' '.join(words)}\n        language: system\n"
        f"        pass_filenames: false\n        always_run: true\n        stages: [{stage}]\n"
    )
