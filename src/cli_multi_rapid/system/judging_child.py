"""The process in which one Python file of a project judges.

A file says what to run on what, and is gone before the project's file is loaded; in it is a word that only who asked
knows. The answer is a file beside it with that word. What is printed, and how the process ends, says nothing.
"""

import json
import os
import sys
import types
from collections.abc import Callable
from functools import partial
from importlib.abc import ExecutionLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from traceback import walk_tb
from typing import Any

Check = Callable[[Any], object]


def serve(request: Path, judge: Callable[[dict[str, Any], Check], dict[str, object]]) -> None:
    """Load the file that is asked for, let `judge` call its `check`, and write the answer.

    `judge` is given what was asked; what it returns is the answer. An exception of the file is one, too.
    """
    asked = json.loads(request.read_bytes())
    request.unlink()
    path = asked["path"]
    answer = partial(_write, request.with_name(asked["answer"]), asked.pop("word"), os.getpid())
    sys.excepthook = partial(_crashed, answer, path)
    sys.argv = [path]
    check = getattr(_loaded(path, asked["source"]), "check", None)
    answer(judge(asked, check) if callable(check) else {"failed": f"{path} has no function check(ctx)"})


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


def _crashed(answer: Any, path: str, kind: type[BaseException], problem: BaseException, trace: Any) -> None:
    """Answer where an exception left the file, and print it as Python does."""
    lines = [line for frame, line in walk_tb(trace) if frame.f_code.co_filename == path]
    if isinstance(problem, SyntaxError) and problem.filename == path and problem.lineno:
        lines.append(problem.lineno)
    where = f"{path}:{lines[-1]}" if lines else path
    text = problem.msg if isinstance(problem, SyntaxError) else str(problem)
    answer({"failed": f"{where}: {kind.__name__}{f': {text}' if text else ''}"})
    sys.__excepthook__(kind, problem, trace)


def _write(file: Path, word: str, process: int, content: dict[str, object]) -> None:
    """Write the answer whole or not at all; a process that the file has forked does not answer for it."""
    if os.getpid() != process:
        return
    data = json.dumps({"word": word, **content}, default=str)
    whole = file.with_suffix(".whole")
    whole.write_text(data, "utf-8", errors="backslashreplace")
    whole.replace(file)
