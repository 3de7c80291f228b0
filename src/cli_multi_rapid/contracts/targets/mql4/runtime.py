"""Generated MQL4, compiled by a C++ compiler against a shim of what MQL4 has built in, and executed."""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files as resources
from pathlib import Path
from tempfile import TemporaryDirectory

from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.targets.exchange import exchanged
from cli_multi_rapid.contracts.targets.mql4.adapting import adapted
from cli_multi_rapid.contracts.targets.mql4.allowed import check_sources
from cli_multi_rapid.contracts.targets.mql4.names import type_name
from cli_multi_rapid.contracts.targets.mql4.tokens import NotMql4
from cli_multi_rapid.errors import CouldNotRun
from cli_multi_rapid.system.batch import run_batch
from cli_multi_rapid.system.environment import find_program

NOT_RUN = (("MetaEditor", "it runs on Windows only; a C++ compiler on this machine compiled the sources instead"),)
LIMITS = (("U+0000", "a text of MQL4 ends at U+0000, so a document that has it in a text is refused"),)
"""What documents may have by their contract, and this language cannot hold."""

COMPILERS = ("g++", "clang++", "c++")
OPTIONS = ("-std=c++17", "-O0", "-w", "-fno-exceptions", "-fno-rtti", "-fno-operator-names", "-fwrapv")
_SHIM, _DRIVER, _MAIN = "shim.hpp", "driver.hpp", "main.cpp"
_ASK_TIMEOUT_S = 30.0
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")


def unavailable(environment: Mapping[str, str]) -> str:
    """Return why MQL4 cannot be executed here; empty where it can."""
    return "" if compiler(environment) else f"no C++ compiler ({', '.join(COMPILERS)}) is on PATH"


def compiler(environment: Mapping[str, str]) -> str:
    """Return the compiler that is used; nothing where there is none."""
    found = (find_program(name, environment.get("PATH", "")) for name in COMPILERS)
    return next((one for one in found if one is not None), "")


def executed(environment: Mapping[str, str]) -> str:
    """Return what executes it, in words."""
    return f"host-compiled MQL4 subset, {_shown(compiler(environment))}"


def answers(
    contract: Contract, files: Mapping[str, str], documents: Sequence[str], *,
    folder: Path, environment: Mapping[str, str], timeout: float, cache: Path | None = None,
) -> list[Answer]:  # fmt: skip
    """Return what the generated struct of a contract makes of each document.

    Args:
        contract: whose include file among `files` is compiled.
        files: generated and support files by name.
        documents: JSON texts, or what is to be refused as none.
        folder: an empty folder to work in.
        environment: with the PATH that the compiler is looked for on.
        timeout: seconds for the compiler, and again for all documents.
        cache: a folder that keeps compiled programs; what is in it was put there by this function.

    Raises:
        RuntimeFailed: the files are not MQL4, do not compile, or did not answer every document.
    """
    program = built(contract, files, folder=folder, environment=environment, timeout=timeout, cache=cache)
    return exchanged(
        [str(program.absolute())], documents, folder=folder, environ=_environ(environment), timeout_s=timeout
    )


def built(
    contract: Contract, files: Mapping[str, str], *,
    folder: Path, environment: Mapping[str, str], timeout: float, cache: Path | None = None,
) -> Path:  # fmt: skip
    """Return the program that answers documents of a contract, compiled, or taken from the cache.

    Raises:
        RuntimeFailed: as `answers`.
    """
    program = compiler(environment)
    if not program:
        raise RuntimeFailed(unavailable(environment))
    sources = _sources(contract, files)
    for name, text in sources.items():
        (folder / name).write_text(text, "utf-8")
    if cache is None:
        return _compiled(program, folder, folder, environment=environment, timeout_s=timeout)
    known = _digest(program, _version(*_state(program)), *OPTIONS, *sources, *sources.values())
    kept = cache / f"mql4-{known}"
    if kept.is_file() and os.access(kept, os.X_OK):
        return kept
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix="making-") as own:  # whoever looks for it finds all of it, or nothing
            made = _compiled(program, folder, Path(own), environment=environment, timeout_s=timeout)
            return made.replace(kept)
    except OSError as failed:
        raise RuntimeFailed(f"what was compiled cannot be kept in {cache}: {failed.strerror}") from failed


def _compiled(
    program: str, folder: Path, target: Path, *, environment: Mapping[str, str], timeout_s: float
) -> Path:  # fmt: skip
    """Return the program that a compiler makes of the sources in a folder.

    Raises:
        RuntimeFailed: it does not compile, or not in time.
    """
    nothing, made = folder / "nothing", target / "program"
    nothing.write_bytes(b"")
    argv = [program, *OPTIONS, "-o", str(made.absolute()), _MAIN]
    environ = _environ(environment)
    try:
        ended = run_batch(
            argv, folder=folder, environ=environ, given=nothing, made=folder / "said", timeout_s=timeout_s
        )
    except CouldNotRun as failed:
        raise RuntimeFailed(str(failed)) from failed
    if ended.code is None:
        raise RuntimeFailed(f"{program} did not end within {timeout_s:g} s")
    if ended.code != 0:
        raise RuntimeFailed(f"it does not compile: {ended.complaint}")
    return made


def _sources(contract: Contract, files: Mapping[str, str]) -> dict[str, str]:
    """Return all that is compiled, by name: first the files are checked to be MQL4."""
    try:
        check_sources(*files.values())
        made = {name: adapted(text) for name, text in files.items()}
    except NotMql4 as wrong:
        raise RuntimeFailed(f"this is not MQL4: {wrong}") from wrong
    name = type_name(contract)
    main = f'#include "{_SHIM}"\n#include "{name}.mqh"\ntypedef {name} cmr_type;\n#include "{_DRIVER}"\n'
    own = {one: resources(__package__).joinpath(one).read_text("utf-8") for one in (_SHIM, _DRIVER)}
    return {**made, **own, _MAIN: main}


def _digest(*parts: str) -> str:
    made = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8")
        made.update(b"%d\n%b" % (len(data), data))
    return made.hexdigest()


def _environ(environment: Mapping[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in environment.items() if name in _KEPT}, "LC_ALL": "C"}


def _state(program: str) -> tuple[str, int, int]:
    state = Path(program).stat()
    return program, state.st_size, state.st_mtime_ns


def _shown(program: str) -> str:
    """Return a compiler with its version, such as `g++ 12.2.0`."""
    numbers = _NUMBERS.findall(_version(*_state(program)))
    return " ".join([Path(program).name, *numbers[-1:]])


@lru_cache(maxsize=16)
def _version(program: str, _size: int, _time: int) -> str:
    """Return what a compiler says of its version, asked once while its file stays the same."""
    try:
        ended = subprocess.run(
            (program, "--version"), stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=_ASK_TIMEOUT_S, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.partition("\n")[0].strip()
