"""A service over the in-memory log, with workers that are turned by hand and die when told to."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from functools import cache

import msgspec

from schemas.counters import ActorCounted, ActorKind
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked, PhotoPosted, PhotoShared, PhotoUnliked
from streams.avro.codec import Codec
from streams.clock import Deadline, Drain
from streams.engine.asking import ask
from streams.engine.assembly import assemble
from streams.engine.caught_up import is_caught_up
from streams.engine.decisions import DecisionKind, decision_of
from streams.engine.first_start import ensure_started
from streams.engine.inflight import Inflight
from streams.engine.slots import Slot
from streams.engine.stage import Stage
from streams.fold.declaration import Fold
from streams.fold.service import Service
from streams.ports.records import Outgoing, TopicPartition
from streams.settings import WorkerSettings
from streams.testing.folders import InMemoryDisk, InMemoryFolders
from streams.testing.log import InMemoryLog
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics
from streams.topics.partitioner import partition_of
from streams.topics.route import Route

CATALOG = Catalog.of(PhotoLiked)
INPUT = "social.photos"
COUNTS = "demo.counts"
FACTS = "counters.contributions"
PARTITIONS = CATALOG.topic(INPUT).partitions
NEVER_S = 1e6
PARKED, QUARANTINED = DecisionKind.PARKED, DecisionKind.QUARANTINED


class Fans(msgspec.Struct):
    """State of the fold of likes."""

    users: set[int] = set()
    is_broken: bool = False


class HandlerError(Exception):
    """What the test folds raise."""


def likes_fold(version=1, name="likes", *, is_mended=False):
    """Counts likes; a posted photo's caption says what goes wrong, unless that was mended."""
    fold = Fold(
        name, reads=INPUT, key="photo_id", state=Fans, emits=[ActorCounted], version=version
    )

    @fold.on(PhotoLiked)
    def liked(fans, event, ctx):
        if event.user_id not in fans.users:
            fans.users.add(event.user_id)
            ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.LIKE, delta=1))

    @fold.on(PhotoUnliked)
    def unliked(fans, event, ctx):
        if event.user_id in fans.users:
            fans.users.discard(event.user_id)
            ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.LIKE, delta=-1))

    @fold.on(PhotoPosted)
    def posted(fans, event, ctx):
        if event.caption == "raise":
            fans.users.add(666)
            ctx.emit(ActorCounted(user_id=666, kind=ActorKind.LIKE, delta=1))
        if not is_mended:
            fail(fans, event.caption)

    @fold.result(into=COUNTS)
    def count(photo_id, fans):
        if fans.is_broken:
            raise HandlerError("result")
        return LikesCounted(photo_id=photo_id, likes=len(fans.users))

    return fold


def fail(fans, caption):
    """What a caption asks for."""
    if caption == "raise":
        raise HandlerError(caption)
    if caption == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    fans.is_broken = caption == "break the result"


class Shares(msgspec.Struct):
    """State of the fold of shares: `times` grows with each event, also one folded twice."""

    ids: set[int] = set()
    times: int = 0


def shares_fold(version=1):
    """A second fold over the same topic, without results."""
    fold = Fold("shares", reads=INPUT, key="photo_id", state=Shares, version=version)

    @fold.on(PhotoShared)
    def shared(shares, event):
        shares.ids.add(event.share_id)
        shares.times += 1

    return fold


def service_of(*folds, name="bench"):
    return Service(name, folds=folds or [likes_fold()])


def liked(user_id, photo_id=5):
    return PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=9)


def unliked(user_id, photo_id=5):
    return PhotoUnliked(user_id=user_id, photo_id=photo_id, owner_id=9)


def posted(caption, photo_id=5):
    return PhotoPosted(photo_id=photo_id, owner_id=9, caption=caption)


def home_of(photo_id):
    """The input partition of a photo."""
    return TopicPartition(INPUT, partition_of(str(photo_id).encode(), PARTITIONS))


def photos_on(partition, count):
    """The first `count` photo ids whose events stand on one partition."""
    found = (photo for photo in range(1, 10_000) if home_of(photo).partition == partition)
    return [next(found) for _ in range(count)]


