"""How many secrets of a generated corpus are found, and how many files without one are blamed, kind by kind.

Ours is what the gate's scan of a file says: in standard what it is sure of blocks, in strict what is likely, too.
Beside it are kingfisher's rules alone, which it is built on, and other scanners where they are installed. Every scanner
gets the same files, those that look at names by their path.
"""

import importlib.util
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from secrets_corpus import SEED, Sample, corpus

STANDARD, STRICT, ALONE = "standard", "strict", "kingfisher"
RIVALS = ("betterleaks", "detect_secrets")
_EACH, _QUICK = 3, 1
_OF_QUICK = 4
_GROUPS = {"known": "known kinds", "generic": "generic kinds", "negative": "none, and blamed"}

Finds = Callable[[Sample, Path], bool]
"""Tells whether a scanner finds anything in a file, which also lies on a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files by group and row (a kind, or a form), and in how many of them each scanner found something."""

    files: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    hits: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def all(self, group: str, scanner: str) -> int:
        """Return in how many files of a group a scanner found something."""
        return sum(hits for (one, by, _, who), hits in self.hits.items() if (one, by, who) == (group, "kind", scanner))

    def size(self, group: str) -> int:
        """Return how many files a group has."""
        return sum(files for (one, by, _), files in self.files.items() if (one, by) == (group, "kind"))


def measured(scratch: Path, *, quick: bool, seed: int = SEED) -> Found:
    """Scan the corpus with every scanner there is; `quick` takes a part of it."""
    found, seen = Found(), Counter[str]()
    scanners = {**_ours(scratch), **_rivals(found)}
    found.seconds.update(dict.fromkeys(scanners, 0.0))
    for number, sample in enumerate(corpus(seed, each=_QUICK if quick else _EACH)):
        seen[sample.kind] += 1
        if quick and seen[sample.kind] % _OF_QUICK != 1:
            continue
        path = scratch / "corpus" / str(number) / sample.path
        path.parent.mkdir(parents=True)
        path.write_bytes(sample.data)
        rows = [("kind", sample.kind)] + ([("form", sample.form)] if sample.secret else [])
        for by, row in rows:
            found.files[sample.group, by, row] += 1
        for name, finds in scanners.items():
            before = time.perf_counter()
            hit = finds(sample, path)
            found.seconds[name] += time.perf_counter() - before
            for by, row in rows:
                found.hits[sample.group, by, row, name] += hit
    return found


def _ours(scratch: Path) -> dict[str, Finds]:
    from kingfisher_sdk import Rules, Scanner

    from cli_multi_rapid.gates.secret_scan import SecretScan
    from cli_multi_rapid.gates.sources import Source

    (scratch / "rules").mkdir()
    scanner = Scanner(Rules(cache_dir=scratch / "rules"), redact=True)
    scan = SecretScan(scanner)
    for sample in islice(corpus(each=1), 500):
        scan.file(Source(sample.path, sample.data))  # what is made once is no part of the times
    return {
        STANDARD: lambda sample, _: any(one.sure for one in scan.file(Source(sample.path, sample.data)).sightings),
        STRICT: lambda sample, _: bool(scan.file(Source(sample.path, sample.data)).sightings),
        ALONE: lambda sample, _: any(one.visible for one in scanner.scan(sample.data)),
    }


def _rivals(found: Found) -> dict[str, Finds]:
    makers = {"betterleaks": _betterleaks, "detect_secrets": _detect_secrets}
    for name in RIVALS:
        if importlib.util.find_spec(name) is None:
            found.missing[name] = "not installed"
    return {name: makers[name]() for name in RIVALS if name not in found.missing}


def _betterleaks() -> Finds:
    from betterleaks import scan_file

    return lambda _, path: bool(scan_file(str(path)))


def _detect_secrets() -> Finds:
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    def finds(_: Sample, path: Path) -> bool:
        collection = SecretsCollection()
        with default_settings():
            collection.scan_file(str(path))
        return bool(list(collection))

    return finds


def table(found: Found) -> list[str]:
    """Return the tables that people read: how many percent of the files of a kind each scanner speaks of."""
    names = list(found.seconds)
    lines: list[str] = []
    for group, title in _GROUPS.items():
        lines += ["", _head(f"secrets: {title} (%)", names)]
        lines += _rows(found, group, "kind", names)
        lines.append(_row("all", found.size(group), (found.all(group, name) for name in names)))
    lines += ["", _head("secrets: what they lie in (%)", names)]
    forms = sorted({row for group, by, row in found.files if by == "form"}, key=_order(found))
    lines += [_form(found, form, names) for form in forms]
    lines += ["", f"{'seconds in all':<34}{'':>7}" + "".join(f"{found.seconds[name]:>15.1f}" for name in names)]
    return lines[1:]


def _order(found: Found) -> Callable[[str], int]:
    forms = [row for _, by, row in found.files if by == "form"]
    return forms.index


def _rows(found: Found, group: str, by: str, names: Iterable[str]) -> list[str]:
    return [
        _row(row, files, (found.hits[group, by, row, name] for name in names))
        for (one, kind, row), files in found.files.items()
        if (one, kind) == (group, by)
    ]


def _form(found: Found, form: str, names: Iterable[str]) -> str:
    groups = ("known", "generic")
    files = sum(found.files[group, "form", form] for group in groups)
    return _row(form, files, (sum(found.hits[group, "form", form, name] for group in groups) for name in names))


def _head(title: str, names: Iterable[str]) -> str:
    return f"{title:<34}{'files':>7}" + "".join(f"{name.replace('_', '-'):>15}" for name in names)


def _row(name: str, files: int, hits: Iterable[int]) -> str:
    return f"{name:<34}{files:>7}" + "".join(f"{hit * 100 / files:>15.1f}" for hit in hits)


def data(found: Found) -> dict[str, object]:
    """Return what was found as plain data."""
    rows = [
        {
            "group": group, "by": by, "row": row, "files": files,
            "found": {name: found.hits[group, by, row, name] for name in found.seconds},
        }
        for (group, by, row), files in found.files.items()
    ]  # fmt: skip
    return {"seed": SEED, "rows": rows, "seconds": found.seconds, "not_run": found.missing}


def aims(found: Found | None) -> Mapping[str, tuple[float | None, float]]:
    """Return what is aimed at, by name: what was found, in files, and what it may be at most."""
    if found is None:
        return {}
    missed = {
        (group, name): found.size(group) - found.all(group, name)
        for group in ("known", "generic")
        for name in (STANDARD, STRICT, ALONE)
    }
    return {
        "known secrets missed in standard / by kingfisher alone": (
            float(missed["known", STANDARD]), float(missed["known", ALONE]),
        ),
        "generic secrets missed in strict / by kingfisher alone": (
            float(missed["generic", STRICT]), float(missed["generic", ALONE] - 1),
        ),
        "files blamed in strict / by kingfisher alone": (
            float(found.all("negative", STRICT)), float(found.all("negative", ALONE)),
        ),
    }  # fmt: skip
