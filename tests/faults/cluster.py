"""The Kafka under a trial, node by node."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Protocol

from streams.clock import Deadline
from streams.local import LocalKafka
from streams.local.process import wait_until
from tests.freezing import freeze

_GONE_WITHIN_S = 10.0


class Cluster(Protocol):
    """A local Kafka whose nodes, numbered from 0, can be harmed one by one.

    `kill`, `stop` and `start` return when the node is gone, or ready for work. A node that is
    started again has its old address and data.
    """

    @property
    def address(self) -> str:
        """Bootstrap servers; the same for the whole trial."""

    @property
    def size(self) -> int:
        """How many nodes there are, running or not."""

    def pid(self, node: int) -> int:
        """The node's process, 0 while it is down."""

    def kill(self, node: int) -> None: ...
    def stop(self, node: int) -> None: ...
    def start(self, node: int) -> None: ...
    def freeze(self, node: int) -> None: ...
    def thaw(self, node: int) -> None: ...


class SingleNode:
    """The local Kafka of one home as a cluster of one."""

    size = 1

    def __init__(self, home: Path) -> None:
        self._kafka = LocalKafka(home)
        self.address = self._kafka.up().address

    def pid(self, node: int) -> int:
        assert node == 0
        return self._kafka.status().pid

    def kill(self, node: int) -> None:
        pid = self.pid(node)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: self.pid(node) != pid, Deadline.after(_GONE_WITHIN_S))

    def stop(self, node: int) -> None:
        assert node == 0
        self._kafka.down()

    def start(self, node: int) -> None:
        assert node == 0
        self._kafka.up()

    def freeze(self, node: int) -> None:
        freeze(self.pid(node))

    def thaw(self, node: int) -> None:
        os.kill(self.pid(node), signal.SIGCONT)

    def wipe(self) -> None:
        """Stop it and delete all its data."""
        self._kafka.down()
        self._kafka.wipe()
