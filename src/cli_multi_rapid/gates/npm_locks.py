"""Readers of the lock files of npm (versions 1 to 3), Yarn (classic and later) and pnpm."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.packages import Listing, Loose, Package, Terms, line_numbers
from cli_multi_rapid.gates.parsing import mapping, read_json
from cli_multi_rapid.gates.versions import Ecosystem, version_of
from cli_multi_rapid.system.plain_yaml import YamlRefused, read_plain

_LOCK = "lock the dependencies again"
_MODULES = "node_modules/"
_MAX_DEPTH = 100
_MAX_PACKAGES = 200_000
_ALIAS = re.compile(r"npm:((?:@[^/@]+/)?[^/@]+)@(.+)")
_YARN_VERSION = re.compile(r"""^  version:? "?([^"\s]+)"?\s*$""")
_OWN_SOURCES = ("file:", "link:", "workspace:", "portal:")
_PNPM_KEY = re.compile(r"/?((?:@[^/@]+/)?[^/@(]+)[/@]([^/(_]+).*")


def read_package_lock(report: Report) -> Listing:
    """Return what a `package-lock.json` or `npm-shrinkwrap.json` names.

    Raises:
        EvidenceError: it is no such file.
    """
    document = mapping(read_json(report.data, path=report.path), what=report.path)
    listing = Listing(ecosystem=Ecosystem.NPM, source=report.path)
    lines = line_numbers(report.data.decode(errors="replace"))
    note = _Note(listing, report, lines)
    if "packages" in document:
        for folder, entry in mapping(document["packages"], what=f"packages of {report.path}").items():
            _installed(note, folder, mapping(entry, what=f"{folder} of {report.path}"))
    elif "lockfileVersion" in document:
        _nested(note, mapping(document.get("dependencies", {}), what=f"dependencies of {report.path}"), depth=0)
    else:
        raise _malformed(report, "it has neither `packages` nor `lockfileVersion`")
    return listing


def read_yarn_lock(report: Report) -> Listing:
    """Return what a `yarn.lock` of any version of Yarn names.

    Raises:
        EvidenceError: it is no such file.
    """
    try:
        text = report.data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise _malformed(report, "it is not UTF-8") from problem
    if "# yarn lockfile v1" not in text and not re.search(r"^__metadata:", text, re.MULTILINE):
        raise _malformed(report, "it does not say that it is one")
    listing = Listing(ecosystem=Ecosystem.NPM, source=report.path)
    note = _Note(listing, report, {})
    for number, patterns, version in _yarn_entries(text, report):
        first = patterns[0]
        name, _, source = first[1:].partition("@")
        name = first[0] + name
        if all(_is_own(one) for one in patterns):
            listing.own += 1
        elif alias := _ALIAS.fullmatch(source):
            note.package(alias.group(1), version, line=number)
        else:
            note.package(name, version, line=number)
    return listing


def read_pnpm_lock(report: Report) -> Listing:
    """Return what a `pnpm-lock.yaml` names.

    Raises:
        EvidenceError: it is no such file.
    """
    document = _yaml(report)
    if not document.get("lockfileVersion"):
        raise _malformed(report, "it has no `lockfileVersion`")
    packages = document.get("packages") or {}
    listing = Listing(ecosystem=Ecosystem.NPM, source=report.path)
    note = _Note(listing, report, line_numbers(report.data.decode(errors="replace")))
    for key, entry in mapping(packages, what=f"packages of {report.path}").items():
        values = mapping(entry or {}, what=f"{key} of {report.path}")
        named = _PNPM_KEY.fullmatch(key)
        name, version = (named.group(1), named.group(2)) if named else ("", "")
        version = str(values.get("version") or version)
        line = note.lines.get(key, 0)
        if any(source in key for source in _OWN_SOURCES):
            listing.own += 1
        else:
            note.package(str(values.get("name") or name or key), version, line=line)
    return listing


class _Note:
    """Notes the packages of one lock file."""

    def __init__(self, listing: Listing, report: Report, lines: Mapping[str, int]) -> None:
        self.listing = listing
        self.lines = lines
        self._report = report

    def package(self, name: str, version: str, *, line: int, terms: Terms | None = None, folder: str = "") -> None:
        """Note a package. What is no version (a link to a repository) makes it one that cannot be matched."""
        name, path = one_line(name, limit=200), self._report.path
        if len(self.listing.packages) + len(self.listing.loose) >= _MAX_PACKAGES:
            raise _malformed(self._report, f"it names more than {_MAX_PACKAGES:,} packages")
        if alias := _ALIAS.fullmatch(version):
            name, version = alias.group(1), alias.group(2)
        if version_of(Ecosystem.NPM, version) is not None:
            self.listing.packages.append(
                Package(
                    ecosystem=Ecosystem.NPM, name=name, version=version, path=path, line=line, terms=terms,
                    folder=folder,
                )
            )  # fmt: skip
        else:
            wanted = one_line(f"{name}@{version}", limit=100)
            reason = "it comes from a link without a version"
            self.listing.loose.append(
                Loose(ecosystem=Ecosystem.NPM, name=name, path=path, line=line, wanted=wanted, reason=reason)
            )

    def text(self, values: Mapping[str, object], key: str) -> str:
        """Return a text of an entry, or nothing."""
        value = values.get(key, "")
        if not isinstance(value, str):
            raise _malformed(self._report, f"{key!r} of a package is not text")
        return value


