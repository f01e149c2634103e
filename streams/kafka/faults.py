"""What the client's errors mean to us: one place that turns codes into our errors."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from streams.errors import BrokerUnavailable, StreamsError, TopicChanged
from streams.kafka.address import in_words, way_on
from streams.settings import KafkaSettings

UNREACHABLE: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
    }
)
"""Codes that say a broker stalled or went away."""

HARMLESS: Final = UNREACHABLE | {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError._MAX_POLL_EXCEEDED,
    KafkaError._PURGE_INFLIGHT,
    KafkaError._PURGE_QUEUE,
    KafkaError._STATE,
}
"""Codes that the client gets over by itself; they are logged, not raised."""

FENCED: Final = frozenset(
    {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
)
"""Codes that say another producer took our transactional id."""

STALE_MEMBER: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError.REBALANCE_IN_PROGRESS,
    }
)
"""Codes that say the group moved on since the membership was captured."""

SETTLING: Final = frozenset(
    {
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
"""Codes of a partition whose leader is not known everywhere yet."""

_BUSY = SETTLING | frozenset(
    {
        KafkaError.CONCURRENT_TRANSACTIONS,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
    }
)
_GONE = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)
_NO_OFFSET = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._NO_OFFSET}
)


def error_of(exc: KafkaException) -> KafkaError:
    """The error inside an exception of the client."""
    error: KafkaError = exc.args[0]
    return error


def translated(error: KafkaError, doing: str, settings: KafkaSettings) -> StreamsError:
    """Our error for a client's error met while `doing` something."""
    if error.code() in UNREACHABLE:
        return BrokerUnavailable(
            f"cannot {doing}: no answer from {in_words(settings)} ({error.name()}); "
            f"{way_on(settings)}"
        )
    if error.code() in _BUSY:
        return BrokerUnavailable(
            f"cannot {doing}: {error.str()} ({error.name()}); a transaction is still open or a "
            "broker is taking over; try again"
        )
    if error.code() in _GONE:
        return TopicChanged(
            f"cannot {doing}: {error.str()}; run `streams topics apply` if the topic was never "
            "made, else see `streams topics diff`"
        )
    return StreamsError(f"cannot {doing}: {error.str()} ({error.name()})")


def is_out_of_range(error: KafkaError) -> bool:
    """Whether a position is no longer in the log, or was never given."""
    return error.code() in _NO_OFFSET


def is_gone(error: KafkaError) -> bool:
    """Whether the topic or partition does not exist."""
    return error.code() in _GONE
