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
_NOT_RUN = {"notrun", "disabled", "skipped", "suppressed", "ignored", "inconclusive", "pending", "todo"}
_FAILED = {"fail", "failed", "failure", "error", "errored", "broken", "aborted", "crashed", "timedout", "timeout"}
_FLAKY = "test-flaky"
_RULES = {
    "failure": "test-failed",
    "error": "test-error",
    "rerunFailure": "test-failed",
    "rerunError": "test-error",
}
_WORDS = {"test-failed": "failed", "test-error": "broke down", _FLAKY: "failed before it passed"}
_AGAIN = "run the tests again and let them write JUnit XML"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A test case that failed, errored or needed another try, or a suite that broke down as a whole."""

    rule: str
    test: str
    message: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """What the test cases of some reports amount to.

    Those that `passed` ran and did not fail, and no other test case of the same name in the same report did. `flaky`
    are those that passed, after they had failed before.
    """

    total: int
    passed: int
    skipped: int
    troubles: tuple[Trouble, ...]
    flaky: tuple[Trouble, ...] = ()


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
    total = passed = skipped = 0
    troubles: list[Trouble] = []
    flaky: list[Trouble] = []
    for report in reports:
        root = read_xml(report.data, path=report.path)
        if root.tag not in ("testsuites", "testsuite"):
            raise EvidenceError(f"{report.path} is XML, but no JUnit report: <{root.tag[:40]}>", fix=_AGAIN)
        elements = list(_below(root))
        cases = [element for element in elements if element.tag == "testcase"]
        _refuse_nameless(report, cases)
        _refuse_stale(report, cases, Path(given.root))
        found = [_trouble(element, part, known) for element in elements if (part := _bad_part(element))]
        _refuse_contradiction(report, root)
        total += len(cases)
        passed += _passed(cases)
        skipped += sum(map(_is_skipped, cases))
        troubles += found
        flaky += [_trouble(case, part, known) for case in cases if (part := _flaky_part(case))]
    return Tests(total=total, passed=passed, skipped=skipped, troubles=tuple(troubles), flaky=tuple(flaky))


def judge_tests(gate: Gate, tests: Tests) -> GateResult:
    """Return the verdict over counted tests: none at all and none that ran are failures too."""
    tally = Tally(Severity.LOW)
    for trouble in (*tests.troubles, *tests.flaky):
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
            "flaky": len(tests.flaky),
        },
    )


def _summary(tests: Tests) -> tuple[str, str]:
    also = f", {tests.skipped:,} skipped" if tests.skipped else ""
    also += f", {len(tests.flaky):,} flaky" if tests.flaky else ""
    if tests.troubles:
        return f"{len(tests.troubles):,} of {counted(tests.total, 'test')} failed{also}", ""
    if not tests.total:
        return "the report has no test at all", "check that the test run collects tests"
    if not tests.passed:
        return f"all {counted(tests.total, 'test')} skipped, none ran", "make at least one test run"
    return f"{counted(tests.passed, 'test')} passed{also}", ""


def _finding(trouble: Trouble) -> Finding:
    name, message = trouble.test or "a test suite", trouble.message or "no message"
    flaky = trouble.rule == _FLAKY
    return Finding(
        rule=trouble.rule,
        message=one_line(f"{name} {_WORDS[trouble.rule]}: {message}"),
        path=trouble.path,
        line=trouble.line,
        severity=Severity.INFO if flaky else Severity.HIGH,
        fix="make the test pass at the first try" if flaky else "make the test pass",
    )


def _below(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        if child.tag in ("testsuite", "testcase", "testsuites"):
            yield from _below(child)


def _bad_part(element: Element) -> Element | None:
    """Return what says that a test failed, or that a whole suite broke down; None where nothing does."""
    # Surefire adds the later tries of a test that failed in all of them.
    parts = [child for child in element.children if child.tag in _RULES]
    if not parts and element.tag == "testcase" and _states(element) & _FAILED:
        return Element("failure", {})
    return min(parts, key=lambda part: part.tag.startswith("rerun"), default=None)


def _flaky_part(case: Element) -> Element | None:
    """Return what says that a test that passed had failed before (as Surefire writes it)."""
    if _bad_part(case):
        return None
    return next((child for child in case.children if child.tag in ("flakyFailure", "flakyError")), None)


def _is_skipped(case: Element) -> bool:
    if _bad_part(case):
        return False
    return bool(_states(case) & _NOT_RUN) or any(child.tag == "skipped" for child in case.children)


def _states(case: Element) -> set[str]:
    return {case.attributes.get("status", "").lower(), case.attributes.get("result", "").lower()}


def _passed(cases: list[Element]) -> int:
    """Count the test cases that passed. Where every try is recorded, those of a test that failed do not count."""
    failed = {_identity(case) for case in cases if _bad_part(case)}
    return sum(_identity(case) not in failed and not _is_skipped(case) for case in cases)


def _identity(case: Element) -> tuple[str, ...]:
    return tuple(case.attributes.get(key, "") for key in ("file", "classname", "name"))


def _trouble(element: Element, part: Element, known: frozenset[str]) -> Trouble:
    text = "\n".join((part.text, *(child.text for child in part.children if child.tag == "stackTrace")))
    lines = (part.attributes.get("message") or text).strip().splitlines()
    path, line = _place(element, text, known)
    names = (element.attributes.get("classname", ""), element.attributes.get("name", ""))
    return Trouble(
        rule=_RULES.get(part.tag, _FLAKY),
        test="::".join(text for text in names if text) or "a test" if element.tag == "testcase" else "",
        message=one_line(lines[0]) if lines else "",
        path=path,
        line=line,
    )


def _place(element: Element, text: str, known: frozenset[str]) -> tuple[str, int]:
    """Find where a test failed: the last file of the project in its text, else the file and line it names itself."""
    for path, line in reversed(_PLACE.findall(text)):
        if path.removeprefix("./") in known:
            return path.removeprefix("./"), int(line)
    path = element.attributes.get("file", "").replace("\\", "/").removeprefix("./")
    line = element.attributes.get("line", "")
    if path:
        return path, int(line) if line.isascii() and line.isdigit() and len(line) < 8 else 0
    parts = PurePosixPath(element.attributes.get("classname", "").replace(".", "/"))
    candidates = (f"{parent}.py" for parent in (parts, *parts.parents))
    return next((path for path in candidates if path in known), ""), 0


def _refuse_nameless(report: Report, cases: list[Element]) -> None:
    if any(not case.attributes.get("name") and not case.attributes.get("classname") for case in cases):
        raise EvidenceError(f"{report.path} has a test case without a name", fix=_AGAIN)


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


def _refuse_contradiction(report: Report, root: Element) -> None:
    """Refuse a report with a suite whose attributes admit failures that nothing in it shows."""
    for suite in (element for element in _below(root) if element.tag != "testcase"):
        if _claims_failures(suite) and not any(_bad_part(element) for element in _below(suite)):
            name = one_line(suite.attributes.get("name", ""), limit=80)
            of = f" of the suite {name}" if name else ""
            raise EvidenceError(f"{report.path} claims failures{of} but has no failed test there", fix=_AGAIN)


def _claims_failures(suite: Element) -> bool:
    return any(suite.attributes.get(key, "").strip() not in ("", "0") for key in ("failures", "errors"))
