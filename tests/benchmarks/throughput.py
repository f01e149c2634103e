"""Bare consume, live fold and silent replay over the same records, in one run.

    python -m tests.benchmarks.throughput --events 5000000

Prints events a second and the ratio to the bare `consume()` of the same run. The fold runs live in
one process, exactly once, with the default commit interval (200 ms) and checkpoints on; the replay
rebuilds the same state without output. The answer is checked against plain sets.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.social import PhotoLiked, PhotoUnliked
from streams import Catalog, Results, Worker
from streams.clock import monotonic_s
from streams.engine.status import service_home
from streams.kafka.admin import KafkaAdmin
from streams.kafka.config import base_config, physical
from streams.kafka.connection import KafkaLog
from streams.settings import KafkaSettings, TopicSettings, WorkerSettings
from streams.topics.apply import apply_topics
from streams.topics.declared import declared_topics
from tests.benchmarks.members import SERVICE, events, expected
from tests.benchmarks.timed import TimedLog

TOPIC = "social.photos"
FAST = {"fetch.queue.backoff.ms": 5, "queued.min.messages": 200_000, "fetch.wait.max.ms": 50}


def main() -> int:
    """Run all three and print a table; 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    count, rounds = vars(parser.parse_args()).values()
    kafka = KafkaSettings(namespace=f"bench-{uuid.uuid4().hex[:8]}.")
    home = Path(tempfile.mkdtemp(prefix="millrace-bench-"))
    topics = declared_topics(Catalog.find(), [SERVICE.name])
    apply_topics(topics, KafkaAdmin(kafka), TopicSettings(), folded={TOPIC})
    fill(kafka, count)
    limits, lives, replays = [], [], []
    is_right = True
    for _ in range(rounds):
        limits.append(bare(kafka, count))
        lives.append(fold(kafka, count, home))
        is_right = is_right and is_answer_right(kafka, count)
        replays.append(replay(kafka, count, home))
        start_over(kafka, home)
    show(count, limits, lives, replays)
    shutil.rmtree(home)
    print("answers", "right" if is_right else "WRONG")
    return 0 if is_right else 1


def fill(kafka: KafkaSettings, count: int) -> None:
    """Produce the events."""
    catalog = Catalog.find()
    encode = {kind: catalog.encoder(kind).encode for kind in (PhotoLiked, PhotoUnliked)}
    producer = Producer(
        base_config(kafka)
        | {
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 1_000_000,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
        }
    )
    topic = physical(kafka, TOPIC)
    for event in events(count):
        while True:
            try:
                producer.produce(topic, encode[type(event)](event), b"%d" % event.photo_id)
                break
            except BufferError:
                producer.poll(0.05)
    producer.flush()


def bare(kafka: KafkaSettings, count: int) -> float:
    """Events a second of `consume()` that does nothing."""
    group = {"group.id": uuid.uuid4().hex, "enable.auto.commit": False, "check.crcs": True}
    consumer = Consumer(base_config(kafka) | group | FAST)
    partitions = Catalog.find().topic(TOPIC).partitions
    consumer.assign([TopicPartition(physical(kafka, TOPIC), at, 0) for at in range(partitions)])
    seen, started_s = 0, 0.0
    while seen < count:
        seen += len(consumer.consume(20_000, 0.5))
        started_s = started_s or monotonic_s()
    rate = count / (monotonic_s() - started_s)
    consumer.close()
    return rate


def fold(kafka: KafkaSettings, count: int, home: Path) -> float:
    """Events a second from the first record to the last commit, which the stop brings about."""
    timed = TimedLog(KafkaLog(kafka, WorkerSettings()))
    worker = Worker(SERVICE, kafka=kafka, home=home, log=timed)

    def finished(log: TimedLog) -> None:
        if log.records >= count:
            worker.stop()

    timed.finished = finished
    worker.run()
    return count / (timed.committed_s - timed.started_s)


def replay(kafka: KafkaSettings, count: int, home: Path) -> float:
    """Events a second of a silent replay to the committed offset, from an empty store."""
    for store in (service_home(kafka, home) / "state" / SERVICE.name).glob("*/db"):
        shutil.rmtree(store)
    timed = TimedLog(KafkaLog(kafka, WorkerSettings()))
    worker = Worker(SERVICE, kafka=kafka, home=home, log=timed)
    ends: list[float] = []

    def finished(log: TimedLog) -> None:
        if log.records >= count and not ends:
            ends.append(log.folded_s)
            worker.stop()

    timed.finished = finished
    worker.run()
    return count / (ends[0] - timed.started_s)


def start_over(kafka: KafkaSettings, home: Path) -> None:
    """Let the next round fold from the start again."""
    from streams.engine.reset import reset_state

    reset_state(SERVICE, KafkaLog(kafka, WorkerSettings()))
    shutil.rmtree(service_home(kafka, home) / "state" / SERVICE.name)


def is_answer_right(kafka: KafkaSettings, count: int) -> bool:
    """Whether every photo's count is what plain sets say."""
    with Results("demo.counts", kafka) as results:
        found = {photo_id: result.likes for photo_id, result in results.items()}
    return found == expected(count)


def show(count: int, limits: list[float], lives: list[float], replays: list[float]) -> None:
    """Print medians and ratios of the same round."""
    print(f"{count:,} events, {len(limits)} rounds; median events/s, ratio to bare consume()")
    middle = len(limits) // 2
    print(f"  bare consume  {sorted(limits)[middle]:>12,.0f}")
    for name, rates in (("live fold", lives), ("silent replay", replays)):
        ratios = sorted(rate / limit for rate, limit in zip(rates, limits, strict=True))
        print(f"  {name:<13} {sorted(rates)[middle]:>12,.0f}  {ratios[middle]:.2f}")


if __name__ == "__main__":
    sys.exit(main())
