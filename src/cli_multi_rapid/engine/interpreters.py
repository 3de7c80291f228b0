"""Which arguments of a command are code: the program text or the script of an interpreter."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """How a program takes code.

    `code` matches options whose next argument is code, `valued` those whose next argument is a value. With `rest`,
    everything after code is code as well. `repeats` tells that code may be given more than once.
    """

    code: re.Pattern[str]
    valued: re.Pattern[str]
    rest: bool = False
    repeats: bool = False


_NEVER = re.compile(r"(?!)")
# With and without -c, the first argument of a shell that is no option is code: program text or script.
_SHELL = Interpreter(code=_NEVER, valued=re.compile(r"[-+][a-zA-Z]*[oO]|--(rc|init-)file"))
_PYTHON = Interpreter(code=re.compile(r"-[a-zA-Z]*c"), valued=re.compile(r"-[a-zA-Z]*[WX]|--check-hash-based-pycs"))
_PERL = Interpreter(code=re.compile(r"-[a-zA-Z0-9]*[eE]"), valued=re.compile(r"-[ICr]"), repeats=True)
_NODE = Interpreter(
    code=re.compile(r"-p?[ep]|--eval|--print|eval"),
    valued=re.compile(r"-[rC]|--(require|import|loader|conditions|env-file|title)"),
    repeats=True,
)
_PHP = Interpreter(code=re.compile(r"-[rBRE]"), valued=re.compile(r"-[cdz]"), repeats=True)
_POWERSHELL = Interpreter(
    code=re.compile(r"[-/](c|command|e|ec|enc[a-z]*|cwa|commandwithargs)", re.IGNORECASE),
    valued=re.compile(
        r"[-/](ex[a-z]*|ep|o[a-z]*|i[a-z]*|v[a-z]*|w[a-z]*|config[a-z]*|settings[a-z]*|custom[a-z]*)", re.IGNORECASE
    ),
    rest=True,
)
_CMD = Interpreter(code=re.compile(r"/[a-zA-Z].*"), valued=_NEVER, rest=True)
_AWK = Interpreter(
    code=re.compile(r"-e|--source"), valued=re.compile(r"-[Fv]|--(assign|field-separator)"), repeats=True
)
_UNKNOWN = Interpreter(code=re.compile(r"-[a-zA-Z]*[ce]|--eval|-p|-Command|-EncodedCommand"), valued=_NEVER)

_BY_NAME: Mapping[str, Interpreter] = {
    **dict.fromkeys(("sh", "bash", "zsh", "dash", "ksh", "ash", "fish"), _SHELL),
    **dict.fromkeys(("perl", "ruby", "lua", "osascript"), _PERL),
    **dict.fromkeys(("node", "nodejs", "bun", "deno"), _NODE),
    **dict.fromkeys(("pwsh", "powershell"), _POWERSHELL),
    **dict.fromkeys(("awk", "gawk", "mawk"), _AWK),
    "php": _PHP,
    "cmd": _CMD,
}
_PYTHON_NAME = re.compile(r"(python|pypy)w?[0-9.]*|py")
# fmt: off
_PREFIXES = frozenset((
    "env", "sudo", "doas", "su", "xargs", "find", "parallel", "nice", "ionice", "timeout", "nohup", "time", "watch",
    "stdbuf",
    "setsid", "chroot", "unshare", "flock", "strace", "busybox", "docker", "podman",
    "uv", "uvx", "poetry", "pipenv", "pdm", "hatch", "tox", "npx",
))
# fmt: on


def code_arguments(argv: Sequence[str]) -> Iterator[int]:
    """Yield the numbers (from 0) of the arguments that an interpreter takes as code or as the script to run.

    Programs that start another one (`env`, `sudo`, `xargs`, `timeout` ...) are looked through. Of a program whose name
    is itself an expression, arguments after the usual options for code count.
    """
    for start, name in enumerate(argv):
        found = _interpreter(name)
        if found is not None:
            yield from _code_of(found, argv, start + 1, scripts=found is not _UNKNOWN)
        if found is not _UNKNOWN and (found is not None or (start == 0 and _base(name) not in _PREFIXES)):
            return


def _interpreter(name: str) -> Interpreter | None:
    if "${{" in name:
        return _UNKNOWN
    base = _base(name)
    return _PYTHON if _PYTHON_NAME.fullmatch(base) else _BY_NAME.get(base)


def _base(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name.lower().removesuffix(".exe")


def _code_of(interpreter: Interpreter, argv: Sequence[str], start: int, *, scripts: bool) -> Iterator[int]:
    """Walk through the options of an interpreter up to its script. An option that is an expression could be any."""
    had_code = False
    number = start
    while number < len(argv):
        item = argv[number]
        if interpreter.code.fullmatch(item):
            yield from range(number + 1, len(argv) if interpreter.rest else min(number + 2, len(argv)))
            if interpreter.rest or not interpreter.repeats:
                return
            had_code = True
            number += 2
        elif interpreter.valued.fullmatch(item):
            yield from range(number + 1, min(number + 2, len(argv)))
            number += 2
        elif item.startswith(("-", "+")) and item != "--":
            yield number
            number += 1
        else:
            if scripts and not had_code:
                yield number + (item == "--")
            return
