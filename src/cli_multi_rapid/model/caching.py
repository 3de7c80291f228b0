"""What a step has done, kept so that it need not be done again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cli_multi_rapid.model.run import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """A step that once succeeded: the run it was in, what it gave, and which files it changed.

    `tree` is the one that it left, `commit` holds the content of the `changed` paths. `log` is the path of its output.
    """

    run: str
    tree: str
    commit: str = ""
    changed: tuple[str, ...] = ()
    outputs: dict[str, object] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    log: str = ""
    duration_ms: int = 0


class StepCache(Protocol):
    """Keeps what steps did under the key of all that it depends on. All calls block."""

    def find(self, key: str) -> Cached | None:
        """Return what is kept under a key, if all of it is still there and unchanged."""
        ...

    def keep(self, key: str, cached: Cached) -> None:
        """Keep what a step did; artifacts and log are copied."""
        ...

    def inputs(self, tree: str) -> Mapping[str, str]:
        """Return mode and object id of every file of a tree, by its path."""
        ...
