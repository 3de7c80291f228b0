"""The tests check: recounts the test cases of JUnit XML; attributes that claim numbers are not believed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cli_multi_rapid.gates.evidence import EvidenceError, Report, collect
from cli_multi_rapid.gates.outcome import Gate, Tally, counted, judged, one_line, unjudged
from cli_multi_rapid.gates.parsing import Element, read_xml
from cli_multi_rapid.model.gate import Finding, GateResult, GateStatus, Severity
from cli_multi_rapid.model.gate_settings import GateSpec
from cli_multi_rapid.model.ports import GateInput

_PLACE = re.compile(r"^[ \t]*(?:File \")?([^\s:\"][^:\"\n]{0,400}?)(?:\", line |:)(\d{1,7})\b", re.MULTILINE)
_NOT_RUN = {"notrun", "disabled", "skipped", "suppressed"}
_AGAIN = "run the tests again and let them write JUnit XML"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failed or errored test case, or a suite that broke down as a whole."""

    rule: str
    test: str
    message: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """What the test cases of some reports amount to."""

    total: int
    skipped: int
    troubles: tuple[Trouble, ...]

    @property
    def passed(self) -> int:
        """Return how many test cases ran and did not fail."""
        return self.total - self.skipped - sum(trouble.test != "" for trouble in self.troubles)


def evaluate(name: str, spec: GateSpec, given: GateInput, /) -> GateResult:
    """Pass where at least one test ran and none failed."""
    gate, reports = Gate(name, spec, given), tuple[Report, ...]()
    try:
        reports = collect(spec, given)
        tests = read_tests(reports, given)
    except EvidenceError as problem:
        return unjudged(gate, problem, reports=reports)
    return replace(judge_tests(gate, tests), evidence=tuple(report.evidence for report in reports))


def read_tests(reports: tuple[Report, ...], given: GateInput) -> Tests:
    """Count the test cases of all reports together.

    Raises:
        EvidenceError: a report is broken, is no JUnit XML, contradicts itself or is older than a test file it names.
    """
    known = frozenset(given.files)
    total = skipped = 0
    troubles: list[Trouble] = []
    for report in reports:
        root = read_xml(report.data, path=report.path)
        if root.tag not in ("testsuites", "testsuite"):
            raise EvidenceError(f"{report.path} is XML, but no JUnit report: <{root.tag[:40]}>", fix=_AGAIN)
        elements = list(_below(root))
        cases = [element for element in elements if element.tag == "testcase"]
        _refuse_stale(report, cases, Path(given.root))
        found = [_trouble(element, part, known) for element in elements for part in _bad_parts(element)[:1]]
        _refuse_contradiction(report, root, found)
        total += len(cases)
        skipped += sum(_is_skipped(case) for case in cases)
        troubles += found
    return Tests(total=total, skipped=skipped, troubles=tuple(troubles))


def judge_tests(gate: Gate, tests: Tests) -> GateResult:
    """Return the verdict over counted tests: none at all and none that ran are failures too."""
    tally = Tally(Severity.LOW)
    for trouble in tests.troubles:
        tally.add(_finding(trouble), trouble.test)
    summary, fix = _summary(tests)
    result = judged(gate, tally, summary=summary, fix=fix)
    return replace(
        result,
        status=result.status if tests.passed > 0 else GateStatus.FAIL,
        observed=float(len(tests.troubles)),
        threshold=0.0,
        tool="junit",
        details={
            "tests": tests.total,
            "passed": tests.passed,
            "failed": sum(trouble.rule == "test-failed" for trouble in tests.troubles),
            "errors": sum(trouble.rule == "test-error" for trouble in tests.troubles),
            "skipped": tests.skipped,
        },
    )


def _summary(tests: Tests) -> tuple[str, str]:
    also = f", {tests.skipped:,} skipped" if tests.skipped else ""
    if tests.troubles:
        return f"{len(tests.troubles):,} of {counted(tests.total, 'test')} failed{also}", ""
    if not tests.total:
        return "the report has no test at all", "check that the test run collects tests"
    if not tests.passed:
        return f"all {counted(tests.total, 'test')} skipped, none ran", "make at least one test run"
    return f"{counted(tests.passed, 'test')} passed{also}", ""


def _finding(trouble: Trouble) -> Finding:
    word = "failed" if trouble.rule == "test-failed" else "broke down"
    return Finding(
        rule=trouble.rule,
        message=one_line(f"{trouble.test or 'a test suite'} {word}: {trouble.message or 'no message'}"),
        path=trouble.path,
        line=trouble.line,
        severity=Severity.HIGH,
        fix="make the test pass",
    )


def _below(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        if child.tag in ("testsuite", "testcase", "testsuites"):
            yield from _below(child)


def _bad_parts(element: Element) -> list[Element]:
    # Parts of a suite itself are how some tools report that it broke down as a whole.
    return [child for child in element.children if child.tag in ("failure", "error")]


def _is_skipped(case: Element) -> bool:
    if _bad_parts(case):
        return False
    words = {case.attributes.get("status", "").lower(), case.attributes.get("result", "").lower()}
    return bool(words & _NOT_RUN) or any(child.tag == "skipped" for child in case.children)


def _trouble(element: Element, part: Element, known: frozenset[str]) -> Trouble:
    lines = (part.attributes.get("message") or part.text).strip().splitlines()
    path, line = _place(element, part, known)
    names = (element.attributes.get("classname", ""), element.attributes.get("name", ""))
    return Trouble(
        rule="test-failed" if part.tag == "failure" else "test-error",
        test="::".join(text for text in names if text) or "a test" if element.tag == "testcase" else "",
        message=one_line(lines[0]) if lines else "",
        path=path,
        line=line,
    )


def _place(element: Element, part: Element, known: frozenset[str]) -> tuple[str, int]:
    """Find where a test failed: the last file of the project in its text, else the file and line it names itself."""
    for path, line in reversed(_PLACE.findall(part.text)):
        if path.removeprefix("./") in known:
            return path.removeprefix("./"), int(line)
    path = element.attributes.get("file", "").replace("\\", "/").removeprefix("./")
    line = element.attributes.get("line", "")
    if path:
        return path, int(line) if line.isascii() and line.isdigit() and len(line) < 8 else 0
    parts = PurePosixPath(element.attributes.get("classname", "").replace(".", "/"))
    candidates = (f"{parent}.py" for parent in (parts, *parts.parents))
    return next((path for path in candidates if path in known), ""), 0


def _refuse_stale(report: Report, cases: list[Element], root: Path) -> None:
    if not report.own:
        return
    for path in {case.attributes["file"] for case in cases if case.attributes.get("file")}:
        try:
            changed_ns = (root / path).stat().st_mtime_ns
        except (OSError, ValueError):
            continue  # tools name files relative to folders that we do not know
        if changed_ns > report.mtime_ns:
            raise EvidenceError(f"{one_line(path)} was changed after {report.path} was written", fix=_AGAIN)


def _refuse_contradiction(report: Report, root: Element, found: list[Trouble]) -> None:
    """Refuse a report whose attributes admit failures that its test cases do not show."""
    suites = [element for element in _below(root) if element.tag != "testcase"]
    texts = [element.attributes.get(key, "0").strip() for element in suites for key in ("failures", "errors")]
    if not found and any(text not in ("", "0") for text in texts):
        raise EvidenceError(f"{report.path} claims failures but has no failed test", fix=_AGAIN)
