"""A record as a line or an object, whatever its bytes are."""

from __future__ import annotations

from streams.avro.framing import frame
from streams.cli.record_view import RecordView
from streams.ports.records import Record
from streams.topics.catalog import Catalog


def test_a_record_of_another_project_says_whose_schemas_are_here():
    """The number of a schema alone tells nobody that he stands in the wrong folder."""
    view = RecordView(Catalog.find())

    shown = view.content(Record("orders.placed", 0, 0, b"7", frame(1_234_567_890) + b"\2"))

    assert shown["_undecodable"].startswith("unknown schema id: ")
    assert "the schemas here are those of the package schemas" in shown["_undecodable"]


def test_other_bytes_are_told_by_their_reason_alone():
    """No other project would decode them."""
    view = RecordView(Catalog.find())

    shown = view.content(Record("orders.placed", 0, 0, b"7", b"\xffgarbage"))

    assert "package" not in shown["_undecodable"]
