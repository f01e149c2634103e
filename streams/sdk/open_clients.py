"""Clients that are open in this process, and what becomes of them when it exits or forks."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
from typing import Final, Protocol

from streams.errors import DeliveryFailed
from streams.metrics import EMIT_QUEUED

LOST: Final = 1
"""Exit code of a process that had to give up events."""


class OpenClient(Protocol):
    """What a client lets this module do."""

    @property
    def queued(self) -> int:
        """Events whose acknowledgement is awaited."""

    def close(self) -> None:
        """Flush and let go; DeliveryFailed with the count of what was lost."""

    def disown(self, why: str) -> None:
        """Refuse everything from now on, and touch nothing that the parent of a fork owns."""


_OPEN: set[OpenClient] = set()


def add(client: OpenClient) -> None:
    """Close `client` at the interpreter's exit, if nobody did before."""
    _OPEN.add(client)


def remove(client: OpenClient) -> None:
    """The client was closed; removing twice is fine."""
    _OPEN.discard(client)


def _close_all() -> None:
    """Nothing is lost in silence: events given up are counted aloud, and the exit code says so.

    Registered when the SDK is imported, so that exit handlers of the program, which come later,
    run before it and may still emit.
    """
    lost = 0
    for client in tuple(_OPEN):
        try:
            client.close()
        except DeliveryFailed as exc:
            lost += exc.count
    if lost:
        _exit(f"streams: {lost:,} events were not acknowledged before this process ended\n")


def _exit(message: str) -> None:
    """End the process with an error: an exit handler has no other way to change its exit code."""
    logging.shutdown()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(message)
        sys.stderr.flush()
    os._exit(LOST)


def _disown_all() -> None:
    """In a fork's child: the clients' threads stayed with the parent, and so do their events."""
    for client in tuple(_OPEN):
        client.disown(
            f"the client was opened by process {os.getppid()} before it forked, and its connection "
            "stayed there; open an EventClient in the child"
        )
    _OPEN.clear()


EMIT_QUEUED.set_function(lambda: sum(client.queued for client in tuple(_OPEN)))
atexit.register(_close_all)
os.register_at_fork(after_in_child=_disown_all)
