"""Batches of a topic: any mix of schemas, in the order of the log."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.avro.codec import FEWEST_FOR_COLUMNS, Codec
from streams.avro.framing import frame
from streams.avro.limits import Limits
from streams.avro.lock import LockFile
from streams.avro.reasons import Reason
from streams.avro.records import RecordEncoder
from streams.errors import ConfigurationError, SchemaRefused, Undecodable
from streams.events.message import Message


class Liked(Message, frozen=True, gc=False):
    avro_name = "shop.Liked"

    user_id: int
    stars: int = 5


class Unliked(Message, frozen=True, gc=False):
    avro_name = "shop.Unliked"

    user_id: int
    stars: int = 5


class Sold(Message, frozen=True, gc=False):
    avro_name = "shop.Sold"

    item: str


def record(name, *fields):
    return {"type": "record", "name": name, "namespace": "shop", "fields": list(fields)}


USER = {"name": "user_id", "type": "long"}
FIRST = record("Liked", USER)
LIKED = record("Liked", USER, {"name": "stars", "type": "int", "default": 5})
UNLIKED = record("Unliked", *LIKED["fields"])
SOLD = record("Sold", {"name": "item", "type": "string"})
LOCK = (
    LockFile()
    .with_version("shop.events-shop.Liked", FIRST)
    .with_version("shop.events-shop.Liked", LIKED)
    .with_version("shop.events-shop.Unliked", UNLIKED)
    .with_version("shop.events-shop.Sold", SOLD)
)
TYPES = {"shop.Liked": Liked, "shop.Unliked": Unliked, "shop.Sold": Sold}


def released(subject, version):
    return LOCK.subjects[f"shop.events-shop.{subject}"][version]


def encoder(event_type, version):
    return RecordEncoder(event_type, version.schema, version.id).encode


class FirstLiked(Message, frozen=True, gc=False):
    avro_name = "shop.Liked"

    user_id: int


first_liked = encoder(FirstLiked, released("Liked", 0))
liked = encoder(Liked, released("Liked", 1))
unliked = encoder(Unliked, released("Unliked", 0))
sold = encoder(Sold, released("Sold", 0))

USERS = st.integers(-5, 5)
PAIRS = st.one_of(
    USERS.map(lambda user: (first_liked(FirstLiked(user_id=user)), Liked(user_id=user))),
    USERS.map(lambda user: (liked(Liked(user_id=user, stars=1)), Liked(user_id=user, stars=1))),
    USERS.map(lambda user: (unliked(Unliked(user_id=user)), Unliked(user_id=user))),
    st.text(max_size=3).map(lambda item: (sold(Sold(item=item)), Sold(item=item))),
    st.just((None, None)),
    st.sampled_from([
        (b"", Reason.BAD_MAGIC),
        (b"{}", Reason.BAD_MAGIC),
        (b"\0\0\0", Reason.TRUNCATED),
        (b"\0\0\0\0\7abc", Reason.UNKNOWN_SCHEMA),
        (liked(Liked(user_id=1))[:-1], Reason.TRUNCATED),
        (sold(Sold(item="a")) + b"x", Reason.TRAILING_BYTES),
    ]),
)  # fmt: skip


def shown(answers):
    return [getattr(answer, "reason", answer) for answer in answers]


@given(st.lists(PAIRS, max_size=30) | st.lists(PAIRS, min_size=1, max_size=4).map(lambda p: p * 30))
def test_every_value_of_a_batch_gets_its_own_answer_in_order(pairs):
    """Folds see the log's order, and a bad record stands where it stood."""
    codec = Codec(LOCK, TYPES, Limits())

    decoded = codec.decode_many([value for value, _ in pairs])

    assert [answer for _, answer in pairs] == shown(decoded)


ALIKE = st.lists(PAIRS, min_size=1, max_size=2).map(lambda pairs: pairs * FEWEST_FOR_COLUMNS)


@given(st.lists(ALIKE, max_size=4))
def test_a_batch_is_read_the_same_after_any_other(batches):
    """What the last batch was made of is only a guess at the next; types alike are read at once."""
    codec = Codec(LOCK, TYPES, Limits())

    decoded = [codec.decode_many([value for value, _ in pairs]) for pairs in batches]

    assert [[answer for _, answer in pairs] for pairs in batches] == list(map(shown, decoded))


@pytest.mark.parametrize("at", [0, 40, 79])
def test_types_that_differ_in_name_only_keep_their_names(at):
    """Likes and unlikes have the same bytes but for the schema id, and are read as one table."""
    codec = Codec(LOCK, TYPES)
    events = [(Unliked if n % 3 else Liked)(user_id=n, stars=1) for n in range(80)]
    values = [(unliked if isinstance(event, Unliked) else liked)(event) for event in events]
    codec.decode_many(values)

    as_one_table = codec.decode_many(values)
    values[at] = values[at][:-1]
    decoded = codec.decode_many(values)

    assert events == as_one_table
    assert Reason.TRUNCATED == decoded[at].reason
    assert events[:at] + events[at + 1 :] == decoded[:at] + decoded[at + 1 :]


