"""The only folder that imports confluent_kafka: adapters of the ports in `streams.ports`.

Every adapter takes logical topic and group names and adds the namespace itself.
"""
