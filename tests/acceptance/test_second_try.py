"""What was parked or quarantined is folded after all, once, whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sys
from collections import Counter, defaultdict
from dataclasses import replace

import msgspec
import pytest
from confluent_kafka import Producer

from streams.clock import Deadline
from streams.engine.asking import ask
from streams.engine.decisions import PARTITION, DecisionKind, decision_of
from streams.engine.fates import Fates
from streams.engine.status import service_home
from streams.kafka.connection import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.ports.records import TopicPartition
from streams.settings import WorkerSettings
from streams.state.codec import StateCodec
from streams.state.rocks import RocksStore
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
from tests.acceptance.readme import blocks
from tests.faults.crash_points import Point, arm

USERS = 30
RAISING = (3, 7, 100)
LATE = (5, 7, 12, 101)
ANSWERING = (
    Point.BEFORE_PRODUCE,
    Point.AFTER_PRODUCE,
    Point.AFTER_SEND_OFFSETS,
    Point.INSIDE_COMMIT,
    Point.AFTER_COMMIT,
    Point.INSIDE_CHECKPOINT,
    Point.AFTER_CHECKPOINT,
)
ASKING = (
    Point.INSIDE_INIT,
    Point.BEFORE_PRODUCE,
    Point.AFTER_PRODUCE,
    Point.INSIDE_COMMIT,
    Point.AFTER_COMMIT,
)
BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", ["consumer", "classic"])

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class Sum(msgspec.Struct):
    """The state of both folds, as the project declares it."""

    acts: int = 0
    amount: int = 0


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


def decisions(home):
    """All that was decided and asked for."""
    reader = KafkaReader(home.kafka)
    try:
        places = {TopicPartition("fragile.decisions", PARTITION): 0}
        return [decision_of(record) for record in reader.read(places)]
    finally:
        reader.close()


def fates(home):
    """What became of everything that was skipped."""
    found = Fates()
    for decision in decisions(home):
        found.add(decision)
    return found.all


def states(home):
    return Counter(one.state for one in fates(home))


def answers(home):
    """How often something was folded after all."""
    kinds = Counter(one.kind for one in decisions(home))
    return {kind: kinds[kind] for kind in (DecisionKind.RETRIED, DecisionKind.REDRIVEN)}


def listed(home, verb):
    lines = home.done(verb, "list", "fragile", "--json").splitlines()
    return Counter(json.loads(line)["state"] for line in lines)


def stored(home, fold):
    """What the stores hold; nobody may have them open."""
    folder, codec = service_home(home.kafka, home.folder), StateCodec(fold, Sum)
    found = {}
    for place in sorted((folder / "state" / "fragile").glob("acts.done-*/db")):
        store = RocksStore(place)
        users = list(codec.keys(store))
        rows = zip(users, codec.load(users, store), strict=True)
        found |= {user: {"user_id": user, **msgspec.to_builtins(row)} for user, row in rows}
        store.close()
    return found


def check(home, told):
    assert sums(told) == home.dump("acts.totals") == home.dump("acts.tallies")
    assert Counter((one["user_id"], one["amount"]) for one in told) == Counter(notes(home))


def check_stores(home, told):
    """Of the only host, once its workers were stopped."""
    assert sums(told) == stored(home, "totals") == stored(home, "tallies")


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


def skipping(kafka, folder, users, **settings):
    """A project that skips a key and a record of each of the first users, and is mended since."""
    home, _ = make_project(kafka, folder)
    home = replace(home, settings=settings)
    frame, release = newer_schema(home)
    told = [*acts(0, 300), *(act(user, 1_000, "raise") for user in range(users))]
    late = [act(user, 1_000_000) for user in range(users)]
    emit(home, told)
    send_late(home, frame, late)
    home.done("run", "fragile", "--until-caught-up")
    assert Counter(parked=users, quarantined=users) == states(home)
    mend(home)
    release()
    return home, [*told, *late]


def kill_who_answers(home, arms, points):
    """A worker is killed at each point, while it answers what is asked about one user.

    Nothing else is going on, so that the point falls into the transaction or checkpoint of that.
    """
    program = [sys.executable, "-m", "tests.faults.worker", "fragile", "0", str(arms)]
    log = KafkaLog(home.kafka, WorkerSettings())
    skipped = by_user(home)
    for user, point in enumerate(points):
        with home.launch(program) as worker:
            until(lambda: home.has_workers(1, "fragile"), 60, "the worker is live")
            arm(arms, point)
            ask("fragile", log, skipped[user])
            assert -signal.SIGKILL == worker.wait(30), worker.tail


def kill_who_asks(home, arms, points, first=0):
    """Both commands are killed at each point, and then run again to their end."""
    for user, point in enumerate(points, start=first):
        for verb in (
            ("parked", "retry", "fragile", str(user)),
            ("quarantine", "redrive", "fragile", "--key", str(user)),
        ):
            arm(arms, point)
            program = [sys.executable, "-m", "tests.faults.command", str(arms), *verb]
            with home.launch(program) as command:
                assert -signal.SIGKILL == command.wait(60), command.tail
            again = home.streams(*verb, "--wait", "60")
            is_answered = again.returncode == 4 and "any more" in again.stderr
            assert again.returncode == 0 or is_answered, again.stderr


def finish(home, users):
    """Whoever is asked still has answered once, and stopped."""
    with home.start("run", "fragile") as service:
        until(lambda: home.has_workers(1, "fragile"), 60, "the worker is live")
        until(lambda: states(home) == Counter(retried=users, redriven=users), 60, "all answered")
        assert 0 == service.terminate()
    assert {DecisionKind.RETRIED: users, DecisionKind.REDRIVEN: users} == answers(home)


def test_a_kill_inside_a_commit_of_asking_and_of_answering_changes_nothing(kafka, tmp_path):
    """The one moment after which nobody knows whether it happened."""
    home, told = skipping(kafka, tmp_path, 2)

    kill_who_answers(home, tmp_path / "arms", [Point.INSIDE_COMMIT])
    with home.start("run", "fragile"):
        kill_who_asks(home, tmp_path / "arms", [Point.INSIDE_COMMIT], first=1)
    finish(home, 2)

    check(home, told)
    check_stores(home, told)


@pytest.mark.chaos
@BOTH_PROTOCOLS
def test_a_worker_that_is_killed_at_any_point_of_an_answer_gives_it_once(kafka, tmp_path, protocol):
    """From before its first record to behind its checkpoint."""
    users = len(ANSWERING)
    home, told = skipping(kafka, tmp_path, users, STREAMS_GROUP_PROTOCOL=protocol)

    kill_who_answers(home, tmp_path / "arms", ANSWERING)
    finish(home, users)

    check(home, told)
    check_stores(home, told)


@pytest.mark.chaos
def test_a_command_that_is_killed_at_any_point_can_be_run_again(kafka, tmp_path):
    """Whether the request stands or not: it is answered once."""
    users = len(ASKING)
    home, told = skipping(kafka, tmp_path, users)

    with home.start("run", "fragile"):
        until(lambda: home.has_workers(1, "fragile"), 60, "the worker is live")
        kill_who_asks(home, tmp_path / "arms", ASKING)
    finish(home, users)

    check(home, told)
    check_stores(home, told)


def test_what_the_text_shows_is_what_is_printed(kafka, tmp_path):
    """With this service's names in place of those in the text."""
    home, _ = make_project(kafka, tmp_path)
    home = replace(home, settings={"PYTHONUNBUFFERED": "1"})
    frame, release = newer_schema(home)
    emit(home, [act(5, 1, "raise")])
    send_late(home, frame, [act(5, 2)])
    home.done("run", "fragile", "--until-caught-up")
    first, *others = shown(home)

    with home.start("run", "fragile"):
        failed = printed(home, first)
    mend(home)
    release()
    with home.start("run", "fragile"):
        codes = [printed(home, one) for one in others]

    assert [1, 0, 4, 0] == [failed, *codes]
    check(home, [act(5, 1), act(5, 2)])


def shown(home):
    """The commands in the text, each with what it prints, in the words of this service."""
    program = (home.cwd / "fragile_folds.py").read_text().splitlines()
    (raised,) = [line for line, text in enumerate(program, 1) if "asked to raise" in text]
    (bad,) = [one.skipped for one in fates(home) if one.skipped.kind is DecisionKind.QUARANTINED]
    names = {
        "KeyError: 'tags'": "RuntimeError: asked to raise",
        "services/counters/photos.py:88": f"fragile_folds.py:{raised}",
        "social.photos/3/17": f"{bad.source}/{bad.at}",
        "photos 5": "totals 5",
        "counters": "fragile",
    }
    (text,) = [one.text for one in blocks("Fold what was skipped") if one.language == "console"]
    for theirs, ours in names.items():
        text = text.replace(theirs, ours)
    return text.split("$ streams ")[1:]


def printed(home, told):
    """The exit code of a command that is told of; what it prints must be what is told."""
    command, _, expected = told.partition("\n")
    with home.start(*command.partition("#")[0].split()) as running:
        code = running.wait(60)
    assert expected == running.text
    return code


def _zigzag(number):
    number *= 2
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
