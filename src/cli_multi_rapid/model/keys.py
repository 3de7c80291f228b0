"""How the keys of a file are declared: a dataclass field with its description and its spelling in the file."""

from dataclasses import MISSING, field
from typing import Any


def key(description: str, *, default: Any = MISSING, factory: Any = MISSING, alias: str = "", pattern: str = "") -> Any:
    """Declare one key of a file format.

    Args:
        description: what the key does, for the published schema and the editor.
        default: its value where it is absent; a key without default or factory is required.
        factory: makes the default where it is a container.
        alias: its spelling in the file where that is no Python name (``ok-codes``, ``if``).
        pattern: regular expression that a text value must match.
    """
    metadata: dict[str, object] = {"description": description}
    if alias:
        metadata["alias"] = alias
    if pattern:
        metadata["pattern"] = pattern
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    if default is not MISSING:
        return field(default=default, metadata=metadata)
    return field(metadata=metadata)
