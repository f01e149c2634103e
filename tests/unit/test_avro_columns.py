"""Batches as columns: the same answer as one record at a time, for every type and every damage."""

from __future__ import annotations

from io import BytesIO
from unittest import mock

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.avro.columns import ColumnDecoder
from streams.avro.fingerprint import canonical
from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.avro.records import RecordDecoder
from streams.avro.varint import long_bytes
from streams.errors import Undecodable
from streams.events.message import Message
from tests.unit.avro_evolution import evolutions
from tests.unit.avro_kinds import COLUMNAR, HARD, PLACE, case_of, cases, damaged, written

LIMITS = Limits()


def one_by_one(decoder, payloads):
    """What the judge says: an event, or the reason why there is none."""
    answers = []
    for payload in payloads:
        try:
            answers.append(decoder.decode(payload))
        except Undecodable as undecodable:
            answers.append(undecodable.reason)
    return answers


def as_columns(decoder, payloads):
    return [
        answer.reason if isinstance(answer, Undecodable) else answer
        for answer in decoder.decode(payloads)
    ]


def fits(payload, writer, reader):
    """Whether fastavro alone takes the whole payload for a record."""
    stream = BytesIO(payload)
    try:
        fastavro.schemaless_reader(
            stream,
            fastavro.parse_schema(canonical(writer)),
            fastavro.parse_schema(canonical(reader)),
        )
    except Exception:
        return False
    return stream.tell() == len(payload)


def never():
    """Makes the record path fail, to show that columns alone gave the answer."""
    return mock.patch.object(RecordDecoder, "decode", side_effect=AssertionError("record path"))


@pytest.mark.parametrize("kind", COLUMNAR, ids=lambda kind: kind.name)
@settings(max_examples=15)
@given(data=st.data())
def test_columns_alone_read_every_kind_of_field(kind, data):
    """A kind that fell back in silence would be three times slower."""
    case = case_of([kind, COLUMNAR[2]])
    events = data.draw(st.lists(case.events, min_size=1, max_size=8))
    payloads = [written(case.schema, event) for event in events]
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)

    with never():
        decoded = decoder.decode(payloads)

    assert events == decoded


@given(st.data(), cases())
def test_columns_equal_record_by_record(data, case):
    """An event's values must not depend on the size of the batch it comes in."""
    events = data.draw(st.lists(case.events, max_size=6))
    payloads = [written(case.schema, event) for event in events]
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)
    judge = RecordDecoder(case.event_type, case.schema, case.schema, LIMITS)

    decoded = decoder.decode(payloads)

    assert events == decoded == one_by_one(judge, payloads)
    assert [list(map(type, _values(event))) for event in events] == [
        list(map(type, _values(event))) for event in decoded
    ]


def _values(event):
    return [getattr(event, name) for name in event.__struct_fields__]


@given(st.data(), evolutions())
def test_columns_equal_record_by_record_across_releases(data, evolution):
    """A replay reads every version ever released."""
    events = data.draw(st.lists(evolution.written.events, min_size=1, max_size=5))
    payloads = [written(evolution.written.schema, event) for event in events]
    schemas = evolution.written.schema, evolution.reader
    decoder = ColumnDecoder(evolution.event_type, *schemas, LIMITS)
    judge = RecordDecoder(evolution.event_type, *schemas, LIMITS)

    decoded = as_columns(decoder, payloads)

    assert one_by_one(judge, payloads) == decoded
    assert [fits(payload, *schemas) for payload in payloads] == [
        not isinstance(answer, str) for answer in decoded
    ]


@settings(max_examples=300)
@given(st.data(), cases(tuple(COLUMNAR)))
def test_columns_accept_damaged_bytes_if_and_only_if_fastavro_does(data, case):
    """Kinder columns would make an answer depend on the batch, stricter ones lose records."""
    events = data.draw(st.lists(case.events, min_size=1, max_size=4))
    payloads = [written(case.schema, event) for event in events]
    hit = data.draw(st.integers(0, len(payloads) - 1))
    payloads[hit] = data.draw(damaged(payloads[hit]))
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)
    judge = RecordDecoder(case.event_type, case.schema, case.schema, LIMITS)

    decoded = as_columns(decoder, payloads)

    assert repr(one_by_one(judge, payloads)) == repr(decoded)
    assert [fits(payload, case.schema, case.schema) for payload in payloads] == [
        not isinstance(answer, str) for answer in decoded
    ]


@settings(max_examples=200)
@given(st.data(), evolutions())
def test_columns_and_records_refuse_the_same_damage_across_releases(data, evolution):
    """Removed fields are skipped, which is where decoders differ most."""
    event = data.draw(evolution.written.events)
    payloads = [written(evolution.written.schema, event)]
    payloads.append(data.draw(damaged(payloads[0])))
    schemas = evolution.written.schema, evolution.reader

    decoded = as_columns(ColumnDecoder(evolution.event_type, *schemas, LIMITS), payloads)

    judge = RecordDecoder(evolution.event_type, *schemas, LIMITS)
    assert repr(one_by_one(judge, payloads)) == repr(decoded)


