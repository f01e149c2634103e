"""Kills a worker of the bench at one of its steps."""

from __future__ import annotations

from contextlib import contextmanager

from streams.engine import partition as partition_module
from streams.engine.folding import Folding
from streams.engine.partition import Partition
from streams.testing.consumer import InMemoryConsumer
from streams.testing.transactions import InMemoryTransactions


class Killed(BaseException):
    """The process is gone."""


class Kill:
    """Counts what a worker does to the world, and kills it once."""

    def __init__(self, after):
        self.left = after
        self.is_done = False

    def step(self):
        if self.left == 0:
            self.is_done = True
            self.left = -1
            raise Killed
        self.left -= 1

    def around(self, function):
        """Steps before and after a call."""

        def stepping(*args, **kwargs):
            self.step()
            found = function(*args, **kwargs)
            self.step()
            return found

        return stepping


@contextmanager
def killed_after(monkeypatch, steps):
    """Kill whoever polls, commits or checkpoints for that many times, before it or after it."""
    kill = Kill(steps)
    with monkeypatch.context() as patch:
        for place, name in [
            (InMemoryConsumer, "poll"),
            (InMemoryTransactions, "commit"),
            (partition_module, "write_checkpoint"),
            (Folding, "_fold"),
            (Partition, "try_again"),
            (Partition, "committed"),
        ]:
            patch.setattr(place, name, kill.around(getattr(place, name)))
        yield kill
