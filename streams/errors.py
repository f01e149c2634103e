"""Every error the library raises on purpose, for callers who catch and for people who read.

StreamsError                 anything below; `exit_code` is what the command line returns
├── InputError               the caller's input or configuration is wrong; nothing was sent
│   ├── ConfigurationError   a setting, catalog or declaration cannot work
│   ├── SchemaRefused        a schema breaks a rule of the linter or of compatibility
│   ├── UnknownEvent         a type that no catalog declares
│   ├── SchemaMismatch       a value does not fit its schema (names the field)
│   └── TooLarge             a record is over the size limit
├── Unavailable              try again later
│   ├── BrokerUnavailable    no broker answered in time
│   └── Overloaded           the client's bounded queue is full
├── NotFound                 the thing asked for does not exist
│   ├── PositionGone         the log does not hold a position that was to be read
│   └── TopicGone            a topic that is read does not exist, or no longer
├── DeliveryFailed           a record was not acknowledged, or it is unknown whether it was
├── ClientClosed             the client was closed, or belongs to the parent of a fork
├── Undecodable              bytes that no schema explains; a worker quarantines them
├── TransactionFailed        a transaction's outcome is unknown; the producer was dropped
├── StoreDamaged             local state is not as it was written; it is made again from the log
└── WorkerStopped            a worker stopped rather than guess; the message names the way on
    ├── OffsetsMissing       committed offsets are gone or behind the store
    ├── TopicChanged         a topic was recreated, grown, shortened or removed
    ├── FoldChanged          a fold's version or code differs from what made its state
    ├── HandlerFailing       a fold parks too many keys, or fails while replaying
    └── Fenced               another process uses this worker's identity
"""

from __future__ import annotations


class StreamsError(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1


class InputError(StreamsError):
    """The caller's input is wrong; nothing was sent or changed."""

    exit_code = 2


class ConfigurationError(InputError):
    """A setting, a catalog entry or a declaration cannot work as written."""


class SchemaRefused(InputError):
    """A schema breaks a rule; `path` names the offending field."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class UnknownEvent(InputError):
    """A type that the catalog does not declare."""


class SchemaMismatch(InputError):
    """A value does not fit its schema; `type_name` and `field` say where."""

    def __init__(self, message: str, *, type_name: str = "", field: str = "") -> None:
        super().__init__(message)
        self.type_name = type_name
        self.field = field


class TooLarge(InputError):
    """A record is over the size limit; `size_bytes` and `limit_bytes` say by how much."""

    def __init__(self, message: str, *, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(message)
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class Unavailable(StreamsError):
    """Something outside did not answer; trying again later may work."""

    exit_code = 3


class BrokerUnavailable(Unavailable):
    """No Kafka broker answered in time."""


class Overloaded(Unavailable):
    """The client's bounded queue is full and `on_full` is `fail`, or waiting took too long."""


class NotFound(StreamsError):
    """The key, topic, service or type asked for does not exist."""

    exit_code = 4


class PositionGone(NotFound):
    """The log does not hold the position to read from; a worker that meets it stops."""


class TopicGone(NotFound):
    """A topic that is read does not exist, or no longer; a worker that meets it stops."""


class DeliveryFailed(StreamsError):
    """A record was not acknowledged; `is_unknown` tells that it may be on the broker all the same.

    `count` says how many, where flush or close speak of all that failed.
    """

    def __init__(self, message: str, *, is_unknown: bool = False, count: int = 1) -> None:
        super().__init__(message)
        self.is_unknown = is_unknown
        self.count = count


class ClientClosed(StreamsError):
    """The client was closed, or was made before a fork and is used in the child."""


class Undecodable(StreamsError):
    """Bytes that no schema explains; `reason` is a short stable word, `detail` the finding."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class TransactionFailed(StreamsError):
    """A transaction failed or its outcome is unknown; its producer must not be used again.

    `is_stale_member` tells that the group moved on since the membership was captured.
    """

    def __init__(self, message: str, *, is_stale_member: bool = False) -> None:
        super().__init__(message)
        self.is_stale_member = is_stale_member


class StoreDamaged(StreamsError):
    """Files of a local store do not hold what was written; a worker makes it again from the log."""


class WorkerStopped(StreamsError):
    """A worker stopped rather than guess; the message names the command that goes on."""


class OffsetsMissing(WorkerStopped):
    """Committed offsets are missing, or behind what the store or the outputs already hold."""


class TopicChanged(WorkerStopped):
    """A topic was recreated, grown, shortened or removed under a service."""


class FoldChanged(WorkerStopped):
    """A fold's version or code differs from what made its committed state."""


class HandlerFailing(WorkerStopped):
    """A fold parks too many keys a minute, or raises while replaying what it once folded."""


class Fenced(WorkerStopped):
    """Another process uses this worker's transactional id or state folder."""
