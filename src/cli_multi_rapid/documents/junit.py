"""One run as JUnit XML: one suite for each phase and one for the project, with a test case for each gate.

A gate that failed is a failure, one that could not be evaluated an error, one that was not evaluated is skipped; so is
one that is only advisory and did not pass, because it must neither look green nor block. Steps appear where they
failed. A run that did not end well has a failure or an error, whatever its gates say. The file is valid by the schemas
of both Ant and Jenkins.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.reports import GateView, NotRun, RunView, StepView, Verdict, require_results
from cli_multi_rapid.documents.text import printable
from cli_multi_rapid.documents.words import ending, excuse_words, gate_words, headline, place, worst
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus
from cli_multi_rapid.model.run import Status

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # only for its type: nothing is parsed here

FINDINGS_SHOWN = 200
_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PROJECT = "project"
_RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A test case; without `kind` (failure, error, skipped) it passed. `note` is what is to be known all the same."""

    name: str
    kind: str = ""
    message: str = ""
    body: str = ""
    type: str = ""
    duration_ms: int = 0
    note: str = ""


def render_junit(view: RunView) -> str:
    """Return a run as JUnit XML.

    Raises:
        EvidenceMissing: the run has no recorded result.
    """
    from xml.etree.ElementTree import Element, indent, tostring

    require_results(view)
    root = Element("testsuites")
    for number, (name, cases) in enumerate(_suites(view).items()):
        root.append(_suite(view, name, cases, number=number))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suites(view: RunView) -> dict[str, list[_Case]]:
    """Return the cases of each suite, in the order of the phases."""
    suites: dict[str, list[_Case]] = {}
    for phase in view.phases:
        steps = [case for step in phase.steps for case in _steps(step)]
        missing = [_missing(one) for one in view.not_run if _unreached_gate(one, phase.name)]
        suites[phase.name] = [*steps, *(_gate(gate) for gate in phase.gates), *missing]
    if project := [_gate(gate) for gate in view.gates if not gate.phase]:
        suites.setdefault(_PROJECT, []).extend(project)
    cases = [case for suite in suites.values() for case in suite]
    green = view.verdict in (Verdict.PASS, Verdict.WARN)
    if not green and not any(case.kind in ("failure", "error") for case in cases):
        suites.setdefault(_RUN, []).append(_verdict(view))
    return suites


def _verdict(view: RunView) -> _Case:
    """Return the case that stands for a run which is not green although no step and no gate of it says so."""
    kinds = {Verdict.FAIL: "failure", Verdict.UNJUDGED: "skipped"}
    message = "; ".join([headline(view), *view.reasons])
    return _Case(name="verdict", kind=kinds.get(view.verdict, "error"), message=message, type=view.verdict.value)


def _unreached_gate(one: NotRun, phase: str) -> bool:
    """Tell whether something that was not run is a gate of a phase that has no result; a skipped gate has one."""
    return one.kind == "gate" and one.name.startswith(f"{phase}/gate:") and one.reason == "was not reached"


def _missing(one: NotRun) -> _Case:
    return _Case(name=f"gate {one.name.partition('/gate:')[2]}", kind="skipped", message=one.reason)


def _steps(step: StepView) -> list[_Case]:
    """Return a case for a step that failed, and one for each gate that it had to pass."""
    failed = [_step(step)] if step.status.bad else []
    cases = [_gate(GateView(phase=step.key, result=result), bearable=not step.status.bad) for result in step.gates]
    name = step.key.partition("/")[2]
    return [*failed, *(replace(case, name=f"{case.name} of step {name}") for case in cases)]


def _step(step: StepView) -> _Case:
    failed = step.status is Status.FAILURE
    return _Case(
        name=f"step {step.key.partition('/')[2]}", kind="failure" if failed else "error", message=ending(step),
        body="\n".join(filter(None, (step.command, step.fix))), type=step.status.value, duration_ms=step.duration_ms,
    )  # fmt: skip


