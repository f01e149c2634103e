"""States in memory: bounded, with changed ones kept until they are on disk.

Two generations instead of a list of uses: what was touched since the last turn is young, the
rest is old; a turn, made right after a checkpoint, forgets what stayed old. A hit costs one dict
look-up, and nothing that was changed can be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from streams.ports.store import Store
from streams.state.codec import Key, StateCodec


class StateCache:
    """The states of one fold on one partition. Owned by the worker's thread."""

    def __init__(self, codec: StateCodec, new_state: Callable[[], Any]) -> None:
        self.states: dict[Key, Any] = {}
        self.changed: set[Key] = set()
        self._old: dict[Key, Any] = {}
        self._codec = codec
        self._new_state = new_state

    def __len__(self) -> int:
        return len(self.states) + len(self._old)

    def missing(self, keys: Collection[Key], store: Store | None) -> list[Key]:
        """Bring `keys` into `states` where memory or disk has them; returns those that are new."""
        absent = [key for key in keys if key not in self.states]
        if absent and self._old:
            absent = [key for key in absent if not self._promote(key)]
        if not absent or store is None:
            return absent
        new = []
        for key, state in zip(absent, self._codec.load(absent, store), strict=True):
            if state is None:
                new.append(key)
            else:
                self.states[key] = state
        return new

    def create(self, keys: Iterable[Key]) -> None:
        """Fresh states for keys that have none."""
        for key in keys:
            self.states[key] = self._new_state()

    def rows(self, puts: dict[bytes, bytes], deletes: list[bytes], store: Store) -> None:
        """Add the rows of everything changed since `saved`."""
        for key in self.changed:
            self._codec.save(key, self.states[key], puts, deletes, store)

    def saved(self) -> None:
        """The rows of all changes are on disk."""
        self.changed.clear()

    def turn(self) -> None:
        """Forget what was not touched since the last turn. Only right after `saved`."""
        self._old = self.states
        self.states = {}

    def clear(self) -> None:
        """Forget everything, changes too."""
        self.states.clear()
        self._old.clear()
        self.changed.clear()

    def _promote(self, key: Key) -> bool:
        state = self._old.pop(key, None)
        if state is None:
            return False
        self.states[key] = state
        return True
