"""Records that no worker can fold: each is set aside once, and everything else flows."""

from __future__ import annotations

import json
import signal
from collections import Counter

import pytest
from confluent_kafka import Producer

from tests.acceptance.fragile_project import act, elsewhere, emit, make_project, notes, sums

EVENT_ID = bytes(15) + b"\1"
ZERO = b"\0"
DEPTH = 5_000
HEADERS = [("producer", b"someone else"), ("reason", b"its own")]

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def payload(text: bytes = b"poison") -> bytes:
    """Avro binary of an `Acted`: id, time 0, user 3, amount 1, text."""
    return EVENT_ID + ZERO + b"\6" + b"\2" + bytes([2 * len(text)]) + text


def nested(depth: int) -> bytes:
    """An `Acted` whose cause has a cause, and so on."""
    return (payload() + b"\2") * depth + payload() + ZERO


def poisons(schemas) -> dict[str, bytes]:
    """Values by the reason for which each must be refused."""
    good = schemas.newest + payload()
    return {
        "bad magic": b"\1" + good[1:],
        "unknown schema id": b"\0\0\0\0\7" + payload(),
        "truncated": good[:-1],
        "trailing bytes": good + ZERO,
        "invalid utf-8": schemas.newest + payload(b"poi\xffson"),
        "too deep": schemas.recursive + nested(DEPTH),
        "too large": schemas.newest + payload() + bytes(1_020_000),
    }


def send(home, values) -> None:
    producer = Producer(
        {
            "bootstrap.servers": home.kafka.bootstrap_servers,
            "partitioner": "murmur2_random",
            "message.max.bytes": 1_040_000,
            "log_level": 2,
        }
    )
    for value in values:
        producer.produce(f"{home.kafka.namespace}acts.done", value, b"3", headers=HEADERS)
    assert 0 == producer.flush(30)


def crashes(service) -> list[int]:
    return [line["code"] for line in service.said("restart")]


def ran(home):
    """`streams run` until everything is folded, and what it said."""
    with home.start("run", "fragile", "--workers", "2", "--until-caught-up") as service:
        assert 0 == service.wait(90), service.tail
    return service


def test_each_poison_is_quarantined_once_and_everything_else_flows(kafka, tmp_path):
    """Seven kinds of bytes that do not decode, and one record that kills the process that folds it.

    5,000 levels through a recursive writer schema would end the process inside the decoder, before
    any exception.
    """
    home, schemas = make_project(kafka, tmp_path)
    acts = [act(number % 40, number) for number in range(4_000)]
    killing = act(5, 1_000_000, text="kill")
    bad = poisons(schemas)
    emit(home, acts[:1_500])
    send(home, bad.values())
    emit(home, [*acts[1_500:2_500], killing, *acts[2_500:]])

    first = ran(home)
    send(home, [schemas.recursive + payload() + ZERO])
    again = ran(elsewhere(home))

    rows = shown(home, "list")
    assert crashes(first) in ([-signal.SIGKILL], [-signal.SIGKILL] * 2)
    assert [] == crashes(again)
    assert Counter([*bad, "kills the process"]) == Counter(row["reason"] for row in rows)
    assert len(rows) == len({row["source"] for row in rows})
    found = {row["reason"]: row for row in shown(home, "show")}
    assert {reason: value.hex() for reason, value in bad.items()} == {
        reason: row["value"] for reason, row in found.items() if reason in bad
    }
    assert killing.items() <= found["kills the process"]["event"].items()
    assert ["producer", "someone else"] in found["truncated"]["headers"]
    folded = [*acts, act(3, 1)]
    assert sums(folded) == home.dump("acts.totals") == home.dump("acts.tallies")
    assert Counter((one["user_id"], one["amount"]) for one in folded) == Counter(notes(home))


def shown(home, verb) -> list[dict]:
    lines = home.done("quarantine", verb, "fragile", "--json").splitlines()
    return [json.loads(line) for line in lines]
