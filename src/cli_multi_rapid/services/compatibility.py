"""The contracts of a project compared with those that an earlier revision has published."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cli_multi_rapid.contracts.compatibility import Clash, Edition, clashes, counter_example, difference, equal
from cli_multi_rapid.contracts.cycles import require_end
from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.errors import Problem, SpecInvalid, UsageError
from cli_multi_rapid.model.contract import CheckStatus, ContractCheck, ContractResult, Mode
from cli_multi_rapid.services.base import revision
from cli_multi_rapid.services.published import Published, Release, published, published_last
from cli_multi_rapid.services.tree import opened
from cli_multi_rapid.services.wiring import Project

LAST_RELEASE = "last-release"
_SHOWN = 5


def compared(
    project: Project, editions: Iterable[Edition], base: str, mode: Mode = Mode.BACKWARD
) -> dict[str, ContractResult]:
    """Return by path what the comparison with a revision says of every contract, also of those that are gone.

    Args:
        editions: the contracts of the project, all valid.
        base: a revision, or `last-release`. Where there is no release, nothing is run.

    Raises:
        UsageError: the revision is none, or may mean different ones.
        GitFailed: git cannot read it.
    """
    now = {one.contract.path: one for one in editions}
    repository = opened(project)
    if base == LAST_RELEASE:
        before = published_last(repository, now)
    elif repository is None:
        raise UsageError(f"{base!r} cannot be compared with: the project is in no git repository", hint="git init")
    else:
        before = published(repository, revision(repository, base), base)
    if isinstance(before, Release):
        none = ContractCheck(check="compat", status=CheckStatus.NOT_RUN, detail=before.reason, needed=False)
        return {path: _result(one.contract, [none]) for path, one in now.items()}
    comparison = _Comparison(before=before, now=now, mode=mode)
    contracts = {**before.contracts(), **{path: one.contract for path, one in now.items()}}
    return {
        path: _result(one, comparison.checks(one))
        for path, one in sorted(contracts.items(), key=lambda item: (item[1].name, _version(item[1])))
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    before: Published
    now: dict[str, Edition]
    mode: Mode

    def checks(self, contract: Contract) -> Iterator[ContractCheck]:
        """Yield what there is to say of one contract."""
        path = contract.path
        if path in self.before.unusable:
            yield self._unjudged(contract, self.before.unusable[path])
        elif path not in self.now:
            said = f"{contract.key} was published at {self.before.name}, and is gone; put it back"
            yield _check(CheckStatus.FAIL, said, path)
        else:
            try:
                yield from self._judged(self.now[path])
            except SpecInvalid as invalid:
                yield self._unjudged(contract, f"{invalid.where}: {invalid}")

    def _unjudged(self, contract: Contract, reason: str) -> ContractCheck:
        said = f"{contract.key} cannot be compared with what {self.before.name} has: {reason}"
        return _check(CheckStatus.ERROR, said, contract.path)

    def _judged(self, edition: Edition) -> Iterator[ContractCheck]:
        before = self.before.editions.get(edition.contract.path)
        failed = list(self._kept(before, edition)) if before else []
        failed += self._compatible(edition, [one for one in self._earlier(edition.contract) if not before or one[2]])
        if failed:
            yield from failed[:_SHOWN]
        elif before is None:
            yield _check(CheckStatus.PASS, f"new since {self.before.name}")
        else:
            what = "the same as" if equal(before, edition) else "apart from annotations the same as"
            yield _check(CheckStatus.PASS, f"{what} at {self.before.name}")

    def _kept(self, before: Edition, edition: Edition) -> Iterator[ContractCheck]:
        """Yield how a published contract says something else than it did."""
        if equal(before, edition):
            return
        _require_valid(before)
        said = f"{edition.contract.key} was published at {self.before.name}"
        where = difference(before, edition)
        if not where:
            proof = counter_example(before, edition) or counter_example(edition, before)
            if proof:
                yield _check(CheckStatus.FAIL, f"{said}, and has changed: {proof}", str(edition.place))
            return
        older = [before, *(one for _, one, _ in self._earlier(edition.contract))]
        broken = [clash for one in older for clash in clashes(one, edition, self.mode)]
        for clash in dict.fromkeys(broken):
            fix = f"put it back, and publish the change as {self._next_major(edition.contract)}"
            yield _check(CheckStatus.FAIL, f"{said}, and this change breaks it: {_said(clash)}; {fix}", clash.pointer)
        if not broken:
            fix = f"put it back, and publish the change as {self._next_minor(edition.contract)}"
            yield _check(CheckStatus.FAIL, f"{said}, and has changed; the change is compatible: {fix}", where)

    def _compatible(self, edition: Edition, earlier: list[tuple[str, Edition, bool]]) -> Iterator[ContractCheck]:
        for name, one, _ in earlier:
            for clash in clashes(one, edition, self.mode):
                fix = f"publish it as {self._next_major(edition.contract)}"
                yield _check(CheckStatus.FAIL, f"not compatible with {name}: {_said(clash)}; {fix}", clash.pointer)

    def _earlier(self, contract: Contract) -> list[tuple[str, Edition, bool]]:
        """Return the earlier minors of the same major, each with its name and whether it is new since the base.

        Raises:
            SpecInvalid: one of them was published, but cannot be used.
        """
        made: list[tuple[str, Edition, bool]] = []
        known = {**self.before.contracts(), **{path: one.contract for path, one in self.now.items()}}
        for path, one in sorted(known.items(), key=lambda item: _version(item[1])):
            major, minor = _version(one)
            if one.name != contract.name or major != _version(contract)[0] or minor >= _version(contract)[1]:
                continue
            if path in self.before.unusable:
                raise _invalid(path, self.before.unusable[path])
            before, now = self.before.editions.get(path), self.now.get(path)
            if before is not None:
                _require_valid(before)
                made.append((f"{one.key} at {self.before.name}", before, False))
            if now is not None and (before is None or not equal(before, now)):
                made.append((one.key, now, before is None))
        return made

    def _next_minor(self, contract: Contract) -> str:
        major, _ = _version(contract)
        minors = [minor for other, minor in self._versions(contract) if other == major]
        return f"{contract.name}@{major}.{max(minors) + 1}"

    def _next_major(self, contract: Contract) -> str:
        return f"{contract.name}@{max(major for major, _ in self._versions(contract)) + 1}.0"

    def _versions(self, contract: Contract) -> list[tuple[int, int]]:
        known = [*self.before.contracts().values(), *(one.contract for one in self.now.values())]
        return [_version(one) for one in known if one.name == contract.name]


def _require_valid(edition: Edition) -> None:
    """Check that an edition of the base can be judged by.

    Raises:
        SpecInvalid: it is no valid schema.
    """
    require_end(edition.found, edition.place)
    _ = edition.validator


def _invalid(path: str, reason: str) -> SpecInvalid:
    return SpecInvalid((Problem(code="CONTRACT-SCHEMA", message=reason, path=path),))


def _version(contract: Contract) -> tuple[int, int]:
    major, _, minor = contract.version.partition(".")
    return int(major), int(minor)


def _said(clash: Clash) -> str:
    return f"{clash.reason} ({clash.mode.value})"


def _check(status: CheckStatus, detail: str, pointer: str = "") -> ContractCheck:
    return ContractCheck(check="compat", status=status, detail=detail, pointer=pointer)


def _result(contract: Contract, checks: Iterable[ContractCheck]) -> ContractResult:
    return ContractResult(name=contract.name, version=contract.version, checks=tuple(checks))
