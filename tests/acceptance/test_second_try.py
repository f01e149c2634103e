"""What was parked or quarantined is folded after all, once, whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sys
from collections import Counter, defaultdict

import pytest
from confluent_kafka import Producer

from streams.clock import Deadline
from streams.engine.asking import ask
from streams.engine.decisions import PARTITION, decision_of
from streams.engine.fates import Fates
from streams.kafka.connection import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.settings import WorkerSettings
from tests.acceptance.fragile_project import (
    act,
    elsewhere,
    emit,
    make_project,
    mend,
    newer_schema,
    notes,
    sums,
)
from tests.acceptance.home import until
from tests.faults.crash_points import Point, arm

USERS = 30
RAISING = (3, 7, 100)
LATE = (5, 7, 12, 101)
STRUCK = (
    Point.AFTER_PRODUCE,
    Point.AFTER_SEND_OFFSETS,
    Point.INSIDE_COMMIT,
    Point.AFTER_COMMIT,
    Point.INSIDE_CHECKPOINT,
    Point.AFTER_CHECKPOINT,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def acts(first, last):
    return [act(number % USERS, number) for number in range(first, last)]


def send_late(home, frame, told):
    """Acts in a version that no worker knows yet."""
    producer = Producer(
        {"bootstrap.servers": home.kafka.bootstrap_servers, "partitioner": "murmur2_random"}
    )
    for one in told:
        number = _zigzag(one["user_id"]) + _zigzag(one["amount"])
        value = frame + secrets.token_bytes(16) + b"\0" + number + b"\0" + b"\0"
        key = str(one["user_id"]).encode()
        producer.produce(f"{home.kafka.namespace}acts.done", value, key)
    assert 0 == producer.flush(30)


def fates(home):
    """What became of everything that was skipped."""
    found, reader = Fates(), KafkaReader(home.kafka)
    for record in reader.read({TopicPartition("fragile.decisions", PARTITION): 0}):
        found.add(decision_of(record))
    reader.close()
    return found.all


def states(home):
    return Counter(one.state for one in fates(home))


def listed(home, verb):
    lines = home.done(verb, "list", "fragile", "--json").splitlines()
    return Counter(json.loads(line)["state"] for line in lines)


def check(home, told):
    assert sums(told) == home.dump("acts.totals") == home.dump("acts.tallies")
    assert Counter((one["user_id"], one["amount"]) for one in told) == Counter(notes(home))


def test_what_was_skipped_is_folded_once_whoever_is_killed(kafka, tmp_path):
    """The verbs and the workers, at any moment, under load; then on a host without the state.

    Some records in quarantine are of keys that are parked as well.
    """
    seed = secrets.randbelow(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    home, _ = make_project(kafka, tmp_path)
    frame, release = newer_schema(home)
    late = [act(user, 1_000_000 + user) for user in LATE]
    told = [*acts(0, 1_000), *(act(user, 1_000, "raise") for user in RAISING), *acts(1_000, 2_000)]
    emit(home, told)
    send_late(home, frame, late)
    home.done("run", "fragile", "--workers", "2", "--until-caught-up")
    skipped = states(home)
    mend(home)
    release()

    with home.start("run", "fragile", "--workers", "2") as service:
        until(lambda: home.has_workers(2, "fragile"), 40, "both workers live")
        for turn in range(3):
            more = acts(2_000 + 500 * turn, 2_500 + 500 * turn)
            told += more
            ask_and_kill(home, chance, more, is_killed=turn < 2)
            for worker in home.workers("fragile"):
                os.kill(worker.pid, signal.SIGKILL)
            until(lambda: home.has_workers(2, "fragile"), 60, "both workers live again")
        done = Counter(retried=len(RAISING), redriven=len(LATE))
        until(lambda: states(home) == done, 60, "answered")
        told += [*late, act(3, 1), act(100, 1)]
        emit(home, told[-2:])
        until(lambda: home.dump("acts.totals")[100]["acts"] == 2, 30, "the last act")
        assert 0 == service.terminate()

    assert Counter(parked=len(RAISING), quarantined=len(LATE)) == skipped
    assert done == listed(home, "parked") + listed(home, "quarantine")
    check(home, told)
    home = elsewhere(home)
    emit(home, [act(7, 2)])
    home.done("run", "fragile", "--until-caught-up")
    check(home, [*told, act(7, 2)])


def by_user(home):
    """The decisions that skip something of each user: one about the key, one about a record."""
    reader, found = KafkaReader(home.kafka), defaultdict(list)
    places = {one.skipped.source: 0 for one in fates(home)}
    users = {(record.partition, record.offset): int(record.key) for record in reader.read(places)}
    reader.close()
    for one in fates(home):
        found[users[one.skipped.partition, one.skipped.at]].append(one.skipped)
    return found


def ask_and_kill(home, chance, more, *, is_killed):
    """Ask for everything while more is emitted; the verbs are killed, or come to their end."""
    with (
        home.start("parked", "retry", "fragile", "--all", "--wait", "0") as retry,
        home.start("quarantine", "redrive", "fragile", "--all", "--wait", "0") as redrive,
    ):
        emit(home, more)
        Deadline.after(chance.uniform(0.0, 0.6)).pause()
        for one in (retry, redrive):
            if is_killed:
                one.process.kill()
            one.process.wait()
    Deadline.after(chance.uniform(0.0, 0.6)).pause()


def test_a_worker_that_is_killed_at_any_point_of_an_answer_gives_it_once(kafka, tmp_path):
    """Nothing else is going on, so each point falls into the transaction or checkpoint of it."""
    home, _ = make_project(kafka, tmp_path)
    frame, release = newer_schema(home)
    told = [*acts(0, 300), *(act(user, 1_000, "raise") for user in range(len(STRUCK)))]
    late = [act(user, 1_000_000) for user in range(len(STRUCK))]
    emit(home, told)
    send_late(home, frame, late)
    home.done("run", "fragile", "--until-caught-up")
    mend(home)
    release()
    arms = tmp_path / "arms"
    program = [sys.executable, "-m", "tests.faults.worker", "fragile", "0", str(arms)]

    log = KafkaLog(home.kafka, WorkerSettings())
    skipped = by_user(home)

    for user, point in enumerate(STRUCK):
        with home.launch(program) as worker:
            until(lambda: home.has_workers(1, "fragile"), 60, "the worker is live")
            arm(arms, point)
            ask("fragile", log, skipped[user])
            assert -signal.SIGKILL == worker.wait(30), worker.tail
    home.done("run", "fragile", "--until-caught-up")

    assert Counter(retried=len(STRUCK), redriven=len(STRUCK)) == states(home)
    check(home, [*told, *late])


def _zigzag(number):
    number *= 2
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
