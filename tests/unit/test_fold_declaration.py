"""What a fold or service may be: a wrong declaration is refused before anything is folded."""

from __future__ import annotations

import msgspec
import pytest

from schemas.counters import ActorCounted, ActorKind, PhotoContribution, PhotoCounters
from schemas.demo import LikesCounted
from schemas.social import FriendAccepted, PhotoLiked, UserRegistered
from streams.errors import ConfigurationError, NotFound, SchemaMismatch, TooLarge
from streams.fold import bound as bound_module
from streams.fold.bound import BoundFold
from streams.fold.declaration import Fold
from streams.fold.service import Service
from streams.state.entries import Entries
from streams.state.members import Members
from streams.topics.catalog import Catalog

CATALOG = Catalog.of(PhotoLiked)


class Fans(msgspec.Struct):
    """A state."""

    users: set[int] = set()


def fold_of(**changes):
    """A fold of likes that is all right, but for the changes."""
    wanted = {"name": "likes", "reads": "social.photos", "key": "photo_id", "state": Fans}
    options = {**wanted, **changes}
    fold = Fold(options.pop("name"), **options)
    fold.on(PhotoLiked)(lambda fans, event: fans.users.add(event.user_id))
    return fold


def bound(fold):
    return BoundFold(fold, CATALOG)


@pytest.mark.parametrize("name", ["", "two words", "9lives", "x" * 101, "läufe", "a-b"])
def test_a_name_that_cannot_be_a_row_s_is_refused(name):
    """It is part of every row and id."""
    with pytest.raises(ConfigurationError, match="found the fold name"):
        fold_of(name=name)


def test_a_version_is_one_or_more():
    """Zero would be no version."""
    with pytest.raises(ConfigurationError, match="found version 0"):
        fold_of(version=0)


def test_a_type_has_one_handler():
    """The second would replace the first in silence."""
    with pytest.raises(ConfigurationError, match="PhotoLiked has two handlers"):
        fold_of().on(PhotoLiked)(lambda fans, event: None)


@pytest.mark.parametrize("handle", [lambda: None, lambda fans: None, lambda a, b, c, d: None])
def test_a_handler_takes_a_state_and_an_event_and_perhaps_a_context(handle):
    """Told when it is declared, not when its first event comes."""
    fold = Fold("likes", reads="social.photos", key="photo_id", state=Fans)

    with pytest.raises(ConfigurationError, match="wanted \\(state, event\\) or"):
        fold.on(PhotoLiked)(handle)


def test_a_result_takes_a_key_and_a_state():
    """Told when it is declared."""
    with pytest.raises(ConfigurationError, match="a result takes two arguments"):
        fold_of().result(into="demo.counts")(lambda fans: None)


def test_a_fold_without_a_handler_is_refused():
    """It would only pass by."""
    with pytest.raises(ConfigurationError, match="likes has no handler"):
        bound(Fold("likes", reads="social.photos", key="photo_id", state=Fans))


def test_a_fold_over_a_compacted_topic_is_refused():
    """Most of its records are gone."""
    with pytest.raises(ConfigurationError, match=r"counters\.photos, which is compacted"):
        bound(fold_of(reads="counters.photos"))


def test_a_fold_over_a_topic_that_is_not_declared_is_refused():
    """The catalog lists those there are."""
    with pytest.raises(NotFound, match=r"social\.fotos"):
        bound(fold_of(reads="social.fotos"))


def test_a_handler_of_a_type_on_another_topic_is_refused():
    """Its event would never come: one fold, one topic, one order."""
    fold = fold_of()
    fold.on(UserRegistered)(lambda fans, event: None)

    with pytest.raises(ConfigurationError, match=r"UserRegistered, which is on social\.users"):
        bound(fold)


def test_a_key_that_does_not_pick_the_partition_is_refused():
    """One key would have a state on every partition, and each would publish it."""
    with pytest.raises(ConfigurationError, match="found the key 'user_id', wanted 'photo_id'"):
        bound(fold_of(key="user_id"))


def test_a_pair_is_its_two_ids_in_order():
    """Both directions meet in one state."""
    fold = Fold("pairs", reads="social.relations", key="pair", state=Fans)
    fold.on(FriendAccepted)(lambda fans, event: None)

    keys = bound(fold).keys(
        [FriendAccepted(requester_id=9, addressee_id=10), FriendAccepted(10, 9)]
    )

    assert [(9, 10), (9, 10)] == keys


class Odd:
    """What msgspec does not know."""


class OddState(msgspec.Struct):
    """A state with such a field."""

    odd: Odd = msgspec.field(default_factory=Odd)


class Demanding(msgspec.Struct):
    """A state that cannot be made from nothing."""

    users: set[int]


@pytest.mark.parametrize("state", [OddState, Demanding, lambda: Fans()], ids=str)
def test_a_state_that_cannot_be_saved_or_made_is_refused(state):
    """The first checkpoint would end the worker, seconds after the first event."""
    with pytest.raises(ConfigurationError, match="likes: found a state that cannot be saved"):
        bound(fold_of(state=state))


@pytest.mark.parametrize("state", [dict, Members, Entries, Fans], ids=str)
def test_a_state_is_anything_that_can_be_saved(state):
    """It need not be a struct."""
    bound(fold_of(state=state))


