"""Positions of a group set from outside, which only an empty group may get."""

from __future__ import annotations

from confluent_kafka import Consumer

from streams.kafka.client import new_client
from streams.kafka.config import base_config
from streams.settings import KafkaSettings


def stranger(settings: KafkaSettings, physical_group: str) -> bytes:
    """Metadata of one who never joined: the broker refuses its positions while there are members.

    Always of the KIP-848 protocol, whatever the group speaks: such a client makes up its own member
    id, which no group with members knows. A classic client has none, and is let in anywhere.
    """
    must = {"group.id": physical_group, "group.protocol": "consumer"}
    client = new_client(Consumer, base_config(settings) | must)
    try:
        metadata: bytes = client.consumer_group_metadata()
        return metadata
    finally:
        client.close()
