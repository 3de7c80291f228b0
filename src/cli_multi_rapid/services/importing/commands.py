"""The command of a step: its text, and the environment variables that its text needs."""

import re
import shlex
from collections.abc import Mapping

from cli_multi_rapid.engine.expressions import ExpressionError, compile_expression, evaluate, to_string
from cli_multi_rapid.model.phase import Shell
from cli_multi_rapid.services.importing.contexts import Translator
from cli_multi_rapid.services.importing.data_in_text import Datum, with_variables
from cli_multi_rapid.services.importing.expressions import OPENING, pieces_of, references
from cli_multi_rapid.services.importing.source import Refused, Report, Source

_VARIABLE = re.compile(r"(?:\$\{?|\$env:|\$\{env:|environ(?:\.get\(|\[)[\"'])((?:GITHUB|RUNNER)_[A-Z_]+)\b")
_SHELL_TEMPLATE = re.compile(r"(?:/\S*/)?(bash|sh|pwsh|python3?)(\.exe)?((?:\s+\S+)*?)\s+['\"]?\{0\}['\"]?\s*")
_WORKSPACE = "GITHUB_WORKSPACE"
_OWN: Mapping[str, str] = {
    "GITHUB_SHA": "${{ git.head }}",
    "GITHUB_REF": "refs/heads/${{ git.branch }}",
    "GITHUB_REF_NAME": "${{ git.branch }}",
    "GITHUB_RUN_ID": "${{ run.id }}",
    "GITHUB_JOB": "${{ phase.name }}",
    "GITHUB_OUTPUT": "${{ step.out }}/outputs.txt",
    "GITHUB_STEP_SUMMARY": "${{ step.out }}/summary.md",
}
_NOTES: Mapping[str, tuple[str, str]] = {
    "GITHUB_OUTPUT": (
        "what the step writes there is kept in its own folder and read by nobody",
        "write a file to $CMR_OUT, name it under 'produces', and its content under 'outputs'",
    ),
    "GITHUB_STEP_SUMMARY": ("there is no summary page: it is kept as summary.md in the step's own folder", ""),
}
_REFUSED: Mapping[str, tuple[str, str]] = {
    "GITHUB_ENV": ("what a step writes to $GITHUB_ENV does not reach later steps", "write it under 'env' of those"),
    "GITHUB_PATH": ("what a step writes to $GITHUB_PATH does not reach later steps", "install it before the run"),
}


def shell_of(source: Source, report: Report) -> Shell:
    """Return the shell that a text is for.

    Raises:
        Refused: it is none of those that there are here.
    """
    text = source.text.strip()
    if text in tuple(Shell):
        return Shell(text)
    found = _SHELL_TEMPLATE.fullmatch(text)
    if not found:
        raise Refused(f"'{text}' is none of the shells here: {', '.join(Shell)}", "write the command as a list")
    options = found[3].split()
    if any(re.fullmatch(r"-[a-zA-Z]*[li][a-zA-Z]*|--login", one) for one in options):
        report.add(source, "shells read no profile here", "activate what the profile would activate before the run")
    return Shell(found[1].removesuffix("3") if found[1].startswith("python") else found[1])


