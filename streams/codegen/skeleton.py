"""The first files of a schemas folder: one event, its topic, and the lines of `pyproject.toml`."""

from __future__ import annotations

from pathlib import Path

from streams.errors import ConfigurationError
from streams.topics.catalog import TOPICS_FILE
from streams.topics.project import check_names

_EVENT = """\
{
  "type": "record",
  "name": "OrderPlaced",
  "namespace": "orders",
  "doc": "A customer placed an order.",
  "fields": [
    {"name": "event_id", "type": {"type": "fixed", "name": "EventId", "size": 16},
     "doc": "UUIDv7 of the event, the same in every delivery of it."},
    {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"},
     "doc": "When it happened, by the clock of the program that emitted it."},
    {"name": "customer_id", "type": "long", "doc": "Who ordered."},
    {"name": "order_id", "type": "long", "doc": "The order; delivered twice it counts once."},
    {"name": "note", "type": "string", "doc": "What the customer wrote.", "default": ""}
  ]
}
"""

_TOPICS = """\
# Every topic: which types it holds and how its records are keyed. `streams schemas check` holds
# this file and the .avsc files against each other, `streams topics apply` makes the topics.
#
# kind         events (what users did), facts (emitted one by one by a fold), results (upserts,
#              compacted, one type), effects (for services that act on the outside)
# key          a field; a list of fields, joined by ":"; or "pair": two ids, the smaller one first,
#              whose field names stand beside each type
# partition_by the field or fields of the key that pick the partition; absent = the whole key
# partitions   never changed once records are keyed by it
# retention    "forever", or a length of time such as "90d" or "12h"

[topics."orders.placed"]
kind = "events"
key = "customer_id"
partitions = 4
retention = "forever"
events = ["OrderPlaced"]

# What a fold says about each customer. Add avro/orders/OrdersCounted.avsc, a record with a
# customer_id and a count, without event_id and occurred_at; then take the signs away.
#
# [topics."orders.counts"]
# kind = "results"
# key = "customer_id"
# partitions = 4
# retention = "forever"
# results = ["OrdersCounted"]
"""

_PROJECT = """
[tool.streams]
schemas = "{folder}"
package = "{package}"

[tool.streams.services]
"""


def write_skeleton(root: Path, folder: str, package: str) -> list[Path]:
    """Write the files below `root` and return them; ConfigurationError where some exist already."""
    check_names(folder, package)
    home = root / folder
    texts = {
        home / "__init__.py": '"""Event types, generated from the schemas in `avro/`."""\n',
        home / "avro" / "orders" / "OrderPlaced.avsc": _EVENT,
        home / TOPICS_FILE: _TOPICS,
    }
    for path in texts:
        if path.exists():
            raise ConfigurationError(
                f"found {path}, wanted a folder without schemas; edit that file"
            )
    project = root / "pyproject.toml"
    before = project.read_text(encoding="utf-8") if project.exists() else ""
    if "[tool.streams]" in before:
        raise ConfigurationError(f"found [tool.streams] in {project}, wanted none; edit it instead")
    added = _PROJECT.format(folder=folder, package=package)
    texts[project] = f"{before.rstrip()}\n{added}" if before else added.lstrip()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)
