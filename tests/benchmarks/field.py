"""Who runs: every system with its settings, what it can do, and how it is started."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.benchmarks import environments

OURS = "Millrace"
BARE = "bare consume()"
PLAIN = "confluent-kafka + fastavro + dict"
STREAMS_AS_DOCUMENTED = "Kafka Streams, RocksDB, cache 10 MB"
STREAMS = "Kafka Streams"
STREAMS_IN_MEMORY = "Kafka Streams, in memory, cache 10 MB"
STREAMS_UNCACHED = "Kafka Streams, in memory, members uncached"
QUIX = "Quix Streams"
FAUST = "Faust"
STAMPING = ", stamping"
SERIALIZER = "confluent-kafka AvroSerializer"
OURS_MANY = "Millrace emit_many"

_MB = 1_048_576
_CHANGELOG = "restores from a changelog topic, never from the log itself"
_COMMIT_MS = 200
_FEW = 50_000  # for those that would take most of an hour for a million


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system with one set of settings. `jobs` are those it can do.

    `most_events` shortens what would take hours; `note` says what a reader of its row must know.
    `warm_up` is how many events of a long run go through before its time begins. `rounds` is at
    most how often it runs; what is not `is_in_long` runs on 1 M events only, to end the same day.
    `no_replay` says why it has no such job.
    """

    name: str
    command: Callable[[], list[str]]
    jobs: frozenset[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    most_events: int | None = None
    warm_up: int = 0
    rounds: int = 3
    is_in_long: bool = True
    is_in_quick: bool = False
    is_ours: bool = False
    no_replay: str = ""
    note: str = ""


def systems() -> list[System]:
    """All of the field, ours first."""
    return [
        _ours(),
        *_ours_emitting(OURS, "emit"),
        *_ours_emitting(OURS_MANY, "emit_many"),
        _bare(),
        *_plain(),
        *_kafka_streams(),
        *_quix(),
        *_faust(),
        _bytewax(),
        _flink(),
        _serializer(),
    ]


def _ours() -> System:
    return System(
        name=OURS,
        command=partial(own, "fold"),
        jobs=frozenset({"members", "count", "replay"}),
        is_in_quick=True,
        is_ours=True,
        note="as it comes: commits every 200 ms, checkpoints every 10 s",
    )


def _ours_emitting(name: str, way: str) -> list[System]:
    return [
        System(
            name=name + suffix,
            command=partial(own, "emit"),
            jobs=frozenset({"emit"}),
            options={"way": way, "is_stamped": is_stamped},
            is_in_quick=True,
            is_ours=True,
            note=note,
        )
        for suffix, is_stamped, note in (
            ("", True, "the same typed events as AvroSerializer gets, with ids and times"),
            (STAMPING, False, "the client gives each event its id and time"),
        )
    ]


def _bare() -> System:
    return System(
        name=BARE,
        command=partial(own, "bare"),
        jobs=frozenset({"members", "count", "replay"}),
        is_in_quick=True,
        note="the limit: takes records and does nothing",
    )


def _plain() -> list[System]:
    return [
        System(
            name=PLAIN + suffix,
            command=partial(environments.command, "plain"),
            jobs=frozenset({"members", "count"}),
            options={"backoff_ms": backoff_ms, "commit_interval_ms": _COMMIT_MS},
            rounds=3 if backoff_ms == 5 else 1,
            is_in_long=backoff_ms == 5,
            is_in_quick=backoff_ms == 5,
            no_replay="keeps its state in memory only, and would count on with an empty one",
            note="keeps its state in memory only: a restart counts wrong",
        )
        for suffix, backoff_ms in (("", 5), (" (client defaults)", None))
    ]


def _kafka_streams() -> list[System]:
    rocksdb, memory, uncached = {"store": "rocksdb"}, {"store": "memory"}, {"member_cache": False}
    small, large = {"cache_bytes": 10 * _MB}, {"cache_bytes": 100 * _MB}
    return [
        _topology(STREAMS_AS_DOCUMENTED, rocksdb | small, rounds=3),
        _topology("Kafka Streams, RocksDB, cache 100 MB", rocksdb | large, is_in_long=False),
        _topology(
            "Kafka Streams, RocksDB, members uncached", rocksdb | small | uncached, "members"
        ),
        _topology(STREAMS_UNCACHED, memory | small | uncached, "members", rounds=3),
        _topology(STREAMS_IN_MEMORY, memory | small, rounds=3),
        _topology("Kafka Streams, in memory, cache 100 MB", memory | large, is_in_long=False),
        _topology(
            "Kafka Streams, in memory, members uncached, 2 threads",
            memory | small | uncached | {"threads": 2},
            "members",
        ),
    ]


def _topology(
    name: str, options: dict[str, Any], *jobs: str, rounds: int = 1, is_in_long: bool = True
) -> System:
    return System(
        name=name,
        command=partial(environments.command, "kafka_streams"),
        jobs=frozenset(jobs or {"members", "count"}),
        options={"threads": 1, "member_cache": True, "commit_interval_ms": 100} | options,
        rounds=rounds,
        is_in_long=is_in_long,
        warm_up=1_000_000,
        no_replay=_CHANGELOG,
        note="4.3.1, exactly_once_v2, decoder written by hand; of 5 M the first 1 M warm it up",
    )


def _quix() -> list[System]:
    return [
        System(
            name=QUIX + suffix,
            command=partial(environments.command, "quix"),
            jobs=frozenset({"members", "count"}),
            options=options,
            rounds=1,
            is_in_long=not suffix,
            no_replay=_CHANGELOG,
            note="3.28.1, exactly-once, commit every 5 s",
        )
        for suffix, options in (
            ("", {"commit_interval_ms": 5_000}),
            (" (tuned)", {"commit_interval_ms": 5_000, "backoff_ms": 5}),
        )
    ]


def _faust() -> list[System]:
    return [
        System(
            name=FAUST + suffix,
            command=partial(environments.command, "faust_app"),
            jobs=frozenset({"members", "count"}),
            options={"guarantee": guarantee},
            most_events=_FEW,
            rounds=1,
            no_replay=_CHANGELOG,
            note=f"faust-streaming 0.15.3, tables in memory, {guarantee}; {_FEW:,} events only",
        )
        for suffix, guarantee in (("", "exactly_once"), (" (at least once)", "at_least_once"))
    ]


def _bytewax() -> System:
    return System(
        name="Bytewax (at least once)",
        command=partial(environments.command, "bytewax_flow"),
        jobs=frozenset({"members", "count"}),
        options={"guarantee": "at_least_once", "backoff_ms": 5},
        rounds=1,
        is_in_long=False,
        note="0.21.1; its Kafka sink has no transactions, so it cannot do the job exactly once",
    )


def _flink() -> System:
    return System(
        name="PyFlink",
        command=partial(environments.command, "flink_job"),
        jobs=frozenset({"members", "count"}),
        most_events=_FEW,
        rounds=1,
        is_in_long=False,
        note=f"2.3.0, exactly once, process mode; {_FEW:,} events only",
    )


def _serializer() -> System:
    return System(
        name=SERIALIZER,
        command=partial(environments.command, "emit_confluent"),
        jobs=frozenset({"emit"}),
        is_in_quick=True,
        note="AvroSerializer + Producer.produce, idempotent, same batching",
    )


def own(program: str) -> list[str]:
    """The command of a program of ours."""
    return [sys.executable, "-m", f"tests.benchmarks.ours.{program}"]
