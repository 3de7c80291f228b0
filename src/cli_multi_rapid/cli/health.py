"""Health as people read it."""

import sys
from typing import TYPE_CHECKING

from cli_multi_rapid.cli.console import symbols
from cli_multi_rapid.documents.text import pad, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cli_multi_rapid.monitoring.health import Health


def health_lines(checks: "Iterable[Health]") -> list[str]:
    """Return one line a check, and below those that are not right what to do about it."""
    signs = symbols(sys.stdout)
    marks = {"ok": (signs.good, "good"), "warn": (signs.warn, "warn"), "fail": (signs.bad, "bad")}
    lines = []
    for check in checks:
        sign, tone = marks[check.status]
        lines.append(f"{signs.paint(sign, tone)} {pad(check.id, 10)} {printable(check.detail)}")
        if check.remedy:
            lines.append(f"  {pad('', len(sign) + 9)} fix: {printable(check.remedy)}")
    return lines
