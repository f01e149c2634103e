"""The `streams` command: verbs loaded when used, and one place that turns errors into exit codes.

Imports that only some runs need stand in functions, because `--help` must answer at once.

Errors: a StreamsError is one line on standard error and its own exit code (see `streams.errors`);
wrong usage is 2; Ctrl-C is 130; anything unexpected is 70, or 2 where a module of the user raised
while it was imported, with a traceback under `--debug`.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from streams.cli.unexpected import told
from streams.cli.verbs import VERBS, Verb
from streams.errors import ConfigurationError, StreamsError

_STYLE: Final = re.compile(r"\[[a-z#/@][^\[]*\]")


class VerbGroup(TyperGroup):
    """Lists the table without importing a verb; loads the one that is used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, verb in VERBS.items():
            self.add_command(TyperCommand(name, help=verb.summary, rich_help_panel=verb.panel))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name, VERBS[name]) if name in VERBS else command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except StreamsError as exc:
            raise _failed(str(exc), exc.exit_code, ctx) from exc
        except Exception as exc:
            raise _failed(*told(exc), ctx) from exc


app = typer.Typer(
    cls=VerbGroup,
    name="streams",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: streams kafka up && streams topics apply && streams run counters",
)


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("millrace")
    except PackageNotFoundError:
        found = "from a folder that is not installed"
    typer.echo(f"streams {found}")
    raise typer.Exit


@app.callback()
def streams(
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks."),
    version: bool = typer.Option(
        False, "--version", help="Show the version.", is_eager=True, callback=_show_version
    ),
) -> None:
    """Typed events on Kafka: emit them, fold them into results exactly once, look at them."""


def main() -> None:
    """Entry point of the console script; a reader that went away (`| head`) is no error."""
    try:
        app(prog_name="streams")
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _load(name: str, verb: Verb) -> Any:
    """The command of a verb: a function becomes one, a typer app is one."""
    from streams.topics.project import find_project

    project = find_project()
    if project is not None:
        project.make_importable()
    module, _, attribute = verb.target.partition(":")
    target = getattr(importlib.import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(add_completion=False)
        target.command()(function)
    command = typer.main.get_command(target)
    command.name = name
    command.epilog = command.epilog or f"Example: {verb.example}"
    for one in (command, *getattr(command, "commands", {}).values()):
        one.help = _literally(_flowing(one.help or ""))
        one.epilog = _literally(one.epilog or "")
        for parameter in one.params:
            parameter.help = _literally(getattr(parameter, "help", None) or "")
    return command


def _flowing(text: str) -> str:
    """Help whose paragraphs are one line each: the terminal breaks them, not our source."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _literally(text: str) -> str:
    """Help whose square brackets are shown, such as those of `[tool.streams]`; else they style."""
    return _STYLE.sub(r"\\\g<0>", text)


def _failed(message: str, exit_code: int, ctx: Any) -> typer.Exit:
    """Say what happened and return the exit to raise; called while the error is handled."""
    if ctx.params.get("debug") or _logs_debug():
        traceback.print_exc()
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(exit_code)


def _logs_debug() -> bool:
    from streams.settings import LogSettings

    try:
        return LogSettings().level == "debug"
    except ConfigurationError:
        return False


if __name__ == "__main__":
    main()
