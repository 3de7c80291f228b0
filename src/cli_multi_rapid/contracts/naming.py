"""Names in generated code: made of JSON keys and places, unique, and no word that the language keeps for itself."""

import re
from collections.abc import Callable, Collection, Iterable

from cli_multi_rapid.contracts import ir

LIMIT = 63
"""What MQL4 allows; the other targets allow more."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def type_names(name: str, root: ir.Root) -> dict[str, str]:
    """Return a name in PascalCase for every object and union of a contract, by its place; the root has `name`.

    A definition is named as in `$defs`; what stands inside another object is named for that and its key.
    """
    return place_names(name, root.place, (one.place for one in ir.objects(root)), reserved=())


def place_names(
    name: str, root: str, places: Iterable[str], *, reserved: Collection[str], joint: str = "_"
) -> dict[str, str]:
    """Return a name in PascalCase for every place of a contract; the place `root` has the name of the contract."""
    wanted = {place: name if place == root else pascal(_title(place)) for place in places}
    ordered = dict(sorted(wanted.items(), key=lambda item: item[0] != root))
    return unique(ordered, wish=lambda place: ordered[place], reserved=reserved, limit=LIMIT, joint=joint)


def pascal(text: str) -> str:
    """Return words joined as in `OrderIntent`."""
    made = "".join(word[0].upper() + word[1:].lower() for word in _WORD.findall(text))
    return made if made and not made[0].isdigit() else f"N{made}"


def camel(text: str) -> str:
    """Return words joined as in `orderIntent`."""
    made = pascal(text)
    return made[0].lower() + made[1:]


def snake(text: str) -> str:
    """Return words joined as in `order_intent`."""
    made = "_".join(word.lower() for word in _WORD.findall(text))
    return made if made and not made[0].isdigit() else f"n_{made}".rstrip("_")


def unique(
    keys: Iterable[str], wish: Callable[[str], str], reserved: Collection[str], limit: int = LIMIT,
    same: Callable[[str], str] = str, *, joint: str = "_",
) -> dict[str, str]:  # fmt: skip
    """Return a name for every key: the wished one, with a number behind it where it is taken, reserved or too long.

    A key that is itself a name that nothing else wishes keeps it whatever stands before it. `same` maps names that
    the language takes for one (such as `str.lower`) to the same text. `joint` stands before the number.
    """
    kept = {same(one) for one in reserved}
    taken = set(kept)
    ordered = list(dict.fromkeys(keys))
    made: dict[str, str] = {}
    for key in sorted(ordered, key=lambda one: wish(one) != one):
        base = wish(key)[:limit]
        name, number = base, 1
        while same(name) in taken:
            number += 1
            end = "_" if joint and number == 2 and same(base) in kept else f"{joint}{number}"
            name = base[: limit - len(end)] + end
        taken.add(same(name))
        made[key] = name
    return {key: made[key] for key in ordered}


def _title(place: str) -> str:
    """Return what a place is called: its keys without the keywords between them, or its file where it is all of it."""
    path, _, pointer = place.partition("#")
    parts = pointer.split("/")[1:]
    if not parts:
        return path.rsplit("/", 1)[-1].partition(".")[0].partition("@")[0]
    words, index = [], 0
    while index < len(parts):
        if parts[index] in ("properties", "$defs", "definitions", "oneOf") and index + 1 < len(parts):
            index += 1
        words.append(parts[index].replace("~1", " ").replace("~0", " "))
        index += 1
    return " ".join(words)