def terms_of(values: Mapping[str, object]) -> Terms | None:
    """Return what a `package.json`, or its copy in a lock file, says about the licence, in any of the forms in use."""
    said = values.get("license", values.get("licence"))
    several = values.get("licenses")
    if isinstance(said, list) or (said is None and isinstance(several, list)):
        items = said if isinstance(said, list) else several
        assert isinstance(items, list)
        texts = tuple(text for item in items if (text := _licence_name(item)))
        return Terms(texts=texts, choice=True) if texts else None
    text = _licence_name(said if said is not None else several)
    return Terms(texts=(text,)) if text else None


def _licence_name(item: object) -> str:
    if isinstance(item, dict):
        item = item.get("type", item.get("name"))
    return item if isinstance(item, str) else ""


def _installed(note: _Note, folder: str, entry: Mapping[str, object]) -> None:
    """Note an entry of `packages`: installed below node_modules, or a folder of the project."""
    if _MODULES not in f"{folder}/" or entry.get("link") is True:
        note.listing.own += 1
        return
    name = note.text(entry, "name") or folder.rpartition(_MODULES)[2]
    version = note.text(entry, "version")
    note.package(name, version, line=note.lines.get(folder, 0), terms=terms_of(entry), folder=folder)


def _nested(note: _Note, entries: Mapping[str, object], *, depth: int, folder: str = "") -> None:
    """Note the entries of `dependencies` as npm 6 wrote them, those inside of others too."""
    if depth > _MAX_DEPTH:
        raise EvidenceError("a package-lock.json is nested too deeply", fix=_LOCK)
    for name, item in entries.items():
        entry = mapping(item, what=f"the dependency {one_line(name, limit=80)}")
        version, at = note.text(entry, "version"), f"{folder}{_MODULES}{name}"
        if version.startswith(_OWN_SOURCES):
            note.listing.own += 1
        else:
            note.package(name, version, line=note.lines.get(name, 0), folder=at)
        inner = mapping(entry.get("dependencies", {}), what=f"the dependencies of {one_line(name, limit=80)}")
        _nested(note, inner, depth=depth + 1, folder=f"{at}/")


def _yarn_entries(text: str, report: Report) -> Iterator[tuple[int, list[str], str]]:
    """Return line, patterns and version of every entry."""
    begin, patterns, version = 0, list[str](), ""
    for number, line in enumerate([*text.split("\n"), "end:"], start=1):
        if line and not line[0].isspace() and not line.startswith("#") and line.strip() != ":":
            if patterns:
                if not version:
                    raise _malformed(report, f"the entry in line {begin} has no version")
                yield begin, patterns, version
            begin, version = number, ""
            patterns = _patterns(line.rstrip(), report, number)
        elif found := _YARN_VERSION.match(line):
            version = found.group(1)


def _patterns(line: str, report: Report, number: int) -> list[str]:
    """Return what an entry is for: `name@range`, several by commas. A very long key begins with a question mark."""
    if line in ("__metadata:", "end:"):
        return []
    keys = line.removeprefix("? ").removesuffix(":")
    found = [one.strip().strip('"') for one in keys.strip('"').split(",")]
    if (not line.startswith("? ") and not line.endswith(":")) or not all("@" in one[1:] for one in found):
        raise _malformed(report, f"line {number} is not the beginning of an entry")
    return found


def _is_own(pattern: str) -> bool:
    source = pattern[1:].partition("@")[2]
    return source.startswith(_OWN_SOURCES) or "@workspace:" in pattern


def _yaml(report: Report) -> Mapping[str, Any]:
    try:
        value = read_plain(report.data)
    except YamlRefused as problem:
        raise EvidenceError(
            f"{report.path} is not valid YAML: {one_line(str(problem), limit=120)}", fix=_LOCK
        ) from problem
    return mapping(value, what=report.path)


def _malformed(report: Report, why: str) -> EvidenceError:
    return EvidenceError(f"{report.path} is no lock file that is known: {why}", fix=_LOCK)
