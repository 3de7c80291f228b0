"""The program's own code, as far as what it has found rests on it."""

from functools import cache
from hashlib import sha256
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


@cache
def folder_digest(folder: str) -> str:
    """Return a digest (SHA-256, hex) of every file in a folder of the package and below, whatever it holds."""
    whole = sha256()
    for file in sorted(path for path in (_PACKAGE / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"):
        whole.update(f"{file.relative_to(_PACKAGE)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return whole.hexdigest()


@cache
def code_digest(*folders: str) -> str:
    """Return a digest (SHA-256, hex) of the modules in some folders of the package.

    The version alone does not tell: while the program is being worked on, it stays the same.
    """
    whole = sha256()
    for file in sorted(path for folder in folders for path in (_PACKAGE / folder).glob("*.py")):
        whole.update(file.read_bytes())
    return whole.hexdigest()
