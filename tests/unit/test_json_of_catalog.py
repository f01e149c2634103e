"""The JSON form of every type that our catalog declares."""

import json

import pytest

from streams.topics.catalog import Catalog
from streams.topics.jsonform import EventLines, to_json

CATALOG = Catalog.find()
SAMPLES = {
    "int": 7,
    "long": 2**40,
    "float": 0.5,
    "double": 0.25,
    "boolean": True,
    "string": "ä",
    "bytes": "00ff",
}


def sample(field):
    """A JSON value that is not the default of its field."""
    if field["name"] == "event_id":
        return "0190a8f0-0000-7000-8000-000000000001"
    if field["name"] == "occurred_at":
        return "2026-01-31T12:00:00.000001Z"
    kind = field["type"]
    if isinstance(kind, list):
        kind = next(branch for branch in kind if branch != "null")
    if isinstance(kind, str):
        return SAMPLES[kind]
    if kind["type"] == "array":
        return [sample({"name": "", "type": kind["items"]})] * 2
    return kind["symbols"][-1] if kind["type"] == "enum" else SAMPLES[kind["type"]]


@pytest.mark.parametrize(
    "name", [name for topic in CATALOG.topics.values() for name in topic.types]
)
def test_every_field_passes_through_json(name):
    """What `tail` shows of any topic can be emitted elsewhere."""
    event_type = CATALOG.type(name)
    schema = CATALOG.schema(event_type)
    written = {"type": name.rpartition(".")[2]}
    written |= {field["name"]: sample(field) for field in schema["fields"]}

    event = EventLines(CATALOG).parse(json.dumps(written).encode())

    assert written == to_json(event, schema)
    assert CATALOG.encoder(event_type).encode(event)
