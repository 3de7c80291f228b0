"""Finding a secret in whatever form in everything that was stored or printed."""

import base64
import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus


def new_secret() -> str:
    """Return a secret whose JSON and URL forms differ from the value itself."""
    return f'{secrets.token_hex(6)}"/+ü%{secrets.token_hex(6)}'


def forms(secret: str) -> dict[str, bytes]:
    """Return every form that is looked for, by its name."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "json": json.dumps(secret)[1:-1].encode(),
        "json with Unicode": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "url": quote(secret, safe="").encode(),
        "url with slashes": quote(secret).encode(),
        "form": quote_plus(secret).encode(),
        "hex": raw.hex().encode(),
        "upper-case hex": raw.hex().upper().encode(),
    }
    for offset in range(3):
        found[f"base64 at {offset}"] = _inner_base64(raw, offset)
        found[f"url-safe base64 at {offset}"] = _inner_base64(raw, offset).translate(bytes.maketrans(b"+/", b"-_"))
    return found


def leaks(secret: str, places: Iterable[Path]) -> Iterator[str]:
    """Say which files below the given places hold the secret, and in which forms."""
    wanted = forms(secret)
    for file in _files(places):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        found = [name for name, form in wanted.items() if form in content]
        if found:
            yield f"the secret stands in {file.name} ({', '.join(found)})"


def _inner_base64(raw: bytes, offset: int) -> bytes:
    """Return the characters that depend on the secret alone, where it begins `offset` bytes after a multiple of 3."""
    whole = base64.b64encode(bytes(offset) + raw)
    first = (0, 2, 3)[offset]
    return whole[first : (offset + len(raw)) * 8 // 6]


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from (file for file in place.rglob("*") if file.is_file() and not file.is_symlink())
