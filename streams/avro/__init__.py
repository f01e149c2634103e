"""Avro on Kafka: frames, schema ids, records and batches to typed structs and back.

`Codec` reads what a topic holds, `RecordEncoder` writes it; both trust no bytes and no value.
"""
