"""Who somebody is, however they are written down."""

import re
import unicodedata

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_ASIDE = re.compile(r"\([^()]*\)|\bmailto:|[<>\"]")


def spellings(person: str) -> frozenset[str]:
    """Return the name and the e-mail addresses that a text holds, each in one form that all spellings of it have.

    Case, blanks, characters without a width, remarks in parentheses and the tag of an address (`a+tag@b`) say nothing.
    """
    plain = "".join(char for char in unicodedata.normalize("NFKC", person) if unicodedata.category(char) != "Cf")
    plain = plain.casefold()
    addresses = {re.sub(r"\+[^@]*@", "@", found) for found in _ADDRESS.findall(plain)}
    name = " ".join(_ASIDE.sub(" ", _ADDRESS.sub(" ", plain)).split())
    return frozenset({*addresses, name} - {""})
