"""The contracts that a revision of the project has: read from git's objects, with what they refer to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cli_multi_rapid.contracts.compatibility import Edition, equal
from cli_multi_rapid.contracts.loading import FOLDER, Contract, ContractSet, Target, contract_named, load_contracts
from cli_multi_rapid.contracts.schema_tree import schemas
from cli_multi_rapid.contracts.strict_json import LIMIT_BYTES
from cli_multi_rapid.errors import GitFailed, UsageError
from cli_multi_rapid.system.files import PathRefused

if TYPE_CHECKING:
    from cli_multi_rapid.system.git import Repository
    from cli_multi_rapid.system.git_files import CommittedFiles

_PART = r"(?:0|[1-9][0-9]{0,8})"
_TAG = re.compile(rf"refs/tags/v?({_PART}\.{_PART}\.{_PART})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The newest release that is reachable: its tag and commit, or the reason why there is none."""

    tag: str = ""
    commit: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The contracts of a revision that is called `name`, by path; what cannot be used has its reason."""

    name: str
    editions: dict[str, Edition] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)

    def contracts(self) -> dict[str, Contract]:
        """Return every contract that was published, by its path."""
        bad = (contract_named(path.removeprefix(f"{FOLDER}/")) for path in self.unusable)
        made = {one.path: one for one in bad if one is not None}
        return {**made, **{path: edition.contract for path, edition in self.editions.items()}}


def last_release(repository: "Repository | None", *, but: str = "") -> Release:
    """Return the newest release tag, `v1.2.3` or `1.2.3`, that the checked out commit or an ancestor of it has.

    Tags of the commit `but` do not count.

    Raises:
        UsageError: the version has two tags at different commits.
        GitFailed: the history is incomplete, so that there may be a release that is not known here.
    """
    from cli_multi_rapid.system.git_base import commit_of, is_shallow, tags_of

    if repository is None or not commit_of(repository, "HEAD"):
        return Release(reason="there is no release: the project has no commit yet")
    found: dict[tuple[int, ...], dict[str, str]] = {}
    for name in tags_of(repository, "HEAD"):
        if match := _TAG.fullmatch(name):
            number, commit = tuple(map(int, match[1].split("."))), commit_of(repository, name)
            if commit != but:
                found.setdefault(number, {})[name] = commit
    if not found and is_shallow(repository):
        raise GitFailed(
            "the last release is not known here: the history is incomplete", where=str(repository.root),
            hint="fetch all of it:  git fetch --unshallow --tags",
        )  # fmt: skip
    if not found:
        return Release(reason="there is no release yet: no tag such as v1.0.0 is reachable")
    newest = found[max(found)]
    if len(set(newest.values())) > 1:
        raise UsageError(f"these tags name different commits: {', '.join(sorted(newest))}", hint="give one of them")
    tag, commit = min(newest.items())
    return Release(tag=tag.removeprefix("refs/tags/"), commit=commit)


def published_last(repository: "Repository | None", now: Mapping[str, Edition]) -> Published | Release:
    """Read the contracts of the last release, or say why there is none.

    Where the checked out commit is the release, and the contracts are still those of it, the one before it counts: a
    pipeline that a tag starts would compare a release with itself. The first release is compared with itself.

    Raises:
        UsageError, GitFailed: as `last_release` and `published`.
    """
    from cli_multi_rapid.system.git_base import commit_of

    release = last_release(repository)
    if repository is None or not release.commit:
        return release
    made = published(repository, release.commit, release.tag)
    if release.commit != commit_of(repository, "HEAD") or not _same(made.editions, now):
        return made
    earlier = last_release(repository, but=release.commit)
    return published(repository, earlier.commit, earlier.tag) if earlier.commit else made


def _same(before: Mapping[str, Edition], now: Mapping[str, Edition]) -> bool:
    return before.keys() == now.keys() and all(equal(one, now[path]) for path, one in before.items())


def published(repository: "Repository", commit: str, name: str) -> Published:
    """Read the contracts of a commit.

    Raises:
        GitFailed: git cannot read it, or where contracts are kept it has something else.
    """
    from cli_multi_rapid.system.git_files import CommittedFiles

    with CommittedFiles(repository, commit) as files:
        try:
            names = [one for one in files.names(FOLDER) if one.endswith(".json") and not one.startswith(".")]
        except PathRefused as refused:
            said = f"the contracts of {name[:80]!r} cannot be read: {refused.path} {refused.reason}"
            raise GitFailed(said, where=str(repository.root)) from refused
        known = [one for one in names if contract_named(one) is not None]
        found = load_contracts(known, partial(files.read, limit_bytes=LIMIT_BYTES))
        wrong = _unusable(found)
        editions = {
            one.path: Edition(found=found, contract=one, examples=_examples(files, one))
            for one in found.contracts
            if one.path not in wrong
        }
    return Published(name=name, editions=editions, unusable=wrong)


def _examples(files: "CommittedFiles", contract: Contract) -> tuple[bytes, ...]:
    """Return the valid examples of a contract that can be read; whether all can be is another check."""
    folder = contract.examples("valid")
    try:
        return tuple(files.read(f"{folder}/{name}", limit_bytes=LIMIT_BYTES) for name in files.names(folder))
    except PathRefused:
        return ()


def _unusable(found: ContractSet) -> dict[str, str]:
    """Return why contracts cannot be used, by path: for what is wrong in them, or in what they refer to."""
    wrong = dict(_wrong(found))
    links: dict[str, set[str]] = {}
    for source, target in found.references.items():
        links.setdefault(source.path, set()).add(target.path)
    made = {path: reason for path, reason in wrong.items() if contract_named(path.removeprefix(f"{FOLDER}/"))}
    for one in found.contracts:
        todo, seen = [one.path], set[str]()
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += links.get(here, ())
                if here in wrong:
                    made.setdefault(one.path, wrong[here])
    return made


def _wrong(found: ContractSet) -> Iterator[tuple[str, str]]:
    """Yield the files that have a problem, or that refer to what could not be read; the first problem last."""
    for path, document in found.documents.items():
        for pointer, schema in schemas(document):
            for keyword in ("$ref", "$dynamicRef"):
                if keyword in schema and Target(path, pointer) not in found.references:
                    yield path, f"{path}#{pointer}: what `{keyword}` refers to cannot be read"
    for one in reversed(found.problems):
        yield one.path.partition("#")[0], f"{one.where}: {one.message}"
