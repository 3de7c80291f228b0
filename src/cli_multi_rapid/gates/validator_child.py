"""The process in which one validator of a project judges it: `python -I -m cli_multi_rapid.gates.validator_child FILE`.

FILE says what to run on what, and is gone before the validator is loaded; in it is a word that only who asked knows.
The answer is a file beside it with that word. What the validator prints, and how the process ends, says nothing.
"""

import json
import math
import os
import sys
import types
from collections.abc import Iterator
from functools import partial
from importlib.abc import ExecutionLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from traceback import walk_tb
from typing import Any

from cli_multi_rapid.gates.validating import Context, Result
from cli_multi_rapid.model.gate import Finding, Level

MAX_FINDINGS = 50_000
_EXPECTED = "expected a list of findings or ctx.result(...)"


def main(request: Path) -> None:
    """Load the validator, let it judge, and write its answer."""
    asked = json.loads(request.read_bytes())
    request.unlink()
    path = asked["path"]
    answer = partial(_write, request.with_name(asked["answer"]), asked["word"])
    sys.excepthook = partial(_crashed, answer, path)
    sys.argv = [path]
    module = _loaded(path, asked["source"])
    check = getattr(module, "check", None)
    if not callable(check):
        answer({"failed": f"{path} has no function check(ctx)"})
        return
    context = Context(
        root=asked["root"],
        level=Level(asked["level"]),
        files=tuple(asked["files"]),
        changed=None if asked["changed"] is None else tuple(asked["changed"]),
        env=dict(os.environ),
    )
    answer(_answer(path, check(context)))


class _Source(ExecutionLoader):
    """Loads a text as the module of a file, without a look at the file or at what was compiled of it."""

    def __init__(self, path: str, source: str) -> None:
        self._path = path
        self._source = source

    def get_filename(self, _name: str) -> str:
        """Return the path that tracebacks name."""
        return self._path

    def get_source(self, _name: str) -> str:
        """Return the text."""
        return self._source


def _loaded(path: str, source: str) -> types.ModuleType:
    loader = _Source(path, source)
    spec = spec_from_loader("validator", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules["validator"] = module
    loader.exec_module(module)
    return module


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


def _crashed(answer: Any, path: str, kind: type[BaseException], problem: BaseException, trace: Any) -> None:
    """Answer where an exception left the validator, and print it as Python does."""
    lines = [line for frame, line in walk_tb(trace) if frame.f_code.co_filename == path]
    if isinstance(problem, SyntaxError) and problem.filename == path and problem.lineno:
        lines.append(problem.lineno)
    where = f"{path}:{lines[-1]}" if lines else path
    text = problem.msg if isinstance(problem, SyntaxError) else str(problem)
    answer({"failed": f"{where}: {kind.__name__}{f': {text}' if text else ''}"})
    sys.__excepthook__(kind, problem, trace)


def _write(file: Path, word: str, content: dict[str, object]) -> None:
    """Write the answer whole or not at all."""
    data = json.dumps({"word": word, **content}, default=str)
    whole = file.with_suffix(".whole")
    whole.write_text(data, "utf-8", errors="backslashreplace")
    whole.replace(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
