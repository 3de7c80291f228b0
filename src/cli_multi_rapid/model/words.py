"""Small phrases that several layers say."""

from collections.abc import Sequence


def few(names: Sequence[str], limit: int = 5) -> str:
    """Return the first names, and how many more there are: ``a, b and 3 more``."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
