"""A real Kafka on this machine, from Python packages alone: no Docker, no Java to install."""

from streams.local.kafka import LocalKafka, Status

__all__ = ["LocalKafka", "Status"]
