"""The base revision of a project: what a change is compared with, and what judges it.

A change must not be able to loosen what judges it. So gates, level, waivers and baseline are those that the base
revision has; of the present files only what the base lacks counts: a gate that is new.
"""

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
    from cli_multi_rapid.model.change import Change
    from cli_multi_rapid.model.gate import WaiverUse
    from cli_multi_rapid.system.git import Repository

POLICY_FILES = (GATES, CONFIG, WAIVERS, BASELINE)
"""The files by which a project is judged, as far as they are data."""


def base_of(project: Project, wanted: str = "") -> Base | None:
    """Return the base revision: the common ancestor with `wanted`, else with the upstream branch, else HEAD.

    Returns None where there is no git repository, or no commit yet.

    Raises:
        UsageError: `wanted` is no commit, or has no common ancestor with HEAD.
    """
    from cli_multi_rapid.system.git_base import commit_of

    repository = opened(project)
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


def _chosen(repository: "Repository", head: str, wanted: str) -> tuple[str, str]:
    from cli_multi_rapid.system.git_base import commit_of, merge_base

    if wanted:
        other = commit_of(repository, wanted)
        if not other:
            raise UsageError(f"{wanted!r} is no commit of this repository", hint="fetch it, or give another one")
        common = merge_base(repository, head, other)
        if not common:
            hint = "fetch the whole history:  git fetch --unshallow"
            raise UsageError(f"HEAD and {wanted!r} have no common ancestor here", hint=hint)
        return common, f"the common ancestor with {wanted}"
    upstream = commit_of(repository, "HEAD@{upstream}")
    common = merge_base(repository, head, upstream) if upstream else ""
    return (common, "the common ancestor with the upstream branch") if common else (head, "HEAD")


def level_in(base: Base) -> Level | None:
    """Return the level that the files of a base ask for; None where it has none of them, or they cannot be read."""
    from cli_multi_rapid.gates.config import load_gates
    from cli_multi_rapid.model.settings import ConfigFile
    from cli_multi_rapid.system.document import Loaded, load_document

    if text := base.texts.get(GATES):
        with suppress(SpecInvalid):
            if level := load_gates(text, GATES).level:
                return level
    text = base.texts.get(CONFIG)
    if text is None:
        return None
    loaded: Loaded[ConfigFile] = load_document(text, CONFIG, shape=ConfigFile, schema="config")
    return loaded.value.level or Level.STANDARD if loaded.value else None


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
        wrote = frozenset[str]().union(*authors[entry.first - 1 : entry.last])
        if one.approved_by.strip().casefold() in wrote:
            notes.append(f"{WAIVERS}:{entry.first}: {one.approved_by} approved what they wrote; it excuses nothing")
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


def change_since(repository: "Repository", commit: str, tree: str) -> "Change":
    """Return what differs between a base and a tree of the project.

    Raises:
        GitFailed: git cannot compare them.
    """
    from cli_multi_rapid.model.change import Change
    from cli_multi_rapid.system.git_base import difference, tree_in

    return Change(base=commit, files=difference(repository, tree_in(repository, commit), tree))
