"""Events and results as JSON objects: the one form of `streams emit`, `get`, `dump` and `tail`.

    {"type": "PhotoLiked", "event_id": "0190…", "occurred_at": "2026-01-31T12:00:00.000000Z",
     "user_id": 3, "photo_id": 5, "owner_id": 9}

`type` is the record name (the full name is read too); bytes are hex, `event_id` is UUID text,
`occurred_at` RFC 3339. `to_json` gives all fields in schema order; `EventLines.parse` is strict:
a `long` is a JSON integer, an unknown or repeated name is refused, only fields with a default may
be absent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from streams.errors import InputError, SchemaMismatch
from streams.events.message import Message
from streams.topics.catalog import Catalog
from streams.topics.json_values import Misfit, shown
from streams.topics.record_form import RecordForm

Pairs = tuple[tuple[str, Any], ...]
"""A JSON object as it was read: names in order, repetitions included."""


class EventLines:
    """Reads lines of JSON as events of one catalog. Owned by one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._forms: dict[str, RecordForm] = {}
        self._decode: Callable[[str], Any] = json.JSONDecoder(
            object_pairs_hook=tuple, parse_constant=_refuse_constant
        ).decode

    def parse(self, line: bytes) -> Message:
        """The event of one line.

        InputError for what is no JSON object, UnknownEvent for a type that the catalog lacks,
        SchemaMismatch naming the field that was found wrong.
        """
        pairs = self._pairs(line)
        if not pairs or pairs[0][0] != "type":
            pairs = self._with_type_first(pairs)
        name = pairs[0][1]
        form = self._forms.get(name) if type(name) is str else None
        try:
            event: Message = (form or self._form(name)).read(pairs[1:])
        except Misfit as misfit:
            field = misfit.path.lstrip(".")
            raise SchemaMismatch(f"{name}.{field}: {misfit}", type_name=name, field=field) from None
        return event

    def _pairs(self, line: bytes) -> Pairs:
        try:
            pairs = self._decode(line.decode())
        except UnicodeDecodeError as exc:
            raise InputError(
                f"found invalid UTF-8 at byte {exc.start}, wanted a JSON object"
            ) from None
        except RecursionError:
            raise InputError("found JSON nested too deeply, wanted a flat JSON object") from None
        except ValueError as exc:
            raise InputError(f"found invalid JSON ({exc}), wanted a JSON object") from None
        if type(pairs) is not tuple:
            raise InputError(f"found {shown(pairs)}, wanted a JSON object")
        return pairs

    def _with_type_first(self, pairs: Pairs) -> Pairs:
        for index, pair in enumerate(pairs):
            if pair[0] == "type":
                return (pair, *pairs[:index], *pairs[index + 1 :])
        names = [name.rpartition(".")[2] for name in self._catalog.event_names[:1]]
        example = "".join(f' such as "{name}"' for name in names)
        raise InputError(f'found no "type", wanted the name of an event type{example}')

    def _form(self, name: Any) -> RecordForm:
        if type(name) is not str:
            raise InputError(f'found "type": {shown(name)}, wanted the name of an event type')
        event_type = self._catalog.type(name)
        form = _form_of(event_type, self._catalog.schema(event_type))
        self._forms[name] = form
        return form


def to_json(message: Message, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of an event or result: `type`, then all fields in the order of `schema`.

    `schema` is what `Catalog.schema(type(message))` gives. Every value is fit for `json.dumps`;
    numbers that JSON lacks (NaN, infinity) become strings.
    """
    return {
        "type": schema["name"].rpartition(".")[2],
        **_form_of(type(message), schema).write(message),
    }


def _form_of(event_type: type[Message], schema: Mapping[str, Any]) -> RecordForm:
    known = _FORMS.get(event_type)
    if known is None or known[0] is not schema:
        known = _FORMS[event_type] = schema, RecordForm(event_type, schema, {})
    return known[1]


_FORMS: dict[type[Message], tuple[Mapping[str, Any], RecordForm]] = {}
"""Forms by type, each with the schema it was made from."""


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
