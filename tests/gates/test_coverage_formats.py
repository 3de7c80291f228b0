"""The same measurement in five formats: the same percentage, compared exactly, and every broken form refused."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_multi_rapid.gates.coverage_reports import read_report
from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.measured import combined
from cli_multi_rapid.gates.report_paths import ReportPaths
from cli_multi_rapid.model.gate import GateStatus
from cli_multi_rapid.model.gate_settings import Check, GateSpec

Hits = Mapping[int, tuple[int, int, int]]
"""By line: how often it was executed, how many of its branches were taken, and how many it has."""

PACKAGE = "src/main/java/org/acme"


def _coverage_json(files: Mapping[str, Hits]) -> str:
    made = {}
    for path, lines in files.items():
        record: dict[str, list] = {
            key: [] for key in ("executed_lines", "missing_lines", "executed_branches", "missing_branches")
        }
        for line, (hits, taken, total) in lines.items():
            record["executed_lines" if hits else "missing_lines"].append(line)
            for exit_ in range(total):
                record["executed_branches" if exit_ < taken else "missing_branches"].append([line, -exit_])
        made[path] = record
    return json.dumps({"meta": {"branch_coverage": True}, "files": made})


def _lines_xml(lines: Hits) -> str:
    texts = []
    for line, (hits, taken, total) in lines.items():
        more = f' branch="true" condition-coverage="{100 * taken // total}% ({taken}/{total})"' if total else ""
        texts.append(f'<line number="{line}" hits="{hits}"{more}/>')
    return f"<lines>{''.join(texts)}</lines>"


def _coverage_xml(files: Mapping[str, Hits]) -> str:
    classes = "".join(
        f'<class name="{Path(path).name}" filename="{path}" line-rate="1"><methods/>{_lines_xml(lines)}</class>'
        for path, lines in files.items()
    )
    return f'<?xml version="1.0" ?>\n<coverage version="7.6" line-rate="1"><sources/>{classes}</coverage>'


def _cobertura(files: Mapping[str, Hits]) -> str:
    """Render nested classes of one file as records of their own, below a folder, as other tools do."""
    classes = []
    for path, lines in files.items():
        name = Path(path).name
        for part in (0, 1):
            some = {line: hits for line, hits in lines.items() if line % 2 == part}
            classes.append(f'<class name="{name}${part}" filename="{name}"><methods/>{_lines_xml(some)}</class>')
    head = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
    return f"{head}<coverage><sources><source>{PACKAGE}</source></sources>{''.join(classes)}</coverage>"


def _lcov(files: Mapping[str, Hits]) -> str:
    texts = []
    for path, lines in files.items():
        texts += ["TN:", f"SF:{path}"]
        for line, (hits, taken, total) in lines.items():
            texts += [f"BRDA:{line},0,{exit_},{int(exit_ < taken) if hits else '-'}" for exit_ in range(total)]
            texts.append(f"DA:{line},{hits}")
        branches, taken = sum(one[2] for one in lines.values()), sum(one[1] for one in lines.values())
        texts += [f"LF:{len(lines)}", f"LH:{sum(one[0] > 0 for one in lines.values())}"]
        texts += [f"BRF:{branches}", f"BRH:{taken}", "end_of_record"]
    return "\n".join(texts) + "\n"


def _jacoco(files: Mapping[str, Hits]) -> str:
    sources, covered, total = [], 0, 0
    for path, lines in files.items():
        texts = [
            f'<line nr="{line}" mi="{int(not hits)}" ci="{hits}" mb="{exits - taken}" cb="{taken}"/>'
            for line, (hits, taken, exits) in lines.items()
        ]
        hit = sum(one[0] > 0 for one in lines.values())
        counter = f'<counter type="LINE" missed="{len(lines) - hit}" covered="{hit}"/>'
        sources.append(f'<sourcefile name="{Path(path).name}">{"".join(texts)}{counter}</sourcefile>')
        covered, total = covered + hit, total + len(lines)
    counter = f'<counter type="LINE" missed="{total - covered}" covered="{covered}"/>'
    head = '<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">'
    return f'{head}<report name="calc"><package name="org/acme">{"".join(sources)}{counter}</package>{counter}</report>'


FORMATS: dict[str, Callable[[Mapping[str, Hits]], str]] = {
    "coverage.json": _coverage_json,
    "coverage.xml": _coverage_xml,
    "cobertura.xml": _cobertura,
    "lcov.info": _lcov,
    "jacoco.xml": _jacoco,
}

LINES = st.dictionaries(
    st.integers(1, 40),
    st.integers(0, 3).flatmap(
        lambda hits: st.integers(0, 3).flatmap(
            lambda total: st.tuples(st.just(hits), st.integers(0, total if hits else 0), st.just(total))
        )
    ),
    max_size=25,
)
MAPS = st.dictionaries(st.sampled_from([f"{PACKAGE}/{name}.java" for name in "ABC"]), LINES, min_size=1)


def _share(files: Mapping[str, Hits]) -> tuple[int, int]:
    every = [one for lines in files.values() for one in lines.values()]
    return sum((hits > 0) + taken for hits, taken, _ in every), sum(1 + total for _, _, total in every)


@given(MAPS)
@settings(max_examples=60)
def test_every_format_gives_the_share_that_was_measured(tmp_path_factory, files) -> None:
    root = tmp_path_factory.getbasetemp()
    for name, rendered in FORMATS.items():
        data = rendered(files).encode()
        report = Report(path=name, absolute=root / name, data=data, sha256="", mtime_ns=0, own=False)
        found = read_report(ReportPaths(root=root, report=report, files=tuple(sorted(files))))
        share = (sum(one.covered for one in found.values()), sum(one.size for one in found.values()))
        assert share == _share(files), name


@given(st.lists(st.tuples(st.sampled_from(sorted(FORMATS)), LINES), min_size=1, max_size=4))
@settings(max_examples=40)
def test_reports_of_several_languages_combine_exactly(tmp_path_factory, parts) -> None:
    root = tmp_path_factory.getbasetemp()
    every = {f"{PACKAGE}/{number}.java": lines for number, (_, lines) in enumerate(parts)}
    read = []
    for (name, _), (path, lines) in zip(parts, every.items(), strict=True):
        data = FORMATS[name]({path: lines}).encode()
        report = Report(path=name, absolute=root / name, data=data, sha256="", mtime_ns=0, own=False)
        files = ReportPaths(root=root, report=report, files=tuple(every))
        read.append(read_report(files))
    found = combined(read).values()
    assert (sum(one.covered for one in found), sum(one.size for one in found)) == _share(every)


def _measured(covered: int, total: int) -> dict[str, Hits]:
    return {f"{PACKAGE}/A.java": {line: (int(line <= covered), 0, 0) for line in range(1, total + 1)}}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("covered", "total", "least", "status"),
    [
        (17, 20, 85, GateStatus.PASS),
        (17, 20, 84.999999, GateStatus.PASS),
        (17, 20, 85.000001, GateStatus.FAIL),
        (8_499, 10_000, 85, GateStatus.FAIL),
        (8_500, 10_000, 85, GateStatus.PASS),
        (16_999, 20_000, 85, GateStatus.FAIL),  # 84.995, which two digits show as 85
        (0, 1, 0, GateStatus.PASS),
        (0, 1, 1e-9, GateStatus.FAIL),
    ],
)
def test_the_threshold_is_exact(project, name, covered, total, least, status) -> None:
    project.write_aged(f"{PACKAGE}/A.java", "x\n" * total)
    spec = GateSpec(check=Check.COVERAGE, min=least)
    result = project.judge_coverage(FORMATS[name](_measured(covered, total)), name=name, spec=spec)
    assert (result.status, result.details["exact"]) == (status, str(Fraction(100 * covered, total)))
    shown = Fraction(result.summary.split(" %")[0])
    assert (shown >= Fraction(repr(float(least)))) == (status is GateStatus.PASS)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("cut", ["empty", "blank", "half", "last byte", "no line", "another format", "bomb"])
def test_a_broken_report_is_an_error(project, name, cut) -> None:
    project.write_aged(f"{PACKAGE}/A.java", "x\n" * 20)
    whole = FORMATS[name](_measured(20, 20))
    bomb = '<!DOCTYPE coverage [<!ENTITY a "a"><!ENTITY b "&a;&a;&a;&a;">]>'
    broken = {
        "empty": "",
        "blank": " \n",
        "half": whole[: len(whole) // 2],
        "last byte": whole.rstrip()[:-1],
        "no line": FORMATS[name]({f"{PACKAGE}/A.java": {}}),
        "another format": "mode: set\nacme/a.go:1.1,2.2 1 1\n",
        "bomb": f"{bomb}<coverage>&b;</coverage>" if name != "jacoco.xml" else f"{bomb}<report>&b;</report>",
    }
    spec = GateSpec(check=Check.COVERAGE, min=0)
    assert project.judge_coverage(whole, name=name, spec=spec).status is GateStatus.PASS
    result = project.judge_coverage(broken[cut], name=name, spec=spec)
    assert (result.status, result.findings) == (GateStatus.ERROR, ())
    assert result.summary
    assert result.fix


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_that_are_no_text_are_an_error(project, name) -> None:
    project.write_aged(f"{PACKAGE}/A.java", "x\n" * 20)
    whole = FORMATS[name](_measured(20, 20)).encode()
    assert project.judge_coverage(whole.replace(b"acme", b"ac\xff"), name=name).status is GateStatus.ERROR


@pytest.mark.parametrize("name", FORMATS)
def test_a_line_beyond_the_end_of_its_file_is_an_error(project, name) -> None:
    project.write_aged(f"{PACKAGE}/A.java", "x\n" * 5)
    result = project.judge_coverage(FORMATS[name](_measured(20, 20)), name=name)
    assert (result.status, "has 6" in result.summary) == (GateStatus.ERROR, True)


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "NaN", "1e3", "9" * 30, "٣", "", "true"])
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_line_number_is_an_error(project, name, number) -> None:
    project.write_aged(f"{PACKAGE}/A.java", "x\n" * 20)
    # 7 is the line; nothing else in the reports reads like this.
    value = number or "null"
    forms = {"coverage.json": ("[7]", f"[{value}]"), "lcov.info": ("DA:7,", f"DA:{number},")}
    old, new = forms.get(name, ('="7"', f'="{number}"'))
    whole = FORMATS[name]({f"{PACKAGE}/A.java": {7: (1, 0, 0)}})
    assert whole.count(old) == 1
    assert project.judge_coverage(whole, name=name).status is GateStatus.PASS
    assert project.judge_coverage(whole.replace(old, new), name=name).status is GateStatus.ERROR


def _mangled(whole: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, put in cuts:
        at = start % (len(whole) + 1)
        whole = whole[:at] + put + whole[at + length :]
    return whole


CUTS = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.integers(0, 12),
        st.sampled_from(
            [b"", b"0", b"-", b",", b'"', b"<", b"{", b"]", b"9" * 400, b"\x00", b"\xff", b"\\ud800", b"e9", b"\n"]
        ),
    ),
    min_size=1,
    max_size=3,
)


@given(st.sampled_from(sorted(FORMATS)), CUTS)
@settings(max_examples=300)
def test_whatever_is_in_a_report_there_is_a_verdict(tmp_path_factory, name, cuts) -> None:
    root = tmp_path_factory.getbasetemp()
    files = {f"{PACKAGE}/A.java": {1: (1, 1, 2), 2: (0, 0, 0), 3: (4, 0, 0)}}
    data = _mangled(FORMATS[name](files).encode(), cuts)
    report = Report(path=name, absolute=root / name, data=data, sha256="", mtime_ns=0, own=False)
    with suppress(EvidenceError):
        for path, one in read_report(ReportPaths(root=root, report=report, files=tuple(files))).items():
            assert path.encode()
            assert all(0 < line <= 10**9 for line in one.lines)


@pytest.mark.parametrize("name", ["/" + "a" * 5_000, "a/" * 5_000, "\ud800.py", "\0", "", ".", "..", "/dev/null"])
def test_a_name_that_is_no_file_is_an_error(project, name) -> None:
    report = json.dumps({"files": {name: {"executed_lines": [1], "missing_lines": []}}})
    result = project.judge_coverage(report)
    assert (result.status, result.summary.encode() != b"") == (GateStatus.ERROR, True)