class CommandText:
    """Builds the text of one step. `env` grows by the variables that the text needs."""

    def __init__(self, translator: Translator, env: dict[str, str], *, taken: frozenset[str]) -> None:
        self.env = env
        self._translator = translator
        self._taken = taken
        self._workspace = False

    def build(self, run: Source, folder: Source | None, shell: Shell, report: Report) -> str:
        """Return the text of a step that runs in a folder (if any).

        Raises:
            Refused: something in it cannot be carried over.
        """
        if "::add-mask::" in run.text:
            raise Refused("it would print here what it means to hide", "name it under 'secrets'", needle="::add-mask")
        text = with_variables(run.text, shell, self._resolve)
        for name in dict.fromkeys(_VARIABLE.findall(text)):
            self._own_variable(name, run, report)
        first = self._change_folder(folder, shell) if folder is not None else ""
        begin = _BEGINNINGS[shell] if self._workspace else ""
        if begin is None:
            raise Refused(f"${_WORKSPACE} is not there", "use os.getcwd()")
        strict = "$ErrorActionPreference = 'stop'\n" if shell is Shell.PWSH else ""
        return strict + begin + first + text

    def _own_variable(self, name: str, run: Source, report: Report) -> None:
        """Provide a variable that GitHub sets by itself."""
        if name in self.env or name in self._taken or name == "GITHUB_TOKEN":
            return
        if name == _WORKSPACE:
            self._workspace = True
        elif name in _OWN:
            self.env[name] = _OWN[name]
        elif name == "GITHUB_WORKFLOW":
            self.env[name] = self._translator.scope.workflow
        elif name == "RUNNER_OS":
            self.env[name] = self._translator.scope.system
        elif name in _REFUSED:
            raise Refused(*_REFUSED[name], needle=name)
        else:
            raise Refused(f"the variable {name} is not there", "write it under 'env'", needle=name)
        if name in _NOTES:
            report.add(run, *_NOTES[name], needle=name)

    def _change_folder(self, folder: Source, shell: Shell) -> str:
        text = re.sub(r"^\$\{\{\s*github\.workspace\s*\}\}/?", "./", folder.text)
        if shell is Shell.PYTHON:
            raise Refused("Python text cannot begin with a change of folder", "call os.chdir first")
        before = dict(self.env)
        found = [piece if plain else self._resolve(piece) for plain, piece in pieces_of(text)]
        if all(isinstance(one, str) for one in found):
            return _change_to("".join(map(str, found)), shell)
        if len(found) == 1 and isinstance(found[0], Datum):
            name = found[0].name
        else:
            self.env.clear()
            self.env.update(before)
            value = self._translator.template(text)
            name = self._name("WORKING_DIRECTORY", value)
            self.env[name] = value
        return f"Set-Location -LiteralPath $env:{name}\n" if shell is Shell.PWSH else f'CDPATH= cd -- "${name}"\n'

    def _resolve(self, expression: str) -> Datum | str:
        """Return the variable that stands for an expression, or its value if that is always the same."""
        path = [name.lower() for name in whole_path(expression)]
        if path == ["github", "workspace"]:
            self._workspace = True
            return Datum(name=_WORKSPACE)
        if path[:1] == ["env"] and len(path) == 2:
            name = whole_path(expression)[1]
            given = self._translator.scope.env.get(name)
            if given is not None and (name in self.env or name in self._taken):
                return Datum(name=name, values=(given,) if OPENING not in given else None)
        trial = Translator(self._translator.scope)
        text = trial.expression(expression)
        values = self._values(text)
        if values is not None and len(values) == 1:
            return values[0]
        self._translator.take(trial)
        name = self._name(_wanted(expression), f"${{{{ {text} }}}}")
        self.env.setdefault(name, f"${{{{ {text} }}}}")
        return Datum(name=name, values=values)

    def _values(self, text: str) -> tuple[str, ...] | None:
        """Return all values that a translated expression can have; None if they are not known."""
        matrix = self._translator.scope.matrix
        contexts = {one.path[0] for one in references(text)}
        names = {one.path[1] for one in references(text) if one.path[0] == "matrix"}
        if contexts - {"matrix"} or names & set(matrix.dynamic) or "hashfiles" in compile_expression(text).functions:
            return None
        try:
            found = [to_string(evaluate(text, {"matrix": matrix.seen(one)})) for one in matrix.combinations]
        except ExpressionError:
            return None
        return tuple(dict.fromkeys(found))

    def _name(self, wanted: str, value: str) -> str:
        """Return a name for a variable: one that already has this value, else a free one."""
        for name, known in self.env.items():
            if known == value:
                return name
        name, number = wanted, 1
        while name in self.env or name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        return name


_BEGINNINGS: Mapping[Shell, str | None] = {
    Shell.BASH: f'export {_WORKSPACE}="$PWD"\n',
    Shell.SH: f'export {_WORKSPACE}="$PWD"\n',
    Shell.PWSH: f"$env:{_WORKSPACE} = (Get-Location).Path\n",
    Shell.PYTHON: None,
}


def _change_to(folder: str, shell: Shell) -> str:
    if shell is Shell.PWSH:
        return "Set-Location -LiteralPath '" + folder.replace("'", "''") + "'\n"
    plain = folder if folder.startswith(("/", "./", "../")) else f"./{folder}"  # so that CDPATH plays no part
    return f"cd -- {shlex.quote(plain)}\n"


def whole_path(expression: str) -> tuple[str, ...]:
    """Return the path of an expression that is nothing but one; empty for all others."""
    found = references(expression)
    text = expression.strip()
    if len(found) == 1 and not found[0].more and found[0].end - found[0].start == len(text):
        return found[0].path
    return ()


def _wanted(expression: str) -> str:
    """Return a readable name of a variable for an expression."""
    path = list(whole_path(expression))
    if not path:
        return "VALUE"
    if path[0].lower() in {"secrets", "env"}:
        path = path[1:]
    elif path[0].lower() in {"inputs", "steps"}:
        path[0] = path[0][:-1]
    elif [name.lower() for name in path[:3]] == ["github", "event", "inputs"]:
        path = ["input", *path[3:]]
    name = re.sub(r"[^A-Za-z0-9_]+", "_", "_".join(path)).upper()
    return name if name[:1].isalpha() or name[:1] == "_" else f"VALUE_{name}"
