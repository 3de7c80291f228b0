"""Compiled expressions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cli_multi_rapid.engine.expressions.error import ExpressionError, OperationError
from cli_multi_rapid.engine.expressions.evaluation import Evaluation, HashFiles, Status
from cli_multi_rapid.engine.expressions.nodes import Node
from cli_multi_rapid.engine.expressions.parser import Parser
from cli_multi_rapid.engine.expressions.values import ARRAY, NUMBER, OBJECT, kind_of, normalised


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression that has been parsed.

    `references` are the paths that it reads, as written, each from the name of a context up to the first key that is
    not fixed; `reference_columns` tells where each starts, from 1. `functions` are lower-case names.
    """

    text: str
    references: tuple[tuple[str, ...], ...]
    reference_columns: tuple[int, ...]
    functions: frozenset[str]
    node: Node = field(repr=False, compare=False)

    def evaluate(
        self, contexts: Mapping[str, object], *, hash_files: HashFiles | None = None, status: Status | None = None
    ) -> object:
        """Return the value: None, bool, int, float, str, list or dict.

        Args:
            contexts: values by name; names are matched without regard to case.
            hash_files: answers `hashFiles(...)`; gets the patterns as arguments. Without it the function is an error.
            status: answers of `success failure always cancelled`, as booleans or functions without arguments; those
                that are not given are errors where they are asked for.

        Raises:
            ExpressionError: of kind "evaluation".
        """
        run = Evaluation(self.text, contexts, hash_files=hash_files, status=status)
        try:
            return _plain(self.node(run))
        except OperationError as fault:
            raise ExpressionError(str(fault), kind="evaluation") from fault


def compile_expression(text: str, *, contexts: Iterable[str] | None = None) -> Expression:
    """Parse an expression, without `${{ }}` around it, once for many evaluations; an empty one yields null.

    Where `contexts` are given, any other name is a parsing error that suggests the nearest.

    Raises:
        ExpressionError: of kind "lexing" or "parsing".
    """
    parser = Parser(text, None if contexts is None else {name.lower(): name for name in contexts})
    node = parser.parse()
    return Expression(
        text=text,
        references=tuple(tuple(path) for _, path in parser.references),
        reference_columns=tuple(column for column, _ in parser.references),
        functions=frozenset(parser.functions),
        node=node,
    )


def evaluate(
    expression: str,
    contexts: Mapping[str, object],
    *,
    hash_files: HashFiles | None = None,
    status: Status | None = None,
) -> object:
    """Parse and evaluate an expression, without `${{ }}` around it; see `Expression.evaluate`.

    Raises:
        ExpressionError: the expression is wrong, names a context that is not there, or cannot be evaluated.
    """
    compiled = compile_expression(expression, contexts=contexts)
    return compiled.evaluate(contexts, hash_files=hash_files, status=status)


def _plain(value: object) -> object:
    """Return a result as one of the documented types, so that no filtered array or foreign mapping gets out."""
    kind = kind_of(value)
    if kind == NUMBER and isinstance(value, float):
        return normalised(value)
    if kind == ARRAY and isinstance(value, list | tuple):
        return value if type(value) is list else list(value)
    if kind == OBJECT and isinstance(value, Mapping):
        return value if type(value) is dict else dict(value)
    return value
