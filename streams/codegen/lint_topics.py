"""Rules that hold `topics.toml` and the schemas against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from streams.codegen.problem import Problem
from streams.codegen.source import SchemaFile
from streams.topics.topic import Topic

_WHOLE = frozenset({"int", "long"})
_KEYS = _WHOLE | {"string"}


def review_topics(
    topics: Mapping[str, Topic], files: list[SchemaFile], source: str
) -> Iterator[Problem]:
    """What is wrong with the topics; `source` is the file that declares them."""
    schemas = {file.full_name: file.schema for file in files}
    homes = Counter(name for topic in topics.values() for name in topic.types)
    for file in files:
        if homes[file.full_name] != 1:
            holding = [topic.name for topic in topics.values() if file.full_name in topic.keys]
            found = f"it on {' and '.join(holding)}" if holding else "it on no topic"
            advice = f"list it once in {source}"
            yield Problem.of(
                file.path, file.full_name, found=found, wanted="it on one topic", advice=advice
            )
    for topic in topics.values():
        for name in topic.types:
            types = {field["name"]: field["type"] for field in schemas[name]["fields"]}
            yield from _review_key(topic, name, types, source)


def _review_key(
    topic: Topic, name: str, types: Mapping[str, Any], source: str
) -> Iterator[Problem]:
    fields = topic.keys[name]
    for field in (*fields, *topic.partition_by):
        if field not in types:
            wanted = f"one of {', '.join(types)}"
            yield Problem.of(
                source,
                f"{name}.{field}",
                found=f"no such field (key of {topic.name})",
                wanted=wanted,
            )
        elif not isinstance(types[field], str) or types[field] not in _KEYS:
            wanted = "a long, an int or a string that is not nullable"
            found = f"the type {types[field]} (key of {topic.name})"
            yield Problem.of(source, f"{name}.{field}", found=found, wanted=wanted)
    yield from _review_shape(topic, name, types, source)


def _review_shape(
    topic: Topic, name: str, types: Mapping[str, Any], source: str
) -> Iterator[Problem]:
    fields = topic.keys[name]
    if topic.is_pair and (len(fields) != 2 or fields[0] == fields[1]):
        yield Problem.of(
            source, name, found=f"the pair {list(fields)}", wanted="two different fields"
        )
    texts = [field for field in fields if types.get(field) == "string"]
    if topic.is_pair and texts:
        yield Problem.of(
            source, f"{name}.{texts[0]}", found="a string in a pair", wanted="a long or an int"
        )
    elif texts and texts[0] != fields[-1]:
        found = f"a string before the last field of the key of {topic.name}"
        advice = "a ':' inside the text would make two keys look alike"
        yield Problem.of(
            source,
            f"{name}.{texts[0]}",
            found=found,
            wanted="only the last one to be text",
            advice=advice,
        )
    foreign = [field for field in topic.partition_by if field not in fields]
    if foreign or (topic.is_pair and topic.partition_by):
        found = f"partition_by = {list(topic.partition_by)}"
        advice = "records of one key must share a partition"
        yield Problem.of(
            source,
            topic.name,
            found=found,
            wanted=f"fields of the key {topic.key!r}",
            advice=advice,
        )
