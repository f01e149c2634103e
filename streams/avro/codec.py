"""Framed values of a topic to typed events, whatever mix of schemas stands in a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastavro.schema import SchemaParseException

from streams.avro.fingerprint import canonical
from streams.avro.framing import FRAME_BYTES, split
from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.avro.records import RecordDecoder
from streams.errors import ConfigurationError, Undecodable
from streams.events.base import Message
from streams.ports.registry import Registry

Decoded = Message | Undecodable | None
"""None: a null value, or a type nobody asked for."""

_UNPARSABLE = (SchemaParseException, LookupError, ValueError, TypeError, AttributeError)
"""What a registry's answer that is no Avro schema makes fastavro and us raise."""


class Codec:
    """Decodes values written with any released schema of the wanted types.

    `types` maps Avro full names to struct classes; records of other types are left undecoded.
    Each type is read with the newest schema of its subject. One thread owns a codec.
    """

    def __init__(
        self, registry: Registry, types: Mapping[str, type[Message]], limits: Limits | None = None
    ) -> None:
        self._registry = registry
        self._types = types
        self._limits = limits or Limits()
        self._decoders: dict[int, RecordDecoder | None] = {}

    def decode_many(self, values: Sequence[bytes | None]) -> list[Decoded]:
        """One entry a value, in order: the event, what was wrong with it, or None.

        Raises ConfigurationError when the registry's text for an id is no schema, and
        SchemaRefused when today's schema cannot read it: then the records are not to blame.
        """
        return [self._decoded(value) for value in values]

    def decode(self, value: bytes) -> Message:
        """The event of one value; Undecodable also when its type is none of the wanted."""
        schema_id = split(value)
        decoder = self._decoder(schema_id)
        if decoder is None:
            found = self._registry.schema(schema_id).get("name")
            raise Undecodable(Reason.UNKNOWN_TYPE, f"{found}, wanted {', '.join(self._types)}")
        return decoder.decode(value[FRAME_BYTES:])

    def _decoded(self, value: bytes | None) -> Decoded:
        if value is None:
            return None
        try:
            decoder = self._decoder(split(value))
            return None if decoder is None else decoder.decode(value[FRAME_BYTES:])
        except Undecodable as undecodable:
            return undecodable

    def _decoder(self, schema_id: int) -> RecordDecoder | None:
        """The decoder of an id, None if nobody wants its type; Undecodable if no such id."""
        if schema_id not in self._decoders:
            try:
                schema = self._registry.schema(schema_id)
            except KeyError:
                # Not remembered: a registry may learn the id later, and ids may be garbage.
                raise Undecodable(Reason.UNKNOWN_SCHEMA, str(schema_id)) from None
            try:
                self._decoders[schema_id] = self._made(schema_id, schema)
            except _UNPARSABLE as exc:
                raise ConfigurationError(
                    f"the registry's text for schema id {schema_id} is no Avro schema: {exc!r}"
                ) from exc
        return self._decoders[schema_id]

    def _made(self, schema_id: int, schema: Mapping[str, Any]) -> RecordDecoder | None:
        event_type = self._types.get(canonical(schema)["name"])
        if event_type is None:
            return None
        newest = self._registry.newest_id(self._registry.subject(schema_id))
        reader = self._registry.schema(newest)
        return RecordDecoder(event_type, schema, reader, self._limits)
