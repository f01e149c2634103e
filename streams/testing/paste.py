"""Python text of a test that does once more what was simulated."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from textwrap import indent
from typing import Any, Final
from uuid import UUID

import msgspec

from streams.events.message import Message
from streams.fold.service import Service
from streams.testing.schedule import Schedule

_IMPORTS: Final = {
    dt.date: "import datetime",
    dt.datetime: "import datetime",
    dt.time: "import datetime",
    Decimal: "from decimal import Decimal",
    UUID: "from uuid import UUID",
}


def pasteable_test(
    service: Service, events: Sequence[Message], schedule: Schedule | None, options: Sequence[str]
) -> str:
    """A test module; without a schedule some are drawn. `options` follow as they are."""
    imports = {"from streams.testing import simulate"}
    name = _named(service, imports)
    lines = [f"    {_text(event, imports)}," for event in events]
    arguments = [f"{name},", "events=[", *lines, "],"]
    if schedule is not None:
        arguments += ['schedule="""', *indent(str(schedule), "    ").splitlines(), '""",']
    arguments += [f"{option}," for option in options]
    return "\n".join(
        [
            *sorted(imports, key=lambda line: (line.startswith("from"), line)),
            "",
            "",
            f"def test_{service.name.replace('-', '_')}_again() -> None:",
            "    simulate(",
            indent("\n".join(arguments), " " * 8),
            "    ).check()",
        ]
    )


def short(value: Any) -> str:
    """A message as a person would write it: without fields that have their default."""
    return _text(value, set())


def _text(value: Any, imports: set[str]) -> str:
    if isinstance(value, Enum):
        _import(type(value), imports)
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, msgspec.Struct):
        _import(type(value), imports)
        given = [
            f"{one.name}={_text(found, imports)}"
            for one in msgspec.structs.fields(value)
            if (found := getattr(value, one.name)) != _default(one)
        ]
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, list):
        return f"[{', '.join(_text(item, imports) for item in value)}]"
    if isinstance(value, dict):
        items = (f"{key!r}: {_text(item, imports)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if type(value) in _IMPORTS:
        imports.add(_IMPORTS[type(value)])
    return repr(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """What a field has that was not given; a mark that nothing equals if it must be given."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _import(named: type, imports: set[str]) -> None:
    imports.add(f"from {named.__module__} import {named.__name__}")


def _named(service: Service, imports: set[str]) -> str:
    """The name of a service, which is imported if some module has it."""
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] in ("streams", "__main__"):
            continue
        for name, value in list(vars(module).items()) if module is not None else ():
            if value is service and name.isidentifier():
                imports.add(f"from {module_name} import {name}")
                return name
    imports.add("# import the service here, as SERVICE")
    return "SERVICE"
