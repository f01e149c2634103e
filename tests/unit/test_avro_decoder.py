"""Reading one record: structs across releases, and a stable reason for what cannot be read."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.avro.records import RecordDecoder
from streams.avro.varint import long_bytes
from streams.errors import SchemaRefused, Undecodable
from streams.events.message import Event, Message
from tests.unit.avro_kinds import LEAVES, Mood, case_of, cases, damaged, struct_of, written


def record(*fields):
    return {"type": "record", "name": "Row", "namespace": "shop", "fields": list(fields)}


def field(name, type_, **more):
    return {"name": name, "type": type_, **more}


def decoder_for(type_, annotation):
    schema = record(field("value", type_))
    return RecordDecoder(struct_of({"value": annotation}), schema, schema, Limits())


ENUM = {"type": "enum", "name": "Mood", "symbols": ["CALM", "GLAD", "SAD"]}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
UUID = {"type": "string", "logicalType": "uuid"}


@pytest.mark.parametrize(
    ("type_", "payload", "reason"),
    [
        ("long", b"", Reason.TRUNCATED),
        ("long", b"\x80", Reason.TRUNCATED),
        ("string", b"\x0aab", Reason.TRUNCATED),
        ("double", b"1234567", Reason.TRUNCATED),
        ("long", b"\x02\x02", Reason.TRAILING_BYTES),
        ("string", b"\x04\xff\xff", Reason.INVALID_UTF8),
        ("string", b"\x01", Reason.INVALID_VALUE),
        (ENUM, b"\x06", Reason.INVALID_VALUE),
        (["null", "long"], b"\x04\x02", Reason.INVALID_VALUE),
        (UUID, b"\x02a", Reason.INVALID_VALUE),
        (MICROS, long_bytes(2**62), Reason.INVALID_VALUE),
        ("bytes", long_bytes(2_000_000) + bytes(2_000_000), Reason.TOO_LARGE),
        ({"type": "array", "items": "null"}, long_bytes(2**40) + b"\0", Reason.TOO_MANY_ITEMS),
    ],
)
def test_bytes_that_are_no_record_have_a_reason(type_, payload, reason):
    """Dashboards count reasons; fastavro raises five kinds of exception for these."""
    with pytest.raises(Undecodable) as refusal:
        decoder_for(type_, object).decode(payload)

    assert reason == refusal.value.reason
    assert refusal.value.detail


@given(st.data(), cases())
def test_damaged_bytes_are_an_event_or_undecodable(data, case):
    """Any other exception would stop a worker."""
    payload = data.draw(damaged(written(case.schema, data.draw(case.events))) | st.binary())
    decoder = RecordDecoder(case.event_type, case.schema, case.schema, Limits())

    answer = answer_of(decoder, payload)

    assert isinstance(answer, case.event_type) or answer in set(Reason)


def answer_of(decoder, payload):
    try:
        return decoder.decode(payload)
    except Undecodable as undecodable:
        return undecodable.reason


class Stamped(Event, frozen=True, gc=False):
    avro_name = "shop.Row"

    event_id: bytes = bytes(16)
    occurred_at: int = 0


STAMPED = record(
    field("event_id", {"type": "fixed", "name": "EventId", "size": 16}),
    field("occurred_at", MICROS),
)


def test_a_time_the_struct_keeps_as_a_number_stays_one():
    """Folds compare and subtract `occurred_at`; making datetimes would cost more than the rest."""
    decoder = RecordDecoder(Stamped, STAMPED, STAMPED, Limits())
    micros = 1_700_000_000_123_456

    event = decoder.decode(bytes(16) + long_bytes(micros))

    assert micros == event.occurred_at
    assert dt.datetime(2023, 11, 14, 22, 13, 20, 123_456, tzinfo=dt.UTC) == event.time


@pytest.mark.parametrize("number", [253_402_300_800_000_000, -62_135_596_800_000_001, 2**62])
def test_a_number_that_is_no_time_is_refused(number):
    """`Event.time` would raise in every handler that asks."""
    decoder = RecordDecoder(Stamped, STAMPED, STAMPED, Limits())

    with pytest.raises(Undecodable, match="occurred_at"):
        decoder.decode(bytes(16) + long_bytes(number))


def test_a_new_field_has_the_structs_default():
    """A schema's default is JSON; the struct's is the Python value it stands for."""
    old = record(field("a", "long"))
    new = record(
        field("mood", ENUM, default="GLAD"),
        field("a", "long"),
        field("blob", "bytes", default="\u00ff"),
    )
    row = struct_of({"a": int, "mood": Mood, "blob": bytes}, {"mood": Mood.GLAD, "blob": b"\xff"})

    event = RecordDecoder(row, old, new, Limits()).decode(b"\x02")

    assert row(a=1, mood=Mood.GLAD, blob=b"\xff") == event


class Inner(Message, frozen=True, gc=False):
    avro_name = "shop.Inner"

    kept: float
    added: bytes = b"\xff"


def test_fields_come_and_go_inside_records_too():
    """Resolution works at every depth, through references as well."""

    def inner(*fields):
        return {"type": "record", "name": "Inner", "fields": list(fields)}

    old = record(
        field("one", inner(field("gone", "string"), field("kept", "int"))),
        field("more", {"type": "array", "items": "Inner"}),
    )
    new = record(
        field("more", {"type": "array", "items": inner(
            field("kept", "double"), field("added", "bytes", default="\u00ff"))}),
        field("one", ["null", "Inner"]),
    )  # fmt: skip
    row = struct_of({"one": Inner | None, "more": list[Inner]})

    event = RecordDecoder(row, old, new, Limits()).decode(b"\x02x\x04\x02\x00\x06\x00")

    assert row(one=Inner(kept=2.0), more=[Inner(kept=3.0)]) == event


def test_a_cut_in_a_removed_field_is_seen():
    """fastavro skips to the end of what is there, and is content."""
    old = record(field("a", "long"), field("gone", {"type": "fixed", "name": "F", "size": 8}))
    decoder = RecordDecoder(struct_of({"a": int}), old, record(field("a", "long")), Limits())

    with pytest.raises(Undecodable, match="truncated"):
        decoder.decode(b"\x02abc")


def test_a_schema_that_cannot_read_a_release_is_refused_when_the_decoder_is_made():
    """The records are not to blame: quarantining all of them would hide a broken release."""
    old, new = record(field("a", "string")), record(field("a", "long"))

    with pytest.raises(SchemaRefused, match=r"a: found long, wanted string") as refusal:
        RecordDecoder(struct_of({"a": int}), old, new, Limits())

    assert "a" == refusal.value.path


def test_a_recursive_type_is_read_within_the_depth_limit():
    """A writer of ours never has one, but a registry may hold it."""
    node = {"type": "record", "name": "Node", "fields": [field("next", ["null", "Node"])]}
    decoder = RecordDecoder(struct_of({}), record(field("chain", node)), record(), Limits())

    assert struct_of({}).__name__ == type(decoder.decode(b"\2" * 60 + b"\0")).__name__
    with pytest.raises(Undecodable, match="too deep"):
        decoder.decode(b"\2" * 5_000 + b"\0")


def test_every_leaf_survives_the_empty_batch_of_its_values():
    """The smallest values are where encodings are shortest."""
    case = case_of(LEAVES[:9])
    event = case.event_type(
        field_0=False, field_1=0, field_2=0, field_3=0.0, field_4=0.0, field_5="", field_6=b"",
        field_7=bytes(3), field_8=Mood.CALM,
    )  # fmt: skip
    decoder = RecordDecoder(case.event_type, case.schema, case.schema, Limits())

    assert event == decoder.decode(written(case.schema, event))
