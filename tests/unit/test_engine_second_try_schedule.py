"""Whatever happens around park, quarantine, retry and redrive: no fact lost, none doubled.

The schedules of `test_engine_any_schedule`, in which somebody also mends the handler and the
schemas one day, and asks at any time to fold what was skipped.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.social import PhotoLiked, PhotoPosted, PhotoShared
from streams.engine.decisions import DecisionKind
from streams.events.ids import derived_event_id
from tests.unit.engine_bench import CATALOG, liked, likes_fold, shares_fold
from tests.unit.test_engine_any_schedule import (
    Beginning,
    Emit,
    Fault,
    PlainFold,
    Play,
    Unusual,
    Usual,
    Worker,
    played_out,
)

ANSWERS = {
    DecisionKind.RETRIED,
    DecisionKind.RETRY_FAILED,
    DecisionKind.REDRIVEN,
    DecisionKind.REDRIVE_FAILED,
}
SKIPS = {DecisionKind.PARKED, DecisionKind.QUARANTINED}

Ask = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 100)),
    st.tuples(st.just("commit"), Worker, st.none() | Fault),
)
Mend = st.just(("mend",))
Early = st.lists(st.one_of(Usual, Usual, Ask, Unusual), min_size=4, max_size=16)
Late = st.lists(st.one_of(Usual, Ask, Ask, Unusual, Emit, Mend), min_size=4, max_size=24)


class SecondPlay(Play):
    """A play in which what raises and what does not decode may be mended."""

    def __init__(self, home, disk):
        super().__init__(home, disk)
        self.is_mended = False
        self.meant = {}  # what bad bytes turn out to be
        self.bench.declare(self._fold(), shares_fold())

    def step(self, what, *arguments):
        if what == "ask":
            skipped = [one for one in self.bench.decisions() if one.kind in SKIPS]
            chosen = skipped[:: 1 + arguments[0] % 3]
            if chosen:
                self.bench.ask(*chosen)
        elif what == "mend":
            self.is_mended = True
            for (source, offset), event in self.meant.items():
                entries = self.bench.log._broker.partition(source)._entries
                value = CATALOG.encoder(type(event)).encode(event)
                entries[offset] = replace(
                    entries[offset], record=replace(entries[offset].record, value=value)
                )
        else:
            super().step(what, *arguments)

    def emit(self, kind, photo, user):
        before = set(self.happened)
        super().emit(kind, photo, user)
        if kind == "bad bytes":
            (place,) = set(self.happened) - before
            self.meant[place] = liked(user, photo)

    def check(self):
        fold = super().check()
        answered = [one for one in self.bench.decisions() if one.kind in ANSWERS]
        assert all(one.at < self.committed[one.source] for one in answered)
        return fold

    def plain(self):
        return SecondFold(self)

    def end(self):
        self.step("mend")
        super().end()
        self.bench.ask(*[one for one in self.bench.decisions() if one.kind in SKIPS])
        self.workers[0].drain()

    def _fold(self):
        fold, mended = likes_fold(), likes_fold(is_mended=True)
        first, second = (one.handlers[PhotoPosted].handle for one in (fold, mended))

        def posted(fans, event, ctx):
            (second if self.is_mended else first)(fans, event, ctx)

        fold.handlers[PhotoPosted] = type(fold.handlers[PhotoPosted])(posted, wants_context=True)
        return fold


class SecondFold(PlainFold):
    """The same fold of the log as the newest decisions about it say."""

    def __init__(self, play):
        self.play = play
        super().__init__(play)

    def follow(self, decisions):
        """What is parked and refused in the end, and where redriven records stand."""
        self.parked, self.refused, self.late = {}, {}, []
        for one in decisions:
            if one.kind is DecisionKind.PARKED:
                assert one.fold_key not in self.parked
                self.parked[one.fold_key] = one
            elif one.kind is DecisionKind.QUARANTINED:
                self.refused[one.source, one.at] = one
            elif one.kind is DecisionKind.RETRIED:
                assert one.original == self.parked.pop(one.fold_key).at
            elif one.kind is DecisionKind.REDRIVEN:
                place = one.source, one.original
                assert place not in [late[1] for late in self.late]
                event = self.play.happened[place]
                event = self.play.meant[place] if event == "bad bytes" else event
                self.late.append(((one.source, one.at, 1 + len(self.late)), place, event))

    def records(self, happened):
        """Records in the order in which they are folded: (place, where it stands, event)."""
        in_place = [((source, offset, 0), (source, offset), event)
                    for (source, offset), event in happened.items()]  # fmt: skip
        return sorted([*in_place, *self.late], key=lambda one: one[0])

    def take_all(self, happened):
        for (source, place, number), (_, offset), event in self.records(happened):
            if place >= self.play.committed[source]:
                continue
            if number == 0 and (source, offset) in self.refused:
                self.quarantined[f"{source}/{offset}"] += 1
            else:
                told = self.play.meant[source, offset] if event == "bad bytes" else event
                self.fold(source, place, offset, told)

    def fold(self, source, place, offset, event):
        photo = event.photo_id
        if isinstance(event, PhotoShared):
            self.shares[photo] = self.shares.get(photo, 0) + 1
            return
        if photo in self.parked and place >= self.parked[photo].at:
            return
        users = self.users.setdefault(photo, set())
        if isinstance(event, PhotoPosted):
            assert self.play.is_mended, "it was committed without being parked"
            if event.caption == "raise":
                users.add(666)
                self.fact(source, offset, 666)
        elif isinstance(event, PhotoLiked) != (event.user_id in users):
            users.symmetric_difference_update({event.user_id})
            self.fact(source, offset, event.user_id)
        self.counts[str(photo)] = len(users)

    def fact(self, source, offset, user):
        output = ("counters.ActorCounted", str(user), 0)
        self.facts.append(derived_event_id("likes", *source, offset, output))


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(Beginning, Early, Late)
def test_what_is_folded_after_all_is_folded_once_whatever_happens(beginning, early, late):
    """Nothing lost, nothing doubled, nothing half; states too, after a rebuild without stores."""
    fold = played_out(SecondPlay, [*beginning, *early, ("mend",), *late])

    assert {} == fold.parked
