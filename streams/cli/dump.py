"""`streams dump`: every result of a topic as JSON lines."""

from __future__ import annotations

import typer

from streams.cli.output import json_line, progress_bar, write_line
from streams.topics.catalog import Catalog
from streams.topics.jsonform import to_json
from streams.views.results import Results


def dump(
    results: str = typer.Argument(help="A results topic, such as counters.photos."),
    with_position: bool = typer.Option(
        False, "--with-position", help="Add _topic, _partition and _offset to each object."
    ),
) -> None:
    """Write one JSON object for each key that has a value, as committed now, in no order.

    Keys whose result was removed are absent. Nothing else goes to standard output.
    """
    catalog = Catalog.find()
    with Results(results, catalog=catalog) as found:
        with progress_bar(results) as report:
            rows = found.rows(report)
        (schema,) = (catalog.schema(one) for one in catalog.types_of(results))
        for row in rows:
            shown = to_json(row.message, schema)
            if with_position:
                shown |= {"_topic": results, "_partition": row.partition, "_offset": row.offset}
            write_line(json_line(shown))
