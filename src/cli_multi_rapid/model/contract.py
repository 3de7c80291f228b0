"""What is said about contracts: checks and violations."""

from dataclasses import dataclass
from enum import StrEnum

EVENTS = "contracts/events"
"""The folder of contracts."""

MODELS = "contracts/models"
"""The folder of generated code."""

MANIFEST = f"{MODELS}/manifest.json"
"""The file that says of which contracts the generated code is."""

VALIDATORS = "contracts/validators"
"""The folder of a project's own checks of contracts."""


class CheckStatus(StrEnum):
    """How a check of a contract ended."""

    PASS = "pass"  # noqa: S105  no password
    FAIL = "fail"
    ERROR = "error"
    NOT_RUN = "not_run"


class ModelTarget(StrEnum):
    """A language that contracts become code of; also its folder in contracts/models."""

    PYTHON = "python"
    MQL4 = "mql4"
    POWERSHELL = "powershell"
    TYPESCRIPT = "typescript"


class PythonStyle(StrEnum):
    """What a contract becomes in Python: a model that validates, or types only."""

    PYDANTIC = "pydantic"
    TYPED_DICT = "typed-dict"


class Mode(StrEnum):
    """What compatible means: old documents are valid for the new contract, new ones for the old, or both."""

    BACKWARD = "backward"
    FORWARD = "forward"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that the profile does not allow: the place (file and JSON pointer) and the reason."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCheck:
    """One check of a contract. `check` is schema, profile, examples, compat ...; `target` the language it is about.

    What does not apply is empty. Where `needed` is false, that it was not run does not count.
    """

    check: str
    status: CheckStatus
    detail: str = ""
    pointer: str = ""
    target: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractResult:
    """What the checks of one contract said."""

    name: str
    version: str
    checks: tuple[ContractCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What the envelope of an event and its contract said. `place` is where it was read, such as events.jsonl:3.

    `type` and `schema` are as the event has them, empty where it has none. Violations are placed by JSON pointers.
    """

    place: str
    status: CheckStatus
    type: str = ""
    schema: str = ""
    violations: tuple[Violation, ...] = ()


class FileState(StrEnum):
    """What became of a generated file, or what a comparison found of it."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    DRIFTED = "drifted"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One generated file: its path, language and contract (empty for a file beside them), and why it is as it is."""

    path: str
    target: ModelTarget
    state: FileState
    contract: str = ""
    reason: str = ""
