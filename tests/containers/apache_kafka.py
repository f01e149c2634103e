"""One Kafka node in a container of its own, with the settings of `streams kafka up`."""

from __future__ import annotations

from typing import Self

import yaml
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from streams.clock import Deadline
from streams.errors import Unavailable
from streams.kafka.admin import KafkaAdmin
from streams.local.compose import COMPOSE_FILE
from streams.local.ports import free_port
from streams.local.process import wait_until
from streams.local.properties import HOST, SIZES, TUNING
from streams.settings import KafkaSettings
from tests.containers.images import REPOSITORY

_PORT = 9092
_START_S = 60
_STATIC = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": "1@localhost:9093",
    "listeners": f"HOST://:{_PORT},INTERNAL://:19092,CONTROLLER://:9093",
    "listener.security.protocol.map": "HOST:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # By the host's address a node cannot reach itself, and transactions would never end.
    "inter.broker.listener.name": "INTERNAL",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": "/var/lib/kafka/data",
    "heap.opts": "-Xmx400m",
}


def _composed_command() -> list[str]:
    """What a broker of the compose file begins with; a kill is as safe here as it is there."""
    services = yaml.safe_load((REPOSITORY / COMPOSE_FILE).read_text("utf-8"))["services"]
    return [part.replace("$$", "$") for part in services["kafka"]["command"]]


class ApacheKafka(DockerContainer):
    """A broker of an image in the layout of `apache/kafka`; `address` stays over a restart."""

    def __init__(self, image: str) -> None:
        super().__init__(image)
        port = free_port()
        self.address = f"{HOST}:{port}"
        self.ports[_PORT] = (HOST, port)
        self.with_command(_composed_command())
        listeners = f"HOST://{self.address},INTERNAL://localhost:19092"
        advertised = {"advertised.listeners": listeners}
        for name, value in {**_STATIC, **TUNING, **SIZES[1], **advertised}.items():
            self.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
        self.waiting_for(
            LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(_START_S)
        )

    def start(self) -> Self:
        """Returns when it answers."""
        super().start()
        self._await_answer()
        return self

    def kill(self) -> None:
        """SIGKILL; what it wrote stays in the container."""
        self.get_wrapped_container().kill()

    def restart(self) -> None:
        """Start the killed container again; returns when it answers."""
        self.get_wrapped_container().start()
        self._await_answer()

    def _await_answer(self) -> None:
        def answers() -> bool:
            try:
                admin.names()
            except Unavailable:
                return False
            return True

        admin = KafkaAdmin(KafkaSettings(bootstrap_servers=self.address), timeout_s=2.0)
        try:
            assert wait_until(answers, Deadline.after(_START_S)), f"no answer from {self.address}"
        finally:
            admin.close()
