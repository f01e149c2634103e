"""Every kind of field a schema may have, with its Python type and values of it, for properties."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from typing import Any

import fastavro
import msgspec
from hypothesis import strategies as st

from streams.avro.fingerprint import canonical
from streams.events.message import Message

LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70)
INTS = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.text(max_size=5)
MICROS = st.datetimes(timezones=st.just(dt.UTC))
MILLIS = MICROS.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


class Mood(StrEnum):
    CALM = "CALM"
    GLAD = "GLAD"
    SAD = "SAD"


class Place(Message, frozen=True, gc=False):
    avro_name = "shop.Place"

    name: str
    near: list[int]


@dataclass(frozen=True)
class Kind:
    """A type: its schema when it is field number n, its annotation, and its values."""

    name: str
    schema: Callable[[int], Any]
    annotation: Any
    values: st.SearchStrategy[Any]
    is_columnar: bool = True


def plain(name, annotation, values):
    return Kind(name, lambda n: name, annotation, values)


def logical(base, name, annotation, values, **more):
    schema = {"type": base, "logicalType": name, **more}
    return Kind(name, lambda n: schema, annotation, values)


def decimal_on(base, **more):
    return Kind(
        f"decimal on {base}",
        lambda n: (
            {"type": base, "logicalType": "decimal", "precision": 6, "scale": 2}
            | ({"name": f"Price{n}", "size": 4} if base == "fixed" else {})
        ),
        Decimal,
        st.integers(-(10**6) + 1, 10**6 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
    )


LEAVES = [
    plain("boolean", bool, st.booleans()),
    plain("int", int, INTS),
    plain("long", int, LONGS),
    plain("float", float, st.floats(width=32, allow_nan=False)),
    plain("double", float, st.floats(allow_nan=False)),
    plain("string", str, TEXTS),
    plain("bytes", bytes, st.binary(max_size=5)),
    Kind(
        "fixed",
        lambda n: {"type": "fixed", "name": f"Fixed{n}", "size": 3},
        bytes,
        st.binary(min_size=3, max_size=3),
    ),
    Kind(
        "enum",
        lambda n: {"type": "enum", "name": f"Mood{n}", "symbols": [mood.value for mood in Mood]},
        Mood,
        st.sampled_from(Mood),
    ),
    logical("string", "uuid", uuid.UUID, st.uuids()),
    logical("long", "timestamp-micros", dt.datetime, MICROS),
    logical("long", "timestamp-millis", dt.datetime, MILLIS),
    logical("int", "date", dt.date, st.dates()),
    logical("long", "time-micros", dt.time, st.times()),
    decimal_on("bytes"),
    decimal_on("fixed"),
]
"""What has no parts."""


def nullable(kind):
    return Kind(
        f"nullable {kind.name}",
        lambda n: ["null", kind.schema(n)],
        kind.annotation | None,
        st.none() | kind.values,
        kind.is_columnar,
    )


def array(kind):
    return Kind(
        f"array of {kind.name}",
        lambda n: {"type": "array", "items": kind.schema(n)},
        list[kind.annotation],
        st.lists(kind.values, max_size=3),
        kind.is_columnar,
    )


def hard(kind):
    return Kind(kind.name, kind.schema, kind.annotation, kind.values, is_columnar=False)


PLACE = Kind(
    "record",
    lambda n: {
        "type": "record",
        "name": "Place" if n == 0 else f"Place{n}",
        "fields": [
            {"name": "name", "type": "string"},
            {"name": "near", "type": {"type": "array", "items": "long"}},
        ],
    },
    Place,
    st.builds(Place, name=TEXTS, near=st.lists(LONGS, max_size=2)),
    is_columnar=False,
)
LONG = LEAVES[2]
COLUMNAR = [*LEAVES, *map(nullable, LEAVES), *map(array, LEAVES)]
HARD = [
    hard(array(nullable(LONG))),
    hard(array(array(LONG))),
    hard(nullable(array(LONG))),
    Kind(
        "map",
        lambda n: {"type": "map", "values": "long"},
        dict[str, int],
        st.dictionaries(TEXTS, LONGS, max_size=2),
        is_columnar=False,
    ),
    Kind("wide union", lambda n: ["long", "null", "string"], int | str | None,
         st.none() | LONGS | TEXTS, is_columnar=False),
]  # fmt: skip
KINDS = COLUMNAR + HARD


@dataclass(frozen=True)
class Case:
    """A record type: its schema, its struct, and a strategy for its values."""

    kinds: tuple[Kind, ...]
    schema: dict[str, Any]
    event_type: type[Message]
    events: st.SearchStrategy[Any]

    @property
    def is_columnar(self):
        return all(kind.is_columnar for kind in self.kinds)


def case_of(kinds, order=None):
    """A record type with a field of each kind; its struct has the fields in another order."""
    names = [f"field_{n}" for n in range(len(kinds))]
    fields = [
        {"name": name, "type": kind.schema(n)}
        for n, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    annotations = dict(zip(names, (kind.annotation for kind in kinds), strict=True))
    values = dict(zip(names, (kind.values for kind in kinds), strict=True))
    event_type = struct_of({name: annotations[name] for name in order or reversed(names)})
    return Case(
        tuple(kinds),
        {"type": "record", "name": "Row", "namespace": "shop", "fields": fields},
        event_type,
        st.builds(event_type, **values),
    )


def struct_of(annotations, defaults=()):
    """A frozen struct of the record `shop.Row`."""
    own = dict(defaults)
    fields = [
        (name, annotation, own[name]) if name in own else (name, annotation)
        for name, annotation in annotations.items()
    ]
    return msgspec.defstruct(
        "Row", fields, bases=(Message,), namespace={"avro_name": "shop.Row"}, frozen=True, gc=False
    )


def cases(kinds=tuple(KINDS), max_size=5):
    """Record types with some fields."""
    return st.lists(st.sampled_from(kinds), min_size=1, max_size=max_size).map(case_of)


def written(schema, event):
    """The Avro binary of an event, by fastavro."""
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(canonical(schema)), as_dict(event))
    return stream.getvalue()


def as_dict(value):
    """A struct as the dict that fastavro writes."""
    if isinstance(value, Message):
        return {name: as_dict(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, list):
        return [as_dict(item) for item in value]
    return value


@st.composite
def damaged(draw, payload):
    """The payload after an accident: cut, lengthened, or with some bytes changed."""
    data = bytearray(payload)
    accident = draw(st.sampled_from(["cut", "append", "change", "change", "insert"]))
    place = draw(st.integers(0, max(0, len(data) - 1)))
    if accident == "cut":
        del data[place:]
    elif accident == "append":
        data += draw(st.binary(min_size=1, max_size=4))
    elif accident == "insert":
        data[place:place] = draw(st.sampled_from([b"\xff" * 9, b"\x80", b"\x02", b"\x01\x00"]))
    elif data:
        data[place] = draw(st.integers(0, 6) | st.integers(0, 255))
    return bytes(data)
