"""Events in the envelope of CloudEvents: those of a run on their way out, and others' to be judged."""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from cli_multi_rapid.contracts.envelope import TYPE_PREFIX, is_json, violations, wrapped
from cli_multi_rapid.contracts.own import newest, own_contracts
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.contracts.validation import compiled, pointer_of
from cli_multi_rapid.documents.reports import json_text
from cli_multi_rapid.errors import EvidenceMissing, Problem, SpecInvalid
from cli_multi_rapid.model.contract import CheckStatus, EventResult, Violation
from cli_multi_rapid.services.contracts import valid_contracts
from cli_multi_rapid.services.history import find_events
from cli_multi_rapid.services.wiring import Project

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

    Known = Mapping[str, Draft202012Validator]
    """The validators of contracts by `$id`."""

LIMIT_BYTES = 64 << 20
"""How large a line may be, and a list of events as a whole."""

_LISTED = 20
_SHOWN = 160


def exported_run(project: Project, wanted: str) -> str:
    """Return the events of a run as CloudEvents, one a line; `wanted` as in `find_events`.

    Raises:
        RunUnknown: there is no such run.
        StateDamaged: its events are not those that were recorded.
    """
    events, found = find_events(project, wanted), own_contracts()
    ids = {kind: newest(found, kind).id for kind in {event.kind for event in events}}
    return "".join(f"{json_text(wrapped(event, ids[event.kind]), indent=None)}\n" for event in events)


def judged_events(project: Project, stream: BinaryIO, name: str) -> Iterator[EventResult]:
    """Judge events, lines of JSON or one JSON array: each by the rules of its envelope, and its data by its contract.

    Events of this program itself are judged by its own contracts, all others by those of the project.

    Raises:
        SpecInvalid: a contract is no schema, or the array cannot be read.
        EvidenceMissing: there is no event.
    """
    opened = valid_contracts(project)
    theirs = {one.id: opened.validators[one.path] for one in opened.found.contracts}
    found = own_contracts()
    ours = {one.id: compiled(found, one) for one in found.contracts}
    none = True
    for place, event in _read(stream, name):
        none = False
        if isinstance(event, Problem):
            reason = f"column {event.column}: {event.message}"
            yield EventResult(place=place, status=CheckStatus.ERROR, violations=(Violation(place="", reason=reason),))
            continue
        kind = event.get("type") if isinstance(event, dict) else ""
        own = isinstance(kind, str) and kind.startswith(TYPE_PREFIX)
        yield _judged(place, event, ours if own else theirs)
    if none:
        raise EvidenceMissing("there is no event", where=name, hint="give lines of JSON, or a JSON array")


def _read(stream: BinaryIO, name: str) -> Iterator[tuple[str, object]]:
    """Yield place and value of each event, a `Problem` where a line cannot be read."""
    lines = enumerate(iter(lambda: stream.readline(LIMIT_BYTES + 1), b""), start=1)
    begin = next(((number, line) for number, line in lines if line.strip()), None)
    if begin is None:
        return
    if begin[1].lstrip().startswith(b"["):
        rest = stream.read(LIMIT_BYTES + 1 - len(begin[1]))
        yield from _array(b"\n" * (begin[0] - 1) + begin[1] + rest, name)
        return
    for number, line in chain([begin], lines):
        if line.strip():
            yield f"{name}:{number}", _line(line, name)


def _array(data: bytes, name: str) -> Iterator[tuple[str, object]]:
    if len(data) > LIMIT_BYTES:
        raise SpecInvalid((_too_large(name),))
    listed = read_json(data, name)
    assert isinstance(listed, list)
    for index, event in enumerate(listed):
        yield f"{name}#/{index}", event


def _line(line: bytes, name: str) -> object:
    if len(line) > LIMIT_BYTES:
        return _too_large(name)
    try:
        return read_json(line, name)
    except SpecInvalid as invalid:
        return invalid.problems[0]


def _too_large(name: str) -> Problem:
    message, fix = f"this is larger than {LIMIT_BYTES >> 20} MiB", "give one event a line"
    return Problem(code="CONTRACT-JSON", message=message, path=name, line=1, column=1, fix=fix)


def _judged(place: str, event: object, known: "Known") -> EventResult:
    found = violations(event)
    if not isinstance(event, dict):
        return EventResult(place=place, status=CheckStatus.FAIL, violations=tuple(found))
    schema = event.get("dataschema")
    if schema is None:
        reason = "the attribute dataschema is missing, so there is no contract for data"
        found.append(Violation(place="", reason=reason))
    elif isinstance(schema, str) and schema not in known:
        found.append(Violation(place="/dataschema", reason=f"there is no contract {schema[:_SHOWN]!r}"))
    elif isinstance(schema, str):
        found += _of_data(event, known[schema])
    kind = event.get("type")
    return EventResult(
        place=place, status=CheckStatus.FAIL if found else CheckStatus.PASS, violations=tuple(found),
        type=kind if isinstance(kind, str) else "", schema=schema if isinstance(schema, str) else "",
    )  # fmt: skip


def _of_data(event: Mapping[str, object], validator: "Draft202012Validator") -> Iterator[Violation]:
    if "data" not in event or not is_json(event):
        place = "/data" if "data" in event else ""
        yield Violation(place=place, reason="there is no JSON in data that the contract could be compared with")
        return
    for wrong in islice(validator.iter_errors(event["data"]), _LISTED):
        yield Violation(place=f"/data{pointer_of(wrong.instance_path)}", reason=wrong.message[:_SHOWN])
