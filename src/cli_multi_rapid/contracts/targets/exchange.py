"""Documents sent to a program in a target language, and its answers.

A request is the number of its bytes in decimal, a newline, and so many bytes of UTF-8. The answer to it is one line:
`OK`, a space and JSON, or `ERR`, a space, the place, a tab and the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.system.batch import run_batch

REQUESTS = "requests"
_OUTPUT = "output"


def exchanged(
    argv: Sequence[str], documents: Sequence[str], *,
    folder: Path, environ: Mapping[str, str], timeout_s: float, answers: str = _OUTPUT,
) -> list[Answer]:  # fmt: skip
    """Return the answers of a program to documents. It works in `folder`, where its files already are.

    Requests stand in the file REQUESTS, which is also its standard input. It answers in the file `answers`: on its
    standard output if no other is named.

    Raises:
        RuntimeFailed: it did not start, did not end in time, or did not answer every document.
    """
    given, made = folder / REQUESTS, folder / _OUTPUT
    given.write_bytes(b"".join(_request(one) for one in documents))
    try:
        ended = run_batch(argv, folder=folder, environ=environ, given=given, made=made, timeout_s=timeout_s)
    except CouldNotRun as failed:
        raise RuntimeFailed(str(failed)) from failed
    if ended.code is None:
        raise RuntimeFailed(f"it did not end within {timeout_s:g} s")
    if ended.code != 0:
        raise RuntimeFailed(f"it ended with {ended.code}: {ended.complaint}")
    try:
        found = list(_answers((folder / answers).read_bytes()))
    except OSError as absent:
        raise RuntimeFailed(f"it wrote no answers: {absent.strerror}") from absent
    if len(found) != len(documents):
        raise RuntimeFailed(f"it answered {len(found)} of {len(documents)} documents")
    return found


def _request(document: str) -> bytes:
    data = document.encode("utf-8", errors="surrogatepass")  # half of a pair is for the program to refuse
    return b"%d\n%b" % (len(data), data)


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
