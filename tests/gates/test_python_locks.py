import json

import pytest

from cli_multi_rapid.gates.evidence import EvidenceError, Report
from cli_multi_rapid.gates.python_locks import read_package_tables, read_pipfile_lock


def report(text: str | bytes, path: str = "uv.lock") -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    return Report(path=path, absolute=None, data=data, sha256="", mtime_ns=0, own=True)


def seen(listing):
    return (
        [(one.name, one.version, one.line) for one in listing.packages],
        [one.name for one in listing.loose],
        listing.own,
    )


UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "calc"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "Requests"
version = "2.19.0"
source = { registry = "https://example.org/simple" }
dependencies = [
    { name = "idna" },
]

[[package]]
name = "forked"
version = "1.0"
source = { git = "https://example.org/x" }
"""
POETRY = """\
[[package]]
name = "requests"
version = "2.19.0"
optional = false

[[package]]
name = "mine"
version = "0.1"
[package.source]
type = "directory"
url = "libs/mine"

[metadata]
lock-version = "2.1"
"""
PDM = """\
[metadata]
lock_version = "4.5.0"

[[package]]
name = "requests"
version = "2.19.0"

[[package]]
name = "mine"
version = "0.1"
path = "./mine"
editable = true
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "x"
[[packages]]
name = "requests"
version = "2.19.0"
[[packages]]
name = "mine"
directory = {path = "."}
[[packages]]
name = "forked"
vcs = {type = "git", url = "https://example.org/x", commit-id = "0"}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (UV, ([("requests", "2.19.0", 9), ("forked", "1.0", 17)], [], 1)),
        (POETRY, ([("requests", "2.19.0", 1)], [], 1)),
        (PDM, ([("requests", "2.19.0", 4)], [], 1)),
        (PYLOCK, ([("requests", "2.19.0", 3)], ["forked"], 1)),
        ("version = 1\n", ([], [], 0)),
    ],
)
def test_package_tables(text, expected) -> None:
    listing = read_package_tables(report(text))
    assert seen(listing) == expected
    assert listing.complete


def test_lines_that_cannot_be_told_are_not_guessed() -> None:
    text = 'version = 1\nnote = """\n[[package]]\n"""\npackage = [{name = "a", version = "1"}, '
    text += '{name = "b", version = "2"}]\n'
    assert seen(read_package_tables(report(text))) == ([("a", "1", 0), ("b", "2", 0)], [], 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[package]\n",
        "garbage",
        "x = 1\n",
        "package = 5\n",
        "package = [1]\nversion = 1\n",
        b"\xff\xfe",
        "[[package]]\nversion = '1'\n",
        "[[package]]\nname = 'a'\nversion = 1\n",
        "[[package]]\nname = 'a",
    ],
)
def test_broken_package_tables_are_refused(text) -> None:
    with pytest.raises(EvidenceError, match=r"uv\.lock is"):
        read_package_tables(report(text))


def test_pipfile_lock() -> None:
    document = {
        "_meta": {"hash": {}},
        "default": {"requests": {"version": "==2.19.0", "hashes": []}, "mine": {"path": ".", "editable": True}},
        "develop": {"forked": {"git": "https://example.org/x", "ref": "0"}},
    }
    listing = read_pipfile_lock(report(json.dumps(document, indent=2), "Pipfile.lock"))
    assert seen(listing) == ([("requests", "2.19.0", 6)], ["forked"], 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"_meta": {}, "default": []}',
        '{"_meta": {}, "default": {"a": 1}}',
        '{"_meta": {}, "_meta": {}}',
    ],
)
def test_broken_pipfile_locks_are_refused(text) -> None:
    with pytest.raises(EvidenceError):
        read_pipfile_lock(report(text, "Pipfile.lock"))
