"""A network of its own for one worker: a namespace of the kernel, and a wire from there to us.

Packets are lost by filters inside the namespace. Nothing is refused and nothing closed, as behind a
broken switch: who dials gets no answer, and the kernel sends again what was lost. Needs root.

Not obvious: everything hangs on one process that holds the namespace, and that one on a pipe from
ours. However we end, namespace, wire and filters end too; nothing outside was changed.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Final, Self

from tests.faults.proxy import Direction

_TOOLS: Final = ("unshare", "nsenter", "ip", "iptables")
_HOLDER: Final = ("unshare", "--net", "sh", "-c", "echo here; exec cat")
_INNER: Final = "wire"
_PROBED_PORT: Final = 9
_NETS: Final = range(10, 100)
"""Second numbers of 10.x.0.1: with two digits it is as long as 127.0.0.1, so that a proxy fits."""

_FILTERS: Final = {
    Direction.REQUEST: ("OUTPUT", "--dport"),
    Direction.ANSWER: ("INPUT", "--sport"),
}


class NoWires(Exception):
    """This machine does not let us make networks; the message says why."""


class Wire:
    """A namespace and its wire, within a `with` block. Our end is the `device` at `host`."""

    def __init__(self) -> None:
        self._net = next(net for net in _shuffled(_NETS) if not _is_taken(net))
        self.device = f"mill{self._net}"
        self.host = f"10.{self._net}.0.1"
        self._holder: subprocess.Popen[bytes] | None = None

    @property
    def through(self) -> tuple[str, ...]:
        """What to put before a command that shall run at the far end."""
        assert self._holder is not None
        return ("nsenter", f"--net=/proc/{self._holder.pid}/ns/net")

    def lose(self, direction: Direction, ports: Collection[int]) -> None:
        """Let no packet through to these ports of ours, or none back from them, until `heal`."""
        chain, port_of = _FILTERS[direction]
        for port in ports:
            self._filter("-A", chain, "-p", "tcp", port_of, str(port), "-j", "DROP")

    def heal(self) -> None:
        """Let everything through."""
        self._filter("-F")

    def _filter(self, *words: str) -> None:
        _run(*self.through, "iptables", "-w", *words)

    def _hold(self) -> None:
        """Make the namespace; it is there when its holder says so."""
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(_HOLDER, stdin=pipe, stdout=pipe, stderr=pipe)
        assert self._holder.stdout is not None
        assert self._holder.stderr is not None
        if not self._holder.stdout.readline():
            raise NoWires(self._holder.stderr.read().decode(errors="replace").strip())

    def _lay(self) -> None:
        """Lay the wire, with an address at each end."""
        assert self._holder is not None
        far = f"10.{self._net}.0.2/30"
        there = ("peer", "name", _INNER, "netns", str(self._holder.pid))
        _run("ip", "link", "add", self.device, "type", "veth", *there)
        _run("ip", "address", "add", f"{self.host}/30", "dev", self.device)
        _run("ip", "link", "set", self.device, "up")
        _run(*self.through, "ip", "address", "add", far, "dev", _INNER)
        for device in (_INNER, "lo"):
            _run(*self.through, "ip", "link", "set", device, "up")

    def __enter__(self) -> Self:
        if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
            raise NoWires(f"found no {', '.join(missing)}")
        try:
            self._hold()
            self._lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_raised: object) -> None:
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.communicate()  # closes its pipe, and waits for its end


@cache
def why_no_wires() -> str:
    """What this machine lacks, for people; empty where it lets us make networks."""
    try:
        with Wire() as wire:
            for direction in Direction:
                wire.lose(direction, [_PROBED_PORT])
    except NoWires as exc:
        return f"no network namespaces here: {exc}"
    return ""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoWires(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")


def _is_taken(net: int) -> bool:
    return Path(f"/sys/class/net/mill{net}").exists()


def _shuffled(numbers: range) -> list[int]:
    return secrets.SystemRandom().sample(numbers, len(numbers))
