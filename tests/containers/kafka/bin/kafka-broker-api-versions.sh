#!/bin/sh
# Asks a broker what it speaks, which it only answers when it is ready.
KAFKA_HEAP_OPTS=-Xmx64m
exec "$(dirname "$0")"/kafka-run-class.sh org.apache.kafka.tools.BrokerApiVersionsCommand "$@"
