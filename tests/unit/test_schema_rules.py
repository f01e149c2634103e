"""Rules of the schema linter: each names the file, the path of the field, and what to do."""

from __future__ import annotations

import json

import pytest

from streams.codegen.lint import lint
from streams.codegen.source import Sources
from streams.errors import SchemaRefused
from tests.unit.shop import EVENT_ID, OCCURRED_AT, STAMPS, TOPICS, Shop, field

EMPTY = {"type": "record", "name": "Empty", "doc": "Text.", "fields": []}
NODE = {
    "type": "record",
    "name": "Node",
    "doc": "Text.",
    "fields": [field("next", ["null", "Node"], default=None)],
}
ENUM = {"type": "enum", "name": "Mood", "doc": "Text.", "symbols": ["GLAD", "SAD"]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def problems(shop):
    return lint(Sources.read(shop.folder))


def only(shop):
    """The one problem there is."""
    (found,) = problems(shop)
    return found


def test_a_plain_folder_has_no_problems(shop):
    """The rules must let the usual pass."""
    assert problems(shop) == []


FINE = [
    field("amount", DECIMAL),
    field("day", {"type": "int", "logicalType": "date"}),
    field("at", {"type": "long", "logicalType": "timestamp-millis"}),
    field("ref", {"type": "string", "logicalType": "uuid"}),
    field("mood", ENUM, default="GLAD"),
    field("maybe", ["null", "string"], default=None),
    field("names", {"type": "array", "items": "string"}, default=[]),
    field("counts", {"type": "map", "values": "long"}, default={}),
    field("raw", "bytes", default="\u00ff"),
    field("code", {"type": "fixed", "name": "Code", "size": 2}, default="ab"),
    field("ratio", "double", default=1),
    field("flag", "boolean", default=False),
    field("other", "EventId"),
    field("address", {**EMPTY, "name": "Address", "fields": [field("street", "string")]}),
]


@pytest.mark.parametrize("fine", FINE, ids=lambda one: one["name"])
def test_every_kind_of_field_that_python_can_hold_is_allowed(shop, fine):
    """What the codec reads and writes need not be forbidden."""
    shop.place(fine)

    assert problems(shop) == []


BAD_TYPES = {
    "a type that contains itself": (NODE, ".next", "Node inside itself"),
    "nulls in a list": ({"type": "array", "items": "null"}, "[]", "null"),
    "empty records in a list": ({"type": "array", "items": EMPTY}, "[]", "no fields"),
    "empty fixed in a map": (
        {"type": "map", "values": {"type": "fixed", "name": "Nil", "size": 0}}, "{}", "size 0"
    ),
    "null alone": ("null", "", "null"),
    "a choice of types": (["string", "long"], "", "union"),
    "three branches": (["null", "string", "long"], "", "union"),
    "a name defined nowhere": ("Address", "", "'Address'"),
    "a type of another area": ("store.Address", "", "'store.Address'"),
    "no Avro type": ({"type": "text"}, "", "'text'"),
    "no type at all": ({"name": "x"}, "", "{'name': 'x'}"),
    "an unknown logical type": ({"type": "long", "logicalType": "money"}, "", "'money' on long"),
    "a logical type on the wrong base": ({"type": "long", "logicalType": "uuid"}, "", "'uuid'"),
    "a decimal without precision": ({"type": "bytes", "logicalType": "decimal"}, "", "precision"),
    "a misspelt attribute": ({"type": "array", "item": "long", "items": "long"}, "", "'item'"),
    "an enum without symbols": ({**ENUM, "symbols": []}, "", "symbols"),
    "an enum with a symbol twice": ({**ENUM, "symbols": ["A", "A"]}, "", "symbols"),
    "a small symbol": ({**ENUM, "symbols": ["glad"]}, "", "'glad'"),
    "an enum without doc": ({**ENUM, "doc": ""}, "", "without doc"),
    "an enum default that is no symbol": ({**ENUM, "default": "BAD"}, "", "'BAD'"),
    "a name that the module uses": ({**ENUM, "name": "Event"}, "", "'Event'"),
    "a namespace of another area": ({**ENUM, "namespace": "store"}, "", "'store'"),
    "a name defined twice": ({"type": "fixed", "name": "EventId", "size": 16}, "", "EventId"),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "below", "found"), BAD_TYPES.values(), ids=BAD_TYPES)
