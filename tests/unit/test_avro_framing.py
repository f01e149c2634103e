"""The bytes in front of a record, and the whole record as Confluent's serializer writes it."""

from __future__ import annotations

import json
from io import BytesIO

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.avro.fingerprint import canonical
from streams.avro.framing import FRAME_BYTES, frame, split
from streams.avro.reasons import Reason
from streams.avro.records import RecordEncoder
from streams.errors import Undecodable
from tests.unit.avro_kinds import as_dict, cases


@given(st.integers(0, 2**31 - 1))
def test_an_id_comes_back_from_its_frame(schema_id):
    """Any client finds the schema by these four bytes."""
    framed = frame(schema_id)

    assert schema_id == split(framed + b"payload")
    assert FRAME_BYTES == len(framed)


def test_a_frame_is_zero_and_the_id_with_its_highest_byte_first():
    """Confluent's wire format, written out."""
    assert b"\x00\x00\x00\x01\x02" == frame(258)


@pytest.mark.parametrize("schema_id", [-1, 2**31])
def test_an_id_of_more_than_31_bits_is_refused(schema_id):
    """Java reads the four bytes as a signed number."""
    with pytest.raises(ValueError, match="32-bit"):
        frame(schema_id)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", Reason.BAD_MAGIC),
        (b"{}", Reason.BAD_MAGIC),
        (b"\x01\x00\x00\x00\x01", Reason.BAD_MAGIC),
        (b"\x00\x00\x00\x01", Reason.TRUNCATED),
    ],
)
def test_a_value_without_a_frame_is_undecodable(value, reason):
    """Somebody else's bytes are on the topic."""
    with pytest.raises(Undecodable) as refusal:
        split(value)

    assert reason == refusal.value.reason


@given(st.data(), cases())
def test_bytes_are_the_documented_ones(data, case):
    """Magic byte, id, then what fastavro writes: what Confluent's serializer is said to do."""
    event = data.draw(case.events)
    stream = BytesIO(b"\x00\x00\x00\x00\x2a")
    stream.seek(0, 2)
    parsed = fastavro.parse_schema(canonical(case.schema))
    fastavro.schemaless_writer(stream, parsed, as_dict(event))

    assert stream.getvalue() == RecordEncoder(case.event_type, case.schema, 42).encode(event)


@settings(max_examples=30)
@given(st.data(), cases())
def test_bytes_are_those_of_confluents_serializer(data, case):
    """Needs the packages of `confluent-kafka[schemaregistry]`; without them it is skipped."""
    avro = pytest.importorskip("confluent_kafka.schema_registry.avro", exc_type=ImportError)
    from confluent_kafka.schema_registry import (
        Schema,
        SchemaRegistryClient,
        topic_record_subject_name_strategy,
    )
    from confluent_kafka.serialization import MessageField, SerializationContext

    event = data.draw(case.events)
    text = json.dumps(canonical(case.schema))
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    schema_id = client.register_schema("shop.rows-shop.Row", Schema(text, "AVRO"))
    conf = {
        "auto.register.schemas": False,
        "subject.name.strategy": topic_record_subject_name_strategy,
    }
    serialize = avro.AvroSerializer(client, text, conf=conf)

    theirs = serialize(as_dict(event), SerializationContext("shop.rows", MessageField.VALUE))

    assert theirs == RecordEncoder(case.event_type, case.schema, schema_id).encode(event)
