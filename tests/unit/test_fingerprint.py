"""The identity of a schema: what changes it, and what does not."""

from __future__ import annotations

import copy

import pytest

from streams.avro.fingerprint import canonical, fingerprint, schema_id

SCHEMA = {
    "type": "record",
    "name": "Placed",
    "namespace": "shop",
    "doc": "An order.",
    "fields": [
        {"name": "id", "type": {"type": "fixed", "name": "Id", "size": 16}, "doc": "Id."},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}, "doc": "When."},
        {"name": "note", "type": ["null", "string"], "doc": "Note.", "default": None},
        {"name": "other", "type": "Id", "doc": "Another."},
    ],
}


def changed(edit):
    schema = copy.deepcopy(SCHEMA)
    edit(schema)
    return schema


SAME = {
    "doc of the record": lambda schema: schema.update(doc="Something else."),
    "doc of a field": lambda schema: schema["fields"][0].pop("doc"),
    "full name": lambda schema: schema.update(name="shop.Placed", namespace=""),
    "full name of a reference": lambda schema: schema["fields"][3].update(type="shop.Id"),
    "order of attributes": lambda schema: schema.update(type=schema.pop("type")),
    "a primitive as an object": lambda schema: schema["fields"][2].update(
        type=["null", {"type": "string"}]
    ),
}
OTHER = {
    "name": lambda schema: schema.update(name="Ordered"),
    "namespace": lambda schema: schema.update(namespace="store"),
    "name of a field": lambda schema: schema["fields"][2].update(name="text"),
    "order of fields": lambda schema: schema["fields"].reverse(),
    "default": lambda schema: schema["fields"][2].pop("default"),
    "logical type": lambda schema: schema["fields"][1].update(type="long"),
    "size": lambda schema: schema["fields"][0]["type"].update(size=8),
}


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME)
def test_what_a_reader_cannot_see_does_not_change_the_fingerprint(edit):
    """Else a better sentence in a doc would be a release."""
    assert fingerprint(SCHEMA) == fingerprint(changed(edit))


@pytest.mark.parametrize("edit", OTHER.values(), ids=OTHER)
def test_what_a_reader_can_see_changes_the_fingerprint(edit):
    """Two meanings under one id could not be told apart in the log."""
    assert fingerprint(SCHEMA) != fingerprint(changed(edit))


def test_the_canonical_form_is_its_own():
    """The lock file holds it, and is read back into it."""
    assert canonical(SCHEMA) == canonical(canonical(SCHEMA))


def test_an_id_is_never_a_registrys_small_number_and_the_same_for_ever():
    """Records in the log carry it; the fixed number here is one of them."""
    assert 2**30 <= schema_id(SCHEMA) < 2**31
    assert schema_id(SCHEMA) == 1_281_615_264
