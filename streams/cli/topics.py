"""`streams topics`: compare the declared topics with the cluster's, and make what is missing."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import typer

from streams.cli.output import JSON_OPTION, json_line, write_line, write_table
from streams.cli.unexpected import EXTRAS
from streams.engine.services import load_service
from streams.kafka.admin import KafkaAdmin
from streams.settings import KafkaSettings, TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics, service_targets
from streams.topics.diff import Change, Difference, differences
from streams.topics.project import find_project
from streams.topics.topic import Topic

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Topics are declared in topics.toml; each service also has <service>.quarantine and "
    "<service>.decisions. Nothing here deletes a topic or changes a partition count.",
)

_COUNTED = typer.Argument(
    None, help="Services that no table names, as module:SERVICE: their topics are declared too."
)
_MADE = typer.Argument(
    None, help="Services that no table names, as module:SERVICE: their topics are made too."
)
_ALL = typer.Option(
    False, "--all", help="List undeclared topics one by one; with --json they always are."
)
_COLUMNS = ("topic", "kind", "key", "partitions", "retention", "types")


@app.command(name="list", epilog="Example: streams topics list --json")
def list_topics(as_json: bool = JSON_OPTION) -> None:
    """Show every declared topic; asks no broker."""
    declared, _ = _declared()
    rows = [_row(topic) for topic in declared.values()]
    if as_json:
        for row in rows:
            write_line(json_line(row))
        return
    texts = [{**row, "types": ", ".join(row["types"]) or "-"} for row in rows]
    write_table(_COLUMNS, [tuple(row[name] for name in _COLUMNS) for row in texts])


@app.command(epilog="Example: streams topics diff")
def diff(
    services: list[str] | None = _COUNTED, every: bool = _ALL, as_json: bool = JSON_OPTION
) -> None:
    """Show how the cluster differs from what is declared.

    Exit code 1 when it does. Topics that nothing here declares are counted, but are no difference
    to mend: they may be other programs'.
    """
    declared, _ = _declared(services or ())
    found = differences(declared, KafkaAdmin(KafkaSettings()), TopicSettings())
    work = [one for one in found if one.change is not Change.UNDECLARED]
    has_work, undeclared = bool(work), len(found) - len(work)
    _show(found if every or as_json else work, as_json=as_json)
    if undeclared and not (every or as_json):
        write_line(f"{Change.UNDECLARED:<11}  {_topics(undeclared)} (--all lists them)")
    if not has_work and not as_json:
        write_line(f"{len(declared)} declared topics are as declared")
    raise typer.Exit(1 if has_work else 0)


@app.command(epilog="Example: streams topics apply likes:SERVICE")
def apply(services: list[str] | None = _MADE, as_json: bool = JSON_OPTION) -> None:
    """Create missing topics and correct settings; running it again does nothing.

    Refused, before anything is changed: another partition count than the topic has, and finite
    retention on a topic that a fold reads.
    """
    declared, targets = _declared(services or ())
    expiring = [topic.name for topic in declared.values() if topic.retention is not None]
    folded = _folded(targets, expiring) if expiring else set()
    admin = KafkaAdmin(KafkaSettings())
    done = apply_topics(declared, admin, TopicSettings(), folded=folded)
    _show(done, as_json=as_json)
    if not as_json:
        write_line(f"{len(declared)} topics are as declared, {len(done)} changes made")


def _declared(services: Iterable[str] = ()) -> tuple[dict[str, Topic], dict[str, str]]:
    """Declared topics, and where the services are that system topics were added for."""
    catalog = Catalog.find()
    targets = service_targets(catalog, find_project())
    for name in services:
        targets[load_service(name).name] = targets.get(name, name)
    return declared_topics(catalog, targets), targets


def _folded(targets: dict[str, str], expiring: list[str]) -> set[str]:
    """Topics that the folds of importable services read; says which service is none."""
    folded: set[str] = set()
    for name, target in targets.items():
        module, _, attribute = target.partition(":")
        try:
            service = getattr(importlib.import_module(module), attribute)
        except ImportError as exc:
            typer.echo(_unchecked(name, target, exc, expiring), err=True)
            continue
        folded.update(service.inputs)
    return folded


def _unchecked(name: str, target: str, error: ImportError, expiring: list[str]) -> str:
    missing = (error.name or "").partition(".")[0]
    cure = f"pip install 'millrace[{EXTRAS[missing]}]'" if missing in EXTRAS else "mend that"
    return (
        f"warning: cannot import the service {name} ({target}): {error}. So nobody looked whether "
        f"its folds read {', '.join(expiring)}, whose records expire: state made of them could not "
        f"be made again. To have it looked at: {cure}, then run this again"
    )


def _topics(count: int) -> str:
    return f"{count:,} topic" + "s" * (count != 1)


def _row(topic: Topic) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "kind": str(topic.kind),
        "key": topic.key or "-",
        "partitions": topic.partitions,
        "retention": "forever" if topic.retention is None else str(topic.retention),
        "types": list(topic.types),
    }


def _show(found: list[Difference], *, as_json: bool) -> None:
    for one in found:
        write_line(json_line(asdict(one)) if as_json else str(one))
