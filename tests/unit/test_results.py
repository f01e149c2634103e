"""Results by key: where they are looked for, how they are ranked, what is refused."""

from typing import ClassVar

import pytest

from schemas.counters import PhotoContribution, PhotoCounters
from schemas.social import UserRegistered
from streams.errors import InputError, NotFound, Undecodable
from streams.testing.log import InMemoryLog
from streams.topics.catalog import Catalog
from streams.topics.keys import key_reader
from streams.topics.topic import Kind, Topic
from streams.views.results import Results

CATALOG = Catalog.of(PhotoCounters)
TOPIC = "counters.photos"


class OneTopic:
    """A catalog with one results topic of two-part keys, routed by the first part."""

    def __init__(self, *, is_pair=False, partition_by=()):
        fields = ("user_id", "photo_id")
        self.topics = {
            "edges": Topic(
                name="edges",
                kind=Kind.RESULTS,
                partitions=4,
                keys={"counters.PhotoContribution": fields},
                is_pair=is_pair,
                partition_by=partition_by,
            )
        }
        self.registry = CATALOG.registry
        self._key_of = key_reader(fields, is_pair=is_pair)

    def types_of(self, _name):
        return (PhotoContribution,)

    def key_of(self, _type):
        return self._key_of


class TextKeys:
    """A catalog with one results topic whose keys are texts."""

    registry = CATALOG.registry
    topics: ClassVar = {
        "names": Topic(
            name="names",
            kind=Kind.RESULTS,
            partitions=4,
            keys={UserRegistered.avro_name: ("handle",)},
        )
    }

    def types_of(self, _name):
        return (UserRegistered,)


def photo(photo_id, likes=0):
    return PhotoCounters(
        photo_id=photo_id, owner_id=9, likes=likes, comments=0, comment_likes=0, shares=0,
        deleted=False,
    )  # fmt: skip


@pytest.fixture
def log():
    log = InMemoryLog()
    log.create_topic(TOPIC, 4)
    return log


@pytest.fixture
def results(log):
    with Results(TOPIC, catalog=CATALOG, log=log) as results:
        yield results


def put(log, *counters):
    encode = CATALOG.encoder(PhotoCounters).encode
    for one in counters:
        log.append(TOPIC, str(one.photo_id).encode(), encode(one))


@pytest.mark.parametrize("key", [5, "5", (5,)])
def test_a_key_may_be_a_number_text_or_a_tuple(log, results, key):
    """The command line has text, Python has numbers."""
    put(log, photo(5, likes=1), photo(6, likes=2))

    assert results.get(key) == photo(5, likes=1)


def test_a_key_without_a_result_is_none(log, results):
    """Nothing was liked, so nothing was counted."""
    put(log, photo(5))

    assert results.get(7) is None


@pytest.mark.parametrize(
    "key", ["abc", "", "5:6", "05", "5.0", " 5", "٥", "1_000", str(1 << 63), True, "-0"]
)
def test_what_cannot_be_a_key_is_refused(results, key):
    """`nothing there` would send whoever mistyped it looking for lost events."""
    with pytest.raises(InputError) as caught:
        results.get(key)

    assert str(caught.value) == (
        f"found the key {str(key)!r}, wanted photo_id for counters.photos, a whole number such as 5"
    )


@pytest.mark.parametrize("key", [7.0, None, True, (7, 8), (None,), b"7", ()])
def test_what_no_key_is_made_of_is_refused(log, key):
    """Where keys are texts, its own text would pass for one and be looked for in vain."""
    log.create_topic("names", 4)

    with Results("names", catalog=TextKeys(), log=log) as results:
        assert results.get("7") is None
        with pytest.raises(InputError, match="wanted handle for names, such as ann"):
            results.get(key)


@pytest.mark.parametrize("key", [-5, 0, (1 << 63) - 1, -(1 << 63)])
def test_any_number_of_64_bits_is_a_key(log, results, key):
    """A domain's ids may be hashes."""
    put(log, photo(key, likes=1))

    assert results.get(key).likes == 1


