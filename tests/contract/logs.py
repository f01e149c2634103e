"""What a contract test may be given."""

from tests.contract.kafka_log import KafkaLog
from tests.contract.memory_log import MemoryLog

Log = MemoryLog | KafkaLog
