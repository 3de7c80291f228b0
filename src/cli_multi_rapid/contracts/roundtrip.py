"""The proof that programs in other languages read and write what a contract says: documents that go through them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Answer, RuntimeFailed
from cli_multi_rapid.contracts.equality import difference
from cli_multi_rapid.contracts.mutations import mutations
from cli_multi_rapid.contracts.places import misplaced
from cli_multi_rapid.contracts.samples import documents
from cli_multi_rapid.contracts.shrinking import smaller
from cli_multi_rapid.contracts.strict_json import read_json
from cli_multi_rapid.contracts.validation import pointer_of
from cli_multi_rapid.errors import SpecInvalid

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

Exchange = Callable[[Sequence[str]], list[Answer]]
"""Gives documents to a program in some language, and returns its answer to each."""

_MOST_ROUNDS = 20
_SHOWN = 100


class SampleInvalid(Exception):
    """A document that was generated as a valid one is none: a bug in the generator, so nothing is proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A document, what was changed in it, and the right verdict: why it is `refused` and where, else its value."""

    text: str
    what: str = "a valid document"
    refused: str = ""
    at: tuple[str, ...] = ()
    value: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A document of which a program made something wrong, and what is wrong."""

    case: Case
    answer: Answer
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How many documents came back equal, how many were refused rightly, and the first that was neither.

    `unable` counts valid documents that the language cannot hold; `returned` are the equal ones as the program wrote
    them.
    """

    equal: int
    refused: int
    unable: int = 0
    failure: Failure | None = None
    returned: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Knows the right verdict on documents of a contract, and on what programs answer.

    Where `nul` is false, the program cannot hold U+0000 in a text, and must refuse it.
    """

    type: ir.Root
    validator: "Draft202012Validator"
    nul: bool = True
    _known: dict[str, Case] = field(default_factory=dict, compare=False, repr=False)

    def case(self, text: str, what: str) -> Case:
        """Return a text with the verdict of strict reading and of the validator."""
        if text not in self._known:
            self._known[text] = self._judged(text)
        return replace(self._known[text], what=what)

    def _judged(self, text: str) -> Case:
        try:
            value = read_json(text.encode("utf-8"), "")
        except SpecInvalid as invalid:
            return Case(text=text, refused=str(invalid))
        except UnicodeEncodeError:
            return Case(text=text, refused="half of a surrogate pair is no character")
        if not self.validator.is_valid(value):
            wrong = list(self.validator.iter_errors(value))
            at = tuple(dict.fromkeys(pointer_of(one.instance_path) for one in wrong))
            return Case(text=text, refused=f"{at[0] or '/'}: {wrong[0].message}", at=at)
        return Case(text=text, value=value)

    def problem(self, case: Case, answer: Answer) -> str:
        """Return what is wrong with an answer; nothing where it is right."""
        if case.refused or (not self.nul and _has_nul(case.value)):
            why = case.refused or "this language has no U+0000 in texts"
            if answer.accepted:
                return f"it must be refused ({_short(why)}), but was accepted"
            elsewhere = not self.nul and ("\0" in case.text or "\\u0000" in case.text)
            return misplaced(answer.where, case.text, () if elsewhere else case.at)
        if not answer.accepted:
            return f"it is valid, but was refused at {answer.where}: {_short(answer.error)}"
        back = self.case(answer.text, "")
        if back.refused:
            return f"what came back is not valid: {_short(back.refused)}"
        return difference(self.type, case.value, back.value)


def cases(judge: Judge, *, seed: int, count: int, changed: int) -> tuple[Case, ...]:
    """Return so many valid documents, and so many changed ones, most of which are invalid.

    Raises:
        NoDocument: there is no valid document.
        SampleInvalid: a document that should be valid is none.
    """
    valid = [judge.case(text, "a valid document") for text in documents(judge.type, seed=seed, count=count)]
    for one in valid:
        if one.refused:
            raise SampleInvalid(f"{_short(one.refused)}: {_short(one.text)}")
    found = mutations(judge.type, seed=seed, count=changed)
    return (*valid, *(judge.case(one.text, one.what) for one in found))


def proven(judge: Judge, given: Sequence[Case], through: Exchange) -> Proof:
    """Send documents through a program; a failing one is made smaller as long as it fails.

    Raises:
        RuntimeFailed: the program gave no verdict.
    """
    return shrunk(judge, judged(judge, given, through([case.text for case in given])), through)


def judged(judge: Judge, given: Sequence[Case], answers: Sequence[Answer]) -> Proof:
    """Return what the answers of a program to documents prove.

    Raises:
        RuntimeFailed: it did not answer every document.
    """
    if len(answers) != len(given):
        raise RuntimeFailed(f"{len(given)} documents got {len(answers)} answers")
    returned, refused, unable, failure = [], 0, 0, None
    for case, answer in zip(given, answers, strict=True):
        problem = judge.problem(case, answer)
        if problem:
            failure = failure or Failure(case=case, answer=answer, problem=problem)
        elif answer.accepted:
            returned.append(replace(case, text=answer.text))
        elif case.refused:
            refused += 1
        else:
            unable += 1
    return Proof(
        equal=len(returned), refused=refused, unable=unable, returned=tuple(returned), failure=failure
    )  # fmt: skip


def shrunk(judge: Judge, proof: Proof, through: Exchange) -> Proof:
    """Return a proof whose failing document is as small as the program still fails on."""
    return replace(proof, failure=_shrunk(judge, proof.failure, through)) if proof.failure else proof


def _shrunk(judge: Judge, failure: Failure, through: Exchange) -> Failure:
    for _ in range(_MOST_ROUNDS):
        tried = [judge.case(text, failure.case.what) for text in smaller(failure.case.text)]
        same = [case for case in tried if bool(case.refused) == bool(failure.case.refused)]
        try:
            answers = through([case.text for case in same]) if same else []
        except RuntimeFailed:
            return failure
        failing = [
            Failure(case=case, answer=answer, problem=problem)
            for case, answer in zip(same, answers, strict=False) if (problem := judge.problem(case, answer))
        ]  # fmt: skip
        if not failing:
            return failure
        failure = min(failing, key=lambda one: len(one.case.text))
    return failure


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, dict) and any(map(_has_nul, value.values()))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
