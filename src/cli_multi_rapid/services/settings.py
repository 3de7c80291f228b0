"""The settings in force, each with its origin: flags, then environment, project file, user file, defaults."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cli_multi_rapid.errors import Problem, ProjectMissing, SpecInvalid
from cli_multi_rapid.model.approval import is_key
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.phase import duration_s
from cli_multi_rapid.model.settings import KEEP_RUNS, LOG_CAP_BYTES, ConfigFile, ContractsConfig, Settings
from cli_multi_rapid.services.project import CONFIG
from cli_multi_rapid.services.wiring import SPEC_LIMIT_BYTES, outside
from cli_multi_rapid.system.checks import MAX_DURATION_S, check_duration, check_name
from cli_multi_rapid.system.document import Findings, Loaded, load_document
from cli_multi_rapid.system.faults import choice, label
from cli_multi_rapid.system.files import PathRefused, read_inside
from cli_multi_rapid.system.positions import Document, Trail
from cli_multi_rapid.system.signatures import is_public_key

MAX_PARALLEL = 64
LEAST_LOG_CAP_BYTES = 1024
DEFAULT = "default"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings(Settings):
    """The settings in force for a project, and the SHA-256 (hex) of its file as it was read."""

    digest: str


def load_settings(
    root: Path,
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, str | None] | None = None,
    user_file: Path | None = None,
    phases: frozenset[str] | None = None,
) -> ProjectSettings:
    """Return the settings in force for a project.

    Args:
        root: the project's folder.
        environ: `CMR_LEVEL`, `CMR_PARALLEL`, `CMR_LOG_CAP`, `CMR_KEEP_RUNS` and `CMR_TIMEOUT` are read; empty ones do
            not count.
        flags: values given on the command line by name: level, parallel, log_cap, keep_runs, timeout. None is not
            given.
        user_file: the user's own file, by default `config.yaml` in the system's place for this program.
        phases: where they are known, every phase that a job names must be one of them.

    Raises:
        ProjectMissing: the folder has no configuration.
        SpecInvalid: with every problem of both files, of the environment and of the flags.
    """
    data = _read(root)
    user = _user_file() if user_file is None else user_file
    files = [_opened(data, CONFIG, phases=phases)]
    if user.is_file():
        files.append(_opened(user.read_bytes(), str(user), own=True))
    layers = _Layers(files=tuple(files), environ=environ, flags=flags or {})
    settings = _settings(root, files[0], layers, digest=sha256(data).hexdigest())
    if problems := (*(problem for file in files for problem in file.findings.problems), *layers.problems):
        raise SpecInvalid(problems)
    return settings


def read_jobs(path: str) -> Mapping[str, tuple[str, ...]]:
    """Return the jobs of another configuration file.

    Raises:
        SpecInvalid: with every problem of the file.
    """
    file = _opened(Path(path).read_bytes(), path)
    file.findings.check()
    return file.config.jobs


def shown_settings(settings: Settings) -> dict[str, object]:
    """Return every setting by its key in the file, as plain data."""
    return {
        "project": settings.project,
        "level": settings.level.value,
        "engine.parallel": settings.parallel,
        "engine.log_cap": settings.log_cap_bytes,
        "engine.keep_runs": settings.keep_runs,
        "engine.timeout": None if settings.timeout_s is None else f"{settings.timeout_s:g}s",
        **_shown_contracts(settings.contracts),
        **{f"jobs.{name}": list(phases) for name, phases in settings.jobs.items()},
        **{f"approvers.{name}": list(members) for name, members in settings.approvers.items()},
    }


def _shown_contracts(contracts: ContractsConfig) -> dict[str, object]:
    python = contracts.python
    shown = {
        "contracts.targets": [one.value for one in contracts.targets],
        "contracts.python.style": python.style.value if python.style else None,
        "contracts.python.folder": python.folder,
    }
    return {name: value for name, value in shown.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    config: ConfigFile
    document: Document
    findings: Findings
    origin: str

    def where(self, trail: Trail) -> str:
        return f"{self.origin}:{self.document.position(trail, key=True)[0]}"


class _Layers:
    """Looks settings up where they can be given, the strongest place first; origins and problems are collected."""

    def __init__(
        self, *, files: tuple[_File, ...], environ: Mapping[str, str], flags: Mapping[str, str | None]
    ) -> None:
        self.problems: list[Problem] = []
        self.origins: dict[str, str] = {}
        self._files = files
        self._environ = environ
        self._flags = flags

    def find(self, trail: Trail, *, of: Callable[[ConfigFile], T | None], parse: Callable[[str], T], default: T) -> T:
        """Return a setting, given its key in a file, how to read it there, and how to read it from text."""
        name = str(trail[-1])
        variable = f"CMR_{name.upper()}"
        flag = self._parsed(self._flags.get(name), f"--{name.replace('_', '-')}", parse)
        environment = self._parsed(self._environ.get(variable) or None, variable, parse)
        found = (
            (flag, "flag"),
            (environment, f"environment {variable}"),
            *((of(file.config), file.where(trail)) for file in self._files),
            (default, DEFAULT),
        )
        value, origin = next(((value, origin) for value, origin in found if value is not None), (default, DEFAULT))
        self.origins[".".join(map(str, trail))] = origin
        return value

    def _parsed(self, text: str | None, place: str, parse: Callable[[str], T]) -> T | None:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            message = f"{place} is '{text}'"
            self.problems.append(Problem(code="SETTING-VALUE", message=message, path=place, fix=str(error)))
            return None


def _level(text: str) -> Level:
    try:
        return Level(text.lower())
    except ValueError as error:
        raise ValueError(choice(text, [level.value for level in Level])) from error


def _whole(text: str, *, least: int, most: int | None = None) -> int:
    span = f"from {least} to {most}" if most else f"of at least {least}"
    try:
        number = int(text)
    except ValueError as error:
        raise ValueError(f"use a whole number {span}") from error
    if number < least or (most is not None and number > most):
        raise ValueError(f"use a whole number {span}")
    return number


def _parallel(text: str) -> int:
    return _whole(text, least=1, most=MAX_PARALLEL)


def _log_cap(text: str) -> int:
    return _whole(text, least=LEAST_LOG_CAP_BYTES)


def _keep_runs(text: str) -> int:
    return _whole(text, least=1)


def _timeout(text: str) -> str:
    try:
        fits = 0 < duration_s(text) <= MAX_DURATION_S
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        raise ValueError("write a whole number and a unit: 90s, 10m, 24h or 7d")
    return text


def _processors() -> int:
    return min(os.cpu_count() or 1, MAX_PARALLEL)


def _settings(root: Path, file: _File, layers: _Layers, *, digest: str) -> ProjectSettings:
    level = layers.find(("level",), of=lambda config: config.level, parse=_level, default=Level.STANDARD)
    parallel = layers.find(
        ("engine", "parallel"), of=lambda config: config.engine.parallel, parse=_parallel, default=_processors()
    )
    log_cap = layers.find(
        ("engine", "log_cap"), of=lambda config: config.engine.log_cap, parse=_log_cap, default=LOG_CAP_BYTES
    )
    keep_runs = layers.find(
        ("engine", "keep_runs"), of=lambda config: config.engine.keep_runs, parse=_keep_runs, default=KEEP_RUNS
    )
    timeout = layers.find(("engine", "timeout"), of=lambda config: config.engine.timeout, parse=_timeout, default="")
    return ProjectSettings(
        digest=digest,
        project=file.config.project or root.resolve().name,
        level=level,
        jobs=file.config.jobs,
        parallel=parallel,
        log_cap_bytes=log_cap,
        keep_runs=keep_runs,
        timeout_s=_seconds(timeout),
        approvers=file.config.approvers,
        contracts=file.config.contracts,
        origins={
            "project": file.where(("project",)) if file.config.project else "name of the folder",
            **layers.origins,
            **{name: file.where(tuple(name.split("."))) for name in _shown_contracts(file.config.contracts)},
            **{f"jobs.{name}": file.where(("jobs", name)) for name in file.config.jobs},
            **{f"approvers.{name}": file.where(("approvers", name)) for name in file.config.approvers},
        },
    )


def _seconds(timeout: str) -> float | None:
    """Return a time limit; an ill-formed one in a file is reported as a problem of that file."""
    try:
        return duration_s(timeout) if timeout else None
    except (ValueError, OverflowError):
        return None


def _user_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("cli-multi-rapid") / "config.yaml"


def _read(root: Path) -> bytes:
    """Return the project's file, read once: what is used is what trust is asked about."""
    try:
        return read_inside(root, CONFIG, limit_bytes=SPEC_LIMIT_BYTES)
    except PathRefused as refused:
        if refused.missing:
            raise ProjectMissing(f"no {CONFIG} in this folder", where=str(root)) from refused
        raise SpecInvalid((outside(CONFIG, refused),)) from refused


