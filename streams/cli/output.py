"""What verbs print: lines for people, JSON for scripts, and progress for whoever waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from streams.views.latest import Progress

JSON_OPTION = typer.Option(False, "--json", help="One JSON object a line, for scripts.")


def json_line(value: Any) -> str:
    """A value as one line of JSON; what could steer a terminal is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def write_line(line: str) -> None:
    """One line on standard output, without the cost of finding out about the terminal."""
    sys.stdout.write(line + "\n")


def write_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns, numbers to the right; nothing is cut, so it may be piped."""
    shown = [columns, *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[at]) for line in shown) for at in range(len(columns))]
    are_numbers = [
        bool(rows) and all(isinstance(row[at], int | float | None) for row in rows)
        for at in range(len(columns))
    ]
    for line in shown:
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, are_numbers, strict=True)
        )
        write_line("  ".join(cells).rstrip())


def write_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, nothing: str, as_json: bool
) -> None:
    """A table of some fields of each row, or `nothing`; all fields as JSON, one row a line."""
    if as_json:
        for row in rows:
            write_line(json_line(row))
    elif rows:
        write_table(columns, [[row[name] for name in columns] for row in rows])
    else:
        write_line(nothing)


def write_fields(fields: Mapping[str, Any]) -> None:
    """One `name  value` a line."""
    width = max(map(len, fields))
    for name, value in fields.items():
        text = value if isinstance(value, str) and value.isprintable() else json_line(value)
        write_line(f"{name:<{width}}  {text}")


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A bar with rate and time left on a terminal's standard error; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda _read, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, rate="")

        def report(read: int, total: int) -> None:
            speed = bar.tasks[0].speed or 0
            bar.update(task, completed=read, total=max(read, total), rate=f"{speed:,.0f} records/s")

        yield report


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    text = str(value)
    return text if text.isprintable() else json_line(text)
