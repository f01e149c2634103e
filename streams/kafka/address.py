"""Where Kafka is: the configured brokers, else the Kafka of this machine. Never a guess.

A Kafka that was started here leaves its address in `<home>/kafka`: in `address` with its process in
`pid` (of three nodes in `node-1/pid` and so on), or in `docker-address`. Without one there is no
default address, because whatever listens there would be somebody else's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from streams.errors import BrokerUnavailable
from streams.settings import HomeSettings, KafkaSettings

NO_LOCAL_KAFKA: Final = (
    "no local Kafka is running; start it with `streams kafka up`, or set KAFKA_BOOTSTRAP_SERVERS"
)


def bootstrap_servers(settings: KafkaSettings) -> str:
    """The configured brokers, else the running local Kafka; BrokerUnavailable without either."""
    servers = _address(settings)
    if not servers:
        raise BrokerUnavailable(NO_LOCAL_KAFKA)
    return servers


def in_words(settings: KafkaSettings) -> str:
    """Which Kafka is meant, for a message about one that does not answer."""
    servers = _address(settings)
    return f"Kafka at {servers}" if servers else "the local Kafka"


def way_on(settings: KafkaSettings) -> str:
    """What to do about a Kafka that does not answer."""
    if settings.bootstrap_servers:
        return "correct KAFKA_BOOTSTRAP_SERVERS, or unset it to use the local Kafka"
    if _address(settings):
        return "it is the local Kafka: `streams kafka status [--docker]` shows how it is"
    return NO_LOCAL_KAFKA


def docker_address(home: Path) -> Path:
    """The file that holds the address of the Kafka in Docker, from its `up` to its `down`."""
    return home / "kafka" / "docker-address"


def own_address(home: Path) -> str:
    """The address of the Kafka that runs here without Docker; empty when there is none."""
    folder = home / "kafka"
    nodes = (folder, *folder.glob("node-*"))
    is_running = any(_is_running(_text(node / "pid"), node / "server.properties") for node in nodes)
    return _text(folder / "address") if is_running else ""


def _address(settings: KafkaSettings) -> str:
    if settings.bootstrap_servers:
        return settings.bootstrap_servers
    home = HomeSettings().home
    return own_address(home) or _text(docker_address(home))


def _is_running(pid: str, properties: Path) -> bool:
    """Whether the process lives; where the system tells, also that it is that Kafka's.

    After a crash or a reboot the files are still there, and the port may be another's.
    """
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's process, or a system without /proc
        return True
    return os.fsencode(properties) in arguments.split(b"\0")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
