"""Verdicts that still hold: where all that gates would look at is the same as before, they are not asked again.

What a verdict follows from is digested into a *request*: the tree of the project, the base revision, what trust covers,
the user's settings, the environment, what was asked, and the program itself. Only checks that follow from these alone
are taken over, and a command only where its gate says `cache: true` and its program is still the same file. What time
can change (a waiver that will expire, an advisory database) is judged anew, as is what could not be evaluated.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.payload import gate_result, reader_of
from cli_multi_rapid.model import forms
from cli_multi_rapid.model.events import Event, Kind
from cli_multi_rapid.model.gate import Evidence, GateResult, GateStatus
from cli_multi_rapid.model.version import VERSION
from cli_multi_rapid.model.words import utc_text
from cli_multi_rapid.services.base import base_in, differing
from cli_multi_rapid.services.runids import new_run_id
from cli_multi_rapid.services.tree import opened, tree_in
from cli_multi_rapid.services.trust import trusted
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.files import PathRefused, digest_inside
from cli_multi_rapid.system.own_code import code_digest
from cli_multi_rapid.system.store import SqliteStore, open_store

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted

_PURE = frozenset({"secrets", "denylist", "diff", "expression"})
_TOOLS = ("kingfisher-secret-scanner", "google-re2", "ruff")
_CODE = ("gates", "model", "services", "system")
_VOLATILE = frozenset({"_", "OLDPWD", "PWD", "SHLVL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What gates are asked about: a digest of all that their verdict can follow from, and the tree that is judged."""

    digest: str
    tree: str
    notes: tuple[str, ...]


def request_of(project: Project, *, asked: Sequence[object], base: str) -> Request | None:
    """Return the request that some options make of a project as it is; None where a verdict could not be taken over.

    Raises:
        UsageError: `base` is no commit, or has no common ancestor with HEAD.
    """
    from cli_multi_rapid.system.git_base import is_shallow

    repository = opened(project)
    if repository is None:
        return None
    tree, found = tree_in(project, repository), base_in(repository, base)
    standing = trusted(project.root, project.state, project.environ)
    if tree.warnings or not standing.given:  # what a tree lacks can change without it
        return None
    parts = [
        VERSION, code_digest(*_CODE), [version(name) for name in _TOOLS], str(project.root),
        tree.id, tree.head, tree.branch,
        [found.commit, found.why] if found else None, standing.state, standing.covered.digest, _user_settings(),
        is_shallow(repository),  # it decides whether it is known who wrote a waiver
        sorted((name, value) for name, value in project.environ.items() if name not in _VOLATILE), list(asked),
    ]  # fmt: skip
    digest = sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()
    return Request(digest=digest, tree=tree.id, notes=differing(project, found))


def judged_before(project: Project, request: Request) -> tuple[Event, ...] | None:
    """Record the verdict of the newest run that judged the same as a run of its own, and return its events.

    Returns None where there is no such run, or where one of its results may be another one by now.
    """
    try:
        store = open_store(project.log)
    except FileNotFoundError:
        return None
    try:
        run = store.newest(Kind.GATE_FINISHED)
        events = store.events(run) if run is not None and store.verify(run) is None else ()
        started = forms.RUN_STARTED.payload(events[0]) if events else None
        if started is None or started.get("request") != request.digest:
            return None
        gates = [event for event in events if event.kind is Kind.GATE_FINISHED]
        results = [gate_result(forms.GATE_FINISHED.payload(event), reader_of(event)) for event in gates]
        ended = [event for event in events if event.kind is Kind.RUN_FINISHED]
        if len(ended) != 1 or not all(_holds(one, project, request, started) for one in results):
            return None
        return _recorded(store, project, events[0], list(zip(gates, results, strict=True)), ended[0])
    finally:
        store.close()


def _holds(result: GateResult, project: Project, request: Request, started: "RunStarted") -> bool:
    """Tell whether a result would be the same if its gate were evaluated now."""
    certain = result.status in (GateStatus.PASS, GateStatus.WARN, GateStatus.FAIL) and not result.waivers
    if not certain or result.details.get("settled") is not True or result.tree != request.tree:
        return False
    kept = [*result.evidence, *([result.all_findings] if result.all_findings else [])]
    if not all(_is_there(one, project.folder("")) for one in kept):
        return False
    return result.check in _PURE or (result.check == "command" and _same_tool(result, project, started))


def _same_tool(result: GateResult, project: Project, started: "RunStarted") -> bool:
    from cli_multi_rapid.services.surroundings import surroundings
    from cli_multi_rapid.system.environment import program_file

    known = result.details.get("tool_file")
    if not isinstance(known, list) or not known:
        return False
    path = surroundings(project).environ["PATH"]
    return started.get("path") == path and program_file(str(known[0]), path) == known


def _is_there(evidence: Evidence, runs: Path) -> bool:
    """Tell whether a file that a result rests on is one of a run's own, and unchanged."""
    try:
        return digest_inside(runs, str(Path(evidence.path).relative_to(runs)))[0] == evidence.sha256
    except (PathRefused, ValueError):
        return False


def _recorded(
    store: SqliteStore, project: Project, begun: Event, gates: list[tuple[Event, GateResult]], ended: Event
) -> tuple[Event, ...]:
    run = new_run_id(after=next(iter(store.runs(limit=1)), ""))
    now = utc_text(datetime.now(UTC))
    folder, before = project.folder(run), project.folder(begun.run)
    results = [
        forms.GATE_FINISHED.event(
            forms.of_gate(
                replace(
                    _moved(result, before, folder), cached=True, started=now, duration_ms=0,
                    details={**result.details, "judged_in": result.details.get("judged_in", begun.run)},
                )
            ),
            step=event.step, attempt=event.attempt,
        )
        for event, result in gates
    ]  # fmt: skip
    finish = forms.RUN_FINISHED.event({**forms.RUN_FINISHED.payload(ended), "duration_ms": 0})
    start = forms.RUN_STARTED.event(forms.RUN_STARTED.payload(begun))
    fence = store.take(run)
    return store.append(run, [start, *results, finish], fence=fence)


def _moved(result: GateResult, before: Path, folder: Path) -> GateResult:
    """Return a result whose files are those of the new run, copied there: old runs are forgotten one day."""

    def copied(evidence: Evidence) -> Evidence:
        if not Path(evidence.path).is_relative_to(before):
            return evidence
        target = folder / Path(evidence.path).relative_to(before)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(evidence.path, target)
        return replace(evidence, path=str(target))

    listed = copied(result.all_findings) if result.all_findings else None
    return replace(result, evidence=tuple(map(copied, result.evidence)), all_findings=listed)


def _user_settings() -> str:
    from platformdirs import user_config_path

    try:
        return sha256((user_config_path("cli-multi-rapid") / "config.yaml").read_bytes()).hexdigest()
    except OSError:
        return ""
