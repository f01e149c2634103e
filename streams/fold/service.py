"""A service: folds that share a consumer group."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from streams.errors import ConfigurationError
from streams.events.message import Message
from streams.fold.bound import BoundFold
from streams.fold.declaration import Fold
from streams.topics.catalog import Catalog
from streams.topics.topic import Topic


class Service:
    """A name (also the consumer group's) and its folds.

    `target` is what commands call it: the name, or `module:SERVICE` where it was loaded by that.
    Raises ConfigurationError when names clash or folds come from several schema packages.
    """

    def __init__(self, name: str, *, folds: Sequence[Fold]) -> None:
        if not name.replace("-", "_").isidentifier():
            raise ConfigurationError(
                f"found the service name {name!r}, wanted letters, digits, - and _"
            )
        names = [fold.name for fold in folds]
        if not folds or len(set(names)) != len(names):
            raise ConfigurationError(
                f"{name}: found folds {names}, wanted one or more with own names"
            )
        self.name = name
        self.target = name
        self.folds = tuple(folds)

    def __repr__(self) -> str:
        return f"Service({self.name!r}, folds={[fold.name for fold in self.folds]})"

    @cached_property
    def catalog(self) -> Catalog:
        """The one schemas package that all its events come from."""
        found = {Catalog.of(one).package: one for fold in self.folds for one in fold.handlers}
        if len(found) != 1:
            raise ConfigurationError(
                f"{self.name}: found events of the packages {sorted(found)}, wanted one"
            )
        return Catalog.of(next(iter(found.values())))

    @cached_property
    def bound(self) -> tuple[BoundFold, ...]:
        """The folds, checked against the catalog."""
        bound = tuple(BoundFold(fold, self.catalog) for fold in self.folds)
        results = [topic.name for fold in bound for topic in fold.outputs if topic.is_compacted]
        twice = sorted({name for name in results if results.count(name) > 1})
        if twice:
            raise ConfigurationError(
                f"{self.name}: found several folds or results that write {', '.join(twice)}, "
                "wanted one for each results topic: they would overwrite each other"
            )
        return bound

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the topics it reads; those it also writes come after what they are made of."""
        reads = dict.fromkeys(fold.topic.name for fold in self.bound)
        written = {topic.name for topic in self.output_topics}
        return tuple(sorted(reads, key=lambda name: (name in written, name)))

    @cached_property
    def output_topics(self) -> tuple[Topic, ...]:
        """Topics that hold what it publishes: results and facts."""
        found = {topic.name: topic for fold in self.bound for topic in fold.outputs}
        return tuple(found.values())

    def folds_of(self, topic: str) -> tuple[BoundFold, ...]:
        """The folds that read a topic."""
        return tuple(fold for fold in self.bound if fold.topic.name == topic)

    def versions_of(self, topic: str) -> dict[str, int]:
        """Fold versions by name, for the metadata of a topic's committed offsets."""
        return {fold.name: fold.version for fold in self.folds_of(topic)}

    def types_of(self, topic: str) -> dict[str, type[Message]]:
        """The types of a topic that some fold handles, by Avro name."""
        return {one.avro_name: one for fold in self.folds_of(topic) for one in fold.handlers}

    def is_resettable(self, topic: str) -> bool:
        """Whether a topic may be folded again from its start: none of its folds emits facts."""
        return not any(fold.emits for fold in self.folds_of(topic))

    def way_back(self, topic: str) -> str:
        """What to do when a topic's state does not fit its log, for the end of an error message."""
        if not self.is_resettable(topic):
            return (
                "its folds emit facts, which folding the log again would emit twice: bring back "
                "what was there before, or fold the log as a service of another name with output "
                "topics of its own"
            )
        return f"run `{self.reset_of(topic)}` to fold it from its start"

    def reset_of(self, *topics: str) -> str:
        """The command that folds topics from their start."""
        named = "".join(f" --topic {topic}" for topic in topics)
        return f"streams state reset {self.target}{named}"

    @property
    def restore(self) -> str:
        """The command that finds and commits its offsets."""
        return f"streams offsets restore {self.target}"

    @property
    def apply(self) -> str:
        """The command that makes its topics."""
        return "streams topics apply" + ("" if self.target == self.name else f" {self.target}")

    @property
    def quarantine(self) -> str:
        """The topic of records that no schema explains."""
        return f"{self.name}.quarantine"

    @property
    def decisions(self) -> str:
        """The topic that says what was done with an event."""
        return f"{self.name}.decisions"
