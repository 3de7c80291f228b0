"""The round trip of one contract through every language."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cli_multi_rapid.contracts import ir
from cli_multi_rapid.contracts.emitting import Answer, Refused, RuntimeFailed
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.roundtrip import (
    Case,
    Exchange,
    Failure,
    Judge,
    Proof,
    SampleInvalid,
    cases,
    judged,
    proven,
    shrunk,
)
from cli_multi_rapid.contracts.samples import NoDocument
from cli_multi_rapid.errors import FolderUnwritable
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck
from cli_multi_rapid.services.contracts import OpenContracts
from cli_multi_rapid.services.languages import Language
from cli_multi_rapid.services.reporting import write_report

SEED = 1
DOCUMENTS = 200
FOLDER = ".cmr/roundtrip"

_CHANGED = 5  # changed documents for each valid one
_LEAST_CHANGED = 50
_TIMEOUT_S = 300.0
_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What is asked: the seed, how many valid documents, which targets must run, and whether old verdicts stand."""

    seed: int = SEED
    documents: int = DOCUMENTS
    required: frozenset[str] = frozenset()
    cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One language on its way: what it is given documents by, and what they proved."""

    language: Language
    exchange: Exchange
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTrip:
    """One contract, and what its documents go through. The first language is Python; `kept` is for its programs."""

    opened: OpenContracts
    contract: Contract
    languages: Sequence[Language]
    trip: Trip
    kept: Path

    def checks(self, before: Mapping[str, str]) -> Iterator[ContractCheck]:
        """Yield a check for each language, and one for what is never run; `before` has details of what has passed."""
        made = lowered(self.opened.found, self.contract)
        if not isinstance(made.type, ir.ObjectType | ir.UnionType):
            first = made.violations[0]
            reason = f"the contract is outside of the profile, {first.place}: {first.reason}; --lint says everything"
            yield from (self._not_run(one.target, reason) for one in self.languages)
            return
        found, todo = {}, []
        for one in self.languages:
            if missing := one.runtime.unavailable(self.opened.project.environ):
                found[one.target] = self._not_run(one.target, missing)
            elif one.target in before:
                found[one.target] = self._check(one.target, CheckStatus.PASS, before[one.target])
            else:
                todo.append(one)
        judge = Judge(type=made.type, validator=self.opened.validators[self.contract.path])
        found |= {check.target: check for check in self._run(judge, todo)} if todo else {}
        yield from (found[one.target] for one in self.languages)
        yield from (self._not_run(name, why) for one in self.languages for name, why in one.runtime.NOT_RUN)

    def _run(self, judge: Judge, todo: Sequence[Language]) -> Iterator[ContractCheck]:
        changed = max(_LEAST_CHANGED, _CHANGED * self.trip.documents)
        try:
            given = cases(judge, seed=self.trip.seed, count=self.trip.documents, changed=changed)
        except NoDocument as none:
            yield from (self._not_run(one.target, f"no document could be made: {none}") for one in todo)
            return
        except SampleInvalid as wrong:
            reason = f"a document was made that is not valid, which is a bug of this program: {wrong}"
            yield from (self._check(one.target, CheckStatus.ERROR, reason) for one in todo)
            return
        first = self.languages[0]
        python = None
        if not first.runtime.unavailable(self.opened.project.environ):
            python = self._sent(judge, first, given)
            if first in todo:
                yield self._said(first, python)
        written = _as_python_writes(python.proof) if isinstance(python, _Way) else ()
        ways = {one.target: self._sent(judge, one, (*given, *written)) for one in todo if one is not first}
        if isinstance(python, _Way):
            ways = self._read_back(judge, python, ways)
        yield from (self._said(one, ways[one.target]) for one in todo if one is not first)

    def _sent(self, judge: Judge, language: Language, given: Sequence[Case]) -> "_Way | ContractCheck":
        """Send documents through a language; where that cannot be, return the check that says so."""
        judge = replace(judge, nul=language.nul)
        try:
            files = language.files(self.opened.found, self.contract, judge.type)
        except Refused as refused:
            return self._not_run(language.target, str(refused))
        exchange = partial(self._through, language, files)
        try:
            proof = proven(judge, given, exchange)
        except RuntimeFailed as failed:
            return self._check(language.target, CheckStatus.ERROR, f"there is no verdict: {failed}")
        return _Way(language=language, exchange=exchange, proof=proof)

    def _read_back(
        self, judge: Judge, python: _Way, ways: Mapping[str, "_Way | ContractCheck"]
    ) -> dict[str, "_Way | ContractCheck"]:
        """Let Python read what every language has written, all in one go."""
        made = dict(ways)
        written = {target: way.proof.returned for target, way in ways.items()
                   if isinstance(way, _Way) and not way.proof.failure}  # fmt: skip
        everything = [case for cases in written.values() for case in cases]
        try:
            answers = python.exchange([case.text for case in everything]) if everything else []
            for target, cases in written.items():
                mine, answers = answers[: len(cases)], answers[len(cases) :]
                back = shrunk(judge, judged(judge, cases, mine), python.exchange)
                way = made[target]
                if back.failure and isinstance(way, _Way):
                    problem = f"Python read what {target} wrote: {back.failure.problem}"
                    failure = replace(back.failure, problem=problem)
                    made[target] = replace(way, proof=replace(way.proof, failure=failure))
        except RuntimeFailed as failed:
            reason = f"there is no verdict: Python, reading what came back: {failed}"
            made |= {target: self._check(target, CheckStatus.ERROR, reason) for target in written}
        return made

    def _through(self, language: Language, files: Mapping[str, str], documents: Sequence[str]) -> list[Answer]:
        environ = self.opened.project.environ
        with TemporaryDirectory(prefix="cmr-") as folder:
            if language.compiled:
                return language.compiled(
                    self.contract, files, documents,
                    folder=Path(folder), environment=environ, timeout=_TIMEOUT_S, cache=self.kept,
                )  # fmt: skip
            return language.runtime.answers(
                self.contract, files, documents, folder=Path(folder), environment=environ, timeout=_TIMEOUT_S
            )

    def _said(self, language: Language, way: "_Way | ContractCheck") -> ContractCheck:
        if isinstance(way, ContractCheck):
            return way
        proof, executed = way.proof, language.runtime.executed(self.opened.project.environ)
        if proof.failure is None:
            unable = f"; its texts cannot hold U+0000, so it refused {proof.unable} more" if proof.unable else ""
            detail = f"{executed}: {proof.equal} documents equal, {proof.refused} refused{unable}"
            return self._check(language.target, CheckStatus.PASS, detail)
        failure = proof.failure
        said = f"{executed}: {failure.problem}; {failure.case.what}: {_short(failure.case.text)}"
        kept = self._kept(language, failure)
        return self._check(language.target, CheckStatus.FAIL, f"{said} (seed {self.trip.seed}; {kept})")

    def _kept(self, language: Language, failure: Failure) -> str:
        """Save a failing document in the project's folder for reports; return where it is, or why it is not."""
        place = f"{FOLDER}/{self.contract.key}-{language.target}.json"
        case, answer = failure.case, failure.answer
        content = {
            "contract": self.contract.id, "target": language.target, "seed": self.trip.seed,
            "problem": failure.problem, "what": case.what, "document": case.text,
            "must_be_refused": case.refused or None,
            "answer": {"text": answer.text} if answer.accepted else {"error": answer.error, "where": answer.where},
        }  # fmt: skip
        try:
            write_report(self.opened.project.root / place, json.dumps(content, indent=2) + "\n")
        except FolderUnwritable as refused:
            return f"not saved: {refused}"
        return f"saved as {place}"

    def _not_run(self, target: str, reason: str) -> ContractCheck:
        needed = target in self.trip.required
        return replace(self._check(target, CheckStatus.NOT_RUN, reason), needed=needed)

    def _check(self, target: str, status: CheckStatus, detail: str) -> ContractCheck:
        return ContractCheck(check="roundtrip", target=target, status=status, detail=detail)


def _as_python_writes(proof: Proof) -> tuple[Case, ...]:
    return tuple(replace(case, what=f"{case.what}, as Python writes it") for case in proof.returned)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} ... {text[-_SHOWN // 2 :]}"