def test_a_type_that_cannot_be_held_is_refused_by_its_path(shop, schema, below, found):
    """The path must lead to the very place, also inside a list, a map or a record."""
    more = {"default": None} if isinstance(schema, list) else {}
    shop.place(field("thing", schema, **more))

    problem = only(shop)

    assert f"shop.OrderPlaced.thing{below}" == problem.path
    assert found in problem.message
    assert problem.file.endswith("OrderPlaced.avsc")


BAD_DEFAULTS = {
    "nullable without default": (["null", "long"], {}),
    "nullable with a value": (["null", "long"], {"default": 3}),
    "a number as text": ("string", {"default": 3}),
    "a flag as a number": ("long", {"default": True}),
    "null where it may not be": ("long", {"default": None}),
    "too large for an int": ("int", {"default": 2**31}),
    "infinity": ("double", {"default": float("inf")}),
    "a list with items": ({"type": "array", "items": "long"}, {"default": [1]}),
    "bytes beyond a byte": ("bytes", {"default": "€"}),
    "fixed of another size": ({"type": "fixed", "name": "Code", "size": 2}, {"default": "abc"}),
    "no symbol": (ENUM, {"default": "BAD"}),
    "a logical type": (DECIMAL, {"default": ""}),
}


@pytest.mark.parametrize(("schema", "more"), BAD_DEFAULTS.values(), ids=BAD_DEFAULTS)
def test_a_default_that_does_not_fit_is_refused(shop, schema, more):
    """Every reader of an older record would be given it."""
    shop.place(field("thing", schema, **more))

    problem = only(shop)

    assert problem.path == "shop.OrderPlaced.thing"
    assert "default" in problem.message


@pytest.mark.parametrize("name", ["class", "time", "type", "int", "Big", "_x", "avro_name"])
def test_a_field_name_that_hides_another_is_refused(shop, name):
    """`class` is no Python name, `time` hides a property, `type` the key of the JSON form."""
    shop.place(field(name))

    assert only(shop).path == f"shop.OrderPlaced.{name}"


def test_a_field_twice_is_refused(shop):
    """One of them could never be read."""
    shop.place(field("note"), field("note"))

    assert only(shop).message == "found a second field of that name, wanted one"


def test_a_missing_doc_is_refused_with_the_field_it_is_missing_on(shop):
    """The next reader has nothing else."""
    shop.place({"name": "note", "type": "string"})

    assert "shop.OrderPlaced.note: found no doc" in str(only(shop))


def test_a_record_needs_a_doc_as_well(shop):
    """It becomes the docstring of the class."""
    shop.write("OrderPlaced", [*STAMPS, field("order_id")], doc=" ")

    assert only(shop).path == "shop.OrderPlaced"


BAD_STAMPS = {
    "event_id missing": ([OCCURRED_AT, field("order_id")], "event_id"),
    "wrong order": ([OCCURRED_AT, EVENT_ID, field("order_id")], "event_id"),
    "occurred_at later": ([EVENT_ID, field("order_id"), OCCURRED_AT], "occurred_at"),
    "a text as id": ([{**EVENT_ID, "type": "string"}, OCCURRED_AT, field("order_id")], "event_id"),
    "a logical type on the id": (
        [
            {**EVENT_ID, "type": {**EVENT_ID["type"], "logicalType": "decimal", "precision": 4}},
            OCCURRED_AT, field("order_id"),
        ],
        "event_id",
    ),
    "milliseconds": (
        [
            EVENT_ID, {**OCCURRED_AT, "type": {"type": "long", "logicalType": "timestamp-millis"}},
            field("order_id"),
        ],
        "occurred_at",
    ),
    "nothing but an id": ([EVENT_ID], "occurred_at"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "name"), BAD_STAMPS.values(), ids=BAD_STAMPS)
