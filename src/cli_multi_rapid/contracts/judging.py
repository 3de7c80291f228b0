"""What a project's own checks of contracts work with: one contract, what it refers to, and the violations they make.

Authors import it from `cli_multi_rapid.validators`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli_multi_rapid.contracts.loading import Contract, ContractSet
from cli_multi_rapid.contracts.schema_tree import escaped, schemas
from cli_multi_rapid.model.contract import Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractContext:
    """What a check sees: one contract of the project in the folder `root`.

    `documents` has by path every file that contracts are made of: the contracts themselves, and what they refer to.
    """

    root: str
    name: str
    version: str
    path: str
    documents: Mapping[str, Mapping[str, object]]
    _files: tuple[str, ...]

    @property
    def schema(self) -> Mapping[str, object]:
        """Return the schema of the contract."""
        return self.documents[self.path]

    def schemas(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield every schema that the contract is made of, those in files it refers to among them.

        Each comes with its place: the path of its file, `#` and a JSON pointer.
        """
        for path in self._files:
            for pointer, schema in schemas(self.documents[path]):
                yield f"{path}#{pointer}", schema

    def members(self) -> Iterator[tuple[str, str, Mapping[str, object]]]:
        """Yield place, key and schema of every property in these schemas."""
        for place, schema in self.schemas():
            properties = schema.get("properties")
            for key, inner in properties.items() if isinstance(properties, dict) else ():
                if isinstance(inner, dict):
                    yield f"{place}/properties/{escaped(key)}", key, inner

    def violation(self, reason: str, place: str = "") -> Violation:
        """Make a violation; without a place it is about the contract as a whole.

        Raises:
            ValueError: there is no reason.
            TypeError: a value is no text.
        """
        for name, text in (("reason", reason), ("place", place)):
            if not isinstance(text, str):
                raise TypeError(f"the {name} of a violation is text, not {type(text).__name__}")
        if not reason.strip():
            raise ValueError("a violation needs a reason")
        return Violation(place=place or self.path, reason=reason)


def context_of(found: ContractSet, contract: Contract, *, root: str) -> ContractContext:
    """Return what a check of one contract sees."""
    files = [contract.path]
    for path in files:  # it grows on the way
        files += {target.path for place, target in found.references.items() if place.path == path}.difference(files)
    documents = {path: document for path, document in found.documents.items() if isinstance(document, dict)}
    return ContractContext(
        root=root, name=contract.name, version=contract.version, path=contract.path, documents=documents,
        _files=(contract.path, *sorted(files[1:])),
    )  # fmt: skip
