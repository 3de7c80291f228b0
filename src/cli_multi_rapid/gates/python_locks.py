"""Readers of Python's lock files: uv, Poetry, PDM, Pipenv, and pylock.toml (PEP 751)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.packages import Listing, Loose, Package, line_numbers
from cli_multi_rapid.gates.parsing import mapping, read_json
from cli_multi_rapid.gates.versions import Ecosystem, name_of

_LOCK = "lock the dependencies again"
_OWN = ("editable", "virtual", "directory")


def read_package_tables(report: Report) -> Listing:
    """Return what `uv.lock`, `poetry.lock`, `pdm.lock` or a `pylock.toml` names: its `package` or `packages` tables.

    Raises:
        EvidenceError: it is no such file.
    """
    document = _toml(report)
    key = "packages" if "packages" in document or "lock-version" in document else "package"
    tables = document.get(key, [])
    versioned = "version" in document or "lock-version" in document or "metadata" in document
    if not isinstance(tables, list) or not (tables or versioned):
        raise _malformed(report, "it has no packages")
    lines = _table_lines(report.data.decode(errors="replace"), key, count=len(tables))
    listing = Listing(ecosystem=Ecosystem.PYPI, source=report.path)
    for table, line in zip(tables, lines, strict=True):
        if not isinstance(table, dict):
            raise _malformed(report, "a package is not a table")
        _add(listing, table, report, line=line)
    return listing


def read_pipfile_lock(report: Report) -> Listing:
    """Return what a `Pipfile.lock` names, in all its categories.

    Raises:
        EvidenceError: it is no such file.
    """
    document = mapping(read_json(report.data, path=report.path), what=report.path)
    if "_meta" not in document:
        raise _malformed(report, "it has no `_meta`")
    lines = line_numbers(report.data.decode(errors="replace"))
    listing = Listing(ecosystem=Ecosystem.PYPI, source=report.path)
    for category, entries in document.items():
        if category == "_meta":
            continue
        for name, entry in mapping(entries, what=f"{category} of {report.path}").items():
            values = mapping(entry, what=f"{name} of {report.path}")
            version = values.get("version")
            pinned = version.removeprefix("==").removeprefix("=") if isinstance(version, str) else ""
            own = "path" in values and not pinned
            _note(listing, name, pinned, report, line=lines.get(name, 0), own=own)
    return listing


def _add(listing: Listing, table: Mapping[str, Any], report: Report, *, line: int) -> None:
    name, version = table.get("name"), table.get("version", "")
    if not isinstance(name, str) or not name or not isinstance(version, str):
        raise _malformed(report, "a package has no name, or a version that is no text")
    _note(listing, name, version, report, line=line, own=_is_own(table))


def _is_own(table: Mapping[str, Any]) -> bool:
    """Tell whether a package is a folder of the project or beside it."""
    source = table.get("source")
    if isinstance(source, dict):
        return any(key in source for key in _OWN) or source.get("type") == "directory"
    return "directory" in table or ("path" in table and table.get("editable") is True)


def _note(listing: Listing, name: str, version: str, report: Report, *, line: int, own: bool) -> None:
    name = name_of(Ecosystem.PYPI, one_line(name, limit=200))
    if own:
        listing.own += 1
    elif version:
        listing.packages.append(
            Package(ecosystem=Ecosystem.PYPI, name=name, version=version, path=report.path, line=line)
        )
    else:
        reason = "it comes from a link without a version"
        listing.loose.append(
            Loose(ecosystem=Ecosystem.PYPI, name=name, path=report.path, line=line, wanted=name, reason=reason)
        )


def _table_lines(text: str, key: str, *, count: int) -> Sequence[int]:
    """Return the lines on which the tables begin; 0 for each where that cannot be told."""
    header = re.compile(rf"\[\[\s*{key}\s*\]\]\s*(?:#.*)?")
    found = [number for number, line in enumerate(text.split("\n"), start=1) if header.fullmatch(line.strip())]
    return found if len(found) == count else [0] * count


def _toml(report: Report) -> dict[str, Any]:
    try:
        return tomllib.loads(report.data.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise EvidenceError(
            f"{report.path} is not valid TOML: {one_line(str(problem), limit=120)}", fix=_LOCK
        ) from problem


def _malformed(report: Report, why: str) -> EvidenceError:
    return EvidenceError(f"{report.path} is no lock file that is known: {why}", fix=_LOCK)
