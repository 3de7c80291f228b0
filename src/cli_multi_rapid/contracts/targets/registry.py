"""The languages that contracts become code of, and what makes it. A language is loaded when it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Emitter, Refused
from cli_multi_rapid.contracts.loading import Contract, ContractSet
from cli_multi_rapid.contracts.profile import Lowered, lowered
from cli_multi_rapid.contracts.targets.python.words import compact
from cli_multi_rapid.model.contract import MODELS, ModelTarget, PythonStyle, Violation
from cli_multi_rapid.model.version import VERSION

FOLDER = MODELS
EMITTERS: Mapping[ModelTarget, str] = {
    ModelTarget.MQL4: "cli_multi_rapid.contracts.targets.mql4.emitter:Mql4Emitter",
    ModelTarget.POWERSHELL: "cli_multi_rapid.contracts.targets.powershell.emitter:PowerShellEmitter",
    ModelTarget.TYPESCRIPT: "cli_multi_rapid.contracts.targets.typescript.emitter:TypeScriptEmitter",
}
"""Languages whose code is made of the types of the profile, and `module:class` of what makes it."""

ENDINGS: Mapping[ModelTarget, str] = {
    ModelTarget.PYTHON: ".py", ModelTarget.MQL4: ".mqh", ModelTarget.POWERSHELL: ".psm1", ModelTarget.TYPESCRIPT: ".ts",
}  # fmt: skip
"""How the files of each language end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a project wants of a language: where the files are, and the style of Python."""

    folder: str
    style: PythonStyle = PythonStyle.PYDANTIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The code of one language: path and text of the file of each contract, and the texts of the files beside them.

    `refused` tells what cannot be written; then the rest is not complete.
    """

    target: ModelTarget
    files: Mapping[str, tuple[str, str]]
    support: Mapping[str, str]
    refused: tuple[Violation, ...] = ()


@dataclass(slots=True)
class Making:
    """Makes the code of contracts, which must have been compiled before. What is read once serves all languages."""

    found: ContractSet
    _types: dict[str, Lowered] = field(default_factory=dict)

    def made(self, target: ModelTarget, settings: Settings) -> Made:
        """Return the code of one language.

        Raises:
            ToolMissing: what makes it is not installed.
        """
        name, text, support = self._python(settings) if target is ModelTarget.PYTHON else self._emitter(target)
        files: dict[str, tuple[str, str]] = {}
        refused: list[Violation] = []
        for contract in self.found.contracts:
            try:
                files[contract.key] = (f"{settings.folder}/{name(contract)}", text(contract))
            except Refused as refusal:
                refused += refusal.violations
        refused += _meeting(self.found, files)
        beside = {f"{settings.folder}/{path}": content for path, content in support.items()}
        return Made(target=target, files=files, support=beside, refused=tuple(refused))

    def _python(self, settings: Settings) -> "_Writer":
        from cli_multi_rapid.contracts.targets.python.emitter import PythonEmitter

        emitter = PythonEmitter(style=settings.style)
        return emitter.file_name, lambda contract: emitter.text(self.found, contract), {}

    def _emitter(self, target: ModelTarget) -> "_Writer":
        emitter = emitter_of(target)
        return emitter.file_name, lambda contract: emitter.text(contract, self._root(contract)), emitter.support()

    def _root(self, contract: Contract) -> ir.Root:
        """Return the type of a contract.

        Raises:
            Refused: it is outside of the profile.
        """
        if contract.path not in self._types:
            self._types[contract.path] = lowered(self.found, contract)
        known = self._types[contract.path]
        if not isinstance(known.type, ir.ObjectType | ir.UnionType):
            raise Refused(*known.violations)
        return known.type


def emitter_of(target: ModelTarget) -> Emitter:
    """Return what makes the code of a language of `EMITTERS`."""
    module, _, name = EMITTERS[target].partition(":")
    emitter: Emitter = getattr(import_module(module), name)()
    return emitter


_Writer = tuple[Callable[[Contract], str], Callable[[Contract], str], Mapping[str, str]]


def generator_of(target: ModelTarget, settings: Settings) -> dict[str, str]:
    """Return what makes the code of a language, with versions; nothing of it is loaded."""
    from cli_multi_rapid.contracts.targets.python.generator import GENERATOR, PINNED

    own = {"cli-multi-rapid": VERSION}
    generated = target is ModelTarget.PYTHON and settings.style is PythonStyle.PYDANTIC
    return {**own, GENERATOR: PINNED} if generated else own


def options_of(target: ModelTarget, settings: Settings) -> str:
    """Return a digest of the settings that the code of a language depends on."""
    told = {"folder": settings.folder, **({"style": settings.style} if target is ModelTarget.PYTHON else {})}
    return sha256(compact(told).encode()).hexdigest()


def _meeting(found: ContractSet, files: Mapping[str, tuple[str, str]]) -> Iterator[Violation]:
    """Yield the contracts whose file another one becomes already, also where names are told apart by case only."""
    owners: dict[str, str] = {}
    paths = {contract.key: contract.path for contract in found.contracts}
    for key, (path, _) in files.items():
        owner = owners.setdefault(path.casefold(), key)
        if owner != key:
            yield Violation(place=f"{paths[key]}#", reason=f"it would become the same file as {owner}, {path}")
