"""Rules that hold topics.toml against the schemas, and the reading of that file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.codegen.lint import lint
from streams.codegen.source import Sources
from streams.errors import ConfigurationError
from streams.topics.topic import Kind, Topic
from streams.topics.topics_file import load_topics, parse_topics
from tests.unit.shop import STAMPS, TOPICS, Shop, field

NAMES = ["shop.OrderPlaced", "shop.OrdersCounted", "store.OrderPlaced"]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def only(shop):
    (found,) = lint(Sources.read(shop.folder))
    return found


def parsed(**values):
    lines = {"kind": '"events"', "key": '"order_id"', "partitions": "4", "retention": '"forever"',
             "events": '["OrderPlaced"]', **values}  # fmt: skip
    text = "\n".join(f"{name} = {value}" for name, value in lines.items() if value)
    return parse_topics(f'[topics."shop.orders"]\n{text}\n', NAMES, "topics.toml")["shop.orders"]


def test_a_topic_is_what_its_entry_says():
    """Every word of the file means something."""
    topic = parsed(retention='"90d"', key='["order_id", "line"]', partition_by='"order_id"',
                   tick_interval_s="60")  # fmt: skip

    expected = Topic(
        name="shop.orders",
        kind=Kind.EVENTS,
        partitions=4,
        keys={"shop.OrderPlaced": ("order_id", "line")},
        partition_by=("order_id",),
        retention=timedelta(days=90),
        tick_interval_s=60,
    )
    assert expected == topic
    assert topic.key == "order_id:line"
    assert topic.subject("shop.OrderPlaced") == "shop.orders-shop.OrderPlaced"


def test_a_bare_name_is_looked_for_in_the_topics_own_area_first():
    """The usual case needs no full names, the unusual one may have them."""
    assert parsed().types == ("shop.OrderPlaced",)
    assert parsed(events='["store.OrderPlaced"]').types == ("store.OrderPlaced",)


WRONG = {
    "an unknown word": ({"retentoin": '"1d"'}, "unknown field `retentoin`"),
    "an unknown kind": ({"kind": '"things"'}, "Invalid enum value"),
    "no partitions": ({"partitions": ""}, "missing required field `partitions`"),
    "too few partitions": ({"partitions": "0"}, "found 0 partitions"),
    "a retention nobody understands": ({"retention": '"long"'}, "found retention 'long'"),
    "an unknown type": ({"events": '["OrderPaid"]'}, "found OrderPaid, but no schema"),
    "no types": ({"events": "[]"}, "found 0 types"),
    "results among events": ({"results": '["OrdersCounted"]'}, "found results on a topic of kind"),
    "a list of types for a pair": ({"key": '"pair"'}, 'because key = "pair"'),
    "a table of types without a pair": (
        {"events": '{OrderPlaced = ["a", "b"]}'}, "wanted a list of types"
    ),
    "two result types": (
        {"kind": '"results"', "events": "", "results": '["OrdersCounted", "OrderPlaced"]'},
        "found 2 types, wanted one type",
    ),
    "a type in two lists": (
        {"kind": '"facts"', "upserts": '["OrderPlaced"]'}, "found a type in two of its lists"
    ),
    "results that expire": (
        {"kind": '"results"', "events": "", "results": '["OrdersCounted"]', "retention": '"1d"'},
        "a results topic is compacted",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("values", "found"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_refused_with_file_and_topic(values, found):
    """A catalog that is guessed at would send records to the wrong place."""
    with pytest.raises(ConfigurationError, match=r"topics\.toml: .*shop\.orders") as refused:
        parsed(**values)

    assert found in str(refused.value)


def test_an_ambiguous_name_asks_for_the_full_one():
    """Two areas may have a type of one name."""
    text = TOPICS.replace('"shop.orders"', '"other.orders"')

    with pytest.raises(ConfigurationError, match=r"shop\.OrderPlaced or store\.OrderPlaced"):
        parse_topics(text, NAMES, "topics.toml")


def test_a_missing_file_says_what_makes_one(tmp_path):
    """The first thing a new project meets."""
    with pytest.raises(ConfigurationError, match="streams schemas init"):
        load_topics(tmp_path / "topics.toml", [])


def test_a_name_that_kafka_would_refuse_is_refused_before():
    """Broker errors come late and say less."""
    with pytest.raises(ConfigurationError, match="shop orders"):
        parse_topics(TOPICS.replace("shop.orders", "shop orders"), NAMES, "topics.toml")


BAD_KEYS = {
    "a field that does not exist": ('key = "id"', [], "shop.OrderPlaced.id", "no such field"),
    "a nullable field": (
        'key = "note"', [field("note", ["null", "long"], default=None)],
        "shop.OrderPlaced.note", "not nullable",
    ),
    "a double": ('key = "price"', [field("price", "double")], "shop.OrderPlaced.price", "double"),
    "a text before the end": (
        'key = ["name", "order_id"]', [field("name", "string")], "shop.OrderPlaced.name",
        "only the last one",
    ),
    "partitioned by what is not in the key": (
        'key = "order_id"\npartition_by = "customer_id"', [field("customer_id")], "shop.orders",
        "share a partition",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("key", "fields", "path", "found"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_that_cannot_be_one_is_refused_by_its_path(shop, key, fields, path, found):
    """Two keys that look alike, or a key on two partitions, would mix or split state."""
    shop.place(*fields)
    shop.topics(TOPICS.replace('key = "order_id"', key, 1))

    problem = only(shop)

    assert path == problem.path
    assert found in problem.message


@pytest.mark.parametrize(
    ("pair", "path"),
    [
        ('["order_id"]', "shop.OrderPlaced"),
        ('["order_id", "order_id"]', "shop.OrderPlaced"),
        ('["order_id", "other_id", "third_id"]', "shop.OrderPlaced"),
        ('["order_id", "name"]', "shop.OrderPlaced.name"),
    ],
)
def test_a_pair_is_two_different_whole_numbers(shop, pair, path):
    """Only then there is a numeric order that both sides agree on."""
    shop.place(field("other_id"), field("third_id"), field("name", "string"))
    text = TOPICS.replace('key = "order_id"', 'key = "pair"', 1)
    shop.topics(text.replace('["OrderPlaced"]', f"{{OrderPlaced = {pair}}}"))

    assert only(shop).path == path


def test_a_type_on_no_topic_is_refused(shop):
    """Nobody could emit it."""
    shop.write("OrderPaid", [*STAMPS, field("order_id")])

    problem = only(shop)

    assert problem.path == "shop.OrderPaid"
    assert "it on no topic" in problem.message


def test_a_type_on_two_topics_is_refused(shop):
    """`emit` takes an event and no topic, so there must be one."""
    shop.topics(
        TOPICS + TOPICS.replace("shop.orders", "shop.more").partition('[topics."shop.counts')[0]
    )

    problem = only(shop)

    assert "it on shop.orders and shop.more" in problem.message
