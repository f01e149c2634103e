"""Free ports for the broker, the same ones after a restart if that is possible."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Collection

from streams.errors import BrokerUnavailable
from streams.local.properties import HOST

# Below the range from which systems take ports of outgoing connections: a client that keeps
# dialling a broker that is down could otherwise be given that very port and reach itself.
_SPARE = range(20_000, 30_000)
_TRIES = 200


def free_port(*wanted: int, besides: Collection[int] = ()) -> int:
    """The first of the `wanted` ports that is free, else any free one; none of `besides`."""
    spare = (secrets.choice(_SPARE) for _ in range(_TRIES))
    for port in (*wanted, *spare):
        if port not in besides and is_free(port):
            return port
    raise BrokerUnavailable(
        f"found no free port on {HOST}: wanted {', '.join(map(str, wanted))} or one in "
        f"{_SPARE.start} to {_SPARE.stop - 1}; stop what listens there"
    )


def is_free(port: int) -> bool:
    """Whether nothing listens on the port; closed connections that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
