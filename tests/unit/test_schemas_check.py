"""`streams schemas check`: what it finds in a folder that was generated once and then changed."""

from __future__ import annotations

import json

import pytest

from streams.avro import lock
from streams.codegen.check import check_folder
from streams.codegen.generate import generate
from streams.codegen.source import Sources
from streams.topics.catalog import Catalog
from tests.unit.shop import STAMPS, Shop, field

NOTE = field("note", "string", default="")


@pytest.fixture
def shop(tmp_path):
    """A folder whose first version is released, with a note on the order."""
    shop = Shop(tmp_path)
    shop.place(NOTE)
    generate(Sources.read(shop.folder))
    return shop


def only(shop):
    (found,) = check_folder(shop.folder)
    return found


def test_our_own_schemas_agree_with_lock_file_and_generated_code():
    """What is committed here is what everybody runs."""
    assert check_folder(Catalog.find().folder) == []


def test_a_folder_is_fine_right_after_generating(shop):
    """`generate` writes all that `check` asks for."""
    assert check_folder(shop.folder) == []


def test_a_changed_schema_must_be_generated_and_released(shop):
    """Both files are named, and what to do about them."""
    shop.place(NOTE, field("customer_id", ["null", "long"], default=None))

    found = check_folder(shop.folder)

    assert ["lock.json", "shop.py"] == [one.file.rpartition("/")[2] for one in found]
    assert found[0].path == "shop.orders-shop.OrderPlaced"
    assert all("streams schemas generate" in one.message for one in found)


def test_a_new_doc_is_drift_of_the_code_but_no_release(shop):
    """Docs are no part of a version."""
    shop.write("OrderPlaced", [*STAMPS, field("order_id"), NOTE], doc="Another.")

    assert only(shop).file.endswith("shop.py")


def test_an_edit_of_generated_code_is_found(shop):
    """It would be gone at the next generate."""
    path = shop.folder / "shop.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nX = 1\n", encoding="utf-8")

    assert "found code that differs from the schemas" in str(only(shop))


def test_a_missing_module_is_found(shop):
    """It was not committed."""
    (shop.folder / "shop.py").unlink()

    assert "shop.py: found no such file" in str(only(shop))


def test_a_missing_lock_entry_is_found(shop):
    """Records would carry an id that no reader knows."""
    (shop.folder / "lock.json").unlink()

    paths = [one.path for one in check_folder(shop.folder)]

    assert ["shop.orders-shop.OrderPlaced", "shop.counts-shop.OrdersCounted"] == paths


CHANGES = {
    "another type": ([field("order_id", "string"), NOTE], "shop.OrderPlaced.order_id"),
    "a new field without default": (
        [field("order_id"), NOTE, field("customer_id")], "shop.OrderPlaced.customer_id"
    ),
    "not nullable any more": (
        [field("order_id"), {**NOTE, "type": "long", "default": 0}], "shop.OrderPlaced.note"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "path"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_old_records_do_not_survive_is_refused_by_its_path(shop, fields, path):
    """A replay reads every record ever written."""
    shop.write("OrderPlaced", [*STAMPS, *fields])

    problem = only(shop)

    assert path == problem.path
    assert "must stay readable" in problem.message


def test_every_released_version_counts_not_only_the_last(shop):
    """BACKWARD_TRANSITIVE: a field that came back must still read its first records."""
    shop.place()
    generate(Sources.read(shop.folder))
    shop.place({**NOTE, "type": "long", "default": 0})

    assert only(shop).path == "shop.OrderPlaced.note"


def test_a_new_field_with_a_default_is_released_beside_the_old_version(shop):
    """The usual change needs no ceremony."""
    shop.place(NOTE, field("customer_id", ["null", "long"], default=None))

    generate(Sources.read(shop.folder))

    content = json.loads((shop.folder / "lock.json").read_text(encoding="utf-8"))
    assert check_folder(shop.folder) == []
    assert len(content["subjects"]["shop.orders-shop.OrderPlaced"]) == 2


def test_two_schemas_of_one_id_are_refused(shop, monkeypatch):
    """30 bits can collide; nothing must be written with such an id."""
    (shop.folder / "lock.json").unlink()
    monkeypatch.setattr(lock, "schema_id", lambda _schema: 2**30)

    assert "found the id 1073741824" in str(only(shop))


def test_broken_rules_hide_what_follows_from_them(shop):
    """One mistake is one line, not also a drift and a missing version."""
    shop.place({"name": "note", "type": "string"})

    assert only(shop).path == "shop.OrderPlaced.note"


def test_a_file_that_cannot_be_read_is_one_problem(shop):
    """A script that counts lines must not meet a traceback."""
    (shop.folder / "topics.toml").write_text("[", encoding="utf-8")

    assert "topics.toml" in str(only(shop))
