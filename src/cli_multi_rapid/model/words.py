"""Small phrases that several layers say."""

from collections.abc import Sequence
from datetime import datetime


def few(names: Sequence[str], limit: int = 5) -> str:
    """Return the first names, and how many more there are: ``a, b and 3 more``."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def utc_text(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601 with milliseconds: ``2027-01-31T00:00:00.000Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
