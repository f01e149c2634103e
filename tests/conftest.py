"""Fixtures shared by every folder of tests: a real Kafka, and a name space of its own a test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local import LocalKafka
from streams.settings import HomeSettings, KafkaSettings


@pytest.fixture(scope="session", autouse=True)
def downloads() -> Iterator[Path]:
    """One folder of Kafka's jars for every home that a test makes, in any process it starts."""
    shared = HomeSettings().downloads
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMS_DOWNLOADS", str(shared))
        yield shared


@pytest.fixture(scope="session", autouse=True)
def quick_java() -> Iterator[None]:
    """A test's Kafka lives for seconds: code that is fast after minutes costs it half its start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        yield


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the configured Kafka, else of one that lives as long as the session."""
    configured = KafkaSettings().bootstrap_servers
    if configured:
        yield configured
        return
    local = LocalKafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield local.up().address
    finally:
        local.down()
        local.wipe()


@pytest.fixture
def kafka(broker: str) -> KafkaSettings:
    """Settings of a real Kafka; nothing in their name space exists yet."""
    return KafkaSettings(bootstrap_servers=broker, namespace=f"t{secrets.token_hex(4)}.")
