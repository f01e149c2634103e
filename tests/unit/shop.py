"""A small schemas folder of a user's own project, for tests that change it and look."""

from __future__ import annotations

import json
from pathlib import Path

EVENT_ID = {
    "name": "event_id",
    "type": {"type": "fixed", "name": "EventId", "size": 16},
    "doc": "Id.",
}
OCCURRED_AT = {
    "name": "occurred_at",
    "type": {"type": "long", "logicalType": "timestamp-micros"},
    "doc": "When.",
}
STAMPS = [EVENT_ID, OCCURRED_AT]

TOPICS = """
[topics."shop.orders"]
kind = "events"
key = "order_id"
partitions = 4
retention = "forever"
events = ["OrderPlaced"]

[topics."shop.counts"]
kind = "results"
key = "order_id"
partitions = 4
retention = "forever"
results = ["OrdersCounted"]
"""


def field(name, schema="long", **more):
    return {"name": name, "type": schema, "doc": "Text.", **more}


class Shop:
    """`root` is the project's folder, `folder` the one with the schemas."""

    def __init__(self, root: Path, package: str = "shop") -> None:
        self.root = root
        self.package = package
        self.folder = root / package
        self.write("OrderPlaced", [*STAMPS, field("order_id")])
        self.write("OrdersCounted", [field("order_id"), field("orders")])
        self.topics(TOPICS)
        project = f'[tool.streams]\nschemas = "{package}"\npackage = "{package}"\n'
        (root / "pyproject.toml").write_text(project, encoding="utf-8")

    def write(self, name, fields, *, area="shop", **more):
        """Write the schema file of a record."""
        record = {
            "type": "record",
            "name": name,
            "namespace": area,
            "doc": "Text.",
            "fields": fields,
            **more,
        }
        path = self.folder / "avro" / area / f"{name}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record), encoding="utf-8")

    def place(self, *fields):
        """Write the event with these fields after its key."""
        self.write("OrderPlaced", [*STAMPS, field("order_id"), *fields])

    def topics(self, text):
        """Write the topics file."""
        (self.folder / "topics.toml").write_text(text, encoding="utf-8")
