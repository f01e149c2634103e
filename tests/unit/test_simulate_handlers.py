"""Handlers that no fold may have: each is found, and the report names the cause and the way out."""

from __future__ import annotations

import logging
import random
import time
import uuid
from datetime import UTC, datetime

import msgspec
import pytest

from schemas.counters import ActorCounted, ActorKind
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked
from streams import Fold, Service
from streams.testing import SimulationFailed, simulate
from tests.unit.engine_bench import liked

EVENTS = [liked(2, photo_id=5), liked(1, photo_id=5), liked(2, photo_id=6), liked(3, photo_id=6)]
HERE = "tests/unit/test_simulate_handlers.py"
DICE = random.Random(7)
COUNT = 0
SEEN = set()


class Fans(msgspec.Struct):
    """State of every fold here."""

    users: set[int] = set()
    number: int = 0
    recent: list[int] = []


def reads_the_clock(fans, event):
    fans.number = int(time.time())


def reads_the_date(fans, event):
    fans.number = datetime.now(UTC).year


def measures_time(fans, event):
    fans.number = int(time.monotonic())


def draws(fans, event):
    fans.number = random.randint(1, 1_000)


def draws_an_id(fans, event):
    fans.number = uuid.uuid4().int % 1_000


def draws_from_its_own_dice(fans, event):
    fans.number = DICE.randint(1, 1_000_000)


def counts_in_a_global(fans, event):
    global COUNT
    COUNT += 1
    fans.number = COUNT


def remembers_in_a_global(fans, event):
    if (event.photo_id, event.user_id) not in SEEN:
        SEEN.add((event.photo_id, event.user_id))
        fans.number += 1


def takes_any_of_a_set(fans, event):
    fans.users.add(event.user_id)
    fans.number = next(iter(fans.users))


def counts_every_delivery(fans, event):
    fans.number += 1


def raises(fans, event):
    if event.user_id == 3:
        raise KeyError("no such user")


def collects(fans, event):
    fans.recent.append(event.user_id)


def likes(fans, event):
    fans.users.add(event.user_id)


def likes_and_tells(fans, event):
    likes(fans, event)
    logging.getLogger("likes").warning("liked")


def emits_in_the_order_of_a_set(fans, event, ctx):
    fans.users.add(event.user_id)
    for place, user_id in enumerate(fans.users):
        ctx.emit(ActorCounted(user_id=user_id, kind=ActorKind.LIKE, delta=place))


def count(photo_id, fans):
    return LikesCounted(photo_id=photo_id, likes=fans.number or len(fans.users))


def count_and_forget(photo_id, fans):
    likes = len(fans.recent)
    fans.recent.clear()
    return LikesCounted(photo_id=photo_id, likes=likes)


def service_with(handler, result=count, emits=()):
    fold = Fold("likes", reads="social.photos", key="photo_id", state=Fans, emits=emits)
    fold.on(PhotoLiked)(handler)
    fold.result(into="demo.counts")(result)
    return Service("likes", folds=[fold])


CLOCK = "take the time from the event: event.time"
CHANCE = "let whoever emits the event draw, and put it into the event"
OUTSIDE = "something outside its state takes part, which a crash forgets: keep it in the state"
MISTAKES = [
    (service_with(reads_the_clock), f"asks the clock (time.time) at {HERE}:", CLOCK),
    (service_with(reads_the_date), f"asks the clock (datetime.now) at {HERE}:", CLOCK),
    (service_with(measures_time), f"asks the clock (time.monotonic) at {HERE}:", CLOCK),
    (service_with(draws), f"draws at random at {HERE}:", CHANCE),
    (service_with(draws_an_id), f"draws at random at {HERE}:", CHANCE),
    (service_with(draws_from_its_own_dice), "when the same log is folded once more", OUTSIDE),
    (service_with(counts_in_a_global), "test_simulate_handlers.COUNT changed while", OUTSIDE),
    (service_with(remembers_in_a_global), "test_simulate_handlers.SEEN changed while", OUTSIDE),
    (service_with(takes_any_of_a_set), "walked in another order", "sort a set before"),
    (
        service_with(emits_in_the_order_of_a_set, emits=[ActorCounted]),
        "walked in another order",
        "sort a set before",
    ),
    (service_with(counts_every_delivery), "when each event is delivered twice", "keep the ids"),
    (service_with(collects, count_and_forget), "when results are asked for", "only read there"),
    (service_with(raises), "raises KeyError: 'no such user'", "pass may_park=True"),
]


@pytest.mark.parametrize(
    ("service", "what", "advice"),
    MISTAKES,
    ids=[next(iter(one[0].folds[0].handlers.values())).handle.__name__ for one in MISTAKES],
)
def test_a_mistake_in_a_handler_is_found(service, what, advice):
    """It would count wrongly after a crash, on a day when nobody looks."""
    found = simulate(service, EVENTS, seed=7, schedules=1)

    assert what in str(found)
    assert advice in str(found)
    with pytest.raises(SimulationFailed):
        play(found.test, service)


@pytest.mark.parametrize("handler", [likes, likes_and_tells], ids=lambda one: one.__name__)
def test_a_handler_that_looks_at_nothing_else_is_fine(handler):
    """A logger asks the clock for its own line; that changes no answer."""
    simulate(service_with(handler), EVENTS, seed=7, schedules=5).check()


def test_a_result_that_raises_on_purpose_says_so():
    """Whether it is asked just then depends on commits; that alone is no mistake of the fold."""

    def only_few(photo_id, fans):
        if len(fans.users) == 1:
            raise KeyError("too few")
        return count(photo_id, fans)

    service = service_with(likes, only_few)

    assert "raises KeyError: 'too few'" in str(simulate(service, EVENTS, seed=7))
    simulate(service, EVENTS, seed=7, schedules=5, may_park=True).check()


def test_as_few_events_as_show_the_mistake_are_told():
    """Whoever reads it can fold them in the head."""
    found = simulate(service_with(raises), EVENTS, seed=7)

    assert 1 == found.test.count("PhotoLiked(")
    assert "user_id=3" in found.test


def test_globals_are_left_as_they_were():
    """One simulation must not change what the next test finds."""
    simulate(service_with(counts_in_a_global), EVENTS, schedules=1)
    simulate(service_with(remembers_in_a_global), EVENTS, schedules=1)

    assert (0, set()) == (COUNT, SEEN)


def test_a_fold_that_counts_deliveries_says_so():
    """Views are counted each time; a like is not."""
    service = service_with(counts_every_delivery)

    simulate(service, EVENTS, seed=7, schedules=5, duplicates=False).check()


def test_a_fold_that_raises_on_purpose_says_so():
    """Its keys are parked, and the others counted."""
    simulate(service_with(raises), EVENTS, seed=7, schedules=5, may_park=True).check()


def play(test, service):
    """Run a printed test; nobody keeps the service where it could be imported from."""
    names = {"SERVICE": service}
    exec(test, names)
    names["test_likes_again"]()