def test_an_event_must_begin_with_its_identity_and_time(shop, fields, name):
    """Duplicates are recognised by the one, timers and windows live by the other."""
    shop.write("OrderPlaced", fields)

    found = {problem.path for problem in problems(shop)}

    assert f"shop.OrderPlaced.{name}" in found


@pytest.mark.parametrize("stamp", STAMPS, ids=lambda one: one["name"])
def test_a_result_must_not_have_identity_or_time(shop, stamp):
    """It says what is, not what happened; its position travels in headers."""
    shop.write("OrdersCounted", [stamp, field("order_id")])

    assert only(shop).path == f"shop.OrdersCounted.{stamp['name']}"


def test_an_upsert_on_a_facts_topic_has_no_identity_but_a_fact_has(shop):
    """Both kinds share the topic; only `topics.toml` tells them apart."""
    shop.topics(
        '[topics."shop.facts"]\nkind = "facts"\nkey = "order_id"\npartitions = 1\n'
        'retention = "forever"\nevents = ["OrderPlaced"]\nupserts = ["OrdersCounted"]\n'
    )

    assert problems(shop) == []


def test_a_file_must_be_named_after_its_record(shop):
    """Whoever looks for a record looks for its file."""
    (shop.folder / "avro/shop/OrderPlaced.avsc").rename(shop.folder / "avro/shop/Placed.avsc")
    shop.topics(TOPICS.replace("OrderPlaced", "Placed"))

    assert "'OrderPlaced' in Placed.avsc" in only(shop).message


def test_a_namespace_must_be_the_folders_name(shop):
    """Each area is one generated module."""
    shop.write("OrderPlaced", [*STAMPS, field("order_id")], namespace="store")

    assert any("'store'" in problem.message for problem in problems(shop))


def test_two_definitions_of_one_name_in_an_area_are_refused(shop):
    """The area's module has room for one class of a name."""
    shop.place(field("mood", ENUM))
    shop.write("OrdersCounted", [field("order_id"), field("mood", {**ENUM, "symbols": ["CALM"]})])

    assert only(shop).path == "shop.OrdersCounted → Mood"


def test_the_same_name_in_two_areas_is_fine(shop):
    """Each area has a module of its own."""
    shop.write("OrderPlaced", [*STAMPS, field("order_id")], area="store")
    shop.topics(TOPICS + TOPICS.replace("shop.", "store.").partition('[topics."store.counts"]')[0])

    assert problems(shop) == []


@pytest.mark.parametrize("text", ["[]", '"long"', "{", '{"type": "enum"}'])
def test_a_file_that_is_no_record_is_refused(shop, text):
    """Nothing sensible can be said about its fields."""
    (shop.folder / "avro/shop/OrderPlaced.avsc").write_text(text, encoding="utf-8")

    with pytest.raises(SchemaRefused, match=r"OrderPlaced\.avsc: found"):
        Sources.read(shop.folder)


@pytest.mark.parametrize("attribute", ["name", "fields", "doc", "namespace"])
def test_a_record_without_one_of_its_parts_is_refused_not_crashed_on(shop, attribute):
    """Half-written files are what the linter meets most."""
    path = shop.folder / "avro/shop/OrderPlaced.avsc"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record[attribute]
    path.write_text(json.dumps(record), encoding="utf-8")

    assert {problem.path for problem in problems(shop)} == {"shop.OrderPlaced"}


@pytest.mark.parametrize("broken", [3, {"name": 3}, {"type": "long"}, {"name": "x"}])
def test_a_field_that_is_none_is_refused_not_crashed_on(shop, broken):
    """The same for its fields."""
    shop.write("OrderPlaced", [*STAMPS, field("order_id"), broken])

    assert problems(shop)
