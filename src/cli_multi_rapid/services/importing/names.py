"""Names of phases and steps that fit the format of phases."""

import re
from collections.abc import Iterable

from cli_multi_rapid.model.phase import NAME

_FITS = re.compile(NAME.removesuffix("$") + r"\Z")
_OTHER = re.compile(r"[^A-Za-z0-9_]+")
_IDLE_LINE = re.compile(r"\s*(#|set\s|cd\s|export\s|[A-Za-z_][A-Za-z0-9_]*=|echo\s+::)")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_LONGEST = 63
_WORDS = 3


class Names:
    """Gives names that fit and are unique; expressions do not tell upper from lower case, so neither does this."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in taken}

    def has(self, name: str) -> bool:
        """Tell whether a name is taken."""
        return name.lower() in self._taken

    def free(self, name: str) -> None:
        """Give a name back."""
        self._taken.discard(name.lower())

    def take(self, wanted: str, *, otherwise: str) -> str:
        """Return the wanted name, or the nearest one that fits and is free; `otherwise` stands in where it is empty."""
        name = wanted if _FITS.match(wanted) else fitting(wanted, otherwise=otherwise)
        number, found = 1, name
        while found.lower() in self._taken:
            number += 1
            found = f"{name[: _LONGEST - len(str(number)) - 1]}-{number}"
        self._taken.add(found.lower())
        return found


def fitting(text: str, *, otherwise: str) -> str:
    """Return a name made of a text: its letters, digits and `_`, all else as one `-`."""
    name = _OTHER.sub("-", text).strip("-_")
    if not name:
        return otherwise
    name = name if name[0].isalpha() else f"{otherwise}-{name}"
    return name[:_LONGEST].rstrip("-_")


def name_of_command(text: str) -> str:
    """Return what a command could be called: its first words."""
    for line in text.splitlines():
        if line.strip() and not _IDLE_LINE.match(line):
            words = [word for word in _EXPRESSION.sub("", line).split() if re.match(r"[-A-Za-z0-9_./]+\Z", word)]
            return " ".join(words[:_WORDS]).lower()
    return ""
