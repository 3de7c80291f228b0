"""A phase as the text of its file: block style, readable, and read back as the same phase."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from enum import Enum

from cli_multi_rapid.model.phase import PhaseSpec
from cli_multi_rapid.system.positions import UNPRINTABLE

_PLAIN = re.compile(r"[0-9]+(?:ms|[smhd])|[A-Za-z_/](?:[A-Za-z0-9_./@+=()$'-]| (?=[A-Za-z0-9_./@+=()$'-]))*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_ESCAPES: Mapping[str, str] = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_INDENT = "  "
_LONGEST_LINE = 119
_FIRST = (
    "schema", "id", "name", "title", "needs", "if", "matrix", "inputs", "secrets", "requires", "env", "shell", "run",
)  # fmt: skip
"""How keys are ordered; others follow as the format has them."""


Notes = Mapping[str, tuple[str, ...]]


def phase_text(spec: PhaseSpec, *, comments: tuple[str, ...] = (), notes: Notes | None = None) -> str:
    """Return the file of a phase.

    Args:
        spec: the phase.
        comments: stand at the top, one line each.
        notes: stand before the step of that id, or at the end of the steps ("").
    """
    given = notes or {}
    lines = [*map(_comment, comments), *_members(_given(spec), "", given)]
    return "\n".join([*lines, *(f"{_INDENT}{_comment(note)}" for note in given.get("", ()))]) + "\n"


def _comment(text: str) -> str:
    return "# " + UNPRINTABLE.sub("\ufffd", " ".join(text.split()))


def _given(value: object) -> dict[str, object]:
    """Return the fields of a dataclass of the format that differ from their defaults, by their keys in the file."""
    found: dict[str, object] = {}
    for one in fields(value):  # type: ignore[arg-type]  # every part of the format is a dataclass
        inner = getattr(value, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if inner != default or type(inner) is not type(default):
            found[str(one.metadata.get("alias", one.name))] = inner
    return {key: found[key] for key in sorted(found, key=_place)}


def _place(key: str) -> int:
    return _FIRST.index(key) if key in _FIRST else len(_FIRST)


def _members(mapping: Mapping[str, object], indent: str, notes: Notes) -> Iterator[str]:
    for key, value in mapping.items():
        yield from _entry(f"{indent}{_scalar(key)}:", value, indent, notes)


def _entry(begin: str, value: object, indent: str, notes: Notes) -> Iterator[str]:
    """Yield the lines of a value that stands behind a key or a dash."""
    if hasattr(value, "__dataclass_fields__"):
        value = _given(value)
    if isinstance(value, Mapping) and value:
        yield begin
        yield from _members(value, indent + _INDENT, notes)
    elif isinstance(value, tuple) and any(hasattr(one, "__dataclass_fields__") for one in value):
        yield begin
        for one in value:
            yield from _item(one, indent + _INDENT, notes)
    elif isinstance(value, tuple) and len(begin) + len(_flow(value)) >= _LONGEST_LINE:
        yield begin
        yield from (f"{indent}{_INDENT}- {_flow(one)}" for one in value)
    elif isinstance(value, str) and "\n" in value and (header := _block(value)):
        yield f"{begin} {header}"
        yield from (f"{indent}{_INDENT}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{begin} {_flow(value)}"


def _item(value: object, indent: str, notes: Notes) -> Iterator[str]:
    """Yield a member of a list; its first key stands behind the dash."""
    if not hasattr(value, "__dataclass_fields__"):
        yield f"{indent}- {_flow(value)}"
        return
    yield from (f"{indent}{_comment(note)}" for note in notes.get(getattr(value, "id", ""), ()))
    lines = list(_members(_given(value), indent + _INDENT, {}))
    yield f"{indent}- {lines[0].lstrip(' ')}"
    yield from lines[1:]


def _flow(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(key)}: {_flow(one)}' for key, one in value.items())}}}"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # as it would lose its last zero
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    special = UNPRINTABLE.search(text) or _BREAKS.search(text) or set(text) & {"\n", "\t"}
    if ('"' in text or "\\" in text) and not special:
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(one) for one in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if UNPRINTABLE.match(character) or _BREAKS.match(character):
        number = ord(character)
        return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
    return character


def _block(text: str) -> str:
    """Return the header of a block that holds a text as it is; nothing where no block can."""
    if UNPRINTABLE.search(text) or _BREAKS.search(text) or text[0] in " \t\n" or not text.strip():
        return ""
    if not text.endswith("\n"):
        return "|-"
    return "|+" if text.endswith("\n\n") else "|"
