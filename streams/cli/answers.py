"""Asking a service to fold what it skips, and telling what became of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import typer

from streams.cli.output import json_line, write_line
from streams.cli.system_topic import fates_of
from streams.clock import Deadline
from streams.engine.asking import ask
from streams.engine.decisions import PARTITION, Decision, decision_of
from streams.engine.fates import ANSWERS, FAILED, Fate, about
from streams.errors import StreamsError
from streams.kafka.admin import KafkaAdmin
from streams.kafka.connection import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.settings import KafkaSettings, WorkerSettings

ALL_OPTION = typer.Option(False, "--all", help="All that the other options leave.")
DRY_RUN_OPTION = typer.Option(False, "--dry-run", help="Show what would be asked; change nothing.")
YES_OPTION = typer.Option(False, "--yes", help="Do not ask.")
WAIT_OPTION = typer.Option(
    30.0, "--wait", min=0, help="Seconds to wait for answers; with 0 they are not waited for."
)

Names = Mapping[str, str]
"""What people call a skipped key or record, in its parts."""

_POLL_S: Final = 0.5


def begins(source: str, wanted: str) -> bool:
    """Whether `topic/partition/offset` is what is wanted: that, or its first parts."""
    return f"{source}/".startswith(f"{wanted.rstrip('/')}/") if wanted else True


class Asking:
    """One run of a verb that asks; `noun` is what it asks for."""

    def __init__(self, service: str, noun: str, *, wait_s: float, as_json: bool) -> None:
        self._service = service
        self._noun = noun
        self._wait_s = wait_s
        self._as_json = as_json

    def run(self, wanted: Sequence[tuple[Fate, Names]], *, dry_run: bool, is_sure: bool) -> None:
        """Ask for all of them; a line for each answer.

        On a terminal it asks first, unless somebody is sure. What is not answered in time is asked
        for all the same. StreamsError (exit code 1) unless all succeeded in time.
        """
        if dry_run or not wanted:
            for fate, name in wanted:
                self._write(fate.state, name)
            self._say(f"{self._counted(len(wanted))} would be asked for; nothing was written")
            return
        if not is_sure and sys.stdin.isatty():
            question = f"Ask {self._service} to fold {self._counted(len(wanted))} again?"
            typer.confirm(question, abort=True, err=True)
        settings = KafkaSettings()
        place = TopicPartition(f"{self._service}.decisions", PARTITION)
        end = KafkaAdmin(settings).ends([place], committed=False)[place]
        log = KafkaLog(settings, WorkerSettings())
        ask(self._service, log, [fate.skipped for fate, _ in wanted])
        self._say(f"{self._counted(len(wanted))} asked for")
        if self._wait_s > 0:
            reader = KafkaReader(settings)
            try:
                self._wait(wanted, self._answers(reader, place, end))
            finally:
                reader.close()

    def _answers(
        self, reader: KafkaReader, place: TopicPartition, start: int
    ) -> Iterator[Decision]:
        deadline = Deadline.after(self._wait_s)
        for record in reader.follow({place: start}, _POLL_S):
            decision = None if record is None else decision_of(record)
            if decision is not None and decision.kind in ANSWERS:
                yield decision
            if deadline.is_over:
                return

    def _wait(self, wanted: Sequence[tuple[Fate, Names]], answers: Iterator[Decision]) -> None:
        names = {about(fate.skipped): name for fate, name in wanted}
        failed = 0
        for answer in chain(self._folded(), answers):
            name = names.pop(about(answer), None)
            if name is not None:
                failed += answer.kind in FAILED
                self._write(answer.kind.replace("_", " "), name, answer)
            if not names:
                break
        if names:
            raise StreamsError(
                f"{self._service}: {self._counted(len(names))} not answered in time; the request "
                f"stands, and is answered when a worker runs that has caught up: `streams lag "
                f"{self._service}`, `streams run {self._service}`"
            )
        if failed:
            raise StreamsError(
                f"{self._service}: {self._counted(failed)} failed again, and stayed as before"
            )

    def _folded(self) -> Iterator[Decision]:
        """What is skipped no more: somebody else may have asked before, and no answer comes."""
        return (one.last for one in fates_of(self._service) if one.is_folded)

    def _write(self, state: str, name: Names, answer: Decision | None = None) -> None:
        why = {} if answer is None else {"reason": answer.reason, "detail": answer.detail}
        if self._as_json:
            write_line(json_line({"state": state, **name, **why}))
            return
        text = f"{state}: {' '.join(name.values())}"
        if answer is not None and answer.reason:
            where = f" ({answer.where})" if answer.where else ""
            text += f": {answer.reason}: {answer.detail}{where}"
        write_line(text if text.isprintable() else json_line(text))

    def _say(self, text: str) -> None:
        if not self._as_json:
            typer.echo(text, err=True)

    def _counted(self, number: int) -> str:
        return f"{number:,} {self._noun}" + ("" if number == 1 else "s")
