"""What stands here for what an expression reads on GitHub."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cli_multi_rapid.engine.expressions import (
    STATUS_FUNCTIONS,
    ExpressionError,
    compile_expression,
    evaluate,
    to_string,
)
from cli_multi_rapid.model.phase import NAME, InputSpec
from cli_multi_rapid.services.importing.expressions import (
    OPENING,
    Reference,
    as_expression,
    conjuncts,
    literal,
    pieces_of,
    references,
    rewrite,
    texts_in,
)
from cli_multi_rapid.services.importing.matrix import PACKED, Matrix
from cli_multi_rapid.services.importing.source import Refused

Variables = Mapping[str, str]
"""Environment variables with the texts that stand in the workflow."""

GITHUB: Mapping[str, str] = {
    "ref": "format('refs/heads/{0}', git.branch)",
    "ref_name": "git.branch",
    "sha": "git.head",
    "run_id": "run.id",
    "job": "phase.name",
}
"""Keys of GitHub's own context that have an equivalent."""

_OUTPUTS = "let that step write a file to $CMR_OUT, name it under 'produces', and read it by 'outputs' or 'artifacts'"
_BRANCHES = "refs/heads"
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ON_BRANCH = re.compile(r"format\('refs/heads/\{0\}', git\.branch\)\s*(==|!=)\s*'refs/heads/((?:[^']|'')*)'")
_AS_INPUT = "write an input of the phase, or the value itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the expressions of a job can read.

    `phases` are the phases that this one needs, by id of the job. `inputs` are those of the workflow, `steps` the names
    of the job's earlier steps (None: left out), both by lower-case name. `shown` are the variables that the phase's own
    `env` has as plain text; `env` are all, its own and those of the step at hand.
    """

    workflow: str
    system: str
    matrix: Matrix = field(default_factory=Matrix)
    phases: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, InputSpec]] = field(default_factory=dict)
    steps: Mapping[str, str | None] = field(default_factory=dict)
    env: Variables = field(default_factory=dict)
    shown: frozenset[str] = frozenset()


def filled(expression: str) -> str:
    """Return an expression for use in a text: in braces, or its value if it reads nothing."""
    if not references(expression):
        with suppress(ExpressionError):
            return to_string(evaluate(expression, {}))
    return f"${{{{ {expression} }}}}"


class Translator:
    """Translates expressions, and remembers what they read: axes of the matrix, secrets, inputs."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.axes: dict[str, None] = {}
        self.secrets: dict[str, None] = {}
        self.inputs: dict[str, None] = {}
        self._open: list[str] = []

    def take(self, other: "Translator") -> None:
        """Remember what another one has read, too."""
        self.axes |= other.axes
        self.secrets |= other.secrets
        self.inputs |= other.inputs

    def expression(self, text: str) -> str:
        """Return an expression (without braces) in the words of this format.

        Raises:
            Refused: it reads what there is not.
        """
        found = rewrite(text, self._replace)
        asks_ref = any([name.lower() for name in one.path] == ["github", "ref"] for one in references(text))
        if asks_ref and any(one.startswith("refs/") and not one.startswith(_BRANCHES) for one in texts_in(text)):
            raise Refused("only branches are known here, no tags and no pull requests", _AS_INPUT, needle="github.ref")
        return _ON_BRANCH.sub(r"git.branch \1 '\2'", found)

    def template(self, text: str) -> str:
        """Return a text with `${{ }}` in the words of this format; raises as `expression`."""
        pieces = pieces_of(text) if OPENING in text else [(True, text)]
        return "".join(piece if plain else filled(self.expression(piece)) for plain, piece in pieces)

    def _replace(self, reference: Reference) -> str:
        context = reference.path[0].lower()
        if context in _WITHOUT:
            raise Refused(*_WITHOUT[context], needle=reference.path[0])
        if context not in _CONTEXTS:
            raise Refused(f"there is no '{reference.path[0]}' in expressions", needle=reference.path[0])
        if len(reference.path) == 1:
            raise Refused(f"'{context}' as a whole is another one here", "read one of its keys", needle=context)
        return _CONTEXTS[context](self, reference.path)

    def _github(self, path: tuple[str, ...]) -> str:
        key = path[1].lower()
        if key == "token":
            return self._secret(("secrets", "GITHUB_TOKEN"))
        if key == "workflow":
            return literal(self.scope.workflow)
        if key == "event" and len(path) == 4 and path[2].lower() == "inputs":
            name = self._input(path[2:])
            return name if self.scope.inputs[path[3].lower()][1].type == "string" else f"format('{{0}}', {name})"
        if key in GITHUB and len(path) == 2:
            return GITHUB[key]
        raise Refused(f"there is no '{'.'.join(path)}' here", _AS_INPUT, needle=path[0])

    def _runner(self, path: tuple[str, ...]) -> str:
        if path[1].lower() == "os":
            return literal(self.scope.system)
        raise Refused(f"there is no '{'.'.join(path)}' here", "every step runs on this machine", needle=path[0])

    def _job(self, path: tuple[str, ...]) -> str:
        if path[1].lower() == "status":
            return "run.status"
        raise Refused(f"there is no '{'.'.join(path)}' here", needle=path[0])

    def _secret(self, path: tuple[str, ...]) -> str:
        if not _ENV_NAME.fullmatch(path[1]):
            why = f"the secret '{path[1]}' cannot be an environment variable"
            raise Refused(why, "use letters, digits and '_'", needle=path[1])
        self.secrets[path[1]] = None
        return f"secrets.{path[1]}"

    def _matrix(self, path: tuple[str, ...]) -> str:
        matrix = self.scope.matrix
        name = matrix.named(path[1])
        if matrix.broken:
            raise Refused(f"the matrix cannot be read here: {matrix.broken}", "write its values out as lists")
        if name is None:
            return "null"
        if name in matrix.unknown:
            raise Refused(f"the values of '{name}' are not known here: {matrix.unknown[name]}", needle=".".join(path))
        values = matrix.values(name)
        if name in matrix.names and len(values) == 1 and not isinstance(values[0], list | dict):
            return literal(values[0])
        self.axes[name] = None
        packed = [PACKED] if matrix.packed and name in matrix.names else []
        return ".".join(["matrix", *packed, name, *path[2:]])

    def _input(self, path: tuple[str, ...]) -> str:
        found = self.scope.inputs.get(path[1].lower())
        if found is None:
            raise Refused(f"the workflow has no input '{path[1]}'", _AS_INPUT, needle=path[0])
        if not re.fullmatch(NAME, found[0]):
            raise Refused(f"'{found[0]}' cannot be the name of an input here", "give it another one", needle=path[1])
        self.inputs[found[0]] = None
        return f"inputs.{found[0]}"

    def _step(self, path: tuple[str, ...]) -> str:
        name = self.scope.steps.get(path[1].lower())
        if name is None:
            raise Refused(f"it reads the step '{path[1]}', which is not carried over", needle=".".join(path[:2]))
        key = path[2].lower() if len(path) == 3 else ""
        if key not in _STEP_KEYS:
            raise Refused("what a step writes to $GITHUB_OUTPUT is not read here", _OUTPUTS, needle=".".join(path[:2]))
        return f"steps.{name}.{_STEP_KEYS[key]}"

    def _need(self, path: tuple[str, ...]) -> str:
        name = self.scope.phases.get(path[1])
        if name is None:
            raise Refused(f"it reads the job '{path[1]}', which is not carried over", needle=".".join(path[:2]))
        if len(path) != 3 or path[2].lower() != "result":
            raise Refused("the outputs of a job are not carried over", _OUTPUTS, needle=".".join(path[:2]))
        return f"needs.{name}.status"

    def _variable(self, path: tuple[str, ...]) -> str:
        name = path[1]
        if name not in self.scope.env:
            why = f"the variable '{name}' is not in any 'env' that is carried over"
            raise Refused(why, "write it under 'env'", needle=".".join(path))
        if name in self.scope.shown:
            return f"env.{name}"
        if name in self._open:
            raise Refused(f"the variable '{name}' is made of itself", needle=".".join(path))
        self._open.append(name)
        try:
            return as_expression(self.scope.env[name], self.expression)
        finally:
            self._open.pop()


