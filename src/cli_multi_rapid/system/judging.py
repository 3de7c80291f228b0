"""Python files of a project that judge it, each in a process of its own: how they are asked, and what counts.

Only the answer that such a process leaves counts: neither what it prints nor its exit code can make anything pass.
"""

import json
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.model.phase import duration_s
from cli_multi_rapid.model.process import Command, Exit

_ANSWER = "answer.json"
_LIMIT_BYTES = 64 << 20
_LOG_BYTES = 1 << 20


class NoVerdict(Exception):
    """There is no answer that can be believed; `fix` says what to do."""

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A file that judges: its path in the project, its source, and the module of this program that runs it.

    It works in `root` with the environment `env`; `work` is a folder for what is written on the way.
    """

    module: str
    path: str
    source: bytes
    root: str
    env: Mapping[str, str]
    work: str
    timeout: str
    execute: Callable[[Command], Exit]


def answer_of(judge: Judge, asked: Mapping[str, object]) -> Mapping[str, object]:
    """Run the file and return its answer to what is asked.

    Raises:
        NoVerdict: it crashed, took too long, or left no answer.
    """
    word = secrets.token_hex(16)
    request = {**asked, "word": word, "answer": _ANSWER, "path": judge.path, "source": _text(judge), "root": judge.root}
    folder = Path(tempfile.mkdtemp(prefix="validator-", dir=judge.work))
    file = folder / "request.json"
    file.write_text(json.dumps(request), "utf-8")
    command = Command(
        argv=(sys.executable, "-I", "-B", "-m", judge.module, str(file)),
        cwd=judge.root,
        env=judge.env,
        log=str(folder / "log.txt"),
        tag="validator",
        timeout_s=duration_s(judge.timeout),
        cap_bytes=_LOG_BYTES,
    )
    _refuse_unended(judge, judge.execute(command))
    return _read_answer(folder / _ANSWER, judge.path, word=word)


def _text(judge: Judge) -> str:
    try:
        return judge.source.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise NoVerdict(f"{judge.path} is no text in UTF-8", fix="save it as UTF-8") from problem


def _refuse_unended(judge: Judge, ended: Exit) -> None:
    """Refuse what did not come to an end by itself; an exit code other than 0 comes with an answer that says why."""
    path = judge.path
    if ended.error:
        raise NoVerdict(f"{path} could not be started: {ended.error}", fix="check how Python is installed")
    if ended.timed_out:
        raise NoVerdict(f"{path} did not end within {judge.timeout}", fix="give it more `timeout`, or less to do")
    if ended.code is None:
        raise NoVerdict(f"{path} was killed by signal {ended.signal}", fix="find out why it crashed")


def _read_answer(file: Path, path: str, *, word: str) -> Mapping[str, object]:
    try:
        data = _regular(file)
    except (OSError, ValueError) as problem:
        fix = "let check(ctx) return what it found; do not leave the process"
        raise NoVerdict(f"{path} ended without an answer", fix=fix) from problem
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise NoVerdict(f"the answer of {path} is not JSON", fix="let check(ctx) return what it found") from problem
    if not isinstance(answer, dict) or answer.get("word") != word:
        fix = "let check(ctx) return what it found"
        raise NoVerdict(f"the answer of {path} is not the one that was asked for", fix=fix)
    if "failed" in answer:
        raise NoVerdict(str(answer["failed"]), fix=f"correct {path}")
    return answer


def _regular(file: Path) -> bytes:
    """Return the content of a regular file, never that of what a link leads to.

    Raises:
        OSError: it is missing, or cannot be read.
        ValueError: it is no regular file, or too large.
    """
    if not stat.S_ISREG(file.lstat().st_mode):
        raise ValueError(f"{file} is not a regular file")
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as opened:
        data = opened.read(_LIMIT_BYTES + 1)
    if len(data) > _LIMIT_BYTES:
        raise ValueError(f"{file} is too large")
    return data
