"""Reads coverage reports of any kind. Only lines and branches are taken; rates and totals are at most contradicted.

Understood are the JSON of coverage.py, the XML of Cobertura, which coverage.py and many other tools write, LCOV, and
the XML of JaCoCo.
"""

from collections.abc import Callable, Mapping

from cli_multi_rapid.gates import cobertura, coverage_py, jacoco, lcov
from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.measured import AGAIN, Measured
from cli_multi_rapid.gates.parsing import Element, read_xml
from cli_multi_rapid.gates.report_paths import ReportPaths

_REPEATED = frozenset({"methods", "method"})
"""What Cobertura and JaCoCo say of methods, they say of their lines again; it may be half of a report."""

_XML: Mapping[str, Callable[[Element, ReportPaths], dict[str, Measured]]] = {
    "coverage": cobertura.read,
    "report": jacoco.read,
}


def read_report(paths: ReportPaths) -> dict[str, Measured]:
    """Return the measured files of the report that `paths` belongs to, by path (relative to the project if inside).

    Raises:
        EvidenceError: the report is broken, contradicts itself or is of another kind.
    """
    report = paths.report
    start = report.data.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if start == b"{":
        return coverage_py.read(paths)
    if start == b"<":
        document = read_xml(report.data, path=report.path, skip=_REPEATED)
        if document.tag not in _XML:
            message = f"{report.path} is XML, but no report of Cobertura or JaCoCo: <{document.tag[:40]}>"
            raise EvidenceError(message, fix=AGAIN)
        return _XML[document.tag](document, paths)
    if lcov.recognised(report.data):
        return lcov.read(paths)
    raise EvidenceError(f"{report.path} is no report of coverage.py, Cobertura, LCOV or JaCoCo", fix=AGAIN)
