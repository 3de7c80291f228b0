"""The configuration of a project, `cmr/config@v1`, and the settings in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from cli_multi_rapid.model.contract import ModelTarget, PythonStyle
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.keys import key
from cli_multi_rapid.model.phase import DURATION, NAME, STRICT

CONFIG_SCHEMA = "cmr/config@v1"
LOG_CAP_BYTES = 8 << 20
KEEP_RUNS = 100
FOLDER = r"^[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*$"
"""A folder of the project; none of its names begins with a dot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """How runs are executed. What is absent keeps its default."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    parallel: int | None = key(
        "How many steps may run at once, 1 to 64; default: the number of processors.", default=None
    )
    log_cap: int | None = key("Bytes of a step's output that are kept; default: 8388608.", default=None)
    keep_runs: int | None = key(
        "Of how many of the newest runs the checkpoints are kept, at least 1; default: 100.", default=None
    )
    timeout: str | None = key(
        "Longest time a whole run may take, such as 2h; default: none.", default=None, pattern=DURATION
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonModels:
    """How contracts become Python."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    style: PythonStyle | None = key(
        "pydantic: models that read, validate and write documents; typed-dict: types only, of the standard library; "
        "default: pydantic.",
        default=None,
    )
    folder: str | None = key(
        "Folder of the modules, such as src/shop/models; default: contracts/models/python.", default=None,
        pattern=FOLDER,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractsConfig:
    """What code is generated from contracts."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    targets: tuple[ModelTarget, ...] = key("The languages of generate-models; default: all.", default=())
    python: PythonModels = key("How contracts become Python.", factory=PythonModels)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """`config/workflow-config.yaml`, or the user's own file, which has neither project, jobs nor contracts."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    schema: str = key("Version of this format.", pattern=r"^cmr/config@v1$")
    project: str | None = key("Name of the project; default: that of its folder.", default=None, pattern=NAME)
    level: Level | None = key("How strict compliance is; default: standard.", default=None)
    jobs: dict[str, tuple[str, ...]] = key("Named sets of phases.", factory=dict)
    approvers: dict[str, tuple[str, ...]] = key(
        "Who may decide about steps that wait: public keys (ssh-ed25519 …) or e-mail addresses by the name of a group.",
        factory=dict,
    )
    engine: EngineConfig = key("How runs are executed.", factory=EngineConfig)
    contracts: ContractsConfig = key("What code is generated from contracts.", factory=ContractsConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force. `origins` tells for each, by its key in the file, where its value comes from."""

    project: str
    level: Level
    jobs: Mapping[str, tuple[str, ...]]
    parallel: int
    log_cap_bytes: int
    keep_runs: int
    timeout_s: float | None
    approvers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contracts: ContractsConfig = field(default_factory=ContractsConfig)
    origins: Mapping[str, str] = field(default_factory=dict)
