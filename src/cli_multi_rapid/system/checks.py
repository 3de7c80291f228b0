"""Checks that several file formats share: paths that stay inside the project, durations, names, exit codes."""

import math
import re
from collections.abc import Iterable

from cli_multi_rapid.model.phase import NAME, duration_s
from cli_multi_rapid.system.document import Findings
from cli_multi_rapid.system.faults import label
from cli_multi_rapid.system.positions import Trail

MAX_EXIT_CODE = 255
MAX_DURATION_S = 365 * 24 * 3600.0
_LONGEST_DURATION_TEXT = 32
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
_SEPARATOR = re.compile(r"[/\\]")
_NAME = re.compile(NAME.removesuffix("$") + r"\Z")


def check_name(trail: Trail, findings: Findings) -> None:
    """Note a key that expressions could not name."""
    if not _NAME.match(str(trail[-1])):
        fix = "start with a letter; then letters, digits, '_' and '-', at most 63 in all"
        findings.add("SPEC-VALUE", trail, f"'{trail[-1]}' is not a name", fix=fix, key=True)


def check_duration(trail: Trail, text: str, findings: Findings, *, zero: bool = False) -> None:
    """Note a duration that is zero (unless that is allowed) or longer than a year. Other texts the schema refuses."""
    try:
        seconds = duration_s(text) if len(text) < _LONGEST_DURATION_TEXT else math.inf
    except ValueError:
        return
    if seconds > MAX_DURATION_S:
        findings.add(
            "SPEC-VALUE", trail, f"{label(trail)} is longer than 365 days", fix="write a shorter one", key=True
        )
    if not seconds and not zero:
        findings.add(
            "SPEC-VALUE", trail, f"{label(trail)} must be longer than zero", fix="write a longer one", key=True
        )


def check_exit_codes(trail: Trail, codes: Iterable[int], findings: Findings) -> None:
    """Note every number that no process can end with."""
    for i, code in enumerate(codes):
        if not 0 <= code <= MAX_EXIT_CODE:
            message = f"{code} is not an exit code"
            findings.add("SPEC-VALUE", (*trail, i), message, fix=f"use numbers from 0 to {MAX_EXIT_CODE}")


def check_globs(trail: Trail, globs: Iterable[str], findings: Findings) -> None:
    """Note every glob that could match outside the project."""
    for i, glob in enumerate(globs):
        if leads_outside(glob):
            message = f"'{glob}' is not a path inside the project"
            fix = "write it relative to the project's root, without '..'"
            findings.add("PATH-OUTSIDE", (*trail, i), message, fix=fix)


def leads_outside(path: str) -> bool:
    """Tell whether a path or glob is empty, absolute (also on Windows) or goes up."""
    return not path.strip() or bool(_ABSOLUTE.match(path)) or ".." in _SEPARATOR.split(path)
