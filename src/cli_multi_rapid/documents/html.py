"""One run as one self-contained HTML file: no script, no request, readable in the dark, on a phone and on paper."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.approvals import fact_words, wait_words
from cli_multi_rapid.documents.reports import (
    Log,
    RunView,
    Verdict,
    listed,
    plain,
    require_results,
)
from cli_multi_rapid.documents.text import UNICODE, duration, number, plural, printable, tone
from cli_multi_rapid.documents.words import (
    ending,
    excuse_words,
    headline,
    next_commands,
    place,
    sign_of,
    tally,
    tone_of,
    worst,
)
from cli_multi_rapid.model.gate import Finding, GateResult

if TYPE_CHECKING:
    from jinja2 import Environment

FINDINGS_SHOWN = 50
STEPS_SHOWN = 400
_VALUE_SHOWN = 2000
_LOG_SHOWN = 40
_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file that a verdict rests on or that a step made."""

    owner: str
    name: str
    path: str
    sha256: str
    size: int | None = None


def render_html(
    view: RunView, *, generated_at: datetime, logs: Mapping[str, Log] | None = None, steps_shown: int = STEPS_SHOWN
) -> str:
    """Return the report of a run as one HTML document.

    Args:
        view: the run.
        generated_at: when the report is made, in UTC.
        logs: ends of logs by the key of the step, see `reports.log_tails`.
        steps_shown: how many steps of a phase are listed; failed ones always are, and what is left out is counted.

    Raises:
        EvidenceMissing: the run has no recorded result.
    """
    require_results(view)
    environment = _environment()
    gates = (*view.gates, *view.accepting)
    template = environment.get_template("report.html.j2")
    return template.render(
        csp=_CSP,
        run=view,
        headline=headline(view),
        tone=tone_of(view),
        sign=sign_of(view, UNICODE),
        next=() if view.verdict in (Verdict.PASS, Verdict.WARN, Verdict.UNJUDGED) else next_commands(view),
        generated_at=f"{generated_at:%Y-%m-%d %H:%M:%S} UTC",
        counts=_counts(view),
        gates=gates,
        findings=[gate for gate in gates if gate.result.findings],
        findings_shown=FINDINGS_SHOWN,
        phases=[(phase, *listed(phase.steps, steps_shown)) for phase in view.phases],
        logs=logs or {},
        evidence=_evidence(view),
        artifacts=_artifacts(view),
        inputs=[phase for phase in view.phases if phase.inputs],
        environment=_facts(view),
        details=[gate for gate in gates if gate.result.details],
    )


def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = files("cli_multi_rapid.documents") / "templates"
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": duration,
        "number": number,
        "value": _value,
        "when": _when,
        "size": _size,
        "ending": ending,
        "waits": wait_words,
        "facts": fact_words,
        "tail": _tail,
        "pairs": _pairs,
        "plural": plural,
        "worst": _worst,
        "place": place,
    }
    environment.tests["observed"] = _has_observed
    environment.globals |= {"sign_of": UNICODE.sign, "tone_of": tone, "excuse_of": excuse_words}
    return environment


def _safe(value: object) -> object:
    """Make every text that the template prints harmless; what is marked as HTML already is ours."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _counts(view: RunView) -> tuple[tuple[str, int, str], ...]:
    """Return what the overview counts, such as ("Steps", 12, "11 success, 1 failure")."""
    steps = tally([step.status for step in view.steps])
    gates = tally([gate.result.status for gate in view.gates])
    findings = sum(gate.result.findings_total for gate in view.gates)
    rows = [("Phases", len(view.phases), tally([phase.status for phase in view.phases]))]
    rows += [("Steps", len(view.steps), steps), ("Gates", len(view.gates), gates or "nothing was judged")]
    if findings:
        blocking = sum(gate.result.findings_total for gate in view.blocking_gates)
        rows.append(("Findings", findings, f"{blocking:,} in gates that block"))
    return tuple(rows)


def _evidence(view: RunView) -> list[FileRow]:
    return [
        FileRow(owner=gate.key, name=gate.result.id, path=one.path, sha256=one.sha256)
        for gate in (*view.gates, *view.accepting)
        for one in gate.result.evidence
    ]


def _artifacts(view: RunView) -> list[FileRow]:
    return [
        FileRow(owner=step.key, name=name, path=one.path, sha256=one.sha256, size=one.size)
        for step in view.steps
        for name, one in step.artifacts.items()
    ]


def _facts(view: RunView) -> list[tuple[str, str]]:
    """Return where and from what the run came, without what is not known."""
    origin = view.origin
    facts = [
        ("Program", f"CLI Multi-Rapid {origin.version}" if origin.version else ""),
        ("Job", origin.job),
        ("Phases asked for", ", ".join(origin.targets)),
        ("Level", origin.level),
        ("Parallel steps", str(origin.parallel or "")),
        ("Project folder", origin.root),
        ("Host", origin.host),
        ("Trust", origin.trust),
        ("Branch", origin.branch),
        ("Commit", origin.head),
        ("Tree", origin.tree),
        ("Fingerprint of spec, inputs and tree", origin.fingerprint),
        ("Rerun of", origin.parent),
        ("Taken up", plural(view.taken, "time") if view.taken > 1 else ""),
        ("Interrupted by", ", ".join(filter(None, view.interruptions))),
        ("PATH of the steps", origin.path),
        ("Recorded events", f"{view.events:,}"),
        ("Hash of the last event, over all before it", view.head),
    ]
    return [(name, value) for name, value in facts if value]


def _value(value: object) -> str:
    """Return any recorded value as people read it: text as it is, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    rest = len(text) - _VALUE_SHOWN
    return f"{text[:_VALUE_SHOWN]} … and {plural(rest, 'further character')}" if rest > 0 else text


def _when(text: str) -> str:
    """Return a recorded time as ``2026-01-31 14:05:09 UTC``; what is no time is shown as it is."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return text


def _size(size: int | None) -> str:
    if size is None:
        return ""
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{size:,} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def _tail(log: Log) -> str:
    """Return the lines of a log as escaped HTML that keeps its line breaks."""
    return _lines(log.lines(_LOG_SHOWN))


def _pairs(values: Mapping[str, object]) -> str:
    """Return names and values, one pair a line, as escaped HTML."""
    return _lines([f"{name} = {_value(value)}" for name, value in sorted(values.items())])


def _lines(lines: Sequence[str]) -> str:
    from markupsafe import Markup, escape

    return Markup("\n").join(escape(printable(line)) for line in lines)


def _worst(findings: Sequence[Finding]) -> list[Finding]:
    return worst(findings, FINDINGS_SHOWN)


def _has_observed(result: GateResult) -> bool:
    return result.observed is not None
