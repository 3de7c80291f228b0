"""TreeSeen 1.0, made from contracts/events/TreeSeen@1.0.json; edit that file, not this one."""

from typing import NotRequired, TypedDict


class TreeSeen(TypedDict):
    """The promises of the steps that ran in a checkout are checked up to here. The attempt of the event counts these
    looks.
    """

    tree: str
    """Tree of the checkout at that moment."""
    place: NotRequired[str]
    """Name of the checkout; empty for the project's own folder."""
