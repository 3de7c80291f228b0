"""Generated classes are taken only if they are what was asked for: these classes, these fields, types and no code."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

_MODULES = frozenset({"__future__", "typing", "pydantic", "pydantic.experimental.missing_sentinel"})
_WORDS = frozenset({
    "Annotated", "Any", "Literal", "StrictBool", "StrictFloat", "StrictInt", "StrictStr", "MISSING", "Field", "dict",
    "list", "str",
})  # fmt: skip
_SYNTAX = (
    ast.Name, ast.Subscript, ast.BinOp, ast.BitOr, ast.Constant, ast.Tuple, ast.Call, ast.keyword, ast.UnaryOp,
    ast.USub, ast.Load,
)  # fmt: skip


class NotAccepted(Exception):
    """The generator failed, or wrote what it was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the generator is asked for: a schema, and the attribute for each key of each class."""

    root: str
    schema: Mapping[str, object]
    fields: Mapping[str, Mapping[str, str]]

    def aliases(self) -> dict[str, str]:
        """Return attributes that differ from their keys, as the generator wants to be told."""
        return {
            f"{name}.{key}": attribute
            for name, fields in self.fields.items()
            for key, attribute in fields.items()
            if key != attribute
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The source of each class by its name, the calls that complete them, and the words they are written with."""

    sources: Mapping[str, str]
    calls: tuple[str, ...]
    words: frozenset[str]


def accepted_classes(text: str, asked: Asked) -> Classes:
    """Return the classes of a module.

    Raises:
        NotAccepted: there is anything else in the text, a class or field is absent, or has another name.
    """
    tree = ast.parse(text)
    lines = text.splitlines()
    names = frozenset(asked.fields) | _WORDS
    sources: dict[str, str] = {}
    calls: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            _require(node.module in _MODULES and not any(one.asname for one in node.names), node)
        elif isinstance(node, ast.ClassDef):
            _check_class(node, asked, names)
            sources[node.name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        else:
            calls.append(_completion(node, asked))
    if sorted(sources) != sorted(asked.fields):
        raise NotAccepted(f"it made the classes {', '.join(sources)[:200]}")
    words = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return Classes(sources=sources, calls=tuple(calls), words=words)


def _check_class(node: ast.ClassDef, asked: Asked, names: frozenset[str]) -> None:
    """Check one class: its base, its configuration and its fields."""
    _require(node.name in asked.fields and len(node.bases) == 1 and not node.keywords and not node.decorator_list, node)
    (base,) = node.bases
    rooted = isinstance(base, ast.Subscript) and ast.unparse(base.value) == "RootModel"
    _require(ast.unparse(base) == "BaseModel" or (rooted and node.name == asked.root), node)
    if isinstance(base, ast.Subscript):
        _check_type(base.slice, names)
    attributes: dict[str, str] = {}
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            _check_type(one.annotation, names)
            _require(one.value is None or ast.unparse(one.value) == "MISSING", one)
            key = _alias(one.annotation)
            attributes[one.target.id if key is None else key] = one.target.id
        else:
            _check_settings(one)
    if not rooted and attributes != dict(asked.fields[node.name]):
        raise NotAccepted(f"{node.name} has the fields {', '.join(attributes.values())[:200]}")


def _check_settings(node: ast.stmt) -> None:
    """Check a statement of a class that is no field: constant settings, or nothing at all."""
    if isinstance(node, ast.Pass):
        return
    _require(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "model_config", node)
    assert isinstance(node, ast.Assign)
    value = node.value
    _require(isinstance(value, ast.Call) and ast.unparse(value.func) == "ConfigDict" and not value.args, node)
    assert isinstance(value, ast.Call)
    _require(all(isinstance(one.value, ast.Constant) for one in value.keywords), node)


def _check_type(node: ast.expr, names: frozenset[str]) -> None:
    """Check that an expression is made of known names, constants and bounds."""
    for part in ast.walk(node):
        _require(isinstance(part, _SYNTAX), node)
        if isinstance(part, ast.Name):
            _require(part.id in names, node)
        if isinstance(part, ast.Call):
            _require(ast.unparse(part.func) == "Field" and not part.args, node)


def _alias(annotation: ast.expr) -> str | None:
    """Return the alias that the outermost `Field` of an annotation gives."""
    if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
        return None
    for part in annotation.slice.elts:
        if isinstance(part, ast.Call):
            return next((_text(one.value) for one in part.keywords if one.arg == "alias"), None)
    return None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _completion(node: ast.stmt, asked: Asked) -> str:
    """Return a call such as `Order.model_rebuild()`."""
    text = ast.unparse(node)
    _require(text.removesuffix(".model_rebuild()") in asked.fields and text.endswith(".model_rebuild()"), node)
    return text


def _require(fits: bool, node: ast.AST) -> None:  # noqa: FBT001  reads as an assertion
    if not fits:
        raise NotAccepted(f"it wrote {ast.unparse(node)[:200]}")
