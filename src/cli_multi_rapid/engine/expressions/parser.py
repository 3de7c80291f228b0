"""Tokens to nodes.

Depth is counted as GitHub counts it: one for every nested expression, `!`, chain of `&&` or of
`||`, and step of a path.
"""

from typing import Final, NoReturn

from cli_multi_rapid.engine.expressions.error import ExpressionError, nearest
from cli_multi_rapid.engine.expressions.functions import FUNCTIONS
from cli_multi_rapid.engine.expressions.lexer import END, LITERAL, NAME, Token, tokenize
from cli_multi_rapid.engine.expressions.nodes import (
    COMPARISONS,
    Comparison,
    Node,
    call,
    choice,
    comparison,
    constant,
    context,
    every,
    index,
    member,
    negation,
)

MAX_DEPTH: Final = 50

_POWER: Final = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4}
_FIRST_COMPARISON: Final = 3


class Parser:
    """Reads one expression.

    After `parse`, `references` holds a column and a path for every use of a context, and `functions` the lower-case
    names of all functions used.
    """

    def __init__(self, text: str, contexts: dict[str, str] | None) -> None:
        self.references: list[tuple[int, list[str]]] = []
        self.functions: set[str] = set()
        self._text = text
        self._contexts = contexts
        self._tokens = tokenize(text)
        self._at = 0
        self._token = self._tokens[0]
        self._depth = 0

    def parse(self) -> Node:
        """Return the node of the whole text; an empty one yields null."""
        if self._token.kind == END:
            return constant(None)
        node = self._expression()
        if self._token.kind != END:
            self._unexpected(self._token)
        return node

    def _expression(self) -> Node:
        self._deeper()
        node = self._operation(1)
        self._depth -= 1
        return node

    def _operation(self, lowest: int) -> Node:
        """Read operators that bind at least as strongly as `lowest`."""
        node = self._operand()
        steps: list[tuple[Comparison, Node]] = []
        while (power := _POWER.get(self._token.kind, 0)) >= lowest:
            if power >= _FIRST_COMPARISON:
                operator = self._advance()
                steps.append((COMPARISONS[operator.kind], self._operation(power + 1)))
            else:
                node = self._choice(comparison(node, steps) if steps else node, power)
                steps = []
        return comparison(node, steps) if steps else node

    def _choice(self, first: Node, power: int) -> Node:
        operator = self._token.kind
        self._deeper()
        operands = [first]
        while self._token.kind == operator:
            self._advance()
            operands.append(self._operation(power + 1))
        self._depth -= 1
        return choice(operands, stop_at=operator == "||")

    def _operand(self) -> Node:
        count = 0
        while self._token.kind == "!":
            self._advance()
            self._deeper()
            count += 1
        node = self._path()
        self._depth -= count
        return negation(node, count=count) if count else node

    def _path(self) -> Node:
        token = self._token
        if token.kind == END:
            self._fail("Unexpected end of expression", self._tokens[self._at - 1])
        self._advance()
        if token.kind == LITERAL:
            return constant(token.value)
        if token.kind == "(":
            return self._selectors(self._group(), [])
        if token.kind != NAME:
            self._unexpected(token)
        if self._token.kind == "(":
            return self._selectors(self._call(token), [])
        return self._selectors(self._context(token), self.references[-1][1])

    def _group(self) -> Node:
        node = self._expression()
        if self._token.kind == END:
            self._fail("Unexpected end of expression", self._tokens[self._at - 1])
        self._expect(")")
        return node

    def _context(self, name: Token) -> Node:
        if self._contexts is not None and name.text.lower() not in self._contexts:
            hint = nearest(name.text, list(self._contexts.values()), what="contexts here")
            self._fail("Unrecognized named-value", name, hint=hint)
        self.references.append((name.start + 1, [name.text]))
        return context(name.text, name.start + 1)

    def _call(self, name: Token) -> Node:
        arguments = self._arguments()
        key = name.text.lower()
        function = FUNCTIONS.get(key)
        if function is None:
            known = [known.name for known in FUNCTIONS.values()]
            self._fail("Unrecognized function", name, hint=nearest(name.text, known, what="functions"))
        if len(arguments) < function.minimum:
            self._fail("Too few parameters supplied", name)
        if len(arguments) > function.maximum:
            self._fail("Too many parameters supplied", name)
        if key == "case" and len(arguments) % 2 == 0:
            self._fail("Even number of parameters supplied, requires an odd number of parameters", name)
        self.functions.add(key)
        return call(function.apply, arguments, name.start + 1)

    def _arguments(self) -> list[Node]:
        self._expect("(")
        arguments: list[Node] = []
        if self._token.kind == ")":
            self._advance()
            return arguments
        while True:
            arguments.append(self._expression())
            if self._token.kind == ")":
                self._advance()
                return arguments
            self._expect(",")

    def _selectors(self, node: Node, path: list[str]) -> Node:
        """Read `.name`, `.*`, `[key]` and `[*]`; `path` is extended as long as the keys are fixed."""
        count, fixed = 0, bool(path)
        while self._token.kind in {".", "["}:
            opening = self._advance()
            if opening.kind == ".":
                self._deeper()
            node, name = self._selector(node, opening)
            if opening.kind == "[":
                self._expect("]")
                self._deeper()
            count += 1
            fixed = fixed and name is not None
            if fixed and name is not None:
                path.append(name)
        self._depth -= count
        return node

    def _selector(self, node: Node, opening: Token) -> tuple[Node, str | None]:
        """Read what stands after the dot or between the brackets; return it with its name if that is fixed."""
        token = self._token
        if token.kind == "*":
            self._advance()
            return every(node), None
        if opening.kind == ".":
            if token.kind != NAME:
                self._unexpected(token)
            self._advance()
            return member(node, token.text), token.text
        following = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        key = self._expression()
        if isinstance(token.value, str) and following.kind == "]":
            return member(node, token.value), token.value
        return index(node, key), None

    def _advance(self) -> Token:
        """Step over a token that is not the end, and return it."""
        token = self._token
        self._at += 1
        self._token = self._tokens[self._at]
        return token

    def _expect(self, kind: str) -> None:
        if self._token.kind != kind:
            self._unexpected(self._token)
        self._advance()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"Exceeded max expression depth {MAX_DEPTH}", self._token)

    def _unexpected(self, token: Token) -> NoReturn:
        self._fail("Unexpected symbol", token)

    def _fail(self, problem: str, token: Token, *, hint: str = "") -> NoReturn:
        column = token.start + 1
        raise ExpressionError(
            f"{problem}: '{token.text}'. Located at position {column} within expression: {self._text}",
            kind="parsing",
            column=column,
            hint=hint,
        )
