"""What gates are configured with: `config/compliance-gates.yaml`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from cli_multi_rapid.model.contract import Mode
from cli_multi_rapid.model.gate import Level, Severity
from cli_multi_rapid.model.keys import key
from cli_multi_rapid.model.phase import DURATION, STRICT

GATES_SCHEMA = "cmr/gates@v1"

VALIDATORS = "workflows/validators"
"""The folder of the project's own checks."""

COMPAT = "compat"
"""The check of compatibility among what a gate of the kind contracts requires."""

SIZE = r"^[1-9][0-9]{0,8} ?(B|KiB|MiB|GiB)$"
"""A size in a file: a whole number and its unit."""

_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def size_bytes(text: str) -> int:
    """Return the bytes of a size such as `500KiB`.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(SIZE, text):
        raise ValueError(f"{text!r} is not a size")
    number = text.rstrip("BKMGi ")
    return int(number) * _UNITS[text[len(number) :].strip()]


class Check(StrEnum):
    """The kinds of check a gate can be."""

    COVERAGE = "coverage"
    TESTS = "tests"
    SECRETS = "secrets"
    DENYLIST = "denylist"
    COMMAND = "command"
    DIFF = "diff"
    EXPRESSION = "expression"
    PROJECT = "project"
    DEPENDENCIES = "dependencies"
    LICENCES = "licences"
    CONTRACTS = "contracts"


class ReportFormat(StrEnum):
    """Formats of a report that a tool writes for the `command` check."""

    SARIF = "sarif"
    JUNIT = "junit"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One rule of a deny-list."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    id: str = key("Name of the rule.", pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,126}$")
    pattern: str = key("Regular expression in RE2 syntax, searched line by line.")
    paths: tuple[str, ...] = key("Globs of the files it is searched in.", default=("**",))
    exclude: tuple[str, ...] = key("Globs of files left out.", default=())
    severity: Severity = key("How bad a match is.", default=Severity.HIGH)
    message: str = key("What is wrong with a match.", default="")
    fix: str = key("What to do instead.", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """One gate of `config/compliance-gates.yaml`. Which keys apply depends on the check."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    check: Check = key("What kind of check it is.")
    reports: tuple[str, ...] = key("Globs of report files in the project (coverage, tests, command).", default=())
    artifact: str = key(
        "Artifact of a phase that it judges; default: its own name (coverage, tests, command).",
        default="",
    )
    min: float = key("Least total coverage in percent; exact, never rounded (coverage).", default=85.0)
    changed_min: float | None = key(
        "Least coverage of the lines that a change touches, in percent; default: 85 in strict, else none (coverage).",
        default=None,
        alias="changed-min",
    )
    default_set: bool = key("Include the built-in deny-list (denylist).", default=True, alias="default-set")
    ruff: bool | None = key(
        "Also ruff's rules about security, on Python files, whatever the project has switched off; default: with the "
        "default set (denylist).",
        default=None,
    )
    patterns: tuple[Pattern, ...] = key("Further rules (denylist).", default=())
    exclude: tuple[str, ...] = key("Globs of files left out (secrets, denylist).", default=())
    history: bool = key("Search what the commits have added, too (secrets).", default=False)
    run: tuple[str, ...] = key("The command, as exact arguments (command).", default=())
    format: ReportFormat = key("What the command or report is written in (command).", default=ReportFormat.SARIF)
    ok_codes: tuple[int, ...] = key(
        "Exit codes with which its output is judged (command).", default=(0, 1), alias="ok-codes"
    )
    cache: bool = key(
        "What the command finds follows from the project's files, the command and its program alone: where these are "
        "the same, `validate-compliance` takes over what it found (command).",
        default=False,
    )
    fail_on: Severity = key(
        "Least severity that blocks (denylist, command, project, dependencies).",
        default=Severity.LOW,
        alias="fail-on",
    )
    timeout: str = key("Longest time that it may take (command, project, contracts).", default="10m", pattern=DURATION)
    allow: tuple[str, ...] = key(
        "Globs of the paths that may change; default: all (diff). SPDX ids of the licences that are allowed, no "
        "others; `unknown` allows what has none (licences).",
        default=(),
    )
    deny: tuple[str, ...] = key(
        "Globs of the paths that may not change (diff). SPDX ids of the licences that are refused; `unknown` refuses "
        "what has none (licences).",
        default=(),
    )
    max_files: int | None = key("Most files that may change (diff).", default=None, alias="max-files")
    max_lines: int | None = key(
        "Most lines that may change, those that are new and those that go together (diff).",
        default=None,
        alias="max-lines",
    )
    max_file_size: str = key(
        "Size that no new or changed file may exceed, such as 500KiB; default: none (diff).",
        default="",
        alias="max-file-size",
        pattern=SIZE,
    )
    assert_: str = key(
        "Expression over the results of other gates, the change and the level, which must be true (expression).",
        default="",
        alias="assert",
    )
    lock_files: tuple[str, ...] = key(
        "Globs of the lock and requirements files that are read; default: those in the project's root "
        "(dependencies, licences).",
        default=(),
        alias="lock-files",
    )
    environment: bool | None = key(
        "Read what is installed in the project's Python environment; default: where no lock file names everything, "
        "and always for licences (dependencies, licences).",
        default=None,
    )
    database: str = key(
        "Folder, .zip, .tar.gz or .sqlite in the project with advisories in the OSV format; CMR_ADVISORY_DB comes "
        "first (dependencies).",
        default="",
    )
    max_age: str = key(
        "Greatest age of the newest advisory; an older database is no evidence (dependencies).",
        default="30d",
        alias="max-age",
        pattern=DURATION,
    )
    file: str = key(
        "Python file that judges, below workflows/validators/; default: the gate's name and .py (project).", default=""
    )
    lint: bool = key("Contracts keep to the profile that code is generated from (contracts).", default=True)
    examples: bool = key("Every contract has valid and invalid examples (contracts).", default=True)
    roundtrip: bool = key(
        "Documents go through the code of every target and back unchanged (contracts).", default=False
    )
    compat: str = key(
        "Contracts are compatible with those of this revision: a commit, or `last-release` (contracts).",
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._/@^~{}-]*)?$",
    )
    mode: Mode = key("What compatible means: backward, forward or full (contracts).", default=Mode.BACKWARD)
    require: tuple[str, ...] = key(
        "What may not stay `not_run`: of the round trip targets such as mql4 or powershell, and `compat` (contracts).",
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFile:
    """`config/compliance-gates.yaml`."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    schema: str = key("Version of this format.", pattern=r"^cmr/gates@v1$")
    level: Level | None = key("Level of this project; default: that of the configuration.", default=None)
    gates: dict[str, GateSpec] = key("The gates by name.", factory=dict)
