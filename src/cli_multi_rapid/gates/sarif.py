"""Reader of SARIF 2.1.0, the format in which most analysers can report.

A log that says the tool did not finish, or that has no runs or no results, is refused: it does not say "clean".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cli_multi_rapid.gates.evidence import EvidenceError
from cli_multi_rapid.gates.outcome import one_line
from cli_multi_rapid.gates.parsing import mapping, read_json, sequence
from cli_multi_rapid.gates.tool_findings import SEVERITIES, ToolReport, uri_path
from cli_multi_rapid.model.gate import Finding

_AGAIN = "run the tool again and look at what it prints"
Json = Mapping[str, object]


def read_sarif(data: bytes, *, path: str, root: Path, strict: bool) -> ToolReport:
    """Return the results of all runs of a SARIF log.

    With `strict`, results that the project itself suppresses count like any other.

    Raises:
        EvidenceError: it is no SARIF, or a run did not come to its end.
    """
    log = mapping(read_json(data, path=path), what=path)
    runs = sequence(log.get("runs"), what=f"`runs` of {path}")
    if not runs:
        raise EvidenceError(f"{path} has no runs: the tool checked nothing", fix=_AGAIN)
    findings: list[Finding] = []
    names, versions, suppressed = [], [], 0
    for value in runs:
        run = _Run(mapping(value, what=f"a run of {path}"), path=path, root=root)
        run.refuse_unfinished()
        names.append(run.tool)
        versions.append(run.tool_version)
        for result in run.results():
            hidden = _is_suppressed(result)
            suppressed += hidden
            if strict or not hidden:
                findings.append(run.finding(result))
    return ToolReport(
        findings=tuple(findings),
        tool=", ".join(dict.fromkeys(names)),
        tool_version=", ".join(dict.fromkeys(text for text in versions if text)),
        suppressed=suppressed,
    )


class _Run:
    """One run of one tool."""

    def __init__(self, run: Json, *, path: str, root: Path) -> None:
        self._run = run
        self._path = path
        self._root = root
        tool = mapping(run.get("tool"), what=f"`tool` of {path}")
        driver = mapping(tool.get("driver"), what=f"`tool.driver` of {path}")
        self.tool = one_line(_text(driver, "name")) or "unnamed tool"
        self.tool_version = one_line(_text(driver, "semanticVersion") or _text(driver, "version"))
        self._rules = [_object(rule) for rule in _list(driver.get("rules"))]
        self._by_id = {_text(rule, "id"): rule for rule in self._rules}

    def refuse_unfinished(self) -> None:
        for invocation in map(_object, _list(self._run.get("invocations"))):
            if invocation.get("executionSuccessful") is False:
                raise EvidenceError(f"{self.tool} says that it did not finish ({self._path})", fix=_AGAIN)
            for key in ("toolExecutionNotifications", "toolConfigurationNotifications"):
                for notice in map(_object, _list(invocation.get(key))):
                    if notice.get("level") == "error":
                        text = one_line(_text(_object(notice.get("message")), "text"))
                        raise EvidenceError(f"{self.tool} met an error: {text or 'no message'}", fix=_AGAIN)

    def results(self) -> Iterator[Json]:
        """Yield the results that are problems; a run without the list never got as far as checking."""
        for value in sequence(self._run.get("results"), what=f"`results` of {self.tool} in {self._path}"):
            result = mapping(value, what=f"a result of {self.tool} in {self._path}")
            if result.get("kind") not in ("pass", "notApplicable") and result.get("baselineState") != "absent":
                yield result

    def finding(self, result: Json) -> Finding:
        rule = self._rule(result)
        path, line, column = self._place(result)
        return Finding(
            rule=one_line(_text(result, "ruleId") or _text(rule, "id")) or "unnamed-rule",
            message=self._message(result, rule),
            path=path,
            line=line,
            column=column,
            severity=SEVERITIES[self._level(result, rule)],
            fix=_advice(_text(_object(rule.get("help")), "text")),
        )

    def _rule(self, result: Json) -> Json:
        reference = _object(result.get("rule"))
        index = result.get("ruleIndex", reference.get("index"))
        if isinstance(index, int) and 0 <= index < len(self._rules):
            return self._rules[index]
        return self._by_id.get(_text(result, "ruleId") or _text(reference, "id"), {})

    def _level(self, result: Json, rule: Json) -> str:
        if result.get("kind", "fail") != "fail" and "level" not in result:
            return "none"
        level = result.get("level") or _object(rule.get("defaultConfiguration")).get("level") or "warning"
        if not isinstance(level, str) or level not in SEVERITIES:
            raise EvidenceError(f"{level!r:.40} is no level of SARIF ({self._path})", fix=_AGAIN)
        return level

    def _place(self, result: Json) -> tuple[str, int, int]:
        locations = _list(result.get("locations"))
        physical = _object(_object(locations[0] if locations else None).get("physicalLocation"))
        artifact = _object(physical.get("artifactLocation"))
        index = artifact.get("index")
        artifacts = _list(self._run.get("artifacts"))
        if "uri" not in artifact and isinstance(index, int) and 0 <= index < len(artifacts):
            artifact = _object(_object(artifacts[index]).get("location"))
        bases = _object(self._run.get("originalUriBaseIds"))
        base = _text(_object(bases.get(_text(artifact, "uriBaseId"))), "uri")
        uri = _text(artifact, "uri")
        region = _object(physical.get("region"))
        absolute = re.match(r"[a-z][a-z0-9+.-]+:|/", uri, re.IGNORECASE)
        path = uri_path(uri if absolute or not base.startswith("file:") else f"{base.rstrip('/')}/{uri}", self._root)
        return path, _number(region.get("startLine")), _number(region.get("startColumn"))

    def _message(self, result: Json, rule: Json) -> str:
        message = _object(result.get("message"))
        text = _text(message, "text") or _text(message, "markdown")
        if not text:
            strings = _object(rule.get("messageStrings"))
            text = _text(_object(strings.get(_text(message, "id"))), "text")
        for number, argument in enumerate(_list(message.get("arguments"))):
            text = text.replace(f"{{{number}}}", str(argument))
        return one_line(text) or one_line(_text(_object(rule.get("shortDescription")), "text")) or "no message"


def _is_suppressed(result: Json) -> bool:
    """Tell whether a result is hidden: a suppression that is under review or was rejected hides nothing."""
    found = [_object(one).get("status", "accepted") for one in _list(result.get("suppressions"))]
    return bool(found) and all(status == "accepted" for status in found)


def _text(value: Json, key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _advice(text: str) -> str:
    """Return the help of a rule in one line, or nothing where it is a template that the tool did not fill in."""
    return "" if "{" in text else one_line(text, limit=200)
