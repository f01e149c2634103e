"""The lock file: every released version, one line each, and a registry for the codec."""

from __future__ import annotations

import json

import pytest

from streams.avro import lock
from streams.avro.fingerprint import schema_id
from streams.avro.lock import LockFile
from streams.errors import ConfigurationError, SchemaRefused

SUBJECT = "shop.orders-shop.OrderPlaced"


def schema(*fields, name="OrderPlaced"):
    return {
        "type": "record",
        "name": name,
        "namespace": "shop",
        "doc": "Text.",
        "fields": [{"name": field, "type": "long", "default": 0} for field in fields],
    }


FIRST, SECOND = schema("order_id"), schema("order_id", "customer_id")


def released(*schemas):
    found = LockFile()
    for one in schemas:
        found = found.with_version(SUBJECT, one)
    return found


def test_the_newest_version_is_the_last_one_released():
    """Writers write with it, readers keep all of them."""
    found = released(FIRST, SECOND)

    assert schema_id(SECOND) == found.newest_id(SUBJECT)
    assert [schema_id(FIRST), schema_id(SECOND)] == [one.id for one in found.subjects[SUBJECT]]
    assert SUBJECT == found.subject(schema_id(FIRST))


def test_a_released_schema_is_found_by_its_id_without_docs():
    """Docs may change without a release, so they are no part of one."""
    found = released(FIRST)

    assert found.schema(schema_id(FIRST)) == {
        "type": "record",
        "name": "shop.OrderPlaced",
        "fields": [{"name": "order_id", "type": "long", "default": 0}],
    }


def test_what_was_never_released_is_a_key_error():
    """The port says so; the codec turns it into a quarantined record."""
    with pytest.raises(KeyError):
        LockFile().schema(2**30)
    with pytest.raises(KeyError):
        LockFile().newest_id(SUBJECT)
    with pytest.raises(KeyError):
        LockFile().subject(2**30)


def test_releasing_the_same_again_changes_nothing():
    """`generate` is run more often than schemas change."""
    assert released(FIRST, SECOND).dumps() == released(FIRST, SECOND, SECOND).dumps()


def test_a_schema_that_returns_is_the_newest_again():
    """Its id is the old one; only the order tells what to write with."""
    found = released(FIRST, SECOND, FIRST)

    assert schema_id(FIRST) == found.newest_id(SUBJECT)
    assert len(found.subjects[SUBJECT]) == 2


def test_the_text_does_not_depend_on_the_order_of_releases():
    """Two branches that add two types must not disagree about the rest."""
    one, other = schema("a", name="A"), schema("b", name="B")
    forth = LockFile().with_version("t-shop.A", one).with_version("t-shop.B", other)
    back = LockFile().with_version("t-shop.B", other).with_version("t-shop.A", one)

    assert forth.dumps() == back.dumps()


def test_a_release_adds_one_line_a_version():
    """A reviewer sees what is released, and nothing else moves."""
    before = released(FIRST).dumps().replace("}\n    ]", "},\n    ]").splitlines()
    after = released(FIRST, SECOND).dumps().splitlines()

    assert 1 == len(set(after) - set(before))


def test_the_text_is_read_back(tmp_path):
    """An empty file too: a new project has released nothing."""
    path = tmp_path / "lock.json"
    for found in (LockFile(), released(FIRST, SECOND)):
        path.write_text(found.dumps(), encoding="utf-8")

        assert found == LockFile.load(path)


def test_no_file_is_an_empty_lock_file(tmp_path):
    """`generate` makes the first one."""
    assert LockFile() == LockFile.load(tmp_path / "lock.json")


def test_a_subject_without_versions_is_none():
    """Whoever takes back a version that was never released deletes its line."""
    assert LockFile() == LockFile.parse('{"format": 1, "subjects": {"t-shop.A": []}}')


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "subjects": {"a": [3]}}'])
def test_a_broken_file_says_how_to_mend_it(text):
    """Guessing at ids would make records unreadable."""
    with pytest.raises(ConfigurationError, match="restore the file from version control"):
        LockFile.parse(text)


def test_a_file_of_a_later_library_is_refused():
    """Its entries may mean something else."""
    with pytest.raises(ConfigurationError, match="format 2"):
        LockFile.parse('{"format": 2, "subjects": {}}')


def test_a_line_edited_by_hand_is_refused():
    """Records in the log were written with what stood there before."""
    content = json.loads(released(FIRST).dumps())
    content["subjects"][SUBJECT][0]["schema"]["fields"][0]["name"] = "other_id"

    with pytest.raises(ConfigurationError, match="edited by hand"):
        LockFile.parse(json.dumps(content))


def test_two_schemas_of_one_id_are_refused(monkeypatch):
    """A record's id must lead to the schema it was written with."""
    monkeypatch.setattr(lock, "schema_id", lambda _schema: 2**30)

    with pytest.raises(SchemaRefused, match="found the id 1073741824"):
        released(FIRST).with_version("t-shop.A", schema("a", name="A"))


def test_one_schema_on_two_subjects_is_no_collision():
    """A type that moved to another topic keeps its id."""
    found = released(FIRST).with_version("shop.placed-shop.OrderPlaced", FIRST)

    assert schema_id(FIRST) == found.newest_id("shop.placed-shop.OrderPlaced")
