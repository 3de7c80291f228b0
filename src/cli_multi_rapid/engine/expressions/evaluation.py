"""One evaluation: what it may read, and how much it may create."""

from collections.abc import Callable, Mapping
from typing import Final

from cli_multi_rapid.engine.expressions.error import OperationError
from cli_multi_rapid.engine.expressions.values import fold

MAX_BYTES: Final = 1 << 20
"""Text and lists that are alive at once, at two bytes a character and eight an item."""

MAX_WORK_BYTES: Final = 64 << 20
"""All that one evaluation creates or parses, alive or not."""

STRING_OVERHEAD_BYTES: Final = 26
ITEM_BYTES: Final = 8

Status = Mapping[str, bool | Callable[[], bool]]
"""`success`, `failure`, `always` and `cancelled`, known or computed when asked for."""

HashFiles = Callable[..., str]
"""Takes the patterns as arguments, returns the hash of the files they match."""


class Evaluation:
    """The state of one evaluation. Values of the contexts are not counted, only what the expression makes of them."""

    __slots__ = ("_work_bytes", "contexts", "hash_files", "status", "text", "used_bytes")

    def __init__(
        self, text: str, contexts: Mapping[str, object], *, hash_files: HashFiles | None, status: Status | None
    ) -> None:
        self.text = text
        self.contexts = contexts
        self.hash_files = hash_files
        self.status = status
        self.used_bytes = 0
        self._work_bytes = 0

    def context(self, name: str) -> object:
        """Return a context by its name, in any case."""
        if name in self.contexts:
            return self.contexts[name]
        folded = fold(name)
        for candidate, value in self.contexts.items():
            if fold(candidate) == folded:
                return value
        raise OperationError(f"Unrecognized named-value: '{name}'")

    def charge(self, size_bytes: int) -> None:
        """Count what is about to be created; too much of it is an evaluation error."""
        self.used_bytes += size_bytes
        self.work(size_bytes)
        if self.used_bytes > MAX_BYTES:
            self._exceeded()

    def work(self, size_bytes: int) -> None:
        """Count what is processed and not kept."""
        self._work_bytes += size_bytes
        if self._work_bytes > MAX_WORK_BYTES:
            self._exceeded()

    def settle(self, mark_bytes: int, value: object) -> None:
        """Free what was counted since the mark, except for the value that came of it."""
        if isinstance(value, str):
            kept = STRING_OVERHEAD_BYTES + 2 * len(value)
            self.used_bytes = min(self.used_bytes, mark_bytes + kept)
        elif value is None or isinstance(value, bool | int | float):
            self.used_bytes = mark_bytes

    def _exceeded(self) -> None:
        raise OperationError(
            f"The maximum allowed memory size was exceeded while evaluating the following expression: {self.text}"
        )
