"""`streams settings`: every setting of the library, made from the code that reads them."""

from __future__ import annotations

import typer

from streams.cli.output import JSON_OPTION, json_line, write_line, write_table
from streams.settings import rows

COLUMNS = ("variable", "default", "meaning")


def settings(
    markdown: bool = typer.Option(False, "--markdown", help="As the table of the documentation."),
    as_json: bool = JSON_OPTION,
) -> None:
    """List every setting: its environment variable, its default and what it does.

    Values are not shown, so the list may be pasted into a report.
    """
    if markdown:
        write_line(markdown_table())
    elif as_json:
        for _, *row in rows():
            write_line(json_line(dict(zip(COLUMNS, row, strict=True))))
    else:
        write_table(COLUMNS, [row for _, *row in rows()])


def markdown_table() -> str:
    """The table that the documentation holds between its `settings` markers."""
    lines = [f"| {' | '.join(COLUMNS)} |".title(), "|---|---|---|"]
    for _, variable, default, meaning in rows():
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{variable}` | {shown} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)
