"""Looks at the running service from outside, in the background: lag and the top photos."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

from streams.engine.caught_up import is_caught_up
from streams.engine.lag import PartitionLag, measure
from streams.errors import StreamsError
from streams.fold.service import Service
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.settings import KafkaSettings
from streams.views.results import Results

_ROUND_S: Final = 0.5
_TOP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last look showed.

    `processed` counts events, `lag` records still to pass on all input partitions, those between
    the folds included; `is_caught_up` is what `streams run --until-caught-up` waits for.
    """

    processed: int = 0
    lag: int = 0
    partitions: int = 0
    is_caught_up: bool = False
    top: tuple[Any, ...] = ()


class Watch:
    """A thread that looks about once a second. Stopping it twice is fine."""

    def __init__(self, kafka: KafkaSettings, service: Service) -> None:
        self._kafka = kafka
        self._service = service
        self._between = {topic.name for topic in service.output_topics}
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self._seen = Seen()
        self._thread = threading.Thread(target=self._run, name="demo-watch", daemon=True)

    @property
    def seen(self) -> Seen:
        """The last look; raises what ended the thread."""
        if self._failure is not None:
            raise self._failure
        return self._seen

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the look under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            with Results("counters.photos", self._kafka) as photos:
                reader, admin = KafkaReader(self._kafka), KafkaAdmin(self._kafka)
                try:
                    while not self._stop.wait(_ROUND_S):
                        self._look(admin, reader, photos)
                finally:
                    reader.close()
                    admin.close()
        except Exception as exc:  # raised again where `seen` is asked for
            self._failure = exc

    def _look(self, admin: KafkaAdmin, reader: KafkaReader, photos: Results) -> None:
        """One round; what cannot be answered yet keeps its last answer."""
        service = self._service
        try:
            found = list(measure(admin, reader, service.name, service.inputs))
            lag = sum(one.records for one in found)
            self._seen = Seen(
                processed=sum(one.position or 0 for one in found if self._holds_events(one)),
                lag=lag,
                partitions=len(found),
                is_caught_up=lag == 0 and is_caught_up(service, admin),
                top=tuple(message for _, message in photos.top("likes", _TOP)),
            )
        except StreamsError:
            return

    def _holds_events(self, one: PartitionLag) -> bool:
        """Whether the partition is of a topic that we emit to, not one between two folds."""
        return one.topic not in self._between
