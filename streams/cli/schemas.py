"""`streams schemas`: check the schemas of this project, and generate event types from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.output import JSON_OPTION, json_line, write_line
from streams.codegen.check import check_folder, check_sources
from streams.codegen.generate import generate as write_generated
from streams.codegen.skeleton import write_skeleton
from streams.codegen.source import Sources
from streams.errors import ConfigurationError, SchemaRefused
from streams.topics.catalog import Catalog
from streams.topics.project import find_project

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Schemas are the .avsc files and topics.toml of the folder that [tool.streams] in "
    "pyproject.toml names. After editing them run generate, then commit everything it wrote.",
)


@app.command(epilog="Example: streams schemas generate && git add shop/events")
def generate(as_json: bool = JSON_OPTION) -> None:
    """Write the Python modules, and add new versions to lock.json.

    Refused (exit code 2, nothing written) when a rule is broken or released records would become
    unreadable.
    """
    project = find_project()
    if project is None or project.schemas is None:
        raise ConfigurationError(
            "found no pyproject.toml with [tool.streams] schemas in this folder or above it, "
            "wanted one; `streams schemas init FOLDER` makes one"
        )
    sources = Sources.read(_shown(project.schemas))
    problems = check_sources(sources)
    if problems:
        text = "\n".join(map(str, problems))
        raise SchemaRefused(f"nothing was written\n{text}", path=problems[0].path)
    changed = write_generated(sources)
    _write_paths(changed, as_json=as_json)
    if not changed and not as_json:
        write_line(f"{len(sources.files)} schemas, nothing to write")


@app.command(epilog="Example: streams schemas check --json")
def check(as_json: bool = JSON_OPTION) -> None:
    """Check rules, compatibility with every released version, lock.json and generated code.

    One line a problem, with the path of the offending field. Exit code 1 when there is any.
    """
    project = find_project()
    known = project.schemas if project else None
    folder = _shown(known or Catalog.find().folder)
    problems = check_folder(folder)
    for problem in problems:
        write_line(json_line(asdict(problem)) if as_json else str(problem))
    if not problems and not as_json:
        write_line(f"{folder}: schemas, lock file and generated code agree")
    raise typer.Exit(1 if problems else 0)


@app.command(epilog="Example: streams schemas init shop/events")
def init(
    folder: Annotated[str, typer.Argument(help="Where schemas shall be, such as shop/events.")],
    package: Annotated[
        str, typer.Option(help="Import name of that folder; default: its path with dots.")
    ] = "",
    as_json: bool = JSON_OPTION,
) -> None:
    """Write a first event, topics.toml and [tool.streams], for a project of your own."""
    name = package or ".".join(Path(folder).parts)
    made = write_skeleton(Path.cwd(), Path(folder).as_posix(), name)
    _write_paths(map(_shown, made), as_json=as_json)
    if not as_json:
        write_line("next: streams schemas generate, then streams topics apply")


def _write_paths(paths: Iterable[Path], *, as_json: bool) -> None:
    for path in paths:
        write_line(json_line({"wrote": str(path)}) if as_json else f"wrote {path}")


def _shown(path: Path) -> Path:
    """The path as short as it can be said from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
