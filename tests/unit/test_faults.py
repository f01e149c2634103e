"""What the client's error codes mean for whoever asked."""

import pytest
from confluent_kafka import KafkaError

from streams.errors import BrokerUnavailable
from streams.kafka.faults import translated
from streams.settings import KafkaSettings

SETTINGS = KafkaSettings(bootstrap_servers="127.0.0.1:1")


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.CONCURRENT_TRANSACTIONS,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
    ],
)
def test_what_passes_by_itself_is_waited_for(code):
    """After an unclean restart a broker may lag behind its clients: no worker stops for that."""
    error = translated(KafkaError(code), "read offsets of likes", SETTINGS)

    assert isinstance(error, BrokerUnavailable)
    assert "try again" in str(error)
