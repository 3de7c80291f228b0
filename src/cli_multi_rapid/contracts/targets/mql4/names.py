"""Names in MQL4: none is a word of the language or of C++, or something that the terminal has built in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files as resources

from cli_multi_rapid.contracts.loading import Contract
from cli_multi_rapid.contracts.naming import LIMIT, unique

FLAGS = ("_present", "_null", "_nulls")
"""What is put behind the name of a member: whether it is there, whether it is null, which of its items are."""

_CONSTANTS = re.compile(
    r"(OP|MODE|PERIOD|PRICE|ERR|SYMBOL|ACCOUNT|TERMINAL|MQL|CHART|OBJ|OBJPROP|DRAW|STYLE|SELECT|FILE|SEEK|TIME|CP|ORDER"
    r"|SERIES|REASON|INIT|STAT|ALIGN|ANCHOR|BORDER|CORNER|CURSOR|POINTER|TRADE|WINDOW|CHARTEVENT|M|MB|IS|CRYPT|STO"
    r"|VOLUME|INDICATOR|SIGNAL|U?(CHAR|SHORT|INT|LONG)|DBL|FLT|EMPTY|CLR|WHOLE|WRONG|INVALID|CHARTS|CMR|cmr)_\w*"
    r"|EMPTY|NULL|TRUE|FALSE|(SUN|MON|TUES|WEDNES|THURS|FRI|SATUR)DAY|ID(OK|CANCEL|ABORT|RETRY|IGNORE|YES|NO)"
    r"|clr[A-Z]\w*|Cmr[A-Z]\w*|\w+_MQH"
)
_HIDDEN = re.compile(r"__|_[A-Z]|_$")  # with its flags `_` would become `__null`, which compilers have


def reserved(name: str) -> bool:
    """Return whether a member must not have this name."""
    return name in words() or _CONSTANTS.fullmatch(name) is not None


@cache
def words() -> frozenset[str]:
    """Return the names that are words of the language or of C++, built in, or of the generated code itself."""
    lines = resources(__package__).joinpath("reserved.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def mangled(key: str, *, empty: str = "empty") -> str:
    """Return a key as an identifier; different ones may become the same."""
    made = "".join(char if char.isascii() and (char.isalnum() or char == "_") else _substitute(char) for char in key)
    if not made:
        return empty
    return f"n{made}" if made[0].isdigit() or _HIDDEN.match(made) else made


def member_names(keys: Sequence[str], prefix: str) -> dict[str, str]:
    """Return the name of a member for each key.

    None of them is what flags of another one could be called, or begins like all that is declared for a contract.
    """
    wishes = {key: f"n{mangled(key)}" if mangled(key).startswith(prefix) else mangled(key) for key in keys}
    taken = {wish for wish in wishes.values() if reserved(wish)} | words()
    limit = LIMIT - max(map(len, FLAGS))
    made = unique(keys, lambda key: wishes[key], taken, limit)
    while clash := _clash(made):
        taken.add(clash)
        made = unique(keys, lambda key: wishes[key], taken, limit)
    return made


def _clash(made: Mapping[str, str]) -> str:
    flags = {f"{name}{ending}" for name in made.values() for ending in FLAGS}
    return next((name for name in made.values() if name in flags), "")


def _substitute(char: str) -> str:
    return "_" if char.isascii() else f"u{ord(char):04X}"


def type_name(contract: Contract) -> str:
    """Return what the struct of a contract is called, such as `OrderIntent_v1_2`."""
    return f"{contract.name}_{contract.suffix}"


@dataclass(slots=True)
class Globals:
    """The names in one file. All begin with that of the contract's struct."""

    prefix: str
    taken: set[str] = field(default_factory=set)

    def take(self, wish: str) -> str:
        """Return a name that nothing else has, as near to the wish as possible."""
        made = unique([wish], lambda one: f"{self.prefix}_{one}" if one else self.prefix, self.taken, LIMIT)[wish]
        self.taken.add(made)
        return made
