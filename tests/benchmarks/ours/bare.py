"""The limit: `consume()` that does nothing. Options: bootstrap, source, group, events."""

from __future__ import annotations

import json
import sys

from confluent_kafka import Consumer, TopicPartition

_PARTITIONS = 4


def main() -> None:
    """Take every record off the topic, with the consumer settings our worker has."""
    options = json.loads(sys.argv[1])
    consumer = Consumer(
        {
            "bootstrap.servers": options["bootstrap"],
            "group.id": options["group"],
            "enable.auto.commit": False,
            "check.crcs": True,
            "fetch.queue.backoff.ms": 5,
            "fetch.wait.max.ms": 50,
            "queued.min.messages": 200_000,
        }
    )
    consumer.assign([TopicPartition(options["source"], at, 0) for at in range(_PARTITIONS)])
    left = options["events"]
    while left > 0:
        taken = len(consumer.consume(20_000, 0.5))
        if taken and left == options["events"]:
            print("start", flush=True)
        left -= taken
    print("end", flush=True)
    consumer.close()


if __name__ == "__main__":
    main()
