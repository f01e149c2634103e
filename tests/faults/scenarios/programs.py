"""Another program is deployed than the one that made the state."""

from __future__ import annotations

from contextlib import suppress

from schemas.counters import ActorCounted, ActorKind
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked
from streams import Fold
from streams.engine.reset import reset_state
from streams.errors import FoldChanged
from streams.testing.folders import InMemoryDisk
from tests.faults.scenarios.harm import OTHER, PHOTO, Harm, compared, folded, leave
from tests.unit.engine_bench import COUNTS, INPUT, Bench, Fans, liked, likes_fold


def a_version_raised_on_a_new_host(bench: Bench, disk: InMemoryDisk) -> Harm:
    """Nothing there tells what the old program published, but the note beside the offset."""
    bench.declare(_weighing_fold(version=1, weight=1))
    folded(bench, liked(1, PHOTO), liked(1, OTHER))
    disk.rows.clear()
    bench.declare(_weighing_fold(version=2, weight=10))
    try:
        worker = bench.worker()
    except FoldChanged:
        leave(bench)
        reset_state(bench.service, bench.log, bench.folders)
        worker = bench.worker()
    bench.emit(liked(2, PHOTO))
    worker.drain()
    return compared(counts=({str(PHOTO): 20, str(OTHER): 10}, bench.counts()))


def a_fold_added_on_a_new_host(bench: Bench, disk: InMemoryDisk) -> Harm:
    """What it would emit must be there for all of the log, or for nothing of it."""
    folded(bench, liked(1), liked(2))
    disk.rows.clear()
    bench.declare(likes_fold(), _following_fold())
    with suppress(FoldChanged):  # as it emits facts there is no way but the old program
        worker = bench.worker()
        bench.emit(liked(3))
        worker.drain()
    found = [fact.user_id for fact in bench.facts() if fact.kind is ActorKind.FOLLOWER]
    return compared(facts=([1, 2, 3] if found else [], sorted(found)))


def _weighing_fold(*, version: int, weight: int) -> Fold:
    """Counts likes, each as so many, and emits no facts, so that it can be reset."""
    fold = Fold("weighing", reads=INPUT, key="photo_id", state=Fans, version=version)

    @fold.on(PhotoLiked)
    def on_like(fans, event):
        fans.users.add(event.user_id)

    @fold.result(into=COUNTS)
    def count(photo_id, fans):
        return LikesCounted(photo_id=photo_id, likes=weight * len(fans.users))

    return fold


def _following_fold() -> Fold:
    """A second fold, which emits one fact a like."""
    fold = Fold("following", reads=INPUT, key="photo_id", state=Fans, emits=[ActorCounted])

    @fold.on(PhotoLiked)
    def on_like(fans, event, ctx):
        ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.FOLLOWER, delta=1))

    return fold
