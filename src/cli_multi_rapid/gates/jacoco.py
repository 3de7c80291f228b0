"""Reads JaCoCo XML: the lines of each source file, by their instructions and branches; its counters may not contradict.

A line was executed where any of its instructions was, as JaCoCo counts it.
"""

from collections.abc import Iterable, Iterator

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.measured import AGAIN, Measured, whole_number
from cli_multi_rapid.gates.parsing import Element
from cli_multi_rapid.gates.report_paths import ReportPaths

FORM = "jacoco"
_DEBUG = "compile with line numbers (javac -g), or leave these classes out of the measurement"


def read(document: Element, paths: ReportPaths) -> dict[str, Measured]:
    """Return the measured files of a report by path.

    Raises:
        EvidenceError: it is broken or contradicts itself, has something twice, measures code without line numbers, or
            a file that the project does not have or has more than once.
    """
    found: dict[str, Measured] = {}
    for path, measured in _node(document, "", paths):
        if path in found:
            raise EvidenceError(f"{paths.report.path} measures {path} twice", fix=AGAIN)
        found[path] = measured
    return found


def _node(node: Element, module: str, paths: ReportPaths) -> list[tuple[str, Measured]]:
    """Return the files of the report, of a group (a module, mostly) or of a package, after a look at its counters."""
    name = node.attributes.get("name", "")
    files: list[tuple[str, Measured]] = []
    for child in node.children:
        if child.tag == "group":
            files += _node(child, child.attributes.get("name", ""), paths)
        elif child.tag == "package":
            files += _node(child, module, paths)
        elif child.tag == "sourcefile":
            files.append(_source_file(child, name, module, paths))
    _refuse_unplaced(node, paths)
    _contradict(node, [measured for _, measured in files], where=f"{name or node.tag} in {paths.report.path}")
    return files


def _source_file(node: Element, package: str, module: str, paths: ReportPaths) -> tuple[str, Measured]:
    name = node.attributes.get("name", "")
    if not name:
        raise EvidenceError(f"{paths.report.path} has a source file without a name", fix=AGAIN)
    ending = f"{package}/{name}" if package else name
    where = f"{ending} in {paths.report.path}"
    measured = Measured(FORM)
    for line in (child for child in node.children if child.tag == "line"):
        _add_line(measured, line, where=where)
    if not measured.lines and _instructions(node, where):
        raise EvidenceError(f"{where} has code without line numbers", fix=_DEBUG)
    _contradict(node, [measured], where=where)
    return paths.ending(ending, module=module), measured


def _add_line(measured: Measured, line: Element, *, where: str) -> None:
    number, missed, executed, missed_branches, taken = (
        whole_number(line.attributes.get(key, default), where)
        for key, default in (("nr", None), ("mi", "0"), ("ci", "0"), ("mb", "0"), ("cb", "0"))
    )
    if not missed + executed:
        raise EvidenceError(f"line {number} has no instruction: {where}", fix=AGAIN)
    measured.add_line(number, hit=executed > 0, where=where)
    measured.add_exits(number, taken=taken, total=taken + missed_branches, where=where)


def _refuse_unplaced(package: Element, paths: ReportPaths) -> None:
    """Refuse classes whose code is in no source file of the report: nobody would know how much of it was executed."""
    files = {child.attributes.get("name") for child in package.children if child.tag == "sourcefile"}
    for unit in (child for child in package.children if child.tag == "class"):
        where = f"{unit.attributes.get('name', 'a class')} in {paths.report.path}"
        if unit.attributes.get("sourcefilename") not in files and _instructions(unit, where):
            raise EvidenceError(f"{where} has code without a source file", fix=_DEBUG)


def _contradict(node: Element, files: Iterable[Measured], *, where: str) -> None:
    """Refuse counters that differ from the recount.

    JaCoCo counts branches of code without line numbers too, so there may be more of them than the lines have.
    """
    files = list(files)
    lines, covered = sum(len(file.lines) for file in files), sum(file.covered_lines for file in files)
    branches, taken = sum(file.branch_count for file in files), sum(file.covered_branches for file in files)
    for kind, missed, executed in _counters(node, where):
        if kind == "LINE" and (missed, executed) != (lines - covered, covered):
            message = f"{where}: the counter of lines says {executed} of {missed + executed}"
            raise EvidenceError(f"{message}, the lines are {covered} of {lines}", fix=AGAIN)
        if kind == "BRANCH" and (missed < branches - taken or executed < taken):
            message = f"{where}: the counter of branches says {executed} of {missed + executed}"
            raise EvidenceError(f"{message}, the lines have {taken} of {branches}", fix=AGAIN)


def _instructions(node: Element, where: str) -> int:
    return sum(missed + executed for kind, missed, executed in _counters(node, where) if kind == "INSTRUCTION")


def _counters(node: Element, where: str) -> Iterator[tuple[str, int, int]]:
    """Yield the kind of each counter, and how much it says was missed and executed."""
    seen: set[str] = set()
    for child in (child for child in node.children if child.tag == "counter"):
        kind = child.attributes.get("type", "")
        if kind in seen:
            raise EvidenceError(f"{where} has the counter {kind!r:.40} twice", fix=AGAIN)
        seen.add(kind)
        yield (
            kind,
            whole_number(child.attributes.get("missed"), where),
            whole_number(child.attributes.get("covered"), where),
        )
