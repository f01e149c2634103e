"""`streams get`: the result of one key."""

from __future__ import annotations

import typer

from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line
from streams.errors import NotFound
from streams.topics.catalog import Catalog
from streams.topics.jsonform import to_json
from streams.views.results import Results


def get(
    results: str = typer.Argument(help="A results topic, such as counters.photos."),
    key: str = typer.Argument(help="The key: 5, or 3:9 where it has two parts."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show the result of one key, as committed now.

    Exit code 4 when it has none, 2 for a text that is no key of this topic.
    """
    catalog = Catalog.find()
    with Results(results, catalog=catalog) as found:
        message = found.get(key)
    if message is None:
        raise NotFound(f"{results} holds nothing for the key {key}")
    shown = to_json(message, catalog.schema(type(message)))
    if as_json:
        write_line(json_line(shown))
    else:
        write_fields(shown)
