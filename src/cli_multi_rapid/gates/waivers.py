"""Load `config/waivers.yaml`, with every problem at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cli_multi_rapid.gates.paths import has_magic
from cli_multi_rapid.model.policy import Waiver, WaiverFile
from cli_multi_rapid.system.checks import leads_outside
from cli_multi_rapid.system.document import Findings, Loaded, load_document
from cli_multi_rapid.system.positions import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A waiver, and the lines of its file (from 1, both included) in which it stands."""

    waiver: Waiver
    first: int
    last: int


def load_waivers(text: str, path: str) -> tuple[Entry, ...]:
    """Load the waivers of a project.

    Raises:
        SpecInvalid: with every problem of the file.
    """
    loaded: Loaded[WaiverFile] = load_document(text, path, shape=WaiverFile, schema="waivers")
    findings = Findings(loaded)
    waivers = loaded.draft.waivers if loaded.draft else ()
    for i, waiver in enumerate(waivers):
        _check(("waivers", i), waiver, findings)
    findings.check()
    starts = [loaded.document.position(("waivers", i))[0] for i in range(len(waivers))]
    return tuple(_placed(waivers, starts, last=text.count("\n") + 1))


def _placed(waivers: Sequence[Waiver], starts: Sequence[int], *, last: int) -> list[Entry]:
    ends = [max(start, following - 1) for start, following in zip(starts, [*starts, last + 1][1:], strict=True)]
    return [
        Entry(waiver=waiver, first=first, last=end)
        for waiver, first, end in zip(waivers, starts, ends, strict=True)
    ]  # fmt: skip


def _check(trail: Trail, waiver: Waiver, findings: Findings) -> None:
    if has_magic(waiver.path) or leads_outside(waiver.path):
        fix = "name one file, relative to the project's root"
        findings.add("SPEC-VALUE", (*trail, "path"), f"'{waiver.path}' is not the path of one file", fix=fix)
    try:
        zone = datetime.fromisoformat(waiver.expires).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        fix = "write date, time and zone: 2027-01-31T00:00:00Z"
        findings.add("SPEC-VALUE", (*trail, "expires"), f"'{waiver.expires}' is no time with a zone", fix=fix)
