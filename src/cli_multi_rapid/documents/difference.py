"""What differs between two runs: specs, inputs, surroundings, steps, gates, times."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from cli_multi_rapid.documents.payload import Reader
from cli_multi_rapid.documents.reports import RunView, StepView
from cli_multi_rapid.documents.text import duration, printable

if TYPE_CHECKING:
    from cli_multi_rapid.model.recorded.run_started_v1_0 import RunStarted

_SLOWER = 1.5
_NOTICED_MS = 1000
_SPEC_LINES = 40
_READ = Reader("run.started")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs: what kind of thing, which one, and what it is in each of the two runs."""

    kind: str
    name: str
    one: str
    other: str


def differences(one: RunView, other: RunView, *, started: "tuple[RunStarted, RunStarted]") -> list[Difference]:
    """Return what differs between two runs; `started` are the payloads of their first events.

    Durations count where one is at least 1.5 times the other and they are a second apart.
    """
    found = [*_specs(*started), *_inputs(*started), *_surroundings(one, other)]
    found += _of("run", "status", one.status.value, other.status.value)
    found += _times("run", "", one.duration_ms, other.duration_ms)
    steps = ({step.key: step for step in view.steps} for view in (one, other))
    before, after = steps
    for key in dict.fromkeys((*before, *after)):
        found += _step(key, before.get(key), after.get(key))
    return found + list(_gates(one, other))


def difference_lines(one: RunView, other: RunView, found: list[Difference]) -> list[str]:
    """Return the differences as people read them."""
    lines = [f"{one.run}  {one.status.value}", f"{other.run}  {other.status.value}"]
    if not found:
        return [*lines, "", "nothing differs: same specs, inputs, surroundings, results"]
    kind = ""
    for each in found:
        if each.kind != kind:
            kind = each.kind
            lines += ["", kind]
        if "\n" in each.other:
            lines += [f"  {printable(each.name)}", *(f"    {printable(line)}" for line in each.other.split("\n"))]
        else:
            lines.append(f"  {printable(each.name)}  {printable(each.one) or '-'}  ->  {printable(each.other) or '-'}")
    return lines


def _specs(first: "RunStarted", second: "RunStarted") -> Iterator[Difference]:
    before, after = (
        {_READ.text(phase.get("path")): _READ.text(phase.get("text")) for phase in _READ.records(one.get("phases"))}
        for one in (first, second)
    )
    for path in dict.fromkeys((*before, *after)):
        yield from _text("spec", path, before.get(path, ""), after.get(path, ""))
    gates = (_READ.text(one.get("gates_text")) for one in (first, second))
    yield from _text("spec", "config/compliance-gates.yaml", *gates)


def _text(kind: str, name: str, one: str, other: str) -> Iterator[Difference]:
    if one != other:
        lines = list(unified_diff(one.splitlines(), other.splitlines(), lineterm="", n=1))[2:]
        more = [f"and {len(lines) - _SPEC_LINES} more lines"] if len(lines) > _SPEC_LINES else []
        yield Difference(kind=kind, name=name, one=one, other="\n".join(["", *lines[:_SPEC_LINES], *more]))


def _inputs(first: "RunStarted", second: "RunStarted") -> Iterator[Difference]:
    before, after = _READ.mapping(first.get("inputs")), _READ.mapping(second.get("inputs"))
    for phase in dict.fromkeys((*before, *after)):
        yield from _values("inputs", phase, _READ.mapping(before.get(phase)), _READ.mapping(after.get(phase)))


def _values(kind: str, prefix: str, one: Mapping[str, object], other: Mapping[str, object]) -> Iterator[Difference]:
    for name in dict.fromkeys((*one, *other)):
        yield from _of(kind, f"{prefix} {name}".strip(), _shown(one.get(name)), _shown(other.get(name)))


def _surroundings(one: RunView, other: RunView) -> Iterator[Difference]:
    for name in ("level", "tree", "head", "branch", "version", "host", "root", "trust", "path"):
        before, after = str(getattr(one.origin, name)), str(getattr(other.origin, name))
        yield from _of("surroundings", name, before, after)


def _step(key: str, one: StepView | None, other: StepView | None) -> Iterator[Difference]:
    if one is None or other is None:
        words = (step.status.value if step else "not there" for step in (one, other))
        yield from _of("steps", key, *words)
        return
    yield from _of("steps", key, one.outcome.value, other.outcome.value)
    yield from _of("steps", f"{key} command", one.command, other.command)
    yield from _of("steps", f"{key} attempts", str(len(one.attempts)), str(len(other.attempts)))
    yield from _of("steps", f"{key} changed files", str(one.changed), str(other.changed))
    yield from _of("steps", f"{key} cached", _shown(one.cached), _shown(other.cached))
    yield from _values("outputs", key, one.outputs, other.outputs)
    made, theirs = ({name: artifact.sha256[:12] for name, artifact in step.artifacts.items()} for step in (one, other))
    yield from _values("artifacts", key, made, theirs)
    yield from _times("times", key, one.duration_ms, other.duration_ms)


def _gates(one: RunView, other: RunView) -> Iterator[Difference]:
    before, after = ({gate.key: gate.result for gate in view.gates} for view in (one, other))
    for key in dict.fromkeys((*before, *after)):
        first, second = before.get(key), after.get(key)
        for name in ("status", "summary", "observed", "threshold", "tool", "tool_version"):
            mine, theirs = (
                _shown(getattr(result, name, None)) if result else "not there" for result in (first, second)
            )
            yield from _of("gates", f"{key} {name}", mine, theirs)


def _times(kind: str, name: str, one_ms: int, other_ms: int) -> Iterator[Difference]:
    low, high = sorted((one_ms, other_ms))
    if high - low >= _NOTICED_MS and high >= _SLOWER * max(low, 1):
        yield Difference(kind=kind, name=f"{name} took".strip(), one=duration(one_ms), other=duration(other_ms))


def _of(kind: str, name: str, one: str, other: str) -> Iterator[Difference]:
    if one != other:
        yield Difference(kind=kind, name=name, one=one, other=other)


def _shown(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
