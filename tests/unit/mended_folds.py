"""Folds as they are deployed after somebody mended them, or tried to."""

from __future__ import annotations

import copy
from dataclasses import replace

from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoPosted
from streams import Fold
from tests.unit.engine_bench import (
    CATALOG,
    COUNTS,
    INPUT,
    Fans,
    HandlerError,
    home_of,
    liked,
    likes_fold,
    posted,
    unliked,
)

RUBBISH = b"rubbish"


def raising_on(user_id):
    """The mended fold, but the likes of one user raise."""
    fold = likes_fold(is_mended=True)
    handler = fold.handlers[type(liked(1))]

    def raises(fans, event, ctx):
        handler.handle(fans, event, ctx)
        if event.user_id == user_id:
            raise HandlerError(str(user_id))

    fold.handlers[type(liked(1))] = type(handler)(raises, wants_context=True)
    return fold


def quiet_fold(*, is_mended=False):
    """Counts likes and posts without facts, so that its state can be reset."""
    fold = Fold("quiet", reads=INPUT, key="photo_id", state=Fans)

    @fold.on(PhotoLiked)
    def on_like(fans, event):
        fans.users.add(event.user_id)

    @fold.on(PhotoPosted)
    def on_post(fans, event):
        fans.users.add(666)
        if event.caption == "raise" and not is_mended:
            raise HandlerError("raise")

    @fold.result(into=COUNTS)
    def count(photo_id, fans):
        return LikesCounted(photo_id=photo_id, likes=len(fans.users))

    return fold


def parked(bench):
    """Photo 5 is parked behind its first like; the mended program is deployed."""
    worker = bench.worker()
    bench.emit(liked(1), posted("raise"), liked(2), liked(7, photo_id=7))
    worker.drain()
    worker.stop()
    bench.declare(likes_fold(is_mended=True))
    bench.emit(liked(3))


def encoded(event):
    return CATALOG.encoder(type(event)).encode(event)


def mend(bench, offset, event, photo=5):
    """Other bytes at an offset, as if their schema were known by now; they are of `event`."""
    _put(bench, offset, photo, value=encoded(event))


def corrupt(bench, offset, photo=5):
    """Bytes that no schema explains any more."""
    _put(bench, offset, photo, value=RUBBISH)


def _put(bench, offset, photo, **changes):
    entries = bench.log._broker.partition(home_of(photo))._entries
    entries[offset] = replace(entries[offset], record=replace(entries[offset].record, **changes))


def quarantined(bench, *folds):
    """A like of photo 5 at offset 1 that did not decode, and whose schema is known by now."""
    bench.declare(*(folds or [likes_fold()]))
    worker = bench.worker()
    bench.emit(liked(1))
    bench.put(liked(2), value=RUBBISH)
    bench.emit(unliked(1), liked(3))
    worker.drain()
    worker.stop()
    mend(bench, 1, liked(2))


def killed_behind_a_redrive(bench, disk):
    """Redrive what is `quarantined`, and lose what was saved since; the worker is gone."""
    quarantined(bench)
    rows = copy.deepcopy(disk.rows)
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.crash()
    disk.rows = rows


def users(bench):
    """Of all facts."""
    return sorted(fact.user_id for fact in bench.facts())


def answer(bench):
    """The newest decision."""
    return bench.decisions()[-1]
