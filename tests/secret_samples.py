"""Secrets made at run time: valid in form, known to nobody, and never written into the repository."""

import base64
import random
import string
import zlib

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def text(size: int, alphabet: str = LETTERS, *, seed: int = 7) -> str:
    return "".join(random.Random(f"{seed}{size}").choices(alphabet, k=size))


def mixed(size: int, alphabet: str = LETTERS, *, seed: int = 7) -> str:
    """Return random characters with a digit and a letter among them."""
    made = text(size, alphabet, seed=seed)
    return made if any(map(str.isdigit, made)) and any(map(str.isalpha, made)) else mixed(size, alphabet, seed=seed + 1)


def github_token(seed: int = 7) -> str:
    """A token whose last six characters are the CRC-32 of the others in base 62, as GitHub's are."""
    body = text(30, seed=seed)
    rest, check = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        check = _BASE62[digit] + check
    return f"ghp_{body}{check.rjust(6, '0')}"


def private_key(*, lines: int = 24) -> str:
    body = "\n".join(text(64, LETTERS + "+/", seed=line) for line in range(lines))
    return f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{body}\n-----END RSA PRIVATE {'KEY'}-----\n"


def pair(size: int = 16) -> str:
    """`user:password` in base 64."""
    return base64.b64encode(f"robot:{mixed(size, seed=4)}".encode()).decode()
