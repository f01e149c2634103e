"""Bugs that the checker must find: each breaks exactly once in a way that has happened elsewhere.

They are put into a worker's program from outside, and strike now and then, as bugs do.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from functools import wraps
from itertools import count
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from streams.engine.commit import Committer
from streams.engine.folding import Folding
from streams.engine.partition import Partition
from streams.engine.stage import Stage
from streams.kafka import transaction
from streams.kafka.transaction import KafkaTransactions
from streams.state.checkpoint import CheckpointMeta, write_checkpoint

_NOW_AND_THEN = 10


def plant(name: str) -> None:
    """Put a bug into this process; before any of the worker runs."""
    BUGS[name]()


def skip_an_offset_commit() -> None:
    """Outputs go out without the positions of their inputs; then the worker dies."""
    turns = count(1)

    class Client(transaction.Client):
        def send_offsets_to_transaction(self, *args: Any) -> None:
            self.is_skipped = bool(len(self)) and next(turns) % _NOW_AND_THEN == 0
            if not self.is_skipped:
                super().send_offsets_to_transaction(*args)

        def commit_transaction(self, *args: Any) -> None:
            super().commit_transaction(*args)
            if self.is_skipped:
                os.kill(os.getpid(), signal.SIGKILL)

    transaction.Client = Client


def commit_twice() -> None:
    """A commit that was taken for failed is made again."""
    turns = count(1)
    commit = KafkaTransactions.commit

    @wraps(commit)
    def twice(self: KafkaTransactions, outputs: Iterable[Any], *args: Any) -> None:
        outputs = list(outputs)
        commit(self, outputs, *args)
        if outputs and next(turns) % _NOW_AND_THEN == 0:
            commit(self, outputs, *args)

    KafkaTransactions.commit = twice


def drop_an_event() -> None:
    """The first record of a batch is lost between reading and folding."""
    turns = count(1)
    fold = Folding._fold

    @wraps(fold)
    def without_first(
        self: Folding, batch: Any, first: int, end: int, *, is_silent: bool, **named: Any
    ) -> None:
        is_lost = end - first > 1 and not is_silent and next(turns) % _NOW_AND_THEN == 0
        fold(self, batch, first + is_lost, end, is_silent=is_silent, **named)

    Folding._fold = without_first


def write_the_store_first() -> None:
    """States reach the store before the transaction that they belong to; then the worker dies."""
    turns = count(1)
    commit = Committer.commit

    @wraps(commit)
    def stored_first(self: Committer, partitions: Iterable[Partition], *args: Any) -> Any:
        partitions = list(partitions)
        changed = [one for one in partitions if one.stage is Stage.LIVE and one.waiting_outputs]
        if changed and next(turns) % _NOW_AND_THEN == 0:
            for one in changed:
                _save(one)
            os.kill(os.getpid(), signal.SIGKILL)
        return commit(self, partitions, *args)

    Committer.commit = stored_first


def keep_the_producer() -> None:
    """A commit whose answer came too late is taken for failed, and its producer is kept."""
    turns = count(1)

    class Client(transaction.Client):
        def commit_transaction(self, *args: Any) -> None:
            super().commit_transaction(*args)
            if next(turns) % _NOW_AND_THEN == 0:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    transaction.Client = Client
    KafkaTransactions.discard = lambda _self: None
    Committer._resolve = lambda _self, *_args: False


def trust_the_producer() -> None:
    """A producer that was slow, or lost a connection, is used for the next transaction too."""
    KafkaTransactions.is_suspicious = property(lambda _self: False)


def _save(partition: Partition) -> None:
    progress = partition.progress
    meta = CheckpointMeta(
        partition.committed_offset, progress.generation, progress.versions, progress.topic_id
    )
    write_checkpoint(partition._store, meta, [fold.cache for fold in partition._folds])


BUGS: dict[str, Callable[[], None]] = {
    "skip-an-offset-commit": skip_an_offset_commit,
    "commit-twice": commit_twice,
    "drop-an-event": drop_an_event,
    "write-the-store-first": write_the_store_first,
    "keep-the-producer": keep_the_producer,
    "trust-the-producer": trust_the_producer,
}
