"""What a schemas package declares: topics, types, keys and the schemas behind them."""

from __future__ import annotations

import importlib
import importlib.util
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from streams.avro.lock import LockFile
from streams.avro.records import RecordEncoder
from streams.errors import ConfigurationError, NotFound, UnknownEvent
from streams.events.message import Message
from streams.ports.registry import Registry
from streams.settings import SchemaSettings
from streams.topics.keys import ReadBytes, ReadKey, bytes_reader, key_reader
from streams.topics.project import find_project
from streams.topics.topic import Topic
from streams.topics.topics_file import load_topics

BUILT_IN = "schemas"
"""The package of the reference domain, used where nothing else is named."""

TOPICS_FILE = "topics.toml"
LOCK_FILE = "lock.json"

EventType = type[Message]  # `type` is a method of the catalog below


class Catalog:
    """One schemas package: `topics.toml` and the generated modules in its folder, and a registry.

    Safe from any thread once made. `find` and `of` read schemas from the lock file in the folder,
    and give the same object for the same package.
    """

    def __init__(self, package: str, folder: Path, registry: Registry) -> None:
        self.package = package
        self.folder = folder
        self.registry = registry
        self._encoders: dict[EventType, RecordEncoder] = {}

    @classmethod
    def find(cls, start: Path | None = None) -> Catalog:
        """The catalog of the project around `start`, of STREAMS_SCHEMAS, or the built-in one."""
        project = find_project(start)
        if project is not None and project.package is not None:
            return _catalog(project.package)
        return _catalog(SchemaSettings().package or BUILT_IN)

    @classmethod
    def of(cls, event_type: EventType) -> Catalog:
        """The catalog of the package that a generated type belongs to."""
        return _catalog(event_type.__module__.rpartition(".")[0])

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """Declared topics by name, in the order of the file."""
        released = [subject.rpartition("-")[2] for subject in self.registry.subjects]
        return load_topics(self.folder / TOPICS_FILE, released)

    def topic(self, name: str) -> Topic:
        """A declared topic; NotFound lists what exists."""
        if name not in self.topics:
            raise NotFound(
                f"found no topic {name!r} in {self.folder / TOPICS_FILE}; "
                f"it declares {', '.join(self.topics)}"
            )
        return self.topics[name]

    def topic_of(self, event_type: EventType) -> Topic:
        """The one topic that holds a type; UnknownEvent if none does."""
        try:
            return self._topic_by_type[event_type.avro_name]
        except (KeyError, AttributeError):
            raise UnknownEvent(
                f"found {event_type.__module__}.{event_type.__qualname__}, which is on no topic of "
                f"{self.folder / TOPICS_FILE}; wanted one of {', '.join(self._topic_by_type)}"
            ) from None

    def type(self, name: str) -> EventType:
        """The generated type of a record name or full name; UnknownEvent names the events."""
        found = [full for full in self._topic_by_type if name in (full, full.rpartition(".")[2])]
        if len(found) != 1:
            wanted = " or ".join(found) or self._nearest(name)
            raise UnknownEvent(f"found the type {name!r}, wanted {wanted}")
        return self._generated(found[0])

    @cached_property
    def event_names(self) -> list[str]:
        """Full names of the types that programs emit, in the order of the file."""
        return [name for topic in self.topics.values() if topic.is_emitted for name in topic.types]

    def types_of(self, topic_name: str) -> tuple[EventType, ...]:
        """The generated types on a topic."""
        return tuple(self._generated(name) for name in self.topic(topic_name).types)

    def key_fields(self, event_type: EventType) -> tuple[str, ...]:
        """The fields that make a type's record key."""
        return self.topic_of(event_type).keys[event_type.avro_name]

    def key_of(self, event_type: EventType) -> ReadKey:
        """A function from an event to its key; a pair is (lo, hi)."""
        return key_reader(self.key_fields(event_type), is_pair=self.topic_of(event_type).is_pair)

    def key_bytes(self, event_type: EventType) -> ReadBytes:
        """A function from an event to its record key."""
        return bytes_reader(self.key_fields(event_type), is_pair=self.topic_of(event_type).is_pair)

    def partition_bytes(self, event_type: EventType) -> ReadBytes | None:
        """A function from an event to what picks its partition; None = the key does."""
        fields = self.topic_of(event_type).partition_by
        return bytes_reader(fields, is_pair=False) if fields else None

    def schema(self, event_type: EventType) -> dict[str, Any]:
        """The newest released schema of a type."""
        return self.registry.schema(self.schema_id(event_type))

    def schema_id(self, event_type: EventType) -> int:
        """The id that records of a type are written with."""
        subject = self.topic_of(event_type).subject(event_type.avro_name)
        try:
            return self.registry.newest_id(subject)
        except KeyError:
            raise ConfigurationError(
                f"found no released version of {subject} for {self.folder}; run "
                "`streams schemas generate`"
            ) from None

    def encoder(self, event_type: EventType) -> RecordEncoder:
        """The encoder of a type, made once."""
        encoder = self._encoders.get(event_type)
        if encoder is None:
            encoder = RecordEncoder(event_type, self.schema(event_type), self.schema_id(event_type))
            self._encoders[event_type] = encoder
        return encoder

    @cached_property
    def _topic_by_type(self) -> dict[str, Topic]:
        return {name: topic for topic in self.topics.values() for name in topic.types}

    def _nearest(self, name: str) -> str:
        """Which event may have been meant by a name, else all there are."""
        full_names = {full.rpartition(".")[2].lower(): full for full in self.event_names}
        close = get_close_matches(name.rpartition(".")[2].lower(), full_names)
        meant = [full_names[one] for one in close]
        if meant:
            return f"{' or '.join(meant)} (`streams topics list` shows all)"
        return f"one of {', '.join(self.event_names)}"

    def _generated(self, full_name: str) -> EventType:
        area, _, name = full_name.rpartition(".")
        try:
            generated: EventType = getattr(importlib.import_module(f"{self.package}.{area}"), name)
        except (ImportError, AttributeError) as exc:
            raise ConfigurationError(
                f"cannot import {name} from {self.package}.{area} ({exc}); run `streams schemas "
                "generate`, and in a project of your own run commands inside its folder"
            ) from exc
        return generated


@cache
def _catalog(package: str) -> Catalog:
    for folder in _folders(package):
        if (folder / TOPICS_FILE).is_file():
            return Catalog(package, folder, LockFile.load(folder / LOCK_FILE))
    raise ConfigurationError(
        f"found no importable package {package!r} with a {TOPICS_FILE}, wanted the package that "
        "[tool.streams] or STREAMS_SCHEMAS names; `streams schemas init` makes one"
    )


def _folders(package: str) -> list[Path]:
    """The folders of a package, also of one without `__init__.py`; none if it is not importable."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
