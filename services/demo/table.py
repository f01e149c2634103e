"""The demo on a terminal: a live table; elsewhere: a line every few seconds."""

from __future__ import annotations

from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.demo.scene import Scene, partitions_in_words
from streams.clock import monotonic_s

_LINE_EVERY_S: Final = 3.0
_HAPPENED: Final = 7
_REFRESH_PER_S: Final = 4
_STYLES: Final = {"live": "green", "killed": "bold red"}


class PlainLines:
    """Progress as lines of text, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start_s = self._shown_s = monotonic_s()

    def say(self, text: str) -> None:
        """Tell what happened."""
        line = f"{monotonic_s() - self._start_s:6.1f} s  {text}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, scene: Scene) -> None:
        """Tell how things stand, unless that was done just before."""
        if monotonic_s() - self._shown_s >= _LINE_EVERY_S:
            self._shown_s = monotonic_s()
            self.say(scene.line())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        return


class LiveTable(PlainLines):
    """The same as one table that is drawn again and again."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._happened: list[str] = []
        self._is_last = False
        self._scene: Scene | None = None
        self._live = Live(
            console=console, get_renderable=self._drawn, refresh_per_second=_REFRESH_PER_S
        )

    def say(self, text: str) -> None:
        """Tell what happened, under the table."""
        self._happened.append(f"{monotonic_s() - self._start_s:6.1f} s  {text}")

    def show(self, scene: Scene) -> None:
        """Draw this from the next refresh on."""
        self._scene = scene

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_raised: object) -> None:
        self._is_last = True
        self._live.stop()

    def _drawn(self) -> RenderableType:
        # All of it at the end, when the picture may be taller than the terminal.
        happened = Text("\n".join(self._happened[0 if self._is_last else -_HAPPENED :]))
        return happened if self._scene is None else Group(drawn(self._scene), happened)


def open_screen(console: Console) -> PlainLines:
    """A live table on a terminal, else lines."""
    return LiveTable(console) if console.is_terminal else PlainLines(console)


def drawn(scene: Scene) -> RenderableType:
    """A moment as progress bars, workers and top photos; with what happened it fits 24 lines."""
    return Group(_progress(scene), "", _workers(scene), "", _top(scene), "")


def _progress(scene: Scene) -> Table:
    bars = Table.grid(padding=(0, 2))
    counted = scene.seen.processed
    for name, count, rate in (
        ("emitted", scene.emitted, scene.emitted_per_s),
        ("counted", counted, scene.counted_per_s),
    ):
        bars.add_row(
            name,
            ProgressBar(total=scene.total, completed=count, width=30),
            f"{count:,} of {scene.total:,}",
            f"{rate:,.0f} events/s" + (" on average" if scene.are_averages else ""),
        )
    bars.add_row("lag", "", f"{scene.seen.lag:,} records")
    return bars


def _workers(scene: Scene) -> Table:
    table = Table("worker", "process", "state", "owns", box=None)
    for worker in scene.workers:
        state = scene.state_of(worker)
        owns = "" if state == "killed" else partitions_in_words(worker.partitions)
        style = _STYLES.get(state, "yellow")
        table.add_row(str(worker.slot), str(worker.pid), Text(state, style), owns)
    return table


def _top(scene: Scene) -> Table:
    table = Table("top photo", "owner", "likes", "comments", "shares", box=None)
    for column in table.columns:
        column.justify = "right"
    for one in scene.seen.top:
        counts = (one.photo_id, one.owner_id, one.likes, one.comments, one.shares)
        table.add_row(*(f"{count:,}" for count in counts))
    return table
