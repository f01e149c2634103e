"""Which changes of a schema can be released: Avro's resolution rules, and two of our own."""

from __future__ import annotations

import pytest
from hypothesis import given

from streams.avro.compatibility import PROMOTIONS, check_compatible
from tests.unit.avro_evolution import evolutions
from tests.unit.avro_kinds import cases

PRIMITIVES = ["boolean", "int", "long", "float", "double", "string", "bytes"]
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
NODE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}


def record(*fields, name="Row"):
    return {"type": "record", "name": name, "namespace": "shop", "fields": list(fields)}


def field(type_, name="value", **more):
    return {"name": name, "type": type_, **more}


def enum(*symbols, name="Mood", **more):
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size, name="Hash"):
    return {"type": "fixed", "name": name, "size": size}


def inner(*fields, name="Inner"):
    return {"type": "record", "name": name, "fields": list(fields)}


def array(items):
    return {"type": "array", "items": items}


def decimal(scale):
    return {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": scale}


def problems(old, new):
    return [str(problem) for problem in check_compatible(record(old), record(new))]


@pytest.mark.parametrize("old", PRIMITIVES)
@pytest.mark.parametrize("new", PRIMITIVES)
def test_a_number_may_grow_and_text_may_become_bytes(old, new):
    """Avro's table of promotions, whole."""
    wanted = old == new or (old, new) in PROMOTIONS

    assert wanted == (not problems(field(old), field(new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("long", ["null", "long"]),
        ("int", ["null", "long"]),
        (["null", "int"], ["null", "long"]),
        (enum("A"), enum("B", "A")),
        (enum("A", "B"), enum("A", default="A")),
        (fixed(3), fixed(3)),
        (array("int"), array("long")),
        ({"type": "map", "values": "int"}, {"type": "map", "values": "double"}),
        (inner(field("int")), inner(field("long"), field("long", "new", default=0))),
        (inner(field("int"), field("string", "gone")), inner(field("int"))),
        (MICROS, MICROS),
        (NODE, NODE),
        ({"type": "long"}, "long"),
    ],
)
def test_what_avro_can_read_is_compatible(old, new):
    """Each is a change that a release may make."""
    assert [] == problems(field(old), field(new))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("string", "long", "value: found long, wanted string"),
        (["null", "long"], "long", "value: found long, wanted null"),
        ("string", ["null", "long"], "value: found null or long, wanted a union with string"),
        (enum("A", "B"), enum("A"), "value: found an enum without B, wanted every released symbol, "
         "or a default"),
        (enum("A"), enum("A", name="Tone"), "value: found enum shop.Tone, wanted enum shop.Mood"),
        (fixed(3), fixed(4), "value: found size 4, wanted size 3"),
        (fixed(3), fixed(3, "Sum"), "value: found fixed shop.Sum, wanted fixed shop.Hash"),
        (array("long"), array("int"), "value[]: found int, wanted long"),
        ({"type": "map", "values": "long"}, {"type": "map", "values": "string"},
         "value{}: found string, wanted long"),
        (array("long"), "long", "value: found long, wanted array of long"),
        (inner(field("long", "a")), inner(field("int", "a")), "value.a: found int, wanted long"),
        (inner(), inner(field("int", "a")), "value.a: found a new field without default, "
         "wanted a default"),
        (MICROS, MILLIS, "value: found timestamp-millis, wanted timestamp-micros"),
        (MICROS, "long", "value: found long, wanted timestamp-micros"),
        ("long", MICROS, "value: found timestamp-micros, wanted long"),
        (decimal(2), decimal(3), "value: found decimal, wanted decimal"),
        (array(inner(field(["null", "int"], "a"))), array(inner(field("int", "a"))),
         "value[].a: found int, wanted null"),
    ],
)  # fmt: skip
def test_what_avro_cannot_read_is_named_with_its_path(old, new, problem):
    """The person who changed the schema looks at exactly that field."""
    assert [problem] == problems(field(old), field(new))


def test_every_problem_is_found_at_once():
    """One run of the check tells everything that must be mended."""
    old = record(field("string", "a"), field("long", "b"))
    new = record(field("long", "a"), field("int", "b"), field("long", "c"))

    found = check_compatible(old, new)

    assert ["a", "b", "c"] == [problem.path for problem in found]


def test_a_record_of_another_name_is_another_record():
    """The name is what the log's records are found by."""
    (problem,) = check_compatible(record(), record(name="Line"))

    assert "record: found record shop.Line, wanted record shop.Row" == str(problem)


def test_the_same_name_twice_is_compared_with_what_it_stands_for():
    """A reference means the definition, on either side."""
    old = record(field(fixed(3), "a"), field("Hash", "b"))
    new = record(field("shop.Hash", "b"), field(fixed(4), "a"))

    assert ["b", "a"] == [problem.path for problem in check_compatible(old, new)]


def test_a_change_inside_a_recursive_type_is_found():
    """The walk neither runs for ever nor stops too early."""
    old = inner(field(["null", "Inner"], "next"), field("string", "text"))
    new = inner(field(["null", "Inner"], "next"), field("long", "text"))

    assert ["value.text: found long, wanted string"] == problems(field(old), field(new))


@given(cases())
def test_every_schema_reads_itself(case):
    """The smallest promise of a check."""
    assert [] == check_compatible(case.schema, case.schema)


@given(evolutions())
def test_what_decoders_read_is_compatible(evolution):
    """The check and the decoders must agree on every kind of change."""
    assert [] == check_compatible(evolution.written.schema, evolution.reader)