def _gate(gate: GateView, *, bearable: bool = False) -> _Case:
    """Return the case of a gate. What does not block, or is `bearable`, is skipped instead of bad."""
    result = gate.result
    words = gate_words(gate)
    bad = {GateStatus.FAIL: "failure", GateStatus.ERROR: "error"}
    kind = bad.get(result.status, "")
    if kind and (bearable or not result.blocks):
        kind = "skipped"
    if result.status is GateStatus.SKIPPED:
        kind = "skipped"
    quiet = result.status is GateStatus.PASS
    return _Case(
        name=f"gate {result.id}", kind=kind, message=words, body=_body(result) if kind else "", type=result.check,
        duration_ms=result.duration_ms, note="" if kind or quiet else words,
    )  # fmt: skip


def _body(result: GateResult) -> str:
    shown = worst(result.findings, FINDINGS_SHOWN)
    lines = [_line(result, finding) for finding in shown]
    if result.findings_total > len(shown):
        lines.append(f"and {result.findings_total - len(shown):,} more")
    return "\n".join([*lines, *((f"fix: {result.fix}",) if result.fix else ())])


def _line(result: GateResult, finding: Finding) -> str:
    excuse = excuse_words(result, finding)
    parts = (place(finding), finding.severity.value, finding.rule, finding.message, f"({excuse})" if excuse else "")
    return "  ".join(printable(part) for part in parts if part)


def _suite(view: RunView, name: str, cases: Sequence[_Case], *, number: int) -> "Element":
    from xml.etree.ElementTree import Element, SubElement

    kinds = [case.kind for case in cases]
    suite = Element("testsuite", {
        "id": str(number), "package": "cli-multi-rapid", "name": _token(name), "timestamp": _when(view.started),
        "hostname": _token(view.origin.host) or "localhost", "tests": str(len(cases)),
        "failures": str(kinds.count("failure")), "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": _seconds(sum(case.duration_ms for case in cases)),
    })  # fmt: skip
    properties = SubElement(suite, "properties")
    facts = {"run": view.run, "verdict": view.verdict.value, "level": view.origin.level, "tree": view.origin.tree}
    for key, value in facts.items():
        SubElement(properties, "property", {"name": key, "value": _clean(value)})
    for case in cases:
        suite.append(_element(name, case))
    SubElement(suite, "system-out").text = _clean("\n".join(_notes(cases)))
    SubElement(suite, "system-err")
    return suite


def _notes(cases: Iterable[_Case]) -> Iterable[str]:
    return (printable(case.note) for case in cases if case.note)


def _element(suite: str, case: _Case) -> "Element":
    from xml.etree.ElementTree import Element, SubElement

    names = {"name": _token(case.name), "classname": _token(suite), "time": _seconds(case.duration_ms)}
    element = Element("testcase", names)
    message = _clean(printable(case.message))
    if case.kind == "skipped":  # the schema of Jenkins allows no attributes here
        SubElement(element, "skipped").text = _clean("\n".join(filter(None, (message, case.body))))
    elif case.kind:
        SubElement(element, case.kind, {"message": message, "type": _token(case.type)}).text = _clean(case.body)
    return element


def _clean(text: str) -> str:
    """Return text of which every character may stand in XML 1.0, and none drives a terminal."""
    return _FORBIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", printable(text, lines=True))


def _token(text: str) -> str:
    return " ".join(_clean(printable(text)).split())


def _seconds(duration_ms: int) -> str:
    return f"{max(duration_ms, 0) / 1000:.3f}"


def _when(started: str) -> str:
    """Return a time in UTC without a zone, as the schema of Ant demands; the first of 1970 where it is unknown."""
    try:
        return f"{datetime.fromisoformat(started):%Y-%m-%dT%H:%M:%S}"
    except ValueError:
        return "1970-01-01T00:00:00"
