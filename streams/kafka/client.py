"""Makes a client; what it refuses in its settings becomes our error.

A client checks its whole configuration while it is made, without a broker. No value is shown,
because a user's option may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from streams.errors import ConfigurationError
from streams.kafka import faults

_Client = TypeVar("_Client")
_VALUE: Final = re.compile(r'value "[^"]*" for')


def new_client(kind: Callable[[dict[str, Any]], _Client], config: dict[str, Any]) -> _Client:
    """A client of a kind; ConfigurationError that names the setting which the client refuses."""
    try:
        return kind(config)
    except KafkaException as exc:
        error = faults.error_of(exc)
        if error.code() != KafkaError._INVALID_ARG:
            raise
        refusal = _VALUE.sub("value for", error.str()).strip()
    except (TypeError, ValueError) as exc:  # an option that wants more than text
        refusal = str(exc)
    raise ConfigurationError(
        f"the Kafka client refuses its settings: {refusal}; see KAFKA_CLIENT_OPTIONS and the "
        "other KAFKA_ variables"
    )
