"""Packages that a project depends on, as lock files and environments name them."""

from dataclasses import dataclass, field

from cli_multi_rapid.gates.evidence import Report
from cli_multi_rapid.gates.versions import Ecosystem

_OPENING = (":", ":{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a package says about its licence, in the words it uses: an expression, a text, or classifiers of PyPI.

    `choice` tells that one of several `texts` may be chosen; else all of them hold.
    """

    expression: str = ""
    texts: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    choice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package of one version. `path` and `line` (0: unknown) say what names it.

    `terms` is None where nothing is known of its licence. `folder` is where a lock file installs it, relative to the
    lock file's own.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    path: str
    line: int = 0
    terms: Terms | None = None
    folder: str = ""

    @property
    def identity(self) -> tuple[Ecosystem, str, str]:
        """Return what makes two entries the same package of the same version."""
        return (self.ecosystem, self.name, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A dependency of which no exact version is named.

    `wanted` is how it is written, `reason` why that is no version.
    """

    ecosystem: Ecosystem
    name: str
    path: str
    line: int
    wanted: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Listing:
    """What one lock file, whose path is `source`, names.

    `own` counts packages of the project itself, about which nobody publishes an advisory. `complete` tells that the
    file names everything that is installed with it, and not only what somebody wrote down.
    """

    ecosystem: Ecosystem
    source: str
    packages: list[Package] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    own: int = 0
    complete: bool = True
    further: tuple[Report, ...] = ()


def line_numbers(text: str) -> dict[str, int]:
    """Return the number (from 1) of the first line that opens each mapping of a JSON or YAML text, by its key."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        end = _end_of_key(stripped)
        if end > 0 and stripped[end:].replace(" ", "") in _OPENING:
            found.setdefault(stripped[:end].strip("\"'"), number)
    return found


def _end_of_key(line: str) -> int:
    """Return where the key at the beginning of a line ends: behind its closing quote, or at the colon."""
    if line[:1] in ("'", '"'):
        return line.find(line[0], 1) + 1
    return line.find(":") if line.endswith("{") else len(line) - 1