class Bench:
    """One service on one in-memory cluster."""

    def __init__(self, home, *folds, folders=None):
        self.home = home
        self.folders = folders or InMemoryFolders(InMemoryDisk())
        self.log = InMemoryLog()
        self.service = service_of(*folds)
        for topic in declared_topics(CATALOG, [self.service.name]).values():
            self.log.create_topic(topic.name, topic.partitions)

    def emit(self, *events):
        """Append events where they belong; returns their records."""
        return [self.put(event) for event in events]

    def put(self, event, **changes):
        """Append one event, with another key, value or partition where told so."""
        route = _route(type(event))
        record = {"key": route.key(event), "value": route.encode(event), "partition": None}
        return self.log.append(route.topic.name, **{**record, **changes})

    def declare(self, *folds):
        """The program is deployed anew with other folds."""
        self.service = service_of(*folds)

    def worker(self, slot=0, *, drain=None, **settings):
        return BenchWorker(self, slot, drain=drain, **settings)

    def counts(self):
        """The newest result of each photo."""
        return {
            record.key.decode(): decoded(LikesCounted, record.value).likes
            for record in self.log.records(COUNTS)
        }

    def results(self):
        """Every committed result in the order of its partition, as (photo, likes)."""
        found = [decoded(LikesCounted, one.value) for one in self.log.records(COUNTS)]
        return [(one.photo_id, one.likes) for one in found]

    def facts(self):
        return [decoded(ActorCounted, record.value) for record in self.log.records(FACTS)]

    def decisions(self):
        return [decision_of(one) for one in self.log.records(self.service.decisions)]

    def ask(self, *skipped):
        """Somebody asks for what these decisions skip, by default for all of it."""
        about = skipped or [one for one in self.decisions() if one.kind in (PARKED, QUARANTINED)]
        ask(self.service.name, self.log, list(about))

    def kinds(self):
        """What was decided and asked for, in order."""
        return [one.kind.value for one in self.decisions()]

    def quarantined(self):
        return self.log.records(self.service.quarantine)

    def committed(self, source):
        return self.log.admin().group_positions(self.service.name, [source])[source]

    def is_caught_up(self):
        return is_caught_up(self.service, self.log.admin())


class BenchWorker:
    """One worker. Nothing is due by time, so a test says when to commit and checkpoint."""

    def __init__(self, bench, slot=0, *, drain=None, **settings):
        due = {"commit_interval_s": NEVER_S, "checkpoint_interval_s": NEVER_S}
        ensure_started(bench.service, bench.log, bench.folders, Deadline.after(5))
        self.bench = bench
        self.stack = ExitStack()
        self.slot = Slot.take(bench.home, bench.service.name, slot)
        parts = assemble(
            bench.service,
            bench.log,
            self.stack,
            identity=self.slot,
            folders=bench.folders,
            settings=WorkerSettings(**{**due, **settings}),
            drain=drain or drain_begun(),
        )
        self.loop = parts.loop
        self.consumer = parts.consumer
        self.assignment = parts.assignment
        self.committer = parts.committer
        parts.join()
        self.turn()

    @property
    def transactional_id(self):
        return f"{self.bench.service.name}.{self.slot.instance}.{self.slot.number}"

    @property
    def owned(self):
        return self.assignment.owned

    def partition(self, photo_id=5):
        """The owned partition of a photo."""
        return self.owned[home_of(photo_id)]

    def state(self, photo_id=5, fold=0):
        """A photo's state, from memory or disk."""
        partition = self.partition(photo_id)
        one = partition._folds[fold]
        one.cache.missing([photo_id], partition._store)
        return one.cache.states.get(photo_id)

    def turn(self, times=1):
        for _ in range(times):
            self.loop.turn()

    def commit(self):
        return self.loop.commit()

    def checkpoint(self):
        self.loop.checkpoint()

    def drain(self):
        """Fold and commit everything there is."""
        for _ in range(1_000):
            self.turn()
            self.commit()
            stages = {partition.stage for partition in self.owned.values()}
            if Stage.RESTORING not in stages and self.bench.is_caught_up():
                return
        raise AssertionError("not caught up after 1,000 rounds")

    def stop(self):
        """The orderly end, but for the collector of the whole process."""
        self.loop._finish()
        self.stack.close()
        self.slot.release()

    def crash(self):
        """The process is gone: the system frees its locks, nothing else is tidied up."""
        for source, folder in self.assignment._folders.items():
            self.owned[source]._store.close()
            folder.release()
        self.consumer.expire()
        self.slot.release()


def drain_begun(seconds=NEVER_S):
    """Of a worker that was told to stop, so that it waits for no broker."""
    drain = Drain(seconds)
    drain.begin()
    return drain


def break_off(bench, source, first, end):
    """Leave the mark of a process that was killed while it folded these offsets."""
    folder = bench.folders.take(bench.service.name, source)
    Inflight(folder.marker()).begin(first, end)
    folder.release()


def outgoing(event):
    """The record of an event that somebody emits."""
    route = _route(type(event))
    return Outgoing(route.topic.name, route.key(event), route.encode(event))


def decoded(event_type, value):
    return _codec(event_type).decode(value)


@cache
def _codec(event_type):
    return Codec(CATALOG.registry, {event_type.avro_name: event_type})


@cache
def _route(event_type):
    return Route(event_type, CATALOG)
