"""Whether events could be emitted, without emitting them."""

from __future__ import annotations

from typing import Any

from streams.events.message import Event
from streams.sdk.delivery import Delivery
from streams.sdk.packer import Packer
from streams.settings import EmitSettings


class Check:
    """Refuses what `EventClient.emit` would refuse of an event. One thread owns it."""

    def __init__(self, emit: EmitSettings | None = None) -> None:
        self._max_bytes = (emit or EmitSettings()).max_record_bytes
        self._delivery = Delivery(None)
        self._packers: dict[type, Packer] = {}

    def __call__(self, event: Any) -> str:
        """The topic it would go to; UnknownEvent, SchemaMismatch or TooLarge."""
        packer = self._packers.get(type(event))
        if packer is None:
            packer = self._packers[type(event)] = Packer(
                type(event),
                lambda _topic: _send_nothing,
                delivery=self._delivery,
                max_bytes=self._max_bytes,
            )
        packer.pack(event)
        return packer.topic

    @property
    def event_types(self) -> list[type[Event]]:
        """The types of the events that were checked."""
        return list(self._packers)


def _send_nothing(*_arguments: Any, **_options: Any) -> None:
    """Stands where a producer's `send` would."""
