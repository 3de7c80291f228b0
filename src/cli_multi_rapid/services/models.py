"""Code generated from the contracts of a project: written, compared, and taken away when nothing makes it any more.

Nothing of the project runs, so it needs no trust. A file that an earlier manifest does not name is never touched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cli_multi_rapid.contracts.manifest import (
    PATH,
    Manifest,
    Output,
    TargetRecord,
    content_digest,
    drift_of,
    manifest_text,
    read_manifest,
    schema_digest,
)  # fmt: skip
from cli_multi_rapid.contracts.targets.python.words import MADE_FROM
from cli_multi_rapid.contracts.targets.registry import (
    ENDINGS,
    FOLDER,
    Made,
    Making,
    Settings,
    generator_of,
    options_of,
)  # fmt: skip
from cli_multi_rapid.errors import FolderUnwritable, ModelsRefused, Problem
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck, FileState, ModelFile, ModelTarget, PythonStyle
from cli_multi_rapid.services.contracts import OpenContracts, opened_contracts
from cli_multi_rapid.services.settings import load_settings
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.files import PathRefused, digest_inside, read_inside, remove_inside, write_inside

_MANIFEST_LIMIT = 16 << 20


def write_models(project: Project, targets: Sequence[ModelTarget] = ()) -> tuple[ModelFile, ...]:
    """Generate code of every contract and write it, all files or none.

    Without `targets` those of the configuration count, else all there are.

    Raises:
        SpecInvalid: a contract is no schema, or the manifest is none.
        ContractsMissing: there is no contract.
        ModelsRefused: a language cannot express a contract, or a file stands there that is not ours.
        ToolMissing: what generates is not installed.
    """
    work = _opened(project, targets)
    made = work.made()
    problems = [one for each in made for one in work.foreign(each)]
    if problems:
        raise ModelsRefused(tuple(problems))
    states = [one for each in made for one in work.states(each)]
    work.write(made, states)
    return tuple(states)


def compared_models(project: Project, targets: Sequence[ModelTarget] = ()) -> tuple[ModelFile, ...]:
    """Generate code of every contract and compare it with what is there. Nothing is written.

    Without `targets` those of the configuration count, else those that there is code of, else all there are.

    Raises:
        SpecInvalid, ContractsMissing, ModelsRefused, ToolMissing: as for `write_models`.
    """
    work = _opened(project, targets, recorded=True)
    return tuple(one for each in work.made() for one in work.compared(each))


def drift_checks(opened: OpenContracts) -> Mapping[str, tuple[ContractCheck, ...]]:
    """Return by path of a contract whether the code generated of it is up to date. Nothing is generated.

    Raises:
        SpecInvalid: the manifest is none.
    """
    work = _work(opened, (), recorded=True)
    if not work.manifest.targets:
        missing = ContractCheck(
            check="drift",
            status=CheckStatus.NOT_RUN,
            detail="no code has been generated: generate-models",
            pointer=PATH,
        )
        return {one.path: (missing,) for one in opened.found.contracts}
    records = {target: work.manifest.targets.get(target) for target in work.settings}
    present = {target: work.present(record.files() if record else ()) for target, record in records.items()}
    return {
        contract.path: tuple(work.checks(contract.key, schema_digest(opened.found, contract), present))
        for contract in opened.found.contracts
    }


def _opened(project: Project, targets: Sequence[ModelTarget], *, recorded: bool = False) -> "_Work":
    return _work(opened_contracts(project), targets, recorded=recorded)


def _work(opened: OpenContracts, targets: Sequence[ModelTarget], *, recorded: bool) -> "_Work":
    project = opened.project
    config = load_settings(project.root, environ=project.environ).contracts
    manifest = _manifest(project)
    known = tuple(one for one in ModelTarget if _is_there(project, manifest, one)) if recorded else ()
    chosen = tuple(dict.fromkeys(targets)) or config.targets or known or tuple(ModelTarget)
    python = Settings(
        folder=config.python.folder or f"{FOLDER}/{ModelTarget.PYTHON}",
        style=config.python.style or PythonStyle.PYDANTIC,
    )
    settings = {one: Settings(folder=f"{FOLDER}/{one}") for one in chosen} | {ModelTarget.PYTHON: python}
    return _Work(opened=opened, manifest=manifest, settings={one: settings[one] for one in chosen})


def _is_there(project: Project, manifest: Manifest, target: ModelTarget) -> bool:
    """Tell whether code of a language was generated, also where the manifest has been made not to say so."""
    return target in manifest.targets or any((project.root / FOLDER / target).glob(f"*{ENDINGS[target]}"))


def _manifest(project: Project) -> Manifest:
    try:
        return read_manifest(read_inside(project.root, PATH, limit_bytes=_MANIFEST_LIMIT))
    except PathRefused as refused:
        if refused.missing:
            return Manifest()
        raise ModelsRefused((_problem(PATH, f"it {refused.reason}"),)) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The contracts of a project, the manifest as it was, and the settings of each language asked for."""

    opened: OpenContracts
    manifest: Manifest
    settings: Mapping[ModelTarget, Settings]

    def made(self) -> tuple[Made, ...]:
        """Generate the code of every language; all that is refused is told at once."""
        making = Making(self.opened.found)
        made = tuple(making.made(target, settings) for target, settings in self.settings.items())
        problems = [
            Problem(
                code="MODELS-CONTRACT", message=f"{each.target}: {one.reason}", path=one.place,
                fix="keep to the profile (docs/contracts.md), or generate fewer targets",
            ) for each in made for one in each.refused
        ]  # fmt: skip
        if problems:
            raise ModelsRefused(tuple(problems))
        return made

    def foreign(self, made: Made) -> Iterator[Problem]:
        """Yield what stands in the place of a file and was not written by an earlier generation."""
        ours = self._record(made.target)
        known = ours.files() if ours else {}
        for path, text in _texts(made).items():
            try:
                present = self._digest(path)
            except PathRefused as refused:
                yield _problem(path, f"it {refused.reason}")
                continue
            if present is not None and path not in known and present != content_digest(text):
                yield _problem(path, "there is a file that generate-models has not written")

    def states(self, made: Made) -> Iterator[ModelFile]:
        """Yield what has to become of every file of a language."""
        record = self._record(made.target)
        known = record.files() if record else {}
        owners = {path: key for key, (path, _) in made.files.items()}
        texts = _texts(made)
        for path, text in texts.items():
            present = self._digest(path)
            same = present == content_digest(text)
            edited = not same and present is not None and present != known.get(path)
            yield ModelFile(
                path=path, target=made.target, contract=owners.get(path, ""),
                state=FileState.UNCHANGED if same else FileState.WRITTEN,
                reason="it was edited by hand; that is gone" if edited else "",
            )  # fmt: skip
        for path in known:
            if path not in texts:
                yield self._left(path, made.target, known[path])

    def write(self, made: Sequence[Made], states: Sequence[ModelFile]) -> None:
        """Remove what nothing makes any more, then write the manifest, then the files that it names.

        In this order what an interruption leaves is known as ours, and the next generation mends it.
        """
        root = self.opened.project.root
        texts = {path: text for each in made for path, text in _texts(each).items()}
        try:
            for one in states:
                if one.state is FileState.REMOVED:
                    remove_inside(root, one.path)
            manifest = manifest_text(self._manifest(made))
            if content_digest(manifest) != self._digest(PATH):
                write_inside(root, PATH, manifest.encode())
            for one in states:
                if one.state is FileState.WRITTEN:
                    write_inside(root, one.path, texts[one.path].encode())
        except PathRefused as refused:
            raise FolderUnwritable(f"it {refused.reason}", where=refused.path) from refused

    def compared(self, made: Made) -> Iterator[ModelFile]:
        """Yield every file of a language with the reasons why it is not what would be generated now."""
        record = self._record(made.target)
        texts = _texts(made)
        present = self.present((*texts, *(record.files() if record else ())))
        contracts = {one.key: one for one in self.opened.found.contracts}
        options = options_of(made.target, self.settings[made.target])
        for key, (path, text) in made.files.items():
            schema = schema_digest(self.opened.found, contracts[key])
            reasons = list(drift_of(key, record, present, schema=schema, options=options))
            if not reasons and present.get(path) != content_digest(text):
                reasons.append(_newer(record, generator_of(made.target, self.settings[made.target])))
            yield _compared(path, made.target, key, reasons)
        for path, text in made.support.items():
            differs = present.get(path) != content_digest(text)
            yield _compared(path, made.target, "", ["it is not what would be generated"] if differs else [])
        for path in record.files() if record else ():
            if path in present and path not in texts:
                yield _compared(path, made.target, "", ["no contract makes it any more"])

    def checks(
        self, key: str, schema: str, present: Mapping[ModelTarget, Mapping[str, str]]
    ) -> Iterator[ContractCheck]:
        """Yield for each language whether the code of a contract is that of its schemas, settings and manifest."""
        for target, settings in self.settings.items():
            record = self._record(target)
            options = options_of(target, settings)
            reasons = list(drift_of(key, record, present[target], schema=schema, options=options))
            made = record.contracts.get(key) if record else None
            yield ContractCheck(
                check="drift", target=target, status=CheckStatus.FAIL if reasons else CheckStatus.PASS,
                detail="; ".join(reasons), pointer=made.file if made else "",
            )  # fmt: skip

    def _record(self, target: ModelTarget) -> TargetRecord | None:
        return self.manifest.targets.get(target)

    def _digest(self, path: str) -> str | None:
        """Return the digest of a file; None where there is none.

        Raises:
            PathRefused: something else is there.
        """
        try:
            return digest_inside(self.opened.project.root, path)[0]
        except PathRefused as refused:
            if refused.missing:
                return None
            raise

    def present(self, paths: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
        """Return the digests of the files that are there; what is no file counts as something else."""
        found: dict[str, str] = {}
        for path in paths:
            try:
                digest = self._digest(path)
            except PathRefused:
                digest = ""
            if digest is not None:
                found[path] = digest
        return found

    def _left(self, path: str, target: ModelTarget, recorded: str) -> ModelFile:
        """Return what becomes of a file that nothing makes any more: only what is still as it was written goes."""
        try:
            present = self._digest(path)
        except PathRefused:
            present = ""
        reason = "no contract makes it any more"
        if not self._made_here(path, target):
            return ModelFile(path=path, target=target, state=FileState.KEPT, reason=f"{reason}; it may not be ours")
        if present not in (None, recorded):
            return ModelFile(path=path, target=target, state=FileState.KEPT, reason=f"{reason}; it was edited by hand")
        return ModelFile(path=path, target=target, state=FileState.REMOVED, reason=reason)

    def _made_here(self, path: str, target: ModelTarget) -> bool:
        """Tell whether a file is generated, whatever a manifest says that may have come with a clone."""
        if path.rpartition("/")[0] in (f"{FOLDER}/{target}", self.settings[target].folder):
            return True
        try:
            text = read_inside(self.opened.project.root, path, limit_bytes=_MANIFEST_LIMIT)
        except PathRefused:
            return False
        return target is ModelTarget.PYTHON and MADE_FROM.encode() in text.partition(b"\n")[0]

    def _manifest(self, made: Sequence[Made]) -> Manifest:
        """Return the manifest of what was made, and of the languages that were not asked for as it was."""
        schemas = {one.key: schema_digest(self.opened.found, one) for one in self.opened.found.contracts}
        fresh = {
            each.target.value: TargetRecord(
                generator=generator_of(each.target, self.settings[each.target]),
                options=options_of(each.target, self.settings[each.target]),
                contracts={
                    key: Output(file=path, sha256=content_digest(text), schema=schemas[key])
                    for key, (path, text) in each.files.items()
                },
                support={path: content_digest(text) for path, text in each.support.items()},
            )
            for each in made
        }
        return Manifest(targets={**self.manifest.targets, **fresh})


def _texts(made: Made) -> dict[str, str]:
    return {**dict(made.files.values()), **made.support}


def _compared(path: str, target: ModelTarget, contract: str, reasons: Sequence[str]) -> ModelFile:
    state = FileState.DRIFTED if reasons else FileState.UNCHANGED
    return ModelFile(path=path, target=target, contract=contract, state=state, reason="; ".join(reasons))


def _newer(record: TargetRecord | None, generator: Mapping[str, str]) -> str:
    before = record.generator if record else {}
    changed = [f"{name} {before.get(name, 'absent')} -> {version}" for name, version in generator.items()]
    named = [text for text, name in zip(changed, generator, strict=True) if before.get(name) != generator[name]]
    return f"what generates it is newer: {', '.join(named)}" if named else "it would be generated differently now"


def _problem(path: str, message: str) -> Problem:
    fix = "move it away or remove it, then generate again"
    return Problem(code="MODELS-FILE", message=message, path=path, fix=fix)
