"""What a worker owns: opens partitions that come, commits and releases those that go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from streams.avro.codec import Codec
from streams.clock import Deadline, Drain
from streams.engine.commit import Committer
from streams.engine.instruments import Instruments
from streams.engine.membership import Membership
from streams.engine.opening import Opener
from streams.engine.partition import Partition
from streams.errors import (
    OffsetsMissing,
    PositionGone,
    TopicChanged,
    TopicGone,
    WorkerStopped,
)
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import Consumer
from streams.ports.records import TopicPartition
from streams.ports.store import Folder

OPEN_PATIENCE_S = 60.0
"""Longest wait for a dead owner's transaction and for the offsets behind it."""


class Assignment:
    """Implements `RebalanceListener`. Owned by the worker's thread."""

    def __init__(
        self,
        service: Service,
        consumer: Consumer,
        *,
        opener: Opener,
        committer: Committer,
        membership: Membership,
        instruments: Instruments,
        drain: Drain,
    ) -> None:
        self.owned: dict[TopicPartition, Partition] = {}
        self._service = service
        self._consumer = consumer
        self._opener = opener
        self._committer = committer
        self._membership = membership
        self._instruments = instruments
        self._drain = drain
        self._folders: dict[TopicPartition, Folder] = {}
        self._codecs: dict[str, Codec] = {}
        self._folded_before = 0
        self._is_opening = False
        self._is_closed = False
        self._log = get_logger()

    @property
    def partitions(self) -> list[Partition]:
        """The owned partitions."""
        return list(self.owned.values())

    @property
    def folded(self) -> int:
        """Records folded and committed here, those of partitions that went included."""
        return self._folded_before + sum(one.folded for one in self.partitions)

    @property
    def is_settled(self) -> bool:
        """Whether the group was joined and what came is open; safe to ask from any thread.

        Not told by a first callback: a KIP-848 group never calls a worker that gets nothing.
        """
        return self._membership.has_joined and not self._is_opening

    def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Open what came; returns the offsets to read from. A worker that ends takes nothing."""
        if self._is_closed:
            return {}
        self._is_opening = True  # stays so when opening fails: the worker ends
        deadline = Deadline.after(OPEN_PATIENCE_S, self._drain)
        self._membership.capture()
        opened = self._opener.open(partitions, self._consumer.committed, deadline)
        for source, (state, folder) in opened.items():
            self._folders[source] = folder
            self.owned[source] = Partition(state, self._service, self._codec(source.topic))
            self._instruments.opened()
        starts = {source: self.owned[source].position for source in opened}
        self._is_opening = False
        self._log.info(
            "partitions assigned",
            action="assigned",
            partitions=_listed(opened),
            restore_records=sum(
                self.owned[source].committed_offset - start for source, start in starts.items()
            ),
        )
        return starts

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Commit everything once more, then checkpoint and release what goes.

        The group waits for this, so it takes no longer than an orderly end may. Nothing is parked
        here: whoever owns a partition next meets the same result again.
        """
        deadline = Deadline.after(self._drain.seconds, self._drain)
        committed = self._committer.commit(self.partitions, deadline).happened
        for source in partitions:
            if committed and source in self.owned:
                self.owned[source].checkpoint()
            self._release(source)
        self._capture()
        self._log.info("partitions revoked", action="revoked", partitions=_listed(partitions))

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """Drop what another worker already has; nothing is committed for it."""
        for source in partitions:
            self._release(source)
        self._capture()
        self._log.warning("partitions lost", action="lost", partitions=_listed(partitions))

    def stopped_by(self, gone: PositionGone | TopicGone) -> WorkerStopped:
        """The error to end with, and the command that goes on."""
        if isinstance(gone, TopicGone):
            return TopicChanged(
                f"{gone}: run `{self._service.apply}` to have it again, empty; what becomes of the "
                "state is told at the next start"
            )
        return OffsetsMissing(
            f"{gone}: retention or a deletion removed what stands before the log's beginning; "
            f"bring that back, or accept that it is never counted with `{self._service.restore}`"
        )

    def close(self) -> None:
        """Release what is still owned, without a commit; what comes later is not opened."""
        self._is_closed = True
        for source in list(self.owned):
            self._release(source)

    def _capture(self) -> None:
        """The membership that is left; a client that closes has none, and is asked for none."""
        if not self._is_closed:
            self._membership.capture()

    def _release(self, source: TopicPartition) -> None:
        partition = self.owned.pop(source, None)
        folder = self._folders.pop(source, None)
        if partition is not None and folder is not None:
            self._folded_before += partition.folded
            partition.close()
            folder.release()
            self._instruments.released(source)

    def _codec(self, topic: str) -> Codec:
        if topic not in self._codecs:
            registry = self._service.catalog.registry
            self._codecs[topic] = Codec(registry, self._service.types_of(topic))
        return self._codecs[topic]


def _listed(partitions: Iterable[TopicPartition]) -> dict[str, list[int]]:
    """Partition numbers by topic, for a log line."""
    listed: dict[str, list[int]] = {}
    for source in sorted(partitions):
        listed.setdefault(source.topic, []).append(source.partition)
    return listed
