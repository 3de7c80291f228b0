"""What is installed in a Python environment, read from its metadata: none of its code runs, nor its interpreter."""

import json
import os
import re
import stat
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli_multi_rapid.system.environment import find_program

_LIMIT_BYTES = 16 << 20
_PYTHONS = ("python", "python3")
_FILES = ("METADATA", "PKG-INFO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A Python environment: the folders its packages are in. `shared` tells that it sees those of the system too."""

    prefix: str
    folders: tuple[Path, ...]
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed package, in its own words. `problem` says what of its metadata could not be read.

    `source` is the folder it was installed from, in place of an index; `editable` that the folder itself is used.
    """

    name: str
    version: str
    expression: str = ""
    licence: str = ""
    classifiers: tuple[str, ...] = ()
    source: str = ""
    editable: bool = False
    problem: str = ""


def find_site(environ: Mapping[str, str]) -> Site | None:
    """Find the environment that steps with these variables work in: VIRTUAL_ENV, else that of the PATH's Python.

    None where there is no Python, or only the one that this program brings along.
    """
    if prefix := environ.get("VIRTUAL_ENV", ""):
        return _virtual(Path(prefix))
    path = environ.get("PATH", "")
    python = next((Path(found) for name in _PYTHONS if (found := find_program(name, path))), None)
    if python is None:
        return None
    last = path.rpartition(os.pathsep)[2]
    if (python.parent.parent / "pyvenv.cfg").is_file():
        brought = str(python.parent) == last == sysconfig.get_path("scripts")
        return None if brought else _virtual(python.parent.parent)
    return _system(Path(os.path.realpath(python)), environ.get("HOME", ""))


def distributions(site: Site) -> Iterator[Distribution]:
    """Return what is installed in an environment, sorted by folder and name."""
    for folder in site.folders:
        for entry in sorted(folder.iterdir()):
            # What pip could not remove, it renames so; nothing imports it.
            if entry.name.endswith((".dist-info", ".egg-info")) and not entry.name.startswith("~"):
                yield _distribution(entry)


def _virtual(prefix: Path) -> Site | None:
    folders = _existing([*sorted(prefix.glob("lib*/python*/site-packages")), prefix / "Lib" / "site-packages"])
    if not folders:
        return None
    settings = _text(prefix / "pyvenv.cfg").lower()
    shared = re.search(r"^include-system-site-packages\s*=\s*true\s*$", settings, re.MULTILINE) is not None
    return Site(prefix=str(prefix), folders=folders, shared=shared)


def _system(python: Path, home: str) -> Site | None:
    """Return the environment of an interpreter that is in no virtual one, by the places where systems keep packages."""
    prefix = python.parent.parent if python.parent.name in ("bin", "sbin") else python.parent
    found = re.fullmatch(r"python(3\.\d+)", python.name)
    name = f"python{found.group(1)}" if found else "python3*"
    bases = [prefix, prefix / "local"] + ([Path(home, ".local")] if home else [])
    places = [
        place
        for base in bases
        for kind in ("site-packages", "dist-packages")
        for place in sorted(base.glob(f"lib*/{name}/{kind}"))
    ]
    folders = _existing([*places, prefix / "lib" / "python3" / "dist-packages", prefix / "Lib" / "site-packages"])
    return Site(prefix=str(prefix), folders=folders) if folders else None


def _existing(places: list[Path]) -> tuple[Path, ...]:
    """Return the folders that exist, each once: lib64 is often a link to lib."""
    found: dict[str, Path] = {}
    for place in places:
        if place.is_dir():
            found.setdefault(os.path.realpath(place), place)
    return tuple(found.values())


def _distribution(folder: Path) -> Distribution:
    named, _, version = folder.name.rpartition(".")[0].partition("-")
    source, editable = _source(folder)
    places = [folder] if folder.is_file() else [folder / name for name in _FILES]
    try:
        headers = _headers(next(text for place in places if (text := _text(place))))
    except StopIteration:
        problem = "its metadata is missing"
        return Distribution(name=named, version=version, source=source, editable=editable, problem=problem)
    return Distribution(
        name=_first(headers, "name") or named,
        version=_first(headers, "version") or version.partition("-py")[0],
        expression=_first(headers, "license-expression"),
        licence=_first(headers, "license"),
        classifiers=tuple(one for one in headers.get("classifier", ()) if one.startswith("License ::")),
        source=source,
        editable=editable,
    )


def _headers(text: str) -> dict[str, list[str]]:
    """Return the headers of core metadata by their names in small letters; prose begins after the first empty line."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            break
        if line[0] in " \t":
            if name:
                found[name][-1] += "\n" + line.strip().removeprefix("|").strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower() if colon else ""
        if name:
            found.setdefault(name, []).append(value.strip())
    return found


def _first(headers: Mapping[str, list[str]], name: str) -> str:
    return headers.get(name, [""])[0].strip()


def _source(folder: Path) -> tuple[str, bool]:
    """Return the local folder that a package was installed from, and whether that folder itself is in use."""
    text = _text(folder / "direct_url.json") if folder.name.endswith(".dist-info") else ""
    try:
        url, info = json.loads(text)["url"], json.loads(text).get("dir_info")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", False
    if not isinstance(url, str) or not url.startswith("file:") or not isinstance(info, dict):
        return "", False
    return unquote(urlsplit(url).path), info.get("editable") is True


def _text(path: Path) -> str:
    """Return the text of a regular file, or nothing where there is none or it is too large."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LIMIT_BYTES:
            return ""
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
