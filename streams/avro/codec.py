"""Framed values of a topic to typed events, whatever mix of schemas stands in a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from fastavro.schema import SchemaParseException

from streams.avro.fingerprint import canonical
from streams.avro.framing import FRAME_BYTES, split
from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.avro.records import RecordDecoder
from streams.errors import ConfigurationError, Undecodable
from streams.events.message import Message
from streams.ports.registry import Registry

if TYPE_CHECKING:
    from streams.avro.columns import ColumnDecoder

Decoded = Message | Undecodable | None
"""None: a null value, or a type nobody asked for."""

FEWEST_FOR_COLUMNS: Final = 24
"""Below this many records the fixed cost of columns (about 55 µs) is more than they save."""

_UNPARSABLE: Final = (SchemaParseException, LookupError, ValueError, TypeError, AttributeError)
"""What a registry's answer that is no Avro schema makes fastavro and us raise."""

_frame_of: Final[Callable[[Any], bytes]] = itemgetter(slice(FRAME_BYTES))


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
        self._decoders: dict[bytes, _Decoders | None] = {}
        self._mixes: dict[frozenset[bytes], _Mix | None] = {}
        self._last: _Mix | None = None

    def decode_many(self, values: Sequence[bytes | None]) -> list[Decoded]:
        """One entry a value, in order: the event, what was wrong with it, or None.

        Raises ConfigurationError when the registry's text for an id is no schema, and
        SchemaRefused when today's schema cannot read it: then the records are not to blame.
        """
        if self._last is not None and len(values) >= FEWEST_FOR_COLUMNS:
            together = self._last.decode(values)
            if together is not None:
                return together
            self._last = None
        try:
            frames = list(map(_frame_of, values))
        except TypeError:
            return self._around_nulls(values)
        return self._in_order(frames, cast("Sequence[bytes]", values))

    def decode(self, value: bytes) -> Message:
        """The event of one value; Undecodable also when its type is none of the wanted."""
        decoders = self._of(_frame_of(value))
        if decoders is None:
            found = self._registry.schema(split(value)).get("name")
            raise Undecodable(Reason.UNKNOWN_TYPE, f"{found}, wanted {', '.join(self._types)}")
        return decoders.record.decode(value[FRAME_BYTES:])

    def _around_nulls(self, values: Sequence[bytes | None]) -> list[Decoded]:
        """What `decode_many` returns when some values are null."""
        present = [value for value in values if value is not None]
        decoded = iter(self._in_order(list(map(_frame_of, present)), present))
        return [None if value is None else next(decoded) for value in values]

    def _in_order(self, frames: list[bytes], values: Sequence[bytes]) -> list[Decoded]:
        """Decode the values of each schema together, then take them in the order of the log."""
        kinds = frozenset(frames)
        if len(kinds) == 1:
            decoded = list(self._group(frames[0], values))
        else:
            groups: defaultdict[bytes, list[bytes]] = defaultdict(list)
            for frame, value in zip(frames, values, strict=True):
                groups[frame].append(value)
            turns = {frame: iter(self._group(frame, group)) for frame, group in groups.items()}
            decoded = list(map(next, map(turns.__getitem__, frames)))
        if len(frames) >= FEWEST_FOR_COLUMNS:
            self._last = self._mix(kinds)
        return decoded

    def _group(self, frame: bytes, values: Sequence[bytes]) -> Iterable[Decoded]:
        """The events of values that all begin with `frame`."""
        try:
            decoders = self._of(frame)
        except Undecodable as undecodable:
            return repeat(undecodable, len(values))
        return repeat(None, len(values)) if decoders is None else decoders.decode(values)

    def _mix(self, frames: frozenset[bytes]) -> _Mix | None:
        """How to read values with these frames in one go, None when they differ too much."""
        if frames not in self._mixes and frames <= self._decoders.keys():
            self._mixes[frames] = _Mix.of({frame: self._decoders[frame] for frame in frames})
        return self._mixes.get(frames)

    def _of(self, frame: bytes) -> _Decoders | None:
        """What decodes values with this frame, None if nobody wants their type."""
        if frame not in self._decoders:
            schema_id = split(frame)
            try:
                schema = self._registry.schema(schema_id)
            except KeyError:
                # Not remembered: a registry may learn the id later, and ids may be garbage.
                raise Undecodable(Reason.UNKNOWN_SCHEMA, str(schema_id)) from None
            try:
                self._decoders[frame] = self._made(schema_id, schema)
            except _UNPARSABLE as exc:
                raise ConfigurationError(
                    f"the registry's text for schema id {schema_id} is no Avro schema: {exc!r}"
                ) from exc
        return self._decoders[frame]

    def _made(self, schema_id: int, schema: Mapping[str, Any]) -> _Decoders | None:
        event_type = self._types.get(canonical(schema)["name"])
        if event_type is None:
            return None
        newest = self._registry.newest_id(self._registry.subject(schema_id))
        return _Decoders(event_type, schema, self._registry.schema(newest), self._limits)


@dataclass(frozen=True, slots=True)
class _Mix:
    """Schemas that differ in name only, such as a like's and an unlike's: one set of columns.

    What the last batch was made of the next one probably is: it is read at once, and only then
    looked at for frames that are others.
    """

    types: Mapping[bytes, type[Message]]
    columns: ColumnDecoder

    @classmethod
    def of(cls, decoders: Mapping[bytes, _Decoders | None]) -> _Mix | None:
        """None unless all of them have columns that are alike."""
        wanted = {frame: one for frame, one in decoders.items() if one is not None}
        columns = [one.columns for one in wanted.values() if one.columns is not None]
        if len(columns) < len(decoders) or not all(map(columns[0].is_like, columns)):
            return None
        return cls({frame: one.event_type for frame, one in wanted.items()}, columns[0])

    def decode(self, values: Sequence[bytes | None]) -> list[Decoded] | None:
        """One event a value; None unless every value is a sound one of these schemas."""
        return cast("list[Decoded] | None", self.columns.decode_framed(self.types, values))


class _Decoders:
    """Both ways to decode one schema's values; columns are made when a batch is worth them."""

    def __init__(
        self,
        event_type: type[Message],
        writer: Mapping[str, Any],
        reader: Mapping[str, Any],
        limits: Limits,
    ) -> None:
        self.event_type = event_type
        self._schemas = event_type, writer, reader, limits
        self.record = RecordDecoder(event_type, writer, reader, limits)

    def decode(self, values: Sequence[bytes]) -> Sequence[Decoded]:
        if len(values) < FEWEST_FOR_COLUMNS or self.columns is None:
            return list(map(self._one, values))
        return self.columns.decode(values)

    def _one(self, value: bytes) -> Message | Undecodable:
        try:
            return self.record.decode(value[FRAME_BYTES:])
        except Undecodable as undecodable:
            return undecodable

    @cached_property
    def columns(self) -> ColumnDecoder | None:
        """None without polars, which an install that only emits does not have."""
        if find_spec("polars") is None:
            return None
        from streams.avro.columns import ColumnDecoder

        return ColumnDecoder(*self._schemas, prefix_bytes=FRAME_BYTES)
