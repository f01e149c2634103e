"""Opens an assigned partition: which state belongs to its committed offset, and from where to replay.

1. A missing or foreign committed offset is never read as 0: stop.
2. The topic must be the one that was folded, and its folds the ones that are declared.
3. The folder's lock makes this process the one owner; a lock that stays held gets a fresh folder.
4. A store that matches the offset's note is used; another is set aside.
5. Without a store replay starts at the first offset ever folded, which the log must still hold.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.clock import Deadline
from streams.engine.decisions import DecisionLog, PartitionDecisions
from streams.engine.inflight import Inflight
from streams.engine.partition import Opened
from streams.engine.progress import Progress, progress_of
from streams.errors import FoldChanged, OffsetsMissing, TopicChanged
from streams.fold.service import Service
from streams.logs import get_logger
from streams.ports.log import LogAdmin
from streams.ports.records import Committed, TopicPartition
from streams.ports.store import Store
from streams.state.checkpoint import drop_fold, read_meta
from streams.state.codec import StateCodec
from streams.state.folder import (
    FolderLocked,
    PartitionFolder,
    partition_path,
    request_kill,
)

LOCK_PATIENCE_S = 5.0
"""How long the last owner on this machine may take to let go of its folder."""

KILL_PATIENCE_S = 2.0
"""How long the supervisor may take to kill a holder that is its child."""

_LOCK_POLL_S = 0.05


@dataclass(slots=True)
class Opener:
    """Opens partitions for one worker. Owned by the worker's thread."""

    service: Service
    home: Path
    admin: LogAdmin
    decisions: DecisionLog

    def open(
        self, committed: Mapping[TopicPartition, Committed | None], deadline: Deadline
    ) -> dict[TopicPartition, tuple[Opened, PartitionFolder]]:
        """The partitions, each with the folder it holds; raises WorkerStopped rather than guess."""
        topics = self.admin.topics({source.topic for source in committed})
        topic_ids = {
            source: topics[source.topic].topic_id if source.topic in topics else ""
            for source in committed
        }
        decided = self.decisions.of(topic_ids, deadline)
        log_starts = self.admin.starts(list(committed))
        opened = {}
        for source, position in committed.items():
            found, progress = self._checked(source, position, topic_ids[source])
            folder = self._folder(source)
            opened[source] = (
                self._opened(source, found, progress, folder, log_starts[source], decided[source]),
                folder,
            )
        return opened

    def _checked(
        self, source: TopicPartition, committed: Committed | None, topic_id: str
    ) -> tuple[Committed, Progress]:
        name = self.service.name
        if committed is None:
            raise OffsetsMissing(
                f"{source}: found no committed offset of the group {name}, which has worked before; "
                f"the group was deleted or its offsets expired: run `streams offsets restore {name}`"
            )
        progress = progress_of(source, committed, name)
        if progress.topic_id != topic_id:
            raise TopicChanged(
                f"{source}: found the topic with the id {topic_id}, wanted {progress.topic_id}; it was "
                f"deleted and made again: run `streams state reset {name}` to fold it from its start"
            )
        self._check_versions(source, progress)
        return committed, progress

    def _check_versions(self, source: TopicPartition, progress: Progress) -> None:
        declared = self.service.versions_of(source.topic)
        for fold, version in declared.items():
            made_by = progress.versions.get(fold)
            if made_by != version:
                found = "was added" if made_by is None else f"has version {version}, not {made_by}"
                raise FoldChanged(
                    f"{source}: the fold {fold} {found} since this state was made; run `streams state "
                    f"reset {self.service.name}` to fold the log again from its start"
                )

    def _folder(self, source: TopicPartition) -> PartitionFolder:
        path = partition_path(self.home, self.service.name, *source)
        for patience_s in (LOCK_PATIENCE_S, KILL_PATIENCE_S):
            holder = 0
            deadline = Deadline.after(patience_s)
            while not deadline.is_over:
                try:
                    return PartitionFolder(path)
                except FolderLocked as exc:
                    holder = exc.holder
                threading.Event().wait(_LOCK_POLL_S)
            request_kill(self.home, holder)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        get_logger().warning(
            "the state folder is still held; using a fresh one",
            action="folder-held",
            holder=holder,
            folder=str(path),
        )
        return PartitionFolder(fresh)

    def _opened(
        self,
        source: TopicPartition,
        committed: Committed,
        progress: Progress,
        folder: PartitionFolder,
        log_start: int,
        decisions: PartitionDecisions,
    ) -> Opened:
        start = self._usable_start(source, committed, progress, folder)
        if start is None:
            start = progress.origin
            if log_start > start:
                raise TopicChanged(
                    f"{source}: the log begins at {log_start}, but without a store the state is made "
                    f"again from {start}; bring the state folder {folder.path} back, or run "
                    f"`streams state reset {self.service.name}` to begin with what is left"
                )
        store = folder.store()
        self._drop_undeclared(source, progress, store)
        versions = self.service.versions_of(source.topic)
        return Opened(
            source=source,
            store=store,
            inflight=Inflight(folder.inflight),
            start=start,
            committed=committed.offset,
            progress=Progress(
                generation=progress.generation,
                versions=versions,
                topic_id=progress.topic_id,
                origin=progress.origin,
                count=progress.count,
            ),
            decisions=decisions,
        )

    def _usable_start(
        self,
        source: TopicPartition,
        committed: Committed,
        progress: Progress,
        folder: PartitionFolder,
    ) -> int | None:
        """The checkpoint's offset, None when there is no store that fits."""
        if not folder.has_store:
            return None
        store = folder.store()
        meta = read_meta(store)
        store.close()
        if meta is None:
            return None
        if meta.generation != progress.generation or not _fits(meta.versions, progress):
            aside = folder.set_aside()
            get_logger().warning(
                "the store does not belong to the committed offset; set aside and rebuilt",
                action="store-set-aside",
                topic=source.topic,
                partition=source.partition,
                folder=str(aside),
            )
            return None
        if meta.offset > committed.offset:
            raise OffsetsMissing(
                f"{source}: the committed offset {committed.offset} is behind the store's "
                f"{meta.offset}; the group's offsets were moved or restored from a backup: run "
                f"`streams offsets restore {self.service.name}`"
            )
        return meta.offset

    def _drop_undeclared(self, source: TopicPartition, progress: Progress, store: Store) -> None:
        declared = self.service.versions_of(source.topic)
        for fold in progress.versions.keys() - declared.keys():
            drop_fold(store, StateCodec(fold, dict).prefixes)
            get_logger().info(
                "dropped the rows of a fold that is no longer declared",
                action="fold-dropped",
                fold=fold,
                topic=source.topic,
                partition=source.partition,
            )


def _fits(versions: Mapping[str, int], progress: Progress) -> bool:
    return dict(versions) == dict(progress.versions)
