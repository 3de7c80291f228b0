"""The manifest of generated code: of which schemas every file was made, and what it was when it was written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cli_multi_rapid.contracts.loading import Contract, ContractSet
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.errors import Problem, SpecInvalid
from cli_multi_rapid.model.contract import MANIFEST

PATH = MANIFEST
SCHEMA = "cmr/models@v1"
_FIX = "take it back from git, or remove it together with the generated files, and run `generate-models`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The file that a contract became; the digests are SHA-256 (hex) of its schemas and of its content."""

    file: str
    sha256: str
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRecord:
    """What was generated in one language: by what, with which settings (a digest), and every file."""

    generator: Mapping[str, str]
    options: str
    contracts: Mapping[str, Output] = field(default_factory=dict)
    support: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> dict[str, str]:
        """Return the digest of the content of every file by its path."""
        return {**{one.file: one.sha256 for one in self.contracts.values()}, **self.support}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was generated, by language."""

    targets: Mapping[str, TargetRecord] = field(default_factory=dict)


def content_digest(text: str) -> str:
    """Return the SHA-256 (hex) of a text in UTF-8."""
    return sha256(text.encode()).hexdigest()


def schema_digest(found: ContractSet, contract: Contract) -> str:
    """Return a digest of all that a contract says: of its own document and of those it refers to.

    Blanks do not count. The order of keys does, because members of generated types stand in it.
    """
    documents = [[path, found.documents[path]] for path in found.closure(contract)]
    return content_digest(json.dumps(documents, separators=(",", ":")))


def manifest_text(manifest: Manifest) -> str:
    """Return a manifest as JSON, the same for the same manifest."""
    targets = {
        name: {
            "generator": dict(one.generator), "options": one.options, "support": dict(one.support),
            "contracts": {
                key: {"file": made.file, "sha256": made.sha256, "schema": made.schema}
                for key, made in one.contracts.items()
            },
        } for name, one in manifest.targets.items()
    }  # fmt: skip
    return json.dumps({"schema": SCHEMA, "targets": targets}, indent=1, sort_keys=True) + "\n"


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest that a text holds.

    Raises:
        SpecInvalid: it is none.
    """
    value = read_json(data, PATH)
    try:
        document = _mapping(value)
        if document.get("schema") != SCHEMA:
            raise _Unfit(f"`schema` is not {SCHEMA}")
        return Manifest(targets={name: _record(one) for name, one in _mapping(document.get("targets")).items()})
    except _Unfit as wrong:
        raise SpecInvalid((Problem(code="MODELS-MANIFEST", message=str(wrong), path=PATH, fix=_FIX),)) from wrong


def drift_of(
    key: str, record: TargetRecord | None, present: Mapping[str, str], *, schema: str, options: str
) -> Iterator[str]:
    """Yield every reason why the code of a contract is not what would be generated now.

    Args:
        key: the contract, such as OrderIntent@1.2.
        record: what the manifest says of the language.
        present: digest of the content of the files that are there, by path.
        schema: digest of what the contract says now.
        options: digest of the settings that are in force now.
    """
    made = record.contracts.get(key) if record else None
    if record is None or made is None:
        yield "no code has been generated of it"
        return
    if record.options != options:
        yield "the settings have changed since it was generated"
    if made.schema != schema:
        yield f"the schema has changed since {made.file} was generated"
    for path, digest in {made.file: made.sha256, **record.support}.items():
        if path not in present:
            yield f"{path} is missing"
        elif present[path] != digest:
            yield f"{path} was edited by hand"


class _Unfit(Exception):
    """A part of a manifest has another form."""


def _record(value: object) -> TargetRecord:
    one = _mapping(value)
    return TargetRecord(
        generator=_texts(one.get("generator")),
        options=_text(one.get("options")),
        contracts={key: _output(made) for key, made in _mapping(one.get("contracts")).items()},
        support=_texts(one.get("support")),
    )


def _output(value: object) -> Output:
    one = _mapping(value)
    return Output(file=_text(one.get("file")), sha256=_text(one.get("sha256")), schema=_text(one.get("schema")))


def _texts(value: object) -> dict[str, str]:
    return {key: _text(one) for key, one in _mapping(value).items()}


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Unfit(f"an object was expected, not {str(value)[:40]}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unfit(f"a text was expected, not {str(value)[:40]}")
    return value
