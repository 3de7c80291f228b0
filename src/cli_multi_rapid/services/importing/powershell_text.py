"""Where in a PowerShell text something stands, so that a variable can be put there as data."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli_multi_rapid.services.importing.shell_text import Quoting, Spot, is_mark
from cli_multi_rapid.services.importing.source import Refused

if TYPE_CHECKING:
    from cli_multi_rapid.services.importing.data_in_text import Datum

_PART = re.compile(
    r"(?P<comment><#.*?#>|(?<![^\s;(){}|&])\#[^\n]*)"
    r"|(?P<here_fixed>@'[ \t]*\n.*?\n'@)|(?P<here>@\"[ \t]*\n.*?\n\"@)"
    r"|(?P<single>'(?:[^']|'')*')|(?P<double>\"(?:[^\"`]|`.|\"\")*\")"
    r"|(?P<escape>`.)|(?P<end>[\n;|&{(])|(?P<other>.)",
    re.DOTALL,
)
_QUOTING = {
    "comment": Quoting.COMMENT, "here_fixed": Quoting.FIXED, "here": Quoting.DOUBLE, "single": Quoting.FIXED,
    "double": Quoting.DOUBLE,
}  # fmt: skip
_CODE = re.compile(r"(?:^|\s)(?:iex|icm|invoke-(?:expression|command))\s|\s-(?:c|command|e|eval)\s+\S*$", re.IGNORECASE)


def spots(text: str) -> Mapping[int, Spot]:
    """Return where each mark of a text stands, by its index.

    Raises:
        Refused: the quoting of the text cannot be followed.
    """
    found: dict[int, Spot] = {}
    command = 0
    for part in _PART.finditer(text):
        kind = str(part.lastgroup)
        if kind == "other" and part[0] in "'\"":
            raise Refused("the quotes of the text could not be followed to their end")
        before = text[command : part.start()]
        for place in range(part.start(), part.end()):
            if is_mark(text[place]):
                found[place] = Spot(quoting=_QUOTING.get(kind, Quoting.NONE), before=before)
        if kind == "end":
            command = part.end()
    return found


def variable(place: Spot, datum: "Datum", following: str) -> str:
    """Return the variable as it has to stand at a place of a PowerShell text."""
    if place.quoting is Quoting.FIXED:
        raise Refused("PowerShell puts no variable into single quotes", "use double quotes")
    code = bool(_CODE.search(place.before)) or (place.quoting is Quoting.NONE and not place.before.strip())
    if (code and not (datum.word and place.before.strip())) or (datum.values is not None and not _fits(place, datum)):
        raise Refused("the value would be code, not data", "pass the value through 'env' and read $env:NAME")
    braces = place.quoting is Quoting.DOUBLE or re.match(r"[A-Za-z0-9_:?.\[(]", following)
    return f"${{env:{datum.name}}}" if braces else f"$env:{datum.name}"


def _fits(place: Spot, datum: "Datum") -> bool:
    """Tell whether known values mean the same as data as they did as text."""
    if place.quoting is Quoting.NONE:
        return datum.word
    return not any(set(value) & set('"$`') for value in datum.values or ())
