"""Reader of requirements files as pip understands them: pins, hashes, includes, constraints, links, folders."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.packages import Listing, Loose, Package
from cli_multi_rapid.gates.sources import text_of
from cli_multi_rapid.gates.versions import Ecosystem, name_of

ReadFile = Callable[[str], Report]

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"\s+--?[A-Za-z].*$")
_SHORT = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable"}
_FOLLOWED = ("--requirement", "--constraint", "--editable")
_OF_INDEX = re.compile(r"--?[A-Za-z][A-Za-z-]*(?:[ =].*)?")
_VCS = re.compile(r"(?:git|hg|svn|bzr)\+")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:")
_FILES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz")
_MAX_FILES = 200


def read_requirements(report: Report, read: ReadFile) -> Listing:
    """Return what a requirements file and those it includes name; `read` returns a file of the project by its path.

    Only hashes on every line make the list complete: pip then refuses whatever is not listed.

    Raises:
        EvidenceError: one of the files is missing, or not in the form of pip.
    """
    reading = _Reading(read=read, listing=Listing(ecosystem=Ecosystem.PYPI, source=report.path))
    reading.file(report, constraint=False)
    return reading.result()


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    number: int


@dataclass(slots=True, kw_only=True)
class _Reading:
    read: ReadFile
    listing: Listing
    constraints: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, bool]] = field(default_factory=set)
    further: list[Report] = field(default_factory=list)

    def result(self) -> Listing:
        listing = self.listing
        listing.further = tuple(self.further)
        still = []
        for one in listing.loose:
            if version := self.constraints.get(one.name):
                listing.packages.append(_package(one.name, version, path=one.path, line=one.line))
            else:
                still.append(one)
        listing.loose = still
        return listing

    def file(self, report: Report, *, constraint: bool) -> None:
        if (report.path, constraint) in self.seen:
            return
        self.seen.add((report.path, constraint))
        if len(self.seen) > _MAX_FILES:
            raise EvidenceError(f"{report.path}: more than {_MAX_FILES} files include each other", fix="name fewer")
        text = text_of(report.data)
        if text is None:
            raise EvidenceError(f"{report.path} is not text", fix="write it again")
        for line in _lines(text):
            self.line(line, report.path, constraint=constraint)

    def line(self, line: _Line, path: str, *, constraint: bool) -> None:
        option = re.split(r"[ =]", line.text, maxsplit=1)[0] if line.text.startswith("-") else ""
        option = _SHORT.get(option[:2], option)
        if option == "--editable":
            self.place(_value(line.text), line, path)
        elif option in _FOLLOWED:
            self.include(_value(line.text), path, constraint=constraint or option == "--constraint")
        elif not option:
            self.requirement(line, path, constraint=constraint)
        elif not _OF_INDEX.fullmatch(line.text):
            raise _malformed(line, path)

    def include(self, target: str, path: str, *, constraint: bool) -> None:
        if _LINK.match(target):
            raise EvidenceError(f"{path} includes {target}, which is not in the project", fix="put that file beside it")
        report = self.read((PurePosixPath(path).parent / target).as_posix())
        self.further.append(report)
        self.file(report, constraint=constraint)

    def requirement(self, line: _Line, path: str, *, constraint: bool) -> None:
        text = _OPTION.sub("", line.text).strip()
        self.listing.complete &= constraint or "--hash=" in line.text
        if _VCS.match(text) or _LINK.match(text) or _is_path(text):
            if not constraint:
                self.place(text, line, path)
            return
        try:
            wanted = Requirement(text)
        except InvalidRequirement as problem:
            raise _malformed(line, path) from problem
        name = name_of(Ecosystem.PYPI, wanted.name)
        version = _pin(wanted)
        if constraint:
            if version:
                self.constraints[name] = version
        elif wanted.url:
            self.place(wanted.url, line, path, name=name)
        elif version:
            self.listing.packages.append(_package(name, version, path=path, line=line.number))
        else:
            self.loose(name, line, path, reason="it names no exact version")

    def place(self, target: str, line: _Line, path: str, *, name: str = "") -> None:
        """Note what is installed from a link or a path and not from an index."""
        self.listing.complete = False
        if found := _of_file_name(target):
            self.listing.packages.append(_package(*found, path=path, line=line.number))
        elif _VCS.match(target) or (_LINK.match(target) and not target.startswith("file:")):
            egg = _EGG.search(target)
            named = name or (egg.group(1) if egg else "")
            self.loose(named, line, path, reason="it comes from a link without a version")
        elif target.lower().endswith(_FILES):
            self.loose(name, line, path, reason="the name of the file has no version")
        else:
            self.listing.own += 1  # a folder: code of the project, or of its neighbour

    def loose(self, name: str, line: _Line, path: str, *, reason: str) -> None:
        self.listing.loose.append(
            Loose(
                ecosystem=Ecosystem.PYPI,
                name=name_of(Ecosystem.PYPI, name),
                path=path,
                line=line.number,
                wanted=one_line(line.text, limit=100),
                reason=reason,
            )
        )


def _lines(text: str) -> Iterator[_Line]:
    """Return the lines that say something: continued ones joined, comments gone; numbers are those where they begin."""
    begin, parts = 0, list[str]()
    for number, raw in enumerate([*text.split("\n"), ""], start=1):
        comment = raw.lstrip().startswith("#")
        continued = raw.endswith("\\") and not comment
        begin = begin or number
        parts.append("" if comment else raw.removesuffix("\\") if continued else raw)
        if continued:
            continue
        joined = _COMMENT.sub("", " ".join(parts)).strip()
        if joined:
            yield _Line(joined, begin)
        begin, parts = 0, []


def _value(text: str) -> str:
    """Return the value of an option with a file: `-r FILE`, `-rFILE`, `--requirement FILE` or `--requirement=FILE`."""
    short = text[2:] if text[:2] in _SHORT else re.split(r"[ =]", text, maxsplit=1)[-1]
    return short.strip().strip("\"'")


def _pin(wanted: Requirement) -> str:
    """Return the version that a requirement pins, or nothing."""
    pins = [one.version for one in wanted.specifier if one.operator in ("==", "===")]
    return pins[0] if len(pins) == 1 and not pins[0].endswith(".*") else ""


def _is_path(text: str) -> bool:
    return (
        text.startswith((".", "/", "~"))
        or text[1:3] in (":\\", ":/")
        or ("@" not in text and text.lower().endswith(_FILES))
    )


def _of_file_name(target: str) -> tuple[str, str] | None:
    """Return name and version of a package file at the end of a link or path."""
    path = unquote(urlsplit(target).path) if _LINK.match(target) else target.partition(" ")[0]
    file = path.replace("\\", "/").rpartition("/")[2]
    try:
        name, version = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return None
    return name, str(version)


def _package(name: str, version: str, *, path: str, line: int) -> Package:
    return Package(ecosystem=Ecosystem.PYPI, name=name, version=version, path=path, line=line)


def _malformed(line: _Line, path: str) -> EvidenceError:
    return EvidenceError(
        f"{path}:{line.number} is no requirement: {one_line(line.text, limit=80)}", fix="correct this line"
    )
