"""Whatever happens to workers, brokers and batches: what is published is a fold of the log.

Random schedules of events, polls, commits that fail before or after they took effect, crashes,
rebalances, expulsions and checkpoints. After each step what is committed must equal a plain fold of
the log up to the committed offsets, written here without the engine.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.social import PhotoLiked, PhotoPosted, PhotoShared, PhotoUnliked
from streams.engine import opening
from streams.engine.decisions import DecisionKind
from streams.errors import TransactionFailed
from streams.events.ids import derived_event_id
from streams.ports.records import Outgoing, TopicPartition
from streams.testing.coordinator import CommitFault
from streams.testing.folders import InMemoryDisk, InMemoryFolders
from tests.unit.engine_bench import (
    COUNTS,
    INPUT,
    PARTITIONS,
    Bench,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    shares_fold,
    unliked,
)

PHOTOS = [*photos_on(0, 2), *photos_on(1, 1), *photos_on(3, 2)]
SOURCES = [TopicPartition(INPUT, number) for number in range(PARTITIONS)]

Worker = st.integers(0, 1)
Photo = st.sampled_from(PHOTOS)
User = st.integers(1, 4)
Events = st.one_of(
    st.tuples(st.just("like"), Photo, User),
    st.tuples(st.just("like"), Photo, User),
    st.tuples(st.just("unlike"), Photo, User),
    st.tuples(st.just("share"), Photo, User),
    st.tuples(st.just("share"), Photo, User),
    st.tuples(st.sampled_from(["raise", "break", "bad bytes", "stray", "marker"]), Photo, User),
)
Emit = st.tuples(st.just("emit"), st.lists(Events, min_size=1, max_size=8))
Fault = st.sampled_from([None, *CommitFault])
Usual = st.one_of(
    Emit,
    st.tuples(st.just("turn"), Worker),
    st.tuples(st.sampled_from(["commit", "checkpoint"]), Worker, st.none() | Fault),
)
Unusual = st.one_of(
    st.tuples(st.just("start"), Worker, st.sampled_from([1, 3, 100])),
    st.tuples(st.sampled_from(["crash", "expel", "stop"]), Worker),
    st.tuples(st.just("bump the epoch")),
)
Beginning = st.tuples(
    Emit, st.tuples(st.just("start"), st.just(0), st.sampled_from([2, 100])), st.just(("turn", 0))
)
Steps = st.lists(st.one_of(Usual, Usual, Usual, Unusual), min_size=8, max_size=40)


class Onlooker:
    """A member that owns nothing of ours."""

    def assigned(self, partitions):
        return dict.fromkeys(partitions, 0)

    def revoked(self, partitions):
        pass

    lost = revoked


class Play:
    """One schedule over one service, and what it must have led to."""

    def __init__(self, home, disk):
        self.bench = Bench(home, likes_fold(), shares_fold(), folders=InMemoryFolders(disk))
        self.bench.log.fail_next_commit(None)
        self.workers = {}
        self.committed = dict.fromkeys(SOURCES, 0)
        self.happened = {}  # offset of each partition -> what stands there

    def step(self, what, *arguments):
        if what == "emit":
            for event in arguments[0]:
                self.emit(*event)
        elif what == "start":
            self.start(*arguments)
        elif what == "bump the epoch":
            onlooker = self.bench.log.consumer("bench")
            onlooker.subscribe([COUNTS], Onlooker())
            onlooker.poll(1, 0)
            onlooker.close()
        elif arguments[0] in self.workers:
            self.do(what, *arguments)

    def emit(self, kind, photo, user):
        """Append one record, and remember what it is."""
        if kind == "marker":
            event = PhotoShared(share_id=user, photo_id=photo, owner_id=9, user_id=user)
            self.in_transaction(event)
        elif kind == "bad bytes":
            self.remember(self.bench.put(liked(user, photo), value=b"rubbish"), kind)
        elif kind == "stray":
            self.remember(self.bench.put(liked(user, photo), key=b"other"), liked(user, photo))
        else:
            events = {
                "like": liked(user, photo),
                "unlike": unliked(user, photo),
                "share": PhotoShared(share_id=user, photo_id=photo, owner_id=9, user_id=user),
                "raise": posted("raise", photo),
                "break": posted("break the result", photo),
            }
            self.remember(self.bench.put(events[kind]), events[kind])

    def remember(self, record, event):
        self.happened[TopicPartition(record.topic, record.partition), record.offset] = event

    def in_transaction(self, event):
        """A record whose transaction is aborted: two offsets without anything."""
        producer = self.bench.log.transactions("somebody.else")
        self.bench.log.fail_next_commit(CommitFault.BEFORE)
        with pytest.raises(TransactionFailed):
            producer.commit([Outgoing(INPUT, b"x", b"", (), home_of(event.photo_id)[1])], {}, None)
        self.bench.log.transactions("somebody.else")

    def start(self, slot, poll_records):
        if slot not in self.workers:
            self.workers[slot] = self.bench.worker(slot, poll_records=poll_records, cache_entries=3)

    def do(self, what, slot, fault=None):
        worker = self.workers[slot]
        self.bench.log.fail_next_commit(fault)
        try:
            if what == "expel":
                worker.consumer.expire()
            elif what == "stop":
                worker.stop()
                del self.workers[slot]
            elif what == "crash":
                self.crash(slot)
            else:
                getattr(worker, what)()
        except TransactionFailed:  # its process would end, and be started again
            self.crash(slot)
        self.bench.log.fail_next_commit(None)

    def crash(self, slot):
        self.workers.pop(slot).crash()
        self.bench.log.expire_transactions()

    def end(self):
        """Whoever is left does the rest."""
        for worker in list(self.workers):
            self.crash(worker)
        self.start(0, 100)
        self.workers[0].drain()

    def check(self):
        """What is published is the fold of the log up to the committed offsets."""
        positions = self.bench.log.admin().group_positions("bench", SOURCES)
        for source, position in positions.items():
            offset = position.offset if position else 0
            assert self.committed[source] <= offset
            self.committed[source] = offset
        fold = self.plain()
        assert fold.counts == self.bench.counts()
        assert sorted(fold.facts) == sorted(fact.event_id for fact in self.bench.facts())
        assert fold.quarantined == Counter(
            dict(one.headers)["source"].decode() for one in self.bench.quarantined()
        )
        return fold

    def plain(self):
        return PlainFold(self)


class PlainFold:
    """The same rules once more, in a dozen lines; decisions are followed, and checked."""

    def __init__(self, play):
        self.users, self.shares, self.counts, self.facts = {}, {}, {}, []
        self.quarantined = Counter()
        self.follow(play.bench.decisions())
        self.take_all(
            {one: event for one, event in play.happened.items() if one[1] < play.committed[one[0]]}
        )

    def follow(self, decisions):
        assert len(decisions) == len(
            {(one.source, one.at, one.kind, one.fold_key) for one in decisions}
        )
        self.parked = {one.fold_key: one for one in decisions if one.kind is DecisionKind.PARKED}
        self.refused = {
            (one.source, one.at) for one in decisions if one.kind is DecisionKind.QUARANTINED
        }

    def take_all(self, happened):
        for (source, offset), event in sorted(happened.items(), key=lambda item: item[0]):
            self.take(source, offset, event)

    def take(self, source, offset, event):
        if event == "bad bytes" or (source, offset) in self.refused:
            self.quarantined[f"{source}/{offset}"] += 1
            return
        photo = event.photo_id
        if isinstance(event, PhotoShared):
            self.shares[photo] = self.shares.get(photo, 0) + 1
            return
        if photo in self.parked and offset >= self.parked[photo].at:
            return
        users = self.users.setdefault(photo, set())
        if isinstance(event, PhotoPosted):
            assert event.caption != "raise", "it was committed without being parked"
        elif isinstance(event, PhotoLiked) != (event.user_id in users):
            assert isinstance(event, PhotoLiked | PhotoUnliked)
            users.symmetric_difference_update({event.user_id})
            output = ("counters.ActorCounted", str(event.user_id), 0)
            self.facts.append(derived_event_id("likes", *source, offset, output))
        self.counts[str(photo)] = len(users)


def played_out(kind, steps):
    """The plain fold at the end of all steps; the published and the states are held against it.

    Then once more, made anew without stores. `kind` makes the play.
    """
    disk = InMemoryDisk()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.setattr(opening, "LOCK_PATIENCE_S", 0.0)
        patch.setattr(opening, "KILL_PATIENCE_S", 0.0)
        play = kind(Path(home), disk)
        for step in steps:
            play.step(*step)
            play.check()
        play.end()
        fold = play.check()
        published = play.bench.results(), len(play.bench.facts())
        states = states_of(play.workers[0])
        play.crash(0)
        disk.rows.clear()
        play.end()

        assert (fold.users, fold.shares) == states == states_of(play.workers[0])
        assert published == (play.bench.results(), len(play.bench.facts()))
        play.workers[0].stop()
    return fold


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(Beginning, Steps)
def test_what_is_published_is_a_fold_of_the_log_whatever_happens(beginning, steps):
    """Nothing lost, nothing doubled, nothing half; states too, after a rebuild without stores."""
    played_out(Play, [*beginning, *steps])


def states_of(worker):
    """Users by photo, and shares by photo, as the worker has them."""
    fans = {photo: worker.state(photo) for photo in PHOTOS}
    shares = {photo: worker.state(photo, fold=1) for photo in PHOTOS}
    return (
        {photo: state.users for photo, state in fans.items() if state is not None},
        {photo: state.times for photo, state in shares.items() if state is not None},
    )