@pytest.mark.parametrize("kind", [*HARD, PLACE], ids=lambda kind: kind.name)
@settings(max_examples=15)
@given(data=st.data())
def test_what_columns_cannot_hold_is_read_record_by_record(kind, data):
    """Slower, and never wrong."""
    case = case_of([kind])
    events = data.draw(st.lists(case.events, min_size=1, max_size=3))
    payloads = [written(case.schema, event) for event in events]
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)

    decoded = decoder.decode(payloads)

    assert events == decoded


def test_only_the_bad_record_of_a_batch_is_refused():
    """One poisoned record must not take its neighbours with it."""
    case = case_of([COLUMNAR[2], COLUMNAR[5]])
    events = [case.event_type(field_0=n, field_1=str(n)) for n in range(1_000)]
    payloads = [written(case.schema, event) for event in events]
    payloads[500] = payloads[500][:-1]
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)

    decoded = decoder.decode(payloads)

    assert Reason.TRUNCATED == decoded.pop(500).reason
    assert events[:500] + events[501:] == decoded


def test_a_record_that_swallows_its_neighbour_is_found():
    """A length that runs over the end would otherwise read the next record as its own text."""
    case = case_of([COLUMNAR[5]])
    payloads = [written(case.schema, case.event_type(field_0=text)) for text in ("ab", "cd", "ef")]
    payloads[0] = b"\x1a" + payloads[0][1:]  # 13 bytes: the rest, a guard, the next record
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)

    decoded = as_columns(decoder, payloads)

    assert Reason.TRUNCATED == decoded[0]
    assert ["cd", "ef"] == [event.field_0 for event in decoded[1:]]


def test_a_branch_that_does_not_exist_is_refused_in_any_batch():
    """Polars takes branch 2 of a union of two for its value."""
    case = case_of([COLUMNAR[len(COLUMNAR) // 3 + 2]])
    assert "nullable long" == case.kinds[0].name
    payloads = [b"\x00", b"\x02\x0a", b"\x04\x0a"]
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)

    decoded = as_columns(decoder, payloads)

    assert Reason.INVALID_VALUE == decoded.pop()
    assert [None, 5] == [event.field_0 for event in decoded]


class Stamped(Message, frozen=True, gc=False):
    avro_name = "shop.Row"

    occurred_at: int


@pytest.mark.parametrize("number", [253_402_300_800_000_000, -62_135_596_800_000_001])
def test_a_number_that_is_no_time_is_refused_in_a_batch(number):
    """The struct could hold it, and no clock could show it."""
    micros = {"type": "long", "logicalType": "timestamp-micros"}
    schema = {**case_of([]).schema, "fields": [{"name": "occurred_at", "type": micros}]}
    decoder = ColumnDecoder(Stamped, schema, schema, LIMITS)

    decoded = as_columns(decoder, [b"\x02", long_bytes(number), b"\x04"])

    assert [Stamped(1), Reason.INVALID_VALUE, Stamped(2)] == decoded


def test_bytes_before_the_payload_are_passed_over():
    """A batch is joined as it came, frames and all."""
    case = case_of([COLUMNAR[2]])
    event = case.event_type(field_0=5)
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS, prefix_bytes=5)

    with never():
        decoded = decoder.decode([b"frame" + written(case.schema, event)] * 3)

    assert [event] * 3 == decoded


def test_a_large_batch_is_read_in_parts():
    """The memory that columns take is bounded, whatever a batch holds."""
    case = case_of([COLUMNAR[5]])
    events = [case.event_type(field_0=f"{n}" * 200_000) for n in range(9)] * 3
    payloads = [written(case.schema, event) for event in events]
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, LIMITS)

    with never():
        decoded = decoder.decode(payloads)

    assert events == decoded


@pytest.mark.parametrize("kind", [COLUMNAR[5], *HARD[:1]], ids=lambda kind: kind.name)
def test_limits_hold_in_a_batch(kind):
    """A record is as hard on memory with neighbours as without."""
    case = case_of([kind])
    few = Limits(max_bytes=50, max_items=10)
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, few)

    decoded = as_columns(decoder, [b"\x00", b"\x7e" + bytes(63)])

    assert [case.event_type(field_0="" if kind is COLUMNAR[5] else []), Reason.TOO_LARGE] == decoded


def test_items_are_counted_in_a_batch():
    """The largest payload tells whether any can hold too many."""
    (kind,) = (kind for kind in COLUMNAR if kind.name == "array of long")
    case = case_of([kind])
    decoder = ColumnDecoder(case.event_type, case.schema, case.schema, Limits(max_items=10))

    decoded = as_columns(decoder, [b"\x14" + bytes(11), b"\x16" + bytes(12)])

    assert [case.event_type(field_0=[0] * 10), Reason.TOO_MANY_ITEMS] == decoded
