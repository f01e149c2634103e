"""`streams get`: the result of one key."""

from __future__ import annotations

import shlex

import typer

from streams.cli.known_services import known_services
from streams.cli.output import JSON_OPTION, json_line, write_fields, write_line
from streams.engine.skipped import find_skipped
from streams.errors import NotFound, StreamsError
from streams.kafka.admin import KafkaAdmin
from streams.kafka.reader import KafkaReader
from streams.settings import KafkaSettings
from streams.topics.catalog import Catalog
from streams.topics.jsonform import to_json
from streams.topics.keys import key_text
from streams.views.results import Results


def get(
    results: str = typer.Argument(help="A results topic, such as counters.photos."),
    key: str = typer.Argument(help="The key: 5, or 3:9 where it has two parts."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Show the result of one key, as committed now.

    On standard error it says when the key is parked, and so its result old; not with --json.

    Exit code 4 when it has none, 2 for a text that is no key of this topic.
    """
    catalog = Catalog.find()
    with Results(results, catalog=catalog) as found:
        row = found.row(key)
    if not as_json:
        _warn_of_parked(results, key_text(row.key) if row else key, catalog)
    if row is None:
        raise NotFound(f"{results} holds nothing for the key {key}")
    shown = to_json(row.message, catalog.schema(type(row.message)))
    if as_json:
        write_line(json_line(shown))
    else:
        write_fields(shown)


def _warn_of_parked(results: str, key: str, catalog: Catalog) -> None:
    kafka = KafkaSettings()
    admin, reader = KafkaAdmin(kafka), KafkaReader(kafka)
    try:
        for name in known_services(kafka, catalog):
            if find_skipped(name, admin, reader).is_parked(results, key):
                about = f"{name} {shlex.quote(key)}"
                typer.echo(
                    f"warning: {name} parked the key {key}, so this is old: `streams parked show "
                    f"{about}`; with a mended handler `streams parked retry {about}`",
                    err=True,
                )
    except StreamsError as exc:
        typer.echo(f"warning: nobody looked whether the key is parked: {exc}", err=True)
    finally:
        reader.close()