@pytest.mark.parametrize("count", [1, FEWEST_FOR_COLUMNS - 1, FEWEST_FOR_COLUMNS, 1_000])
def test_a_batch_of_one_schema_is_decoded_whole(count):
    """The usual topic; a short batch and a long one take different ways."""
    events = [Liked(user_id=n, stars=2) for n in range(count)]

    decoded = Codec(LOCK, TYPES).decode_many([liked(event) for event in events])

    assert events == decoded


@pytest.mark.parametrize("count", [1, 100])
def test_types_nobody_asked_for_are_not_decoded(count):
    """Not even looked at: damage in them is for those who read them."""
    codec = Codec(LOCK, {"shop.Liked": Liked})

    decoded = codec.decode_many([sold(Sold(item="a"))[:-1], liked(Liked(user_id=1))] * count)

    assert [None, Liked(user_id=1)] * count == decoded


def test_one_value_is_decoded_or_raises():
    """For whoever looks at a single record."""
    codec = Codec(LOCK, {"shop.Liked": Liked})

    assert Liked(user_id=3) == codec.decode(liked(Liked(user_id=3)))
    with pytest.raises(Undecodable, match="truncated"):
        codec.decode(liked(Liked(user_id=3))[:-1])
    with pytest.raises(Undecodable, match=r"unknown type: shop\.Sold, wanted shop\.Liked"):
        codec.decode(sold(Sold(item="a")))


def test_an_id_that_becomes_known_is_found():
    """A registry may learn an id after the first record with it was seen."""
    registry = Fake({})
    codec = Codec(registry, TYPES)
    value = frame(7) + b"\2"
    assert [Reason.UNKNOWN_SCHEMA] == shown(codec.decode_many([value]))

    registry.schemas[7] = FIRST

    assert [Liked(user_id=1)] == codec.decode_many([value])


class Fake:
    """A registry that answers whatever it was given; every id is the newest of its subject."""

    def __init__(self, schemas):
        self.schemas = schemas

    def schema(self, schema_id):
        return self.schemas[schema_id]

    def newest_id(self, subject):
        return int(subject)

    def subject(self, schema_id):
        return str(schema_id)


BROKEN = [
    "no schema",
    {},
    {"type": "record", "name": "Liked", "namespace": "shop"},
    {"type": "record", "name": "Liked", "namespace": "shop", "fields": [{"name": "a"}]},
    record("Liked", {"name": "user_id", "type": "nothing"}),
    record("Liked", {"name": "user_id", "type": {"type": "fixed", "name": "F", "size": "x"}}),
    record("Liked", {"name": "user_id", "type": {"type": "enum", "name": "E", "symbols": 5}}),
]


@pytest.mark.parametrize("schema", BROKEN, ids=str)
def test_a_text_that_is_no_schema_is_an_error_of_the_registry(schema):
    """Quarantining every record with the id would blame the records."""
    codec = Codec(Fake({7: schema}), TYPES)

    with pytest.raises(ConfigurationError, match="schema id 7"):
        codec.decode_many([frame(7) + b"\2"])


def test_a_newer_schema_that_reads_no_release_is_an_error_of_the_release():
    """It names the field and the command that finds such a change before it is released."""

    class Lock(Fake):
        def newest_id(self, subject):
            return 8

    other = record("Liked", {"name": "user_id", "type": "string"})
    codec = Codec(Lock({7: FIRST, 8: other}), TYPES)

    with pytest.raises(SchemaRefused, match=r"user_id: found string, wanted long.*schemas check"):
        codec.decode_many([frame(7) + b"\2"])


@pytest.mark.parametrize("count", [1, 100])
def test_a_record_over_the_limit_is_refused_in_any_batch(count):
    """The frame does not count."""
    codec = Codec(LOCK, TYPES, Limits(max_bytes=4))
    values = [sold(Sold(item="abc")), sold(Sold(item="abcd"))] * count

    assert [Sold(item="abc"), Reason.TOO_LARGE] * count == shown(codec.decode_many(values))


def test_encoding_and_short_batches_need_no_polars():
    """A service that only emits installs without it."""
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "from tests.unit.test_avro_codec import *\n"
        "events = [Liked(user_id=n) for n in range(50)]\n"
        "codec = Codec(LOCK, TYPES)\n"
        "assert codec.decode_many([liked(event) for event in events]) == events\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "" == done.stderr
