"""The coverage of a change: of the lines that it touches and that can be executed, the share that was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PurePosixPath

from cli_multi_rapid.gates.evidence import EvidenceError, is_file, read_regular
from cli_multi_rapid.gates.measured import Measured
from cli_multi_rapid.gates.outcome import Sighting, counted
from cli_multi_rapid.gates.percentages import least_percent, line_ranges, percent_text
from cli_multi_rapid.gates.sources import printable
from cli_multi_rapid.model.change import Change
from cli_multi_rapid.model.gate import Finding, Level, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

RULE = "changed-lines-uncovered"
_STRICT = 85.0
_LIMIT_BYTES = 50 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLines:
    """The executable lines among those that a change touches, by path, and whether each was executed.

    `base` is the revision that it is compared with, empty where there is none. `unmeasured` are files that the change
    touches, of a kind that the reports measure, but not among what they measure.
    """

    least: Fraction
    base: str = ""
    files: Mapping[str, Mapping[int, bool]] = field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Return how many lines there are."""
        return sum(len(lines) for lines in self.files.values())

    @property
    def covered(self) -> int:
        """Return how many of them were executed."""
        return sum(sum(lines.values()) for lines in self.files.values())

    @property
    def failed(self) -> bool:
        """Tell whether fewer were executed than is asked for; of no line at all nothing is asked."""
        return 100 * self.covered < self.least * self.total

    @property
    def summary(self) -> str:
        """Say how the change stands."""
        if not self.base:
            return "changed lines not judged, there is no base revision"
        left = f" ({counted(len(self.unmeasured), 'changed file')} not measured)" if self.unmeasured else ""
        if not self.total:
            return f"no changed line can be executed{left}"
        percent = percent_text(Fraction(100 * self.covered, self.total), self.least)
        return f"{percent} % of {counted(self.total, 'changed line')}, needs {float(self.least):.15g} %{left}"

    @property
    def details(self) -> dict[str, object]:
        """Return what a result records of it."""
        if not self.base:
            return {"changed_skipped": "there is no base revision"}
        return {
            "changed_base": self.base,
            "changed_lines": self.total,
            "changed_covered": self.covered,
            "changed_unmeasured": list(self.unmeasured),
        }


def changed_lines(spec: GateSpec, given: GateInput, files: Mapping[str, Measured]) -> ChangedLines | None:
    """Return how the change stands; None where the gate does not ask.

    Raises:
        EvidenceError: the reports measure a file that the project does not have, so that a changed one may be meant.
        GitFailed: git cannot tell what was changed.
    """
    wanted = _STRICT if spec.changed_min is None and given.level is Level.STRICT else spec.changed_min
    if wanted is None:
        return None
    least = least_percent(wanted, "changed-min")
    change = given.change()
    if change is None:
        return ChangedLines(least=least)
    _refuse_strangers(files, Path(given.root))
    touched = {path: _touched(change, path, measured) for path, measured in files.items()}
    return ChangedLines(
        least=least,
        base=change.base,
        files={path: lines for path, lines in touched.items() if lines},
        unmeasured=tuple(_unmeasured(change, files)),
    )


def sightings(changed: ChangedLines, root: Path) -> Iterator[Sighting]:
    """Yield a finding for each file with changed lines that were not executed; it is identified by their text.

    Raises:
        EvidenceError: such a file cannot be read.
    """
    for path, lines in changed.files.items():
        missing = sorted(line for line, hit in lines.items() if not hit)
        if missing:
            message = f"{len(missing):,} of {counted(len(lines), 'changed line')} not executed: {line_ranges(missing)}"
            finding = Finding(
                rule=RULE, message=message, path=path, line=missing[0], severity=Severity.HIGH,
                fix="write tests that execute these lines",
            )  # fmt: skip
            yield Sighting(finding, _text(root, path, missing))


def _refuse_strangers(files: Mapping[str, Measured], root: Path) -> None:
    for path in files:
        if not is_file(root / path):
            message = f"the reports measure {path}, which does not exist: the changed lines of it cannot be found"
            raise EvidenceError(message, fix="measure in this folder, with paths relative to it")


def _touched(change: Change, path: str, measured: Measured) -> dict[int, bool]:
    file = change.files.get(path)
    if file is None:
        return {}
    # What is executed is text: git takes it for binary only where `.gitattributes` says so, and hides what changed.
    return {line: hit for line, hit in measured.lines.items() if file.binary or line in file.lines}


def _unmeasured(change: Change, files: Mapping[str, Measured]) -> Iterator[str]:
    kinds = {PurePosixPath(path).suffix for path in files}
    for path, file in sorted(change.files.items()):
        if (file.lines or file.binary) and path not in files and PurePosixPath(path).suffix in kinds:
            yield printable(path)


def _text(root: Path, path: str, numbers: list[int]) -> str:
    try:
        lines = read_regular(root / path, limit_bytes=_LIMIT_BYTES)[0].split(b"\n")
    except OSError as problem:
        raise EvidenceError(f"{path} cannot be read: {problem}", fix="make it readable") from problem
    return "\n".join(lines[number - 1].decode("utf-8", "replace") for number in numbers if number <= len(lines))
