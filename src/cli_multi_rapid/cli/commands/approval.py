"""The command that decides about steps that wait for a person: approve."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli_multi_rapid.cli.options import Common, command

if TYPE_CHECKING:
    from cli_multi_rapid.services.approving import Settled


@command("approve", example="cli-multi-rapid approve last review --reason 'I have read the difference'")
@click.argument("run")
@click.argument("step")
@click.option("--reject", is_flag=True, help="Reject instead: the step fails.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
@click.option(
    "--sign", "key_file", metavar="KEYFILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Sign with this SSH key; a .pub file stands for a key in the agent.",
)  # fmt: skip
def approve(common: Common, run: str, step: str, *, reject: bool, reason: str, key_file: Path | None) -> int:
    """Approve what STEP of RUN waits with: this state of the project, for this run. Nothing is asked.

    `status RUN` shows before what it is about.
    """
    from cli_multi_rapid.cli.console import emit, say
    from cli_multi_rapid.model.approval import Choice
    from cli_multi_rapid.services.approving import decide
    from cli_multi_rapid.services.wiring import open_project

    choice = Choice.REJECTED if reject else Choice.APPROVED
    done = decide(open_project(common.folder), run, step, choice=choice, reason=reason, key_file=key_file)
    if common.as_json:
        emit(_data(done))
    else:
        say("\n".join(_lines(done)))
    return 0


def _data(done: "Settled") -> dict[str, object]:
    return {
        "run": done.run,
        "step": done.step,
        "decision": done.decision.choice.value,
        "by": done.decision.by,
        "reason": done.decision.reason,
        "fingerprint": done.decision.fingerprint,
        "tree": done.decision.tree,
        "ref": done.wait.ref,
        "changed": None if done.changed is None else len(done.changed),
        "signed": bool(done.decision.key),
        "key": done.decision.key,
        "running": done.working,
    }


def _lines(done: "Settled") -> list[str]:
    from cli_multi_rapid.documents.text import PROGRAM, plural, printable
    from cli_multi_rapid.model.words import few

    decision = done.decision
    how = f"signed with {decision.key}" if decision.key else "unsigned"
    lines = [f"{decision.choice.value} {done.step} of run {done.run} by {printable(decision.by.shown)}, {how}"]
    titles = [title for title in (done.phase, done.title) if title]
    lines += [f"  what         {printable(': '.join(titles))}"] if titles else []
    lines += [f"  reason       {printable(decision.reason)}"] if decision.reason else []
    lines.append(f"  fingerprint  {decision.fingerprint[:12]}")
    tree = f"{decision.tree[:12]}  git diff HEAD {done.wait.ref}" if decision.tree else "none: no git repository"
    lines.append(f"  tree         {tree}")
    if done.changed is not None:
        names = f": {printable(few(done.changed))}" if done.changed else ""
        lines.append(f"  changed      {plural(len(done.changed), 'file')} since the run began{names}")
    return [*lines, "  next         " + ("the run goes on" if done.working else f"{PROGRAM} resume {done.run}")]
