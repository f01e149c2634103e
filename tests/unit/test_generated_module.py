"""The generator: from .avsc to a module that formatter, type checker and msgspec all accept."""

from __future__ import annotations

import datetime as dt
import importlib
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from streams.codegen.generate import generate, modules
from streams.codegen.lint import lint
from streams.codegen.source import Sources
from streams.events.message import Event, Message, Result
from tests.unit.shop import STAMPS, Shop, field

ROOT = Path(__file__).parents[2]

LINE = {
    "type": "record",
    "name": "Line",
    "doc": "One line of an order.",
    "fields": [field("note", "string", default=""), field("item_id")],
}
MOOD = {"type": "enum", "name": "Mood", "doc": "How it felt.", "symbols": ["GLAD", "SAD"]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
DATE = {"type": "int", "logicalType": "date"}
UUID = {"type": "string", "logicalType": "uuid"}
FIELDS = [
    field("note", ["null", "string"], default=None),
    field("lines", {"type": "array", "items": LINE}, default=[]),
    field("counts", {"type": "map", "values": "long"}, default={}),
    field("mood", MOOD, default="SAD"),
    field("before", "Mood", default="GLAD"),
    field("amount", DECIMAL),
    field("day", ["null", DATE], default=None),
    field("ref", UUID),
    field("other_id", "EventId"),
    field("raw", "bytes", default="\u0001\u00ff"),
    field("say", "string", default='it\'s "so"\n'),
    field("ratio", "double", default=1),
    field("is_gift", "boolean", default=True),
]

EXPECTED = '''\
"""Types of the area `shop`, generated from `avro/shop/*.avsc`.

Change those files, then run `streams schemas generate`; `streams schemas check` refuses an
edit made here.
"""

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from msgspec import field

from streams.events.message import UNSTAMPED, Event, Message, Result


class Line(Message, frozen=True, gc=False):
    """One line of an order.

    - note: Text.
    - item_id: Text.
    """

    avro_name: ClassVar[str] = "shop.Line"

    item_id: int
    note: str = ""


class Mood(StrEnum):
    """How it felt."""

    GLAD = "GLAD"
    SAD = "SAD"


class OrderPlaced(Event, frozen=True, gc=False):
    """A customer's order \\\\ with a doc that is longer than one line of code may be, so
    that it is wrapped, and that says 'now'.

    - order_id: Text.
    - note: Text.
    - lines: Text.
    - counts: Text.
    - mood: Text.
    - before: Text.
    - amount: Text.
    - day: Text.
    - ref: Text.
    - other_id: Text.
    - raw: Text.
    - say: Text.
    - ratio: Text.
    - is_gift: Text.
    """

    avro_name: ClassVar[str] = "shop.OrderPlaced"

    order_id: int
    amount: Decimal
    ref: UUID
    other_id: bytes
    note: str | None = None
    lines: list[Line] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    mood: Mood = Mood.SAD
    before: Mood = Mood.GLAD
    day: dt.date | None = None
    raw: bytes = b"\\x01\\xff"
    say: str = 'it\\'s "so"\\n'
    ratio: float = 1.0
    is_gift: bool = True
    event_id: bytes = UNSTAMPED
    occurred_at: int = 0


class OrdersCounted(Result, frozen=True, gc=False):
    """Text.

    - order_id: Text.
    - orders: Text.
    """

    avro_name: ClassVar[str] = "shop.OrdersCounted"

    order_id: int
    orders: int
'''

LONG_DOC = (
    "A customer's order \\ with a doc that is longer than one line of code may be, so that it is "
    'wrapped, and that says "now".'
)


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    shop.write("OrderPlaced", [*STAMPS, field("order_id"), *FIELDS], doc=LONG_DOC)
    return shop


@pytest.fixture
def generated(shop, monkeypatch):
    """The generated module, imported under a name of its own."""
    sources = Sources.read(shop.folder)
    path = shop.root / "generated_shop.py"
    path.write_text(modules(sources)[shop.folder / "shop.py"], encoding="utf-8")
    monkeypatch.syspath_prepend(str(shop.root))
    yield importlib.import_module("generated_shop")
    sys.modules.pop("generated_shop", None)


def test_the_module_is_written_as_a_person_would(shop):
    """Required fields first, stamps last, inner types before those that use them."""
    sources = Sources.read(shop.folder)

    text = modules(sources)[shop.folder / "shop.py"]

    assert lint(sources) == []
    assert EXPECTED == text


def test_the_module_is_one_the_interpreter_accepts(generated):
    """Each base tells whether a type has an identity."""
    bases = [
        cls.__base__ for cls in (generated.OrderPlaced, generated.OrdersCounted, generated.Line)
    ]

    assert [Event, Result, Message] == bases
    assert generated.OrderPlaced.avro_name == "shop.OrderPlaced"


def test_annotations_are_what_the_codec_hands_over(generated):
    """msgspec resolves them when a struct is first converted."""
    order = msgspec.convert(
        {"order_id": 1, "amount": "1.50", "ref": "12345678123456781234567812345678",
         "other_id": b"", "day": dt.date(2026, 1, 2), "mood": "GLAD",
         "lines": [{"item_id": 4}]},
        generated.OrderPlaced,
        builtin_types=(bytes, dt.date),
    )  # fmt: skip

    assert order.mood is generated.Mood.GLAD
    assert order.lines == [generated.Line(item_id=4)]
    assert 'it\'s "so"\n' == order.say


def test_defaults_of_lists_are_not_shared(generated):
    """A list that two events share would change under one of them."""
    one, other = (
        generated.OrderPlaced(order_id=1, amount=0, ref=None, other_id=b"") for _ in range(2)
    )

    one.lines.append(3)

    assert other.lines == []


@pytest.mark.parametrize("linter", ["format --check --diff", "check --select F,E,W,I,UP"])
@pytest.mark.parametrize("module", ["shop", "social", "counters", "demo"])
def test_the_module_is_clean_for_formatters_and_linters(shop, module, linter, tmp_path):
    """A project of a user formats all its files, these too."""
    text = EXPECTED if module == "shop" else (ROOT / f"schemas/{module}.py").read_text("utf-8")
    options = ["--isolated", "--line-length", "100", "--stdin-filename", "module.py"]
    if "select" in linter:
        options += ["--config", 'lint.isort.known-first-party = ["streams"]']

    done = subprocess.run(
        [sys.executable, "-m", "ruff", *linter.split(), *options, "-"],
        input=text, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr if done.returncode else ""), done.stdout


def test_generating_twice_writes_once(shop):
    """An untouched file keeps its time stamp, and a build has nothing to do."""
    first = generate(Sources.read(shop.folder))

    again = generate(Sources.read(shop.folder))

    assert {"shop.py", "lock.json"} == {path.name for path in first}
    assert again == []


def test_each_area_is_a_module_of_its_own(shop):
    """Two areas may have types of one name."""
    shop.write("OrderPlaced", [*STAMPS, field("order_id")], area="store")

    texts = modules(Sources.read(shop.folder))

    assert {"shop.py", "store.py"} == {path.name for path in texts}
    assert '"store.OrderPlaced"' in texts[shop.folder / "store.py"]


def test_an_emitters_imports_stay_light():
    """A program that only emits has no engine installed."""
    code = (
        "import sys, schemas.social, schemas.counters, schemas.demo\n"
        "print(sorted({'polars', 'rocksdict', 'pyroaring', 'confluent_kafka', 'fastavro'}"
        " & set(sys.modules)))"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout

    assert shown.strip() == "[]"
