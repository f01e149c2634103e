"""Event streaming on Kafka: emit typed events, fold them into state exactly once, read results.

The names below are the public interface; everything else may move. They load when first used, so
a program that only emits needs none of the engine's libraries.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.engine.worker import Worker
    from streams.errors import (
        BrokerUnavailable,
        ClientClosed,
        ConfigurationError,
        DeliveryFailed,
        InputError,
        NotFound,
        Overloaded,
        SchemaMismatch,
        StreamsError,
        TooLarge,
        Unavailable,
        UnknownEvent,
        WorkerStopped,
    )
    from streams.events.message import Event, Message, Result
    from streams.fold.context import Context
    from streams.fold.declaration import Fold
    from streams.fold.service import Service
    from streams.sdk.client import EventClient
    from streams.sdk.emitter import Emitter
    from streams.sdk.receipt import Receipt
    from streams.sdk.recording import RecordingClient
    from streams.state.entries import Entries
    from streams.state.member_sets import MemberSets
    from streams.state.members import Members
    from streams.topics.catalog import Catalog
    from streams.views.results import Results

_HOMES = {
    # Emit
    "Emitter": "streams.sdk.emitter",
    "EventClient": "streams.sdk.client",
    "Receipt": "streams.sdk.receipt",
    "RecordingClient": "streams.sdk.recording",
    # Derive
    "Context": "streams.fold.context",
    "Entries": "streams.state.entries",
    "Fold": "streams.fold.declaration",
    "MemberSets": "streams.state.member_sets",
    "Members": "streams.state.members",
    "Service": "streams.fold.service",
    "Worker": "streams.engine.worker",
    # Read
    "Catalog": "streams.topics.catalog",
    "Event": "streams.events.message",
    "Message": "streams.events.message",
    "Result": "streams.events.message",
    "Results": "streams.views.results",
    # Errors
    "BrokerUnavailable": "streams.errors",
    "ClientClosed": "streams.errors",
    "ConfigurationError": "streams.errors",
    "DeliveryFailed": "streams.errors",
    "InputError": "streams.errors",
    "NotFound": "streams.errors",
    "Overloaded": "streams.errors",
    "SchemaMismatch": "streams.errors",
    "StreamsError": "streams.errors",
    "TooLarge": "streams.errors",
    "Unavailable": "streams.errors",
    "UnknownEvent": "streams.errors",
    "WorkerStopped": "streams.errors",
}

__all__ = [  # noqa: RUF022 grouped as above
    "Emitter", "EventClient", "Receipt", "RecordingClient",
    "Context", "Entries", "Fold", "MemberSets", "Members", "Service", "Worker",
    "Catalog", "Event", "Message", "Result", "Results",
    "BrokerUnavailable", "ClientClosed", "ConfigurationError", "DeliveryFailed", "InputError",
    "NotFound", "Overloaded", "SchemaMismatch", "StreamsError", "TooLarge", "Unavailable",
    "UnknownEvent", "WorkerStopped",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'streams' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
