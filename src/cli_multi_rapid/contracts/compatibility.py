"""Whether one edition of a contract can take the place of another: by rules, and by documents that prove them wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.inclusion import Inclusion
from cli_multi_rapid.contracts.loading import Contract, ContractSet, Target
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.sameness import Sameness, fingerprint
from cli_multi_rapid.contracts.samples import NoDocument, documents
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.contracts.validation import compiled, pointer_of
from cli_multi_rapid.errors import SpecInvalid
from cli_multi_rapid.model.contract import Mode

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

COUNT = 120
"""How many documents try to prove that a verdict is wrong; fewer where they are large."""

_ENOUGH, _LARGE = 100_000, 50_000
"""So many characters are enough, where a document counts as large at most."""

_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A contract as it is in one place: in the project, or at a revision.

    `examples` are JSON texts of documents that are said to be valid for it.
    """

    found: ContractSet
    contract: Contract
    examples: tuple[bytes, ...] = ()

    @property
    def place(self) -> Target:
        """Return where its schema begins."""
        return Target(self.contract.path, "")

    @cached_property
    def validator(self) -> "Draft202012Validator":
        """The validator, whose verdict counts."""
        return compiled(self.found, self.contract)

    @cached_property
    def texts(self) -> dict[str, str]:
        """The text of every document that it is made of."""
        return fingerprint(self.found, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Why an edition cannot take the place of another: the direction, the place in the newer one, and the reason."""

    mode: Mode
    pointer: str
    reason: str


def equal(old: Edition, new: Edition) -> bool:
    """Tell whether two editions are made of the same documents."""
    return old.texts == new.texts


def difference(old: Edition, new: Edition) -> str:
    """Return the first place where an edition says something else than an older one; nothing where none does.

    Annotations, the order of keys and names of definitions say nothing.
    """
    found = Sameness(old.found, new.found).difference(old.place, new.place)
    return "" if found is None else str(found)


def clashes(old: Edition, new: Edition, mode: Mode, *, seed: int = 0) -> tuple[Clash, ...]:
    """Return why a newer edition is not compatible with an older one; nothing where it is.

    Where the rules see nothing, documents of the one are judged by the other: one that is refused counts more.

    Raises:
        SpecInvalid: an edition is no valid schema.
    """
    made: list[Clash] = []
    for way in (Mode.BACKWARD, Mode.FORWARD):
        if mode in (way, Mode.FULL):
            narrow, wide = (old, new) if way is Mode.BACKWARD else (new, old)
            found = Inclusion(narrow.found, wide.found).breaks(narrow.place, wide.place)
            made += [
                Clash(mode=way, pointer=one.wide if way is Mode.BACKWARD else one.narrow or str(new.place),
                      reason=_said(way, one.reason))
                for one in found
            ]  # fmt: skip
            if not found and (proof := counter_example(narrow, wide, seed=seed)):
                made.append(Clash(mode=way, pointer=str(new.place), reason=proof))
    return tuple(made)


def counter_example(narrow: Edition, wide: Edition, *, seed: int = 0) -> str:
    """Return in words a document that is valid for one edition, but refused by the other; nothing where none is found.

    The validator judges both. A contract outside of the profile is tried with its examples only.
    """
    for value in _documents(narrow, seed=seed):
        if narrow.validator.is_valid(value) and (refused := next(wide.validator.iter_errors(value), None)):
            where = f" at {pointer_of(refused.instance_path)}" if refused.instance_path else ""
            return f"this document proves it: {_json(value)} is refused{where}: {refused.message[:_SHOWN]}"
    return ""


def _documents(edition: Edition, *, seed: int) -> Iterator[object]:
    for data in edition.examples:
        try:
            yield read_json(data, edition.contract.path)
        except SpecInvalid:
            continue
    root = lowered(edition.found, edition.contract).type
    if not isinstance(root, ir.ObjectType | ir.UnionType):
        return
    try:
        seen = 0
        for text in documents(root, seed=seed, count=COUNT):
            yield read_json(text.encode(), edition.contract.path)
            seen += min(len(text), _LARGE)
            if seen > _ENOUGH:
                return
    except NoDocument:
        return


def _json(value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _said(way: Mode, reason: str) -> str:
    return reason if way is Mode.BACKWARD else f"in the older one, {reason}"
