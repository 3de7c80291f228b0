"""A person edits files while the orchestrator is killed and the run is taken up again."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import processes
import sample
from cases import Case, Facts, Fault
from changes import NOTES, PERSONAL
from oracle import unended
from sample import PHASE
from trial import KILLED, Ended, Trial

_EDITOR = Path(__file__).with_name("editor.py")
_SHARED = "src/alpha.txt"  # edited by the person and by steps
_FILES = (NOTES, _SHARED, PERSONAL)
_LEAST_S, _MOST_S = 0.005, 0.025
_SLOWEST_S = 0.08
_COULD_NOT_RUN = 3
_REF = re.compile(r"refs/cmr/[^\s,;:'\"()]*[^\s,;:'\"().]")
_VERSION = re.compile(rb"version \d+ of a person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The editing process, and the file in which it notes its versions."""

    process: subprocess.Popen[bytes]
    notes: Path

    def versions(self, path: str) -> list[bytes]:
        """Return the lines that it has added to a file, as far as it knows that they are there."""
        noted = [line.split(" ", 1) for line in self.notes.read_text(encoding="utf-8").splitlines() if " " in line]
        return [f"version {number} of a person".encode() for number, file in noted if file.endswith(f"/{path}")]

    def pause(self) -> None:
        """Have it stand still; afterwards nothing is half written."""
        self.process.send_signal(signal.SIGSTOP)
        processes.wait_for(lambda: processes.state_of(self.process.pid) in ("T", "Z", ""), limit_s=2)

    def go_on(self) -> None:
        """Let it work again."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def edits(facts: Facts) -> Iterator[Case]:
    """Edit all the while, also while files are put back; or pause from the kill until the step runs again."""
    for pause in (True, False):
        for name, number in (("edit", 1), ("rewrite", 2), ("move", 0), ("edit", 0), ("rewrite", 0)):
            act = partial(_edit, key=f"{PHASE}/{name}", number=number, pause=pause)
            how = "pausing after the kill" if pause else "all the while"
            yield Case(title=f"kill after change {number + 1} of {name}, editing {how}", act=act)


def _edit(trial: Trial, *, key: str, number: int, pause: bool) -> None:
    trial.edited = set(_FILES)
    with _person(trial, key=key, most_s=_MOST_S if pause else _SLOWEST_S) as person:
        running = trial.start(*trial.first)
        trial.wait_for_line(running, "do", key, detail=number)
        processes.wait_for(lambda: bool(person.versions(NOTES)) or running.has_ended(), limit_s=5)
        running.process.kill()
        trial.ended(running, (KILLED, 0), "the run")
        person.pause()
        trial.missed = key not in unended(trial.lines())
        present = {path: (trial.project / path).read_bytes() for path in _FILES}
        seen = _kept_versions(trial)
        if not trial.missed:
            _resume(trial, person, key=key, pause=pause, present=present)
        person.end()
        trial.finish()
        _check_kept(trial, person, seen=seen)


@contextmanager
def _person(trial: Trial, *, key: str, most_s: float) -> Iterator[Person]:
    notes, scratch = trial.folder / "edits.txt", trial.folder / "scratch"
    files = [trial.project / path for path in _FILES]
    writer = sample.writer_of(key)
    assert writer is not None
    arguments = (trial.oracle, key, len(writer.changes) - 2, notes, scratch, _LEAST_S, most_s, trial.seed, *files)
    command = (sys.executable, "-I", "-S", str(_EDITOR), *map(str, arguments))
    person = Person(process=subprocess.Popen(command, stdin=subprocess.DEVNULL), notes=notes)
    try:
        processes.wait_for(notes.exists, limit_s=10)
        yield person
    finally:
        person.end()


def _resume(trial: Trial, person: Person, *, key: str, pause: bool, present: Mapping[str, bytes]) -> None:
    begun = len([line for line in trial.lines() if line.what == "start"])
    if not pause:
        person.go_on()
    running = trial.start("resume", "last")
    if pause:
        processes.wait_for(
            lambda: running.has_ended() or len([one for one in trial.lines() if one.what == "start"]) > begun,
            limit_s=30,
        )
        person.go_on()
    # Who edits without a pause can be faster than files are put back; then the program says so and gives up for now.
    ended = trial.ended(running, (0, _COULD_NOT_RUN) if not pause else (0,), "resume while a person edits")
    if pause:
        _check_replaced(trial, ended, key=key, present=present)


def _check_replaced(trial: Trial, ended: Ended, *, key: str, present: Mapping[str, bytes]) -> None:
    """What stood in the files at the kill is in a commit, and the output names the one with what was replaced."""
    for path in (NOTES, _SHARED):
        if present[path] not in (*_contents(trial, path).values(), (trial.project / path).read_bytes()):
            trial.note("lost-edit", f"what {path} held at the kill is in no commit: {_last_version(present[path])}")
    named = set(_REF.findall(ended.text))
    holding = {ref for ref, content in _contents(trial, NOTES).items() if content == present[NOTES]}
    if not named:
        trial.note("lost-edit", f"resume names no ref with what {key} and a person had changed: {ended.last_lines}")
    elif not named & holding:
        said = ", ".join(sorted(named))
        trial.note("lost-edit", f"what {NOTES} held at the kill is not in {said}, which resume names")


def _check_kept(trial: Trial, person: Person, *, seen: set[bytes]) -> None:
    """Nothing that was once kept is gone; what no step may touch has every version; and the repository is whole."""
    here = {version for path in _FILES for version in _VERSION.findall((trial.project / path).read_bytes())}
    for version in sorted(seen - here - _kept_versions(trial)):
        trial.note("lost-edit", f"{version.decode()} was in a commit under refs/cmr and is gone")
    personal = set(_VERSION.findall((trial.project / PERSONAL).read_bytes()))
    for version in person.versions(PERSONAL):
        if version not in personal:
            trial.note("lost-edit", f"{version.decode()} is gone from {PERSONAL}, which no step may change")
    checked = _git(trial, "fsck", "--connectivity-only", "--no-dangling", "--no-progress")
    if checked.returncode:
        trial.note("lost-edit", f"the repository is damaged: {checked.stdout.decode(errors='replace')[:200]}")


def _last_version(content: bytes) -> str:
    return (_VERSION.findall(content) or [b"no version"])[-1].decode()


def _kept_versions(trial: Trial) -> set[bytes]:
    contents = [content for path in _FILES for content in _contents(trial, path).values()]
    return {version for content in contents for version in _VERSION.findall(content)}


def _contents(trial: Trial, path: str) -> dict[str, bytes]:
    """Return what a file holds in each commit under refs/cmr, by the name of the ref."""
    listed = _git(trial, "for-each-ref", "--format=%(refname)", "refs/cmr/").stdout.decode().split()
    found = {ref: _git(trial, "cat-file", "blob", f"{ref}:{path}") for ref in listed}
    return {ref: done.stdout for ref, done in found.items() if done.returncode == 0}


def _git(trial: Trial, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(("git", *arguments), cwd=trial.project, capture_output=True, stdin=subprocess.DEVNULL)


FAULTS = (Fault(name="edits", summary="a person edits the files of a step", cases=edits),)
