"""Opens an assigned partition: which state belongs to its committed offset, where to replay from.

1. The folder's lock makes this process the one owner; a lock that stays held gets a fresh folder.
2. Then the committed offset is asked for: whoever owned the folder meanwhile, had this process
   slept, would have saved a store that is ahead of an offset asked for earlier.
3. A missing or foreign committed offset is never read as 0: stop.
4. The topic must be the one that was folded, and its folds the ones that are declared.
5. A store that matches the offset's note is used; another is set aside.
6. Without a store replay starts at the first offset ever folded, which the log must still hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec

from streams.clock import Deadline
from streams.engine.commit import ReadPositions
from streams.engine.decision_log import DecisionLog
from streams.engine.decisions import PartitionDecisions
from streams.engine.earlier_topics import changed
from streams.engine.first_start import described
from streams.engine.inflight import Inflight
from streams.engine.originals import Originals
from streams.engine.partition import Opened
from streams.engine.progress import Progress, progress_of
from streams.errors import (
    BrokerUnavailable,
    FoldChanged,
    OffsetsMissing,
    StoreDamaged,
    TopicChanged,
)
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import LogAdmin
from streams.ports.records import Committed, TopicPartition
from streams.ports.store import Folder, Folders, Store
from streams.state.checkpoint import CheckpointMeta, drop_folds, read_meta
from streams.state.folder import FolderLocked

LOCK_PATIENCE_S = 5.0
"""How long the last owner on this machine may take to let go of its folder."""

KILL_PATIENCE_S = 2.0
"""How long the supervisor may take to kill a holder that is its child."""

_LOCK_POLL_S = 0.05
_ASK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class _Known:
    """What Kafka says about partitions that are about to be opened."""

    topic_ids: Mapping[TopicPartition, str]
    decided: Mapping[TopicPartition, PartitionDecisions]
    starts: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]


@dataclass(slots=True)
class Opener:
    """Opens partitions for one worker. Owned by the worker's thread."""

    service: Service
    folders: Folders
    admin: LogAdmin
    decisions: DecisionLog
    originals: Originals

    def open(
        self,
        partitions: Collection[TopicPartition],
        read_committed: ReadPositions,
        deadline: Deadline,
    ) -> dict[TopicPartition, tuple[Opened, Folder]]:
        """The partitions, each with the folder it holds; raises WorkerStopped rather than guess."""
        opened = {}
        with ExitStack() as on_failure:
            folders = {source: self._folder(source, deadline, on_failure) for source in partitions}
            committed = read_committed(partitions, deadline)
            known = self._known(partitions, deadline)
            for source, folder in folders.items():
                found, progress = self._checked(source, committed[source], known.topic_ids[source])
                self._check_end(source, found.offset, known.ends[source])
                about = known.decided[source]
                store, meta = self._store(
                    source, found, progress, folder, about, log_start=known.starts[source]
                )
                on_failure.callback(store.close)
                start = progress.origin if meta is None else meta.offset
                start = self._within(source, start, found.offset, about, known.starts[source])
                opened[source] = (
                    Opened(
                        source=source,
                        store=store,
                        inflight=Inflight(folder.marker()),
                        start=start,
                        readmitted=about.last_number if meta is None else meta.readmitted,
                        committed=found.offset,
                        progress=self._declared(source, progress),
                        decisions=about,
                        originals=self.originals,
                    ),
                    folder,
                )
            on_failure.pop_all()
        return opened

    def _known(self, sources: Collection[TopicPartition], deadline: Deadline) -> _Known:
        """What Kafka says about partitions; asks again until the deadline while it does not."""
        while True:
            try:
                topics = described(self.service, self.admin)
                topic_ids = {source: topics[source.topic].topic_id for source in sources}
                return _Known(
                    topic_ids,
                    self.decisions.of(topic_ids, deadline),
                    starts=self.admin.starts(sources),
                    ends=self.admin.ends(sources, committed=False),
                )
            except BrokerUnavailable as exc:
                if deadline.is_over:
                    raise
                get_logger().warning("waiting for Kafka", action="waiting", error=str(exc))
            deadline.pause(_ASK_AGAIN_S)

    def _checked(
        self, source: TopicPartition, committed: Committed | None, topic_id: str
    ) -> tuple[Committed, Progress]:
        if committed is None:
            raise OffsetsMissing(
                f"{source}: found no committed offset of the group {self.service.name}, which has "
                "worked before; the group was deleted or its offsets expired: run "
                f"`{self.service.restore}`"
            )
        progress = progress_of(source, committed, self.service.restore)
        if progress.topic_id != topic_id:
            raise changed(self.service, [source.topic])
        self._check_versions(source, progress)
        return committed, progress

    def _check_end(self, source: TopicPartition, offset: int, end: int) -> None:
        if offset > end:
            raise TopicChanged(
                f"{source}: found a log that ends at {end}, wanted the committed offset {offset} "
                "in it; the log was cut short, so other records will stand at offsets that were "
                f"folded: {self.service.way_back(source.topic)}"
            )

    def _check_versions(self, source: TopicPartition, progress: Progress) -> None:
        declared = self.service.versions_of(source.topic)
        for fold, version in declared.items():
            made_by = progress.versions.get(fold)
            if made_by != version:
                found = "was added" if made_by is None else f"has version {version}, not {made_by}"
                raise FoldChanged(
                    f"{source}: the fold {fold} {found} since this state was made: "
                    f"{self.service.way_back(source.topic)}"
                )

    def _declared(self, source: TopicPartition, progress: Progress) -> Progress:
        return msgspec.structs.replace(progress, versions=self.service.versions_of(source.topic))

    def _folder(self, source: TopicPartition, deadline: Deadline, on_failure: ExitStack) -> Folder:
        folder, holder = self._taken(source, deadline.at_most(LOCK_PATIENCE_S))
        if folder is None:
            self.folders.request_kill(holder)
            folder, holder = self._taken(source, deadline.at_most(KILL_PATIENCE_S))
        if folder is None:
            get_logger().warning(
                "the state folder is still held; using a fresh one",
                action="folder-held",
                holder=holder,
                topic=source.topic,
                partition=source.partition,
            )
            folder = self.folders.take_fresh(self.service.name, source)
        on_failure.callback(folder.release)
        return folder

    def _taken(self, source: TopicPartition, deadline: Deadline) -> tuple[Folder | None, int]:
        """The folder, or None and the process that held it all the time."""
        while True:
            try:
                return self.folders.take(self.service.name, source), 0
            except FolderLocked as exc:
                if deadline.is_over:
                    return None, exc.holder
            deadline.pause(_LOCK_POLL_S)

    def _store(
        self,
        source: TopicPartition,
        committed: Committed,
        progress: Progress,
        folder: Folder,
        decisions: PartitionDecisions,
        *,
        log_start: int,
    ) -> tuple[Store, CheckpointMeta | None]:
        """The store that belongs to the committed offset; an empty one has no note."""
        store, meta = self._kept(source, folder)
        if store is not None and meta is not None:
            if self._is_ours(source, meta, progress, decisions):
                return self._behind(source, committed, store, meta), meta
            store.close()
            store = None
            self._set_foreign_aside(source, folder, is_reset=_begins_anew(committed, progress))
        if log_start > progress.origin:
            if store is not None:
                store.close()
            raise TopicChanged(
                f"{source}: the log begins at {log_start}, but without a store the state is made "
                f"again from {progress.origin}; bring the state folder {folder} back; "
                f"else {self.service.way_back(source.topic)}"
            )
        return (folder.store() if store is None else store), None

    def _within(
        self,
        source: TopicPartition,
        start: int,
        committed: int,
        decisions: PartitionDecisions,
        log_start: int,
    ) -> int:
        """Where to begin to read: where the log still is, if a human accepted what is gone."""
        start = decisions.behind_gaps(start)
        if start >= log_start:
            return start
        if start < committed:
            raise TopicChanged(
                f"{source}: the log begins at {log_start}, but the newest state here is that of "
                f"{start}, and {committed} is committed; bring back a newer state folder of this "
                f"partition; else {self.service.way_back(source.topic)}"
            )
        raise OffsetsMissing(
            f"{source}: the log begins at {log_start}, wanted {start}: retention or a deletion "
            f"removed {log_start - start} offsets before they were folded; bring those records "
            f"back, or accept that they are never counted with `{self.service.restore}`"
        )

    def _kept(
        self, source: TopicPartition, folder: Folder
    ) -> tuple[Store | None, CheckpointMeta | None]:
        """The store in the folder and its note; nothing when there is none, or a damaged one."""
        if not folder.has_store:
            return None, None
        try:
            with ExitStack() as on_failure:
                store = folder.store()
                on_failure.callback(store.close)
                meta = read_meta(store)
                on_failure.pop_all()
        except StoreDamaged as exc:
            self._tell_aside(
                get_logger().warning, f"the store is damaged ({exc})", source, folder.set_aside()
            )
            return None, None
        return store, meta

    def _is_ours(
        self,
        source: TopicPartition,
        meta: CheckpointMeta,
        progress: Progress,
        decisions: PartitionDecisions,
    ) -> bool:
        """Whether a store descends from the committed state and holds every declared fold.

        One that holds more than was decided does not: decisions are what all state is made of.
        """
        declared = self.service.versions_of(source.topic)
        return (
            meta.generation == progress.generation
            and declared.items() <= meta.versions.items()
            and meta.readmitted <= decisions.last_number
        )

    def _behind(
        self, source: TopicPartition, committed: Committed, store: Store, meta: CheckpointMeta
    ) -> Store:
        """The store, without the rows of folds that are no longer declared."""
        if meta.offset > committed.offset:
            store.close()
            raise OffsetsMissing(
                f"{source}: the committed offset {committed.offset} is behind the store's "
                f"{meta.offset}; the group's offsets were moved or restored from a backup: run "
                f"`{self.service.restore}`"
            )
        gone = meta.versions.keys() - self.service.versions_of(source.topic).keys()
        if gone:
            drop_folds(store, meta, gone)
            get_logger().info(
                "dropped the rows of folds that are no longer declared",
                action="folds-dropped",
                folds=sorted(gone),
                topic=source.topic,
                partition=source.partition,
            )
        return store

    def _set_foreign_aside(self, source: TopicPartition, folder: Folder, *, is_reset: bool) -> None:
        tell, found = get_logger().warning, "the store does not belong to the committed offset"
        if is_reset:
            tell, found = get_logger().info, "the state was reset"
        self._tell_aside(tell, found, source, folder.set_aside())

    def _tell_aside(
        self, tell: Callable[..., None], found: str, source: TopicPartition, aside: str
    ) -> None:
        tell(
            f"{found}; the old store is set aside and made anew",
            action="store-set-aside",
            topic=source.topic,
            partition=source.partition,
            folder=aside,
        )


def _begins_anew(committed: Committed, progress: Progress) -> bool:
    """Whether nothing was committed since somebody set the offset to where folding began."""
    return progress.count == 0 and committed.offset == progress.origin
