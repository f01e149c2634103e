"""Brokers' addresses inside answers, replaced by the proxy's.

Not obvious: nothing is parsed. In every answer that names a broker, in every version, its host is
followed by its port in four bytes. A proxy's host as long as the broker's fits in its place without
moving anything, in plain and in compact strings alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.faults.proxy.frames import Api

Address = tuple[str, int]

NAMING = frozenset(
    {Api.PRODUCE, Api.FETCH, Api.METADATA, Api.FIND_COORDINATOR, Api.DESCRIBE_CLUSTER}
)
"""Answers in which a broker may be named; a leader that moved is in those to produce and fetch."""


def parsed(address: str) -> Address:
    """Host and port of a `host:port`."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def check_lengths(brokers: Collection[Address], host: str) -> None:
    """Raise ValueError for a broker whose place a proxy at `host` cannot take."""
    for broker, _ in brokers:
        if len(broker) != len(host):
            raise ValueError(
                f"found the broker's host {broker} and the proxy's {host}, wanted two of one "
                "length, so that one can stand in the other's place"
            )


class AddressBook:
    """Which proxy stands for which broker."""

    def __init__(self, stands_for: Mapping[Address, Address]) -> None:
        self._replacements = {_bytes(broker): _bytes(proxy) for broker, proxy in stands_for.items()}

    def rewritten(self, api: int, data: bytes) -> bytes:
        """An answer's bytes with the proxies' addresses."""
        if api in NAMING:
            for broker, proxy in self._replacements.items():
                data = data.replace(broker, proxy)
        return data


def _bytes(address: Address) -> bytes:
    host, port = address
    return host.encode() + port.to_bytes(4, "big")