_STEP_KEYS = {"outcome": "outcome", "conclusion": "status"}

_WITHOUT: Mapping[str, tuple[str, str]] = {
    "vars": ("there are no configuration variables ('vars') here", _AS_INPUT),
    "strategy": ("there is no 'strategy' in expressions here", "read the values of 'matrix'"),
    "jobs": ("the outputs of a workflow are not carried over", ""),
}

_CONTEXTS: Mapping[str, Callable[[Translator, tuple[str, ...]], str]] = {
    "github": Translator._github,  # noqa: SLF001  the table of this class's own methods
    "runner": Translator._runner,  # noqa: SLF001
    "job": Translator._job,  # noqa: SLF001
    "secrets": Translator._secret,  # noqa: SLF001
    "matrix": Translator._matrix,  # noqa: SLF001
    "inputs": Translator._input,  # noqa: SLF001
    "steps": Translator._step,  # noqa: SLF001
    "needs": Translator._need,  # noqa: SLF001
    "env": Translator._variable,  # noqa: SLF001
}


def split_condition(text: str, matrix: Matrix) -> tuple[list[str], list[str]]:
    """Return the parts of a condition that read nothing but values of the matrix, and the others.

    Raises:
        Refused: it is not valid, or a part reads the matrix and cannot be decided by its values alone.
    """
    decided: list[str] = []
    left: list[str] = []
    for part in conjuncts(text):
        axes = [one.path for one in references(part) if one.path[0].lower() == "matrix"]
        if axes and matrix.broken:
            raise Refused(f"the matrix cannot be read here: {matrix.broken}", "write its values out as lists")
        names = {matrix.named(path[1]) if len(path) > 1 else "" for path in axes}
        if contexts_of(part) == {"matrix"} and "" not in names and not names & {*matrix.dynamic, *matrix.unknown}:
            decided.append(part)
        elif any(_varies(name, matrix) for name in names):
            why = "a condition is decided once for all combinations, and this one needs the matrix"
            raise Refused(why, "ask in the command, or write one step for each combination", needle="matrix")
        else:
            left.append(part)
    return decided, left


def contexts_of(text: str) -> set[str]:
    """Return the contexts that an expression reads, in lower case; `()` is among them if it calls a status function.

    Raises:
        Refused: it is not valid.
    """
    found = {reference.path[0].lower() for reference in references(text)}
    return found | ({"()"} if STATUS_FUNCTIONS & compile_expression(text).functions else set())


def _varies(name: str | None, matrix: Matrix) -> bool:
    return name in matrix.dynamic or name in matrix.unknown or (name is not None and len(matrix.values(name)) != 1)
