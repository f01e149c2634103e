"""An in-memory Kafka, so that workers and readers are tested without a broker."""
