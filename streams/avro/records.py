"""One record at a time: a struct to its framed bytes, and a payload back to a struct.

The encoder is the output path of clients and workers. The decoder is the judge: what it accepts
is a valid record, whatever path a batch takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import msgspec
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from streams.avro.encoding import encoding_of
from streams.avro.fingerprint import canonical
from streams.avro.framing import frame
from streams.avro.guard import Guard
from streams.avro.limits import Limits
from streams.avro.logical import plain_fields, without_logical
from streams.avro.reasons import Reason
from streams.avro.resolution import readable, spelled_out
from streams.avro.shape import Shape
from streams.avro.strict import StrictForm
from streams.errors import ConfigurationError, Undecodable
from streams.events.message import Message

REFUSALS: Final = (
    EOFError,
    LookupError,
    ValueError,  # UnicodeDecodeError and msgspec's ValidationError among them
    ArithmeticError,  # OverflowError, and what decimal raises
    TypeError,
    SchemaResolutionError,
)
"""What fastavro, a logical type or the struct raises for bytes that make no valid record."""


class RecordEncoder:
    """Encodes structs of one type with one schema. Safe to share between threads."""

    def __init__(
        self, event_type: type[Message], schema: Mapping[str, Any], schema_id: int
    ) -> None:
        whole = canonical(schema)
        _check_fields(event_type, whole)
        bounds = plain_fields(event_type, whole)
        plain = without_logical(whole, bounds)
        self._frame = frame(schema_id)
        self._form = StrictForm(plain, bounds)
        self._schema = parse_schema(plain)
        self.encode: Final = encoding_of(
            plain, event_type, self._frame, bounds=bounds, otherwise=self._slowly
        )
        """Frame and Avro binary of an event; SchemaMismatch names the field that does not fit."""

    def _slowly(self, event: Message) -> bytes:
        stream = BytesIO()
        stream.write(self._frame)
        schemaless_writer(stream, self._schema, self._form.of(event))
        return stream.getvalue()


class RecordDecoder:
    """Decodes payloads of one writer schema into structs of one type. Safe to share."""

    def __init__(
        self,
        event_type: type[Message],
        writer_schema: Mapping[str, Any],
        reader_schema: Mapping[str, Any],
        limits: Limits,
    ) -> None:
        writer, reader = canonical(writer_schema), canonical(reader_schema)
        wanted = readable(writer, reader)
        plain = plain_fields(event_type, wanted)
        self._type = event_type
        self._limits = limits
        self._plain = tuple(plain.items())
        self._writer = parse_schema(spelled_out(without_logical(writer, plain)))
        self._reader = (
            None if reader == writer else parse_schema(spelled_out(without_logical(wanted, plain)))
        )
        kept = {field["name"] for field in wanted["fields"]}
        removed = {field["name"] for field in writer["fields"]} - kept
        shape = Shape.of(writer)
        self._guard = Guard(writer, limits, removed=removed)
        self._is_guarded = (
            shape.is_recursive
            or (shape.has_blocks and shape.has_empty_values)
            or bool(removed)
            or (shape.has_records and self._reader is not None)
        )
        self._has_blocks = shape.has_blocks

    def decode(self, payload: bytes) -> Message:
        """The struct of a payload without its frame; Undecodable says what is wrong with it."""
        size = len(payload)
        if size > self._limits.max_bytes:
            raise Undecodable(Reason.TOO_LARGE, f"{size} bytes, at most {self._limits.max_bytes}")
        # An item takes a byte or more, so a payload of few bytes cannot hold too many items.
        if self._is_guarded or (self._has_blocks and size > self._limits.max_items):
            self._guard.check(payload)
        stream = BytesIO(payload)
        try:
            record: Any = schemaless_reader(stream, self._writer, self._reader)
            for name, bounds in self._plain:
                if record[name] not in bounds:
                    raise OverflowError(f"{name} = {record[name]} is no time")
            message = msgspec.convert(record, self._type)
        except REFUSALS as exc:
            raise self._explained(payload, exc) from exc
        if stream.tell() != size:
            raise Undecodable(Reason.TRAILING_BYTES, f"{size - stream.tell()} after the record")
        return message

    def _explained(self, payload: bytes, exc: Exception) -> Undecodable:
        """What is wrong with a payload that was refused with `exc`."""
        if isinstance(exc, UnicodeDecodeError):
            return Undecodable(Reason.INVALID_UTF8, str(exc))
        try:
            self._guard.check(payload)
        except Undecodable as undecodable:
            return undecodable
        return Undecodable(Reason.INVALID_VALUE, str(exc) or type(exc).__name__)


def _check_fields(event_type: type[Message], schema: Mapping[str, Any]) -> None:
    missing = {field["name"] for field in schema["fields"]} - set(event_type.__struct_fields__)
    if missing:
        raise ConfigurationError(
            f"{event_type.__name__} has no field {', '.join(sorted(missing))}, wanted every field "
            f"of {schema['name']}; run `streams schemas generate`"
        )
