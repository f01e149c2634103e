"""Errors to plant into the engine, and a service and events that meet them."""

from __future__ import annotations

from schemas.social import PhotoShared
from streams.engine.assignment import Assignment
from streams.engine.commit import Committer
from streams.engine.fold_partition import FoldPartition
from streams.engine.partition import Partition
from streams.engine.stage import Stage
from streams.state.cache import StateCache
from streams.state.checkpoint import CheckpointMeta, write_checkpoint
from streams.testing.coordinator import Coordinator
from streams.testing.group import Group
from tests.unit.engine_bench import (
    liked,
    likes_fold,
    photos_on,
    posted,
    service_of,
    shares_fold,
    unliked,
)

A, B = photos_on(0, 2)
C = photos_on(1, 1)[0]


def shared(photo_id):
    return PhotoShared(share_id=1, photo_id=photo_id, owner_id=9, user_id=1)


SERVICE = service_of(likes_fold(), shares_fold(), name="planted")
EVENTS = [
    *(liked(1, A), liked(2, A), shared(A), liked(1, C), liked(3, B), shared(B)),
    *(unliked(1, A), posted("raise", B), liked(2, B), shared(C), liked(1, A), unliked(1, C)),
]


def commits_without_offsets(patch):
    """Outputs go out, and the positions of their inputs do not."""

    def send(self, interval, deadline):
        self._producer.commit(interval.outputs, {}, self._membership.member(), deadline)

    patch.setattr(Committer, "_send", send)


def stores_before_it_commits(patch):
    """States reach the store before the transaction that they belong to."""
    commit = Committer.commit

    def stored_first(self, partitions, *args):
        for one in partitions:
            if one.stage is Stage.LIVE and one.waiting_outputs:
                progress = one.progress
                meta = CheckpointMeta(
                    one.committed_offset,
                    progress.generation,
                    progress.versions,
                    progress.topic_id,
                )
                write_checkpoint(one._store, meta, [fold.cache for fold in one._folds])
        return commit(self, partitions, *args)

    patch.setattr(Committer, "commit", stored_first)


def keeps_states_when_it_goes_back(patch):
    """What was changed since the checkpoint stays in memory, and is folded once more."""
    patch.setattr(StateCache, "clear", lambda self: None)


def keeps_facts_after_a_commit(patch):
    """They go out again with the next one."""
    patch.setattr(FoldPartition, "committed", lambda self: self.changed.clear())


def takes_a_failed_commit_for_done(patch):
    """What became of it is not looked up."""

    def resolve(self, interval, failure, deadline):
        self._recycle(deadline)
        return True

    patch.setattr(Committer, "_resolve", resolve)


def commits_what_it_lost(patch):
    """Partitions that another worker has are still committed, as a member of today."""
    patch.setattr(Assignment, "lost", lambda self, partitions: self._capture())


def skips_a_record_when_it_takes_over(patch):
    """The first record behind the committed offset of a partition that moved."""
    take = Partition.take

    def skipping(self, batch):
        if self.progress.count and not hasattr(self, "has_begun"):
            self.position = max(self.position, batch.offsets[0] + 1)
        self.has_begun = True
        return take(self, batch)

    patch.setattr(Partition, "take", skipping)


def keeps_a_slow_producer(patch):
    """A commit that is still under way ends whatever its producer does next."""
    recycle = Committer._recycle

    def keep(self, deadline):
        if self._producer is None:
            recycle(self, deadline)

    patch.setattr(Committer, "_recycle", keep)


def the_broker_fences_nobody(patch):
    """A worker that was frozen commits when it comes back."""
    patch.setattr(Coordinator, "check", lambda self, transactional_id, epoch: None)
    patch.setattr(Group, "check", lambda self, membership: None)


PLANTED = [
    commits_without_offsets,
    stores_before_it_commits,
    keeps_states_when_it_goes_back,
    keeps_facts_after_a_commit,
    takes_a_failed_commit_for_done,
    commits_what_it_lost,
    skips_a_record_when_it_takes_over,
    keeps_a_slow_producer,
    the_broker_fences_nobody,
]
