"""What must hold at the end of every case."""

from collections.abc import Iterator
from pathlib import Path

import processes
from changes import differences, final_tree, read_tree
from leaks import leaks
from oracle import overlaps, starts
from record import Record
from sample import FAILING, FINAL_KEY, OWN, STEPS, WITH_OUTPUT
from trial import Trial

_GRACE_S = 2.0


def judge(trial: Trial) -> None:
    """Compare what is there with what must be, and note every difference."""
    record = trial.record()
    for kind, sentence in _found(trial, record):
        trial.note(kind, sentence)


def _found(trial: Trial, record: Record) -> Iterator[tuple[str, str]]:
    yield from _reruns(trial)
    yield from (("overlap", sentence) for sentence in overlaps(trial.lines()))
    yield from _survivors(trial)
    yield from (("leak", sentence) for sentence in _leaks(trial))
    yield from _half_done(trial)
    if not trial.out_of_space():
        yield from (("unfinished", sentence) for sentence in _unfinished(record))
        yield from (("half-done", sentence) for sentence in _wrong_files(trial))


def _reruns(trial: Trial) -> Iterator[tuple[str, str]]:
    """A step recorded as ended never begins again; one that was interrupted begins once more for each interruption."""
    final = starts(trial.lines())
    again = {one for snapshot in trial.snapshots for one in snapshot.ended if final[one] > snapshot.starts[one]}
    for _, key in sorted(again):
        yield "rerun", f"{key} was recorded as ended and ran again"
    stops = len(trial.record().of("run.interrupted"))  # a final step also runs when the run is stopped in order
    for (_, key), count in final.items():
        if count > max(len(trial.snapshots), 1) + (stops if key == FINAL_KEY else 0):
            yield "rerun", f"{key} began {count} times, although the program ran {len(trial.snapshots)} times"


def _half_done(trial: Trial) -> Iterator[tuple[str, str]]:
    for line in trial.lines():
        found = sorted(set(line.detail) - trial.edited) if line.what == "dirty" else ()
        if found:
            yield "half-done", f"attempt {line.attempt} of {line.key} began on half-done {', '.join(found)}"


def _survivors(trial: Trial) -> Iterator[tuple[str, str]]:
    """After the program has ended no process of a step is alive, and a moment later none of its own."""
    for one in processes.alive(trial.token):
        if one.tag:
            yield "survivor", f"process {one.pid} of {one.tag.partition(':')[2]} is alive after the end of the run"
    processes.wait_for(lambda: not processes.alive(trial.token), limit_s=_GRACE_S)
    for one in processes.alive(trial.token):
        if not one.tag:
            yield "survivor", f"process {one.pid} is alive after the end of the program: {one.command}"


def _leaks(trial: Trial) -> Iterator[str]:
    state = trial.seen_state or trial.folder / "state"
    yield from leaks(trial.secret, (state, trial.folder / "outputs", trial.folder / "tmp", trial.project / ".cmr"))
    for event in trial.record().events:
        if trial.secret in str(event.payload):
            yield f"the secret stands in the record of {event.kind} {event.step}"


def _unfinished(record: Record) -> Iterator[str]:
    """The run has ended, every step once, each as it must."""
    if len(record.runs) != 1:
        yield f"there are {len(record.runs)} runs instead of one"
        return
    if record.finished is None:
        yield "the run has not ended"
        return
    if (record.finished["status"], record.finished["exit_code"]) != ("success", 0):
        yield f"the run ended as {record.finished['status']} with exit code {record.finished['exit_code']}"
    ends = {event.step: event.payload for event in record.of("step.finished")}
    for key in STEPS:
        wanted = "failure" if key == FAILING else "success"
        found = ends.get(key, {}).get("outcome", "not recorded")
        if found != wanted:
            reason = ends.get(key, {}).get("reason", "")
            yield f"the end of {key} is {found} instead of {wanted}: {reason}"
    if ends.get(WITH_OUTPUT, {}).get("outputs") != {"text": "collected"}:
        yield f"the outputs of {WITH_OUTPUT} are {ends.get(WITH_OUTPUT, {}).get('outputs')}"
    twice = {key for (_, key), count in record.ended_steps().items() if count > 1}
    yield from (f"the end of {key} is recorded more than once" for key in sorted(twice))


def _wrong_files(trial: Trial) -> Iterator[str]:
    wanted = {path: entry for path, entry in final_tree().items() if path not in trial.edited}
    found = read_tree(trial.project, without=OWN)
    found = {path: entry for path, entry in found.items() if path not in trial.edited and not _is_own(path)}
    yield from (f"in the end {one}" for one in differences(wanted, found))


def _is_own(path: str) -> bool:
    return Path(path).parts[0] in OWN
