"""Events of one run on their way into the log."""

from collections.abc import Callable
from dataclasses import replace

from cli_multi_rapid.engine.fold import RunState
from cli_multi_rapid.model.events import NewEvent, Payload
from cli_multi_rapid.model.ports import Observer, Store


class Notes:
    """Takes events into the state at once, and writes them down together: what lies between two writes is one commit.

    `masked` hides declared secrets in a payload. `fence` is the lease that the caller holds.
    """

    def __init__(
        self, store: Store, observer: Observer, state: RunState, *, fence: int, masked: Callable[[Payload], Payload]
    ) -> None:
        self._store = store
        self._observer = observer
        self._state = state
        self._fence = fence
        self._masked = masked
        self._pending: list[NewEvent] = []

    @property
    def waiting(self) -> int:
        """Return how many events have not been written down yet."""
        return len(self._pending)

    def add(self, event: NewEvent) -> None:
        """Note an event."""
        masked = replace(event, payload=self._masked(event.payload))
        self._state.apply(masked)
        self._pending.append(masked)

    def write(self) -> None:
        """Commit what has been noted.

        Raises:
            Fenced: somebody else has taken the run up.
            StateUnwritable: the disk refuses.
        """
        if self._pending:
            events, self._pending = self._pending, []
            for event in self._store.append(self._state.id, events, fence=self._fence):
                self._state.committed(event)
                self._observer.event(event)
