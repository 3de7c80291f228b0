"""The base revision of a project: what a change is compared with, and what judges it.

A change must not be able to loosen what judges it. So gates, level, waivers and baseline are those that the base
revision has; of the present files only what the base lacks counts: a gate that is new.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli_multi_rapid.errors import GitFailed, SpecInvalid, UsageError
from cli_multi_rapid.model.gate import Level
from cli_multi_rapid.model.policy import Base, Policy
from cli_multi_rapid.services.project import CONFIG
from cli_multi_rapid.services.tree import opened
from cli_multi_rapid.services.wiring import BASELINE, BASELINE_LIMIT, GATES, WAIVERS, Project
from cli_multi_rapid.system.files import PathRefused, read_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli_multi_rapid.model.change import Change
    from cli_multi_rapid.model.gate import WaiverUse
    from cli_multi_rapid.system.git import Repository

POLICY_FILES = (GATES, CONFIG, WAIVERS, BASELINE)
"""The files by which a project is judged, as far as they are data."""

_ODD_BREAK = re.compile(r"\r(?!\n)|[\x85\u2028\u2029]")


def base_of(project: Project, wanted: str = "") -> Base | None:
    """Return the base revision: the common ancestor with `wanted`, else with the upstream branch, else HEAD.

    Returns None where there is no git repository, or no commit yet.

    Raises:
        UsageError: `wanted` is no commit, or has no common ancestor with HEAD.
    """
    return base_in(opened(project), wanted)


def base_in(repository: "Repository | None", wanted: str = "") -> Base | None:
    """Return the base revision of the project in a repository; see `base_of`."""
    from cli_multi_rapid.system.git_base import commit_of

    head = commit_of(repository, "HEAD") if repository else ""
    if repository is None or not head:
        if wanted:
            raise UsageError(f"{wanted!r} cannot be compared with: there is no commit here", hint="git commit")
        return None
    commit, why = _chosen(repository, head, wanted)
    return _base(repository, commit, why)


def base_at(repository: "Repository | None", commit: str) -> Base | None:
    """Return a base revision that was chosen before; None where none was.

    Raises:
        GitFailed: the commit is not there any more.
    """
    from cli_multi_rapid.system.git_base import commit_of

    if not commit:
        return None
    if repository is None or not commit_of(repository, commit):
        raise GitFailed(f"the base revision {commit} is not there any more")
    return _base(repository, commit, "")


def _base(repository: "Repository", commit: str, why: str) -> Base:
    from cli_multi_rapid.system.git_base import contents

    found = contents(repository, commit, POLICY_FILES)
    texts = {path: data.decode("utf-8", errors="surrogateescape") for path, data in found.items()}
    return Base(commit=commit, why=why, texts=texts)


def revision(repository: "Repository", wanted: str) -> str:
    """Return the commit that a person means by a revision.

    Raises:
        UsageError: it is no commit, or a name that more than one thing has.
    """
    from cli_multi_rapid.system.git_base import commit_of

    found = commit_of(repository, wanted)
    if not found:
        raise UsageError(f"{wanted!r} is no commit of this repository", hint="fetch it, or give another one")
    meant = {commit_of(repository, f"refs/{kind}/{wanted}") for kind in ("tags", "heads", "remotes")} - {""}
    if len(meant) > 1:
        hint = f"give its whole name, such as refs/heads/{wanted} or refs/remotes/{wanted}"
        raise UsageError(f"{wanted!r} may mean different commits here: a tag or a branch", hint=hint)
    return found


def _chosen(repository: "Repository", head: str, wanted: str) -> tuple[str, str]:
    from cli_multi_rapid.system.git_base import commit_of, merge_base

    if wanted:
        common = merge_base(repository, head, revision(repository, wanted))
        if not common:
            hint = "fetch the whole history:  git fetch --unshallow"
            raise UsageError(f"HEAD and {wanted!r} have no common ancestor here", hint=hint)
        return common, f"the common ancestor with {wanted}"
    upstream = commit_of(repository, "HEAD@{upstream}")
    common = merge_base(repository, head, upstream) if upstream else ""
    return (common, "the common ancestor with the upstream branch") if common else (head, "HEAD")


def level_in(base: Base) -> Level | None:
    """Return the level that the files of a base ask for, standard where they name none; None where it has no files."""
    from cli_multi_rapid.gates.config import load_gates
    from cli_multi_rapid.model.settings import ConfigFile
    from cli_multi_rapid.system.document import Loaded, load_document

    if text := base.texts.get(GATES):
        with suppress(SpecInvalid):
            if level := load_gates(text, GATES).level:
                return level
    unsaid = Level.STANDARD if GATES in base.texts else None
    text = base.texts.get(CONFIG)
    if text is None:
        return unsaid
    loaded: Loaded[ConfigFile] = load_document(text, CONFIG, shape=ConfigFile, schema="config")
    return loaded.value.level or Level.STANDARD if loaded.value else unsaid


def differing(project: Project, base: Base | None) -> tuple[str, ...]:
    """Return a sentence for people whose policy files differ from those of the base, which count."""
    if base is None:
        return ()
    paths = [path for path in POLICY_FILES if base.texts.get(path) != _present(project, path)]
    if not paths:
        return ()
    verb = "differs" if len(paths) == 1 else "differ"
    what = f"{', '.join(paths)} {verb} from the base revision {base.commit[:12]} ({base.why})"
    return (f"{what}: what it says there counts, apart from gates that are new",)


def _present(project: Project, path: str) -> str | None:
    try:
        return read_inside(project.root, path, limit_bytes=BASELINE_LIMIT).decode("utf-8", "surrogateescape")
    except PathRefused:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What the base says about findings, and sentences about what of it does not count."""

    policy: Policy
    notes: tuple[str, ...] = ()


