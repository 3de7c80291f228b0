"""Documents sent to a program in a target language, and its answers."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed

_SHOWN = 2000


def exchanged(
    argv: Sequence[str], documents: Sequence[str], *, folder: Path, environ: Mapping[str, str], timeout_s: float
) -> list[Answer]:
    """Return the answers of a program to documents.

    Raises:
        RuntimeFailed: it did not start, did not end in time, or did not answer every document.
    """
    data = b"".join(b"%d\n%b" % (len(one), one) for one in (text.encode("utf-8") for text in documents))
    code, complaint = run(argv, folder=folder, environ=environ, timeout_s=timeout_s, given=data)
    if code is None:
        raise RuntimeFailed(f"it did not end within {timeout_s:g} s")
    if code != 0:
        raise RuntimeFailed(f"it ended with {code}: {complaint}")
    found = list(_answers((folder / "answers").read_bytes()))
    if len(found) != len(documents):
        raise RuntimeFailed(f"it answered {len(found)} of {len(documents)} documents")
    return found


def run(
    argv: Sequence[str], *, folder: Path, environ: Mapping[str, str], timeout_s: float, given: bytes = b""
) -> tuple[int | None, str]:
    """Run a program in a folder; return its exit code (None: not in time) and what it complained of.

    Raises:
        RuntimeFailed: it could not be started.
    """
    (folder / "requests").write_bytes(given)
    given_file, made, complained = (folder / name for name in ("requests", "answers", "complaints"))
    with given_file.open("rb") as source, made.open("wb") as target, complained.open("w+b") as complaints:
        try:
            process = subprocess.Popen(
                list(argv), cwd=folder, env=dict(environ), stdin=source, stdout=target, stderr=complaints,
                start_new_session=True,
            )  # fmt: skip
        except OSError as failed:
            raise RuntimeFailed(f"{argv[0]} could not be started: {failed.strerror}") from failed
        try:
            code: int | None = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        complaints.seek(0)
        return code, " ".join(complaints.read(_SHOWN).decode("utf-8", errors="replace").split())


def _answers(data: bytes) -> Iterator[Answer]:
    *lines, rest = data.split(b"\n")
    if rest:
        raise RuntimeFailed("its last answer has no end")
    for line in lines:
        word, _, said = line.decode("utf-8", errors="replace").partition(" ")
        where, tab, reason = said.partition("\t")
        if word == "OK":
            yield Answer(text=said)
        elif word == "ERR" and tab and reason:
            yield Answer(error=reason, where=where)
        else:
            raise RuntimeFailed(f"this is no answer: {line[:80]!r}")