def test_a_result_goes_into_a_results_topic_or_among_upserts():
    """Events are what people do."""
    fold = fold_of()
    fold.result(into="social.users")(lambda key, fans: None)

    with pytest.raises(ConfigurationError, match=r"publishes results into social\.users \(events"):
        bound(fold)


def test_the_key_of_a_result_that_is_named_must_be_the_topics():
    """It says what the reader may rely on."""
    fold = fold_of()
    fold.result(into="counters.contributions", key="photo_id")(lambda key, fans: [])

    with pytest.raises(ConfigurationError, match="found key='photo_id' for counters"):
        bound(fold)


def test_what_a_fold_emits_is_a_fact():
    """Results say what is so now; they are published by their function."""
    for wrong in (LikesCounted, PhotoContribution, PhotoLiked):
        with pytest.raises(ConfigurationError, match="wanted a fact"):
            bound(fold_of(emits=[wrong]))


@pytest.mark.parametrize(
    "found",
    [
        PhotoCounters(5, 9, 0, 0, 0, 0, deleted=False),
        "text",
        [LikesCounted(5, 1), None],
        ActorCounted(user_id=1, kind=ActorKind.LIKE, delta=1),
    ],
    ids=lambda found: type(found).__name__,
)
def test_a_result_of_another_type_is_no_result(found):
    """Whoever reads the topic decodes one type."""
    fold = fold_of()
    fold.result(into="demo.counts")(lambda key, fans: found)

    with pytest.raises(SchemaMismatch, match=r"for demo\.counts, wanted LikesCounted"):
        bound(fold).conclude(5, Fans(), [])


def test_a_fact_is_not_published_as_a_result():
    """Without an id of its own it could never be told from its double."""
    fold = fold_of()
    fold.result(into="counters.contributions")(
        lambda key, fans: ActorCounted(user_id=1, kind=ActorKind.LIKE, delta=1)
    )

    with pytest.raises(SchemaMismatch, match=r"found a ActorCounted .* wanted PhotoContribution"):
        bound(fold).conclude(5, Fans(), [])


def test_none_removes_the_key_from_a_compacted_topic():
    """A tombstone under the record's key."""
    fold = fold_of()
    fold.result(into="demo.counts")(lambda key, fans: None)

    (record,) = bound(fold).conclude(5, Fans(), [("source", b"x")])

    assert ("demo.counts", b"5", None) == (record.topic, record.key, record.value)


def test_none_is_refused_where_the_key_is_not_the_folds():
    """The tombstone would remove another key."""
    fold = fold_of()
    fold.result(into="counters.users")(lambda key, fans: None)

    with pytest.raises(SchemaMismatch, match=r"found None for counters\.users"):
        bound(fold).conclude(5, Fans(), [])


def test_none_is_refused_where_nothing_is_compacted():
    """Another fold reads that topic, and cannot read a null."""
    fold = Fold("users", reads="social.users", key="user_id", state=Fans)
    fold.on(UserRegistered)(lambda fans, event: None)
    fold.result(into="counters.contributions")(lambda key, fans: None)

    with pytest.raises(SchemaMismatch, match=r"found None for counters\.contributions"):
        bound(fold).conclude(5, Fans(), [])


def test_a_result_that_no_broker_would_take_is_refused(monkeypatch):
    """It would fail its transaction each time; this way it parks its key."""
    monkeypatch.setattr(bound_module, "MAX_OUTPUT_BYTES", 6)
    fold = fold_of()
    fold.result(into="demo.counts")(lambda key, fans: LikesCounted(key, 2**40))

    with pytest.raises(TooLarge, match=r"demo\.LikesCounted of 12 bytes"):
        bound(fold).conclude(5, Fans(), [])


def test_names_of_folds_are_their_own_in_a_service():
    """Rows, ids and versions go by them."""
    with pytest.raises(ConfigurationError, match="wanted one or more with own names"):
        Service("bench", folds=[fold_of(), fold_of()])
    with pytest.raises(ConfigurationError, match="wanted one or more"):
        Service("bench", folds=[])


@pytest.mark.parametrize("name", ["", "two words", "a/b", "a.b"])
def test_a_service_name_is_also_a_groups_and_a_folders(name):
    """And part of topic names."""
    with pytest.raises(ConfigurationError, match="found the service name"):
        Service(name, folds=[fold_of()])


def test_two_writers_of_a_results_topic_are_refused():
    """They would overwrite each other's keys."""
    one, other = fold_of(), fold_of(name="other")
    for fold in (one, other):
        fold.result(into="demo.counts")(lambda key, fans: LikesCounted(key, 0))

    with pytest.raises(ConfigurationError, match=r"several folds .* write demo\.counts"):
        _ = Service("bench", folds=[one, other]).bound


def test_a_service_reads_its_own_topics_last():
    """Catching up in that order needs one round."""
    users = Fold("users", reads="counters.contributions", key="user_id", state=Fans)
    users.on(ActorCounted)(lambda fans, event: None)
    photos = fold_of(emits=[ActorCounted])

    service = Service("bench", folds=[users, photos])

    assert ("social.photos", "counters.contributions") == service.inputs
    assert {"likes": 1} == service.versions_of("social.photos")
    assert ["counters.contributions"] == [topic.name for topic in service.output_topics]