def test_a_result_written_later_is_seen_by_the_next_get(log, results):
    """It catches up at each call."""
    put(log, photo(5, likes=1))
    results.get(5)
    put(log, photo(5, likes=2))

    assert results.get(5).likes == 2


def test_items_are_the_newest_of_each_key(log, results):
    """One result a key, whichever partition it is in."""
    put(log, *(photo(number) for number in range(20)), photo(3, likes=8))

    items = dict(results.items())

    assert set(items) == set(range(20))
    assert items[3].likes == 8


def test_rows_tell_their_place(log, results):
    """So that a dump can be traced back to the log."""
    put(log, photo(5, likes=1), photo(5, likes=2))

    (row,) = results.rows()

    assert (row.key, row.offset) == (5, 1)


def test_top_ranks_by_value_then_by_key(log, results):
    """Equal values must have one order, or two runs would differ; 9 comes before 10."""
    put(log, photo(10, likes=3), photo(9, likes=3), photo(2, likes=7), photo(1, likes=0))

    assert [(key, one.likes) for key, one in results.top("likes", 3)] == [(2, 7), (9, 3), (10, 3)]


@pytest.mark.parametrize("field", ["nonsense", "deleted"])
def test_top_refuses_a_field_that_is_no_number(results, field):
    """The message lists what can be ranked."""
    with pytest.raises(InputError, match="likes"):
        results.top(field)


@pytest.mark.parametrize("name", ["counters.photo", "social.photos"])
def test_a_topic_without_results_is_not_found(log, name):
    """A typing error, or a topic of events, is answered with what there is."""
    with pytest.raises(NotFound, match=r"counters\.photos"):
        Results(name, catalog=CATALOG, log=log)


def test_a_declared_topic_that_was_never_made_names_the_command():
    """The first thing a newcomer forgets."""
    empty = InMemoryLog()
    results = Results(TOPIC, catalog=CATALOG, log=empty)

    with pytest.raises(NotFound, match="streams topics apply"):
        results.get(5)


def test_bytes_that_no_schema_explains_are_told_with_their_place(log, results):
    """A result that cannot be read is never passed over."""
    log.append(TOPIC, b"5", b"\x01broken", partition=2)

    with pytest.raises(Undecodable, match=f"{TOPIC}/2/0"):
        list(results.items())


def edges(log, **how):
    log.create_topic("edges", 4)
    return Results("edges", catalog=OneTopic(**how), log=log)


def contribution(user_id, photo_id):
    return PhotoContribution(user_id=user_id, photo_id=photo_id, photos=1, likes=0, comments=0)


@pytest.mark.parametrize("key", ["3:9", (3, 9)])
def test_a_key_of_two_parts_is_found_by_its_routing_part(log, key):
    """Partition-by takes one part of the key; looking by the whole key would miss it."""
    from streams.topics.partitioner import partition_of

    results = edges(log, partition_by=("user_id",))
    value = CATALOG.encoder(PhotoContribution).encode(contribution(3, 9))
    log.append("edges", b"3:9", value, partition=partition_of(b"3", 4))

    assert results.get(key) == contribution(3, 9)


def test_a_key_is_found_though_its_text_does_not_tell_the_partition(log):
    """Then every partition is read."""
    results = edges(log, partition_by=("likes",))
    value = CATALOG.encoder(PhotoContribution).encode(contribution(3, 9))
    log.append("edges", b"3:9", value, partition=3)

    assert results.get("3:9") == contribution(3, 9)


@pytest.mark.parametrize("key", ["9:10", "10:9", (10, 9)])
def test_a_pair_is_found_in_either_order(log, key):
    """A friendship has no direction; its key is in numeric order, not in that of text."""
    results = edges(log, is_pair=True)
    value = CATALOG.encoder(PhotoContribution).encode(contribution(9, 10))
    log.append("edges", b"9:10", value)

    assert results.get(key) == contribution(9, 10)


def test_a_key_with_too_few_parts_is_refused(log):
    """The message says what a key of this topic looks like."""
    with pytest.raises(InputError, match="user_id:photo_id for edges, whole numbers such as 5:6"):
        edges(log).get("3")
