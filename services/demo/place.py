"""A Kafka, a namespace and a home folder that one demo has to itself."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from streams.engine.status import service_home
from streams.kafka.admin import KafkaAdmin
from streams.local import LocalKafka
from streams.settings import HomeSettings, KafkaSettings, TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics

Say = Callable[[str], None]

_LOOKS: Final = (
    "top counters.photos likes -n 10",
    "get counters.users 7",
    "tail social.photos -n 5",
    "lag counters",
)


class Place:
    """Where a demo runs. Kafka is the configured one, else one of its own in its home folder."""

    def __init__(self) -> None:
        name = f"demo-{secrets.token_hex(3)}"
        configured = KafkaSettings()
        self.home = HomeSettings().home / "demos" / name
        self.namespace = f"{configured.namespace}{name}."
        self._configured = configured.bootstrap_servers
        self._local = None if self._configured else LocalKafka(self.home)
        self.kafka = KafkaSettings(namespace=self.namespace)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that take any `streams` command to this place."""
        return {"STREAMS_HOME": str(self.home), "STREAMS_NAMESPACE": self.namespace}

    @property
    def service_home(self) -> Path:
        """Where services of this place keep their state and status."""
        return service_home(self.kafka, self.home)

    def open(self, service: str, say: Say) -> None:
        """Start Kafka and make the topics."""
        self.home.mkdir(parents=True)
        if self._local is None:
            say(f"using the Kafka at {self._configured}")
        else:
            self._start(self._local, say)
        declared = declared_topics(Catalog.find(), [service])
        admin = KafkaAdmin(self.kafka)
        try:
            done = apply_topics(declared, admin, TopicSettings())
        finally:
            admin.close()
        say(f"made {len(done)} topics, {self.namespace}*")

    def close(self) -> None:
        """Stop Kafka and leave nothing behind on this machine; closing twice is fine."""
        if self._local is not None:
            self._local.down()
        shutil.rmtree(self.home, ignore_errors=True)

    def how_to_look(self, supervisor_pid: int) -> str:
        """Commands for whoever wants to look around in a place left open."""
        program = Path(sys.executable).with_name("streams")
        streams = _shown(program)
        export = " ".join(
            f"{name}={shlex.quote(value)}" for name, value in self.environment.items()
        )
        home = shlex.quote(str(self.home))
        # Whole in itself, each step only after the one before: in another terminal a bare
        # `kafka down` stops another Kafka, and the folder goes from under the one that runs.
        stop = [f"kill {supervisor_pid}", f"rm -r {home}"]
        if self._local:
            stop.insert(1, f"STREAMS_HOME={home} {shlex.quote(str(program))} kafka down")
        looks = "\n".join(f"  {streams} {look}" for look in _LOOKS)
        return (
            f"Kafka and the workers keep running. To look around:\n\n  export {export}\n{looks}\n\n"
            f"To stop:\n\n  {' && '.join(stop)}\n"
        )

    def _start(self, local: LocalKafka, say: Say) -> None:
        if not local.is_downloaded:
            say("getting Kafka, 44 MB, this once")
        say("starting Kafka")
        status = local.up()
        self.kafka = KafkaSettings(bootstrap_servers=status.address, namespace=self.namespace)
        say(f"Kafka {status.version} runs at {status.address} (process {status.pid})")


def _shown(program: Path) -> str:
    """A path as short as the working folder allows."""
    relative = os.path.relpath(program)
    return str(program) if relative.startswith("..") else relative
