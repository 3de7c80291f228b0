"""Running git on a folder that is not trusted: which git, with which settings, in which environment.

A repository's own configuration can name programs: hooks, a file system monitor, content filters, transports, pagers.
None of them is ever started here: reading a hostile clone executes nothing of it.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO

from cli_multi_rapid.errors import GitFailed, GitTimeout
from cli_multi_rapid.system.environment import find_program

_TIMEOUT_S = 120.0  # a FIFO where git expects a file would block it for ever
_QUIET = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.untrackedCache=false",
    "core.ignoreStat=false",
    "core.checkStat=default",
    "core.trustctime=true",
    "safe.bareRepository=explicit",
)
_REMOVED = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ATTR_SOURCE", "GIT_CEILING_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXTERNAL_DIFF", "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_GLOB_PATHSPECS", "GIT_NAMESPACE", "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
})  # fmt: skip
_FIXED = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What git answered: its exit code, standard output, and its complaint in one printable line."""

    code: int
    out: bytes
    complaint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Git at work in one folder. `settings` are set beside the fixed ones; their names may hold any character.

    `environ` is the user's; what would lead git elsewhere is taken out of it, and `variables` are put in.
    """

    program: str
    folder: str
    environ: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = _TIMEOUT_S

    def ask(self, *arguments: str, given: bytes = b"") -> Answer:
        """Run git and return its answer, whatever it is.

        Raises:
            GitFailed: it could not be started or did not end.
        """
        try:
            ended = subprocess.run(
                self._argv(arguments), cwd=self.folder, env=self._environ(), input=given, capture_output=True,
                check=False, timeout=self.timeout_s,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise GitTimeout(
                f"git {arguments[0]} did not end within {self.timeout_s:.0f} s", where=self.folder,
                hint="look for a named pipe in the project:  find . -type p",
            ) from late  # fmt: skip
        except OSError as failed:
            raise GitFailed(f"git could not be started: {failed.strerror}", where=self.program) from failed
        return Answer(code=ended.returncode, out=ended.stdout, complaint=one_line(ended.stderr))

    def started(self, *arguments: str, stdin: int | IO[bytes], stderr: int | IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start git and return the process, whose standard output is a pipe. Whoever starts it ends it.

        Raises:
            GitFailed: it could not be started.
        """
        try:
            return subprocess.Popen(
                self._argv(arguments), cwd=self.folder, env=self._environ(), stdin=stdin, stdout=subprocess.PIPE,
                stderr=stderr,
            )  # fmt: skip
        except OSError as failed:
            raise GitFailed(f"git could not be started: {failed.strerror}", where=self.program) from failed

    def call(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run git and return its standard output.

        Raises:
            GitFailed: it failed; the message is its complaint.
        """
        answer = self.ask(*arguments, given=given)
        if answer.code != 0:
            raise GitFailed(f"git {arguments[0]} failed: {answer.complaint}", where=self.folder)
        return answer.out

    def names(self, *arguments: str, given: bytes = b"") -> list[str]:
        """Run git and return the NUL-separated items of its standard output."""
        return [os.fsdecode(item) for item in self.call(*arguments, given=given).split(b"\0") if item]

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [self.program, *(part for setting in _QUIET for part in ("-c", setting)), "--no-pager", *arguments]

    def _environ(self) -> dict[str, str]:
        environ = {name: value for name, value in self.environ.items() if name not in _REMOVED}
        environ.update(_FIXED)
        environ.update(self.variables)
        given = environ.get("GIT_CONFIG_COUNT") or "0"
        if not (given.isascii() and given.isdigit() and len(given) < 10):
            raise GitFailed(f"the environment variable GIT_CONFIG_COUNT is {given!r}: git wants a number there")
        count = int(given)
        for number, (name, value) in enumerate(self.settings.items(), start=count):
            environ[f"GIT_CONFIG_KEY_{number}"] = name
            environ[f"GIT_CONFIG_VALUE_{number}"] = value
        environ["GIT_CONFIG_COUNT"] = str(count + len(self.settings))
        return environ


@lru_cache(maxsize=16)
def find_git(path: str, avoid: Path) -> str | None:
    """Return the absolute path of git, or None. `path` is a PATH; what lies below the folder `avoid` does not count."""
    return find_program("git", path, avoid=avoid)


def packed(names: Sequence[str]) -> bytes:
    """Return names in the NUL-separated form that git reads."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def one_line(stderr: bytes) -> str:
    """Return what a program complained about in one printable line."""
    text = " ".join(stderr.decode("utf-8", errors="backslashreplace").split())
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown[:500] or "no reason given"