def _opened(data: bytes, name: str, *, own: bool = False, phases: frozenset[str] | None = None) -> _File:
    """Check a configuration file; `own` tells that it is the user's, which knows nothing of one project."""
    loaded: Loaded[ConfigFile] = load_document(data, name, shape=ConfigFile, schema="config")
    findings = Findings(loaded)
    config = loaded.draft or ConfigFile(schema="")
    for key in ("project", "jobs", "approvers", "contracts"):
        if own and (key,) in loaded.document.keys:
            message = f"'{key}' belongs into the file of a project"
            findings.add("SPEC-KEY-UNKNOWN", (key,), message, fix=f"move it to {CONFIG}", key=True)
    _check(config, findings, phases=phases)
    origin = f"user file {name}" if own else name
    return _File(config=config, document=loaded.document, findings=findings, origin=origin)


def _check(config: ConfigFile, findings: Findings, *, phases: frozenset[str] | None) -> None:
    engine = config.engine
    numbers = (
        ("parallel", engine.parallel, _parallel),
        ("log_cap", engine.log_cap, _log_cap),
        ("keep_runs", engine.keep_runs, _keep_runs),
    )
    for key, number, parse in numbers:
        try:
            if number is not None:
                parse(str(number))
        except ValueError as error:
            findings.add("SPEC-VALUE", ("engine", key), f"'{key}' is {number}", fix=str(error), key=True)
    if engine.timeout is not None:
        check_duration(("engine", "timeout"), engine.timeout, findings)
    for name, members in config.approvers.items():
        _approvers(("approvers", name), members, findings)
    for name, listed in config.jobs.items():
        trail = ("jobs", name)
        check_name(trail, findings)
        if not listed:
            findings.add("SPEC-VALUE", trail, f"the job '{name}' has no phases", fix="add one, or remove it", key=True)
        for i, phase in enumerate(listed):
            if phases is not None and phase not in phases:
                message = f"the job '{name}' names the phase '{phase}', which is not defined"
                fix = choice(phase, phases) or "define it in workflows/phase_definitions/"
                findings.add("PHASE-UNKNOWN", (*trail, i), message, fix=fix)


_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def _approvers(trail: Trail, members: tuple[str, ...], findings: Findings) -> None:
    """Note what cannot be a member of a group of approvers, and groups of both keys and addresses."""
    check_name(trail, findings)
    if not members:
        message = f"the group '{trail[-1]}' has no members, so nobody could approve"
        findings.add("SPEC-VALUE", trail, message, fix="add a public key or an e-mail address", key=True)
    for i, member in enumerate(members):
        if not is_public_key(member) and not _MAIL.fullmatch(member):
            fix = "write the line of a .pub file (ssh-ed25519 AAAA…), or name@example.org"
            message = f"{label((*trail, i))} is neither a public key nor an e-mail address"
            findings.add("SPEC-VALUE", (*trail, i), message, fix=fix)
        elif is_key(member) != is_key(members[0]):
            message = f"the group '{trail[-1]}' has both keys, which must sign, and addresses, which cannot"
            findings.add("SPEC-VALUE", (*trail, i), message, fix="make two groups of it")