def verdicts_of(repository: "Repository | None", base: Base | None, *, now: datetime | None = None) -> Verdicts:
    """Return the waivers and the baseline of a base. What is invalid there excuses nothing, which the notes say."""
    if base is None or repository is None:
        return Verdicts(policy=Policy())
    moment = now or datetime.now(UTC)
    notes: list[str] = []
    waivers = _waivers(repository, base, moment, notes)
    policy = Policy(base=base.commit, waivers=waivers)
    if text := base.texts.get(BASELINE):
        from cli_multi_rapid.gates.baseline import load_baseline

        try:
            known = load_baseline(text, BASELINE)
        except SpecInvalid as invalid:
            notes.append(f"{BASELINE} of the base revision counts for nothing: {invalid.problems[0].message}")
        else:
            policy = replace(
                policy,
                baseline={name: frozenset(found) for name, found in known.findings.items()},
                covered=known.covered,
            )
    return Verdicts(policy=policy, notes=tuple(notes))


def _waivers(repository: "Repository", base: Base, now: datetime, notes: list[str]) -> "tuple[WaiverUse, ...]":
    """Return the waivers of the base that somebody else approved than wrote them."""
    from cli_multi_rapid.gates.waivers import load_waivers
    from cli_multi_rapid.model.gate import WaiverUse
    from cli_multi_rapid.model.policy import has_expired
    from cli_multi_rapid.system.git_base import line_authors

    text = base.texts.get(WAIVERS)
    if text is None:
        return ()
    try:
        entries = load_waivers(text, WAIVERS)
        authors = line_authors(repository, base.commit, WAIVERS) if entries else []
    except (SpecInvalid, GitFailed) as problem:
        notes.append(f"{WAIVERS} of the base revision counts for nothing: {problem}")
        return ()
    found = []
    for entry in entries:
        one = entry.waiver
        # Where YAML and git count lines in different ways, nobody can say which ones are the waiver's.
        wrote = authors if _ODD_BREAK.search(text) else authors[entry.first - 1 : entry.last]
        if refused := _refused(one.approved_by, wrote):
            notes.append(f"{WAIVERS}:{entry.first}: {refused}; it excuses nothing")
            continue
        found.append(
            WaiverUse(
                rule=one.rule,
                path=one.path,
                fingerprint=one.fingerprint,
                reason=one.reason,
                approved_by=one.approved_by,
                expires=one.expires,
                expired=has_expired(one.expires, now),
            )
        )
    return tuple(found)


def _refused(approver: str, wrote: "Sequence[frozenset[str]]") -> str:
    """Return why somebody may not have approved lines that were written by others; nothing where they may."""
    from cli_multi_rapid.model.people import spellings

    if not wrote or not all(wrote):
        return "who wrote it is not known here, fetch the whole history (git fetch --unshallow)"
    names = frozenset[str]().union(*map(spellings, frozenset[str]().union(*wrote)))
    return f"{approver} approved what they wrote" if spellings(approver) & names else ""


def change_since(repository: "Repository", commit: str, tree: str) -> "Change":
    """Return what differs between a base and a tree of the project.

    No tree of a project has its submodules; those that are still what they were in the base do not differ.

    Raises:
        GitFailed: git cannot compare them.
    """
    from cli_multi_rapid.model.change import Change, ChangeKind
    from cli_multi_rapid.system.git_base import difference, same_submodules, tree_in

    files = difference(repository, tree_in(repository, commit), tree)
    same = same_submodules(
        repository, commit, [path for path, file in files.items() if file.kind is ChangeKind.DELETED]
    )
    return Change(base=commit, files={path: file for path, file in files.items() if path not in same})
