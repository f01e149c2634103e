"""`streams top`: the highest results of a topic by one field."""

from __future__ import annotations

import typer

from streams.cli.output import JSON_OPTION, json_line, progress_bar, write_line, write_table
from streams.topics.catalog import Catalog
from streams.topics.jsonform import to_json
from streams.topics.keys import key_text
from streams.views.results import Results


def top(
    results: str = typer.Argument(help="A results topic, such as counters.photos."),
    field: str = typer.Argument(help="A numeric field, such as likes."),
    n: int = typer.Option(10, "-n", min=1, help="How many to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Rank results by a field: highest value first, equal values by ascending key."""
    catalog = Catalog.find()
    with Results(results, catalog=catalog) as found, progress_bar(results) as report:
        best = found.top(field, n, report)
    if not as_json:
        rows = [
            (rank, key_text(key), getattr(one, field)) for rank, (key, one) in enumerate(best, 1)
        ]
        write_table(("rank", "key", field), rows)
        return
    for _, message in best:
        write_line(json_line(to_json(message, catalog.schema(type(message)))))
