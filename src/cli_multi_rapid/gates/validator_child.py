"""The process in which one validator of a project judges it: `python -I -m cli_multi_rapid.gates.validator_child FILE`.

See `system.judging_child`.
"""

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli_multi_rapid.gates.validating import Context, Result
from cli_multi_rapid.model.gate import Finding, Level
from cli_multi_rapid.system.judging_child import Check, serve

MAX_FINDINGS = 50_000
_EXPECTED = "expected a list of findings or ctx.result(...)"


def main(request: Path) -> None:
    """Load the validator, let it judge, and write its answer."""
    serve(request, _judged)


def _judged(asked: dict[str, Any], check: Check) -> dict[str, object]:
    context = Context(
        root=asked["root"],
        level=Level(asked["level"]),
        files=tuple(asked["files"]),
        changed=None if asked["changed"] is None else tuple(asked["changed"]),
        env=dict(os.environ),
    )
    return _answer(asked["path"], check(context))


def _answer(path: str, returned: object) -> dict[str, object]:
    """Return what is answered for what `check` returned."""
    result = returned if isinstance(returned, Result) else Result()
    given = result.findings if isinstance(returned, Result) else returned
    if not isinstance(given, list | tuple | Iterator):
        kind = "None" if given is None else f"{type(given).__name__} {given!r:.40}"
        return {"failed": f"{path}: check returned {kind}; {_EXPECTED}"}
    findings: list[dict[str, object]] = []
    for item in given:
        if not isinstance(item, Finding):
            return {"failed": f"{path}: check returned a list with {type(item).__name__} {item!r:.40}; {_EXPECTED}"}
        if len(findings) == MAX_FINDINGS:
            return {"failed": f"{path}: check returned more than {MAX_FINDINGS:,} findings"}
        findings.append(
            {
                "rule": item.rule, "message": item.message, "path": item.path, "line": item.line,
                "column": item.column, "severity": item.severity, "fix": item.fix,
            }
        )  # fmt: skip
    for name, number in (("observed", result.observed), ("threshold", result.threshold)):
        if number is not None and not _is_number(number):
            return {"failed": f"{path}: `{name}` is {number!r:.40}, not a number"}
    return {
        "findings": findings,
        "summary": str(result.summary),
        "observed": result.observed,
        "threshold": result.threshold,
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
