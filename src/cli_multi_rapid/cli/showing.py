"""The demo: three acts on a sample project, each a real run."""

import os
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.cli.options import Common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli_multi_rapid.services.scaffold import EntryFile

_ACTS = (
    ("phase0: is the foundation sound?", "phase0", (), 0),
    (
        "phase1, repairing what can be repaired: a real mistake is fixed, and one gate blocks",
        "phase1",
        ("fix=true",),
        1,
    ),
    (
        "phase2, with the missing test added: every gate of phase1 passes, and contracts become code that is tried out",
        "phase2",
        ("documents=50",),
        0,
    ),
)


def show(common: Common, folder: Path, entries: "Sequence[EntryFile]") -> int:
    """Build the sample project and play the acts; return 0 if each ended as it should, else 1."""
    from cli_multi_rapid.cli.console import emit, note, say
    from cli_multi_rapid.services.sample import add_missing_test, build_sample
    from cli_multi_rapid.services.scaffold import trust_what_was_written
    from cli_multi_rapid.services.trust import fingerprint
    from cli_multi_rapid.services.wiring import open_project

    note(f"building a sample project in {folder}")
    build_sample(folder, entries)
    project = open_project(folder)
    trust_what_was_written(project.root, project.state, os.environ, written=fingerprint(project.root).files)
    inside = Common(folder=folder, debug=common.debug, verbose=common.verbose)
    surprises = []
    for number, (title, phase, inputs, expected) in enumerate(_ACTS, start=1):
        note(f"\n{number}. {title}")
        if number == len(_ACTS):
            note(f"   wrote {', '.join(add_missing_test(folder))}")
        shown = " ".join(["cli-multi-rapid", "run-phase", phase, *(f"--input {text}" for text in inputs)])
        note(f"   $ {shown}\n")
        with redirect_stdout(sys.stderr) if common.as_json else nullcontext():
            code = _run(inside, phase, inputs)
        if code != expected:
            surprises.append(f"act {number} ended with exit code {code} instead of {expected}")
        if expected:
            note(f"\n   what the repair changed:  git -C {folder} diff")
    report = _report(folder)
    if common.as_json:
        emit({"project": str(folder), "report": str(report), "unexpected": surprises})
        return 1 if surprises else 0
    say(f"\nreport   {report}")
    say(f"project  {folder}")
    say(f"next     cli-multi-rapid -C {folder} status")
    say(f"         cli-multi-rapid -C {folder} graph phase2")
    say("         cd YOUR_PROJECT && cli-multi-rapid init && cli-multi-rapid run-phase phase0")
    for surprise in surprises:
        note(f"unexpected: {surprise}")
    return 1 if surprises else 0


def _run(common: Common, phase: str, inputs: tuple[str, ...]) -> int:
    from cli_multi_rapid.cli.driving import begin, opened, wished

    project, settings = opened(common)
    return begin(common, project, settings, wished(settings, (phase,), inputs=inputs), validate=False, take_up=False)


def _report(folder: Path) -> Path:
    from datetime import UTC, datetime

    from cli_multi_rapid.services.reporting import Form, default_path, rendered, write_report
    from cli_multi_rapid.services.wiring import open_project

    project = open_project(folder)
    text, view = rendered(project, "last", form=Form.HTML, now=datetime.now(UTC))
    path = default_path(project, view, Form.HTML)
    write_report(path, text)
    return path
