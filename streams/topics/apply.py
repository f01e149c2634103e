"""Makes the cluster's topics what they are declared to be, as far as that loses nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.clock import Deadline
from streams.errors import ConfigurationError, Unavailable
from streams.settings import TopicSettings
from streams.topics.diff import Change, Difference, TopicAdmin, differences
from streams.topics.topic import Topic

_VISIBLE_S = 10.0  # brokers follow the controller within milliseconds unless they are overloaded


def apply_topics(
    declared: Mapping[str, Topic],
    admin: TopicAdmin,
    settings: TopicSettings,
    *,
    folded: Collection[str] = (),
) -> list[Difference]:
    """Create what is missing and correct settings; returns what was done.

    When it returns, brokers show every topic made. Nothing is deleted, undeclared topics are left
    alone. Refused with ConfigurationError, before anything is changed: another partition count,
    and finite retention on a topic that a fold reads (`folded`).
    """
    refuse_finite_retention(declared, folded)
    found = differences(declared, admin, settings)
    _refuse_repartition(found)
    done = []
    for difference in found:
        if difference.change is Change.CREATE:
            topic = declared[difference.topic]
            admin.create_topic(
                topic.name,
                topic.partitions,
                difference.config,
                replication=settings.replication_factor,
            )
            done.append(difference)
        if difference.change is Change.CONFIGURE:
            admin.set_topic_config(difference.topic, difference.config)
            done.append(difference)
    _await([one.topic for one in done], admin, Deadline.after(_VISIBLE_S))
    return done


def refuse_finite_retention(declared: Mapping[str, Topic], folded: Collection[str]) -> None:
    """ConfigurationError when a log that a fold replays from its start would lose that start."""
    for name in folded:
        topic = declared.get(name)
        if topic is not None and topic.retention is not None:
            raise ConfigurationError(
                f'{name}: found retention of {topic.retention}, wanted "forever": a fold reads it, '
                "and rebuilding its state starts at offset 0; change topics.toml"
            )


def _await(names: Collection[str], admin: TopicAdmin, deadline: Deadline) -> None:
    """Return when brokers show the topics: they hear of them after the controller has answered."""
    while len(admin.topics(names)) < len(names):  # each question is a round trip, which is a pause
        if deadline.is_over:
            raise Unavailable(
                f"found that brokers do not show all of {', '.join(names)}, wanted them within "
                f"{_VISIBLE_S:.0f} s of being made; run `streams topics diff`"
            )


def _refuse_repartition(found: list[Difference]) -> None:
    wrong = [one for one in found if one.change is Change.REPARTITION]
    if wrong:
        lines = "; ".join(f"{one.topic}: found {one.found}, wanted {one.wanted}" for one in wrong)
        raise ConfigurationError(
            f"{lines}. Nothing was changed: with another partition count a key's records would be "
            "on two partitions. Write the found count into topics.toml, or declare a topic with a "
            "new name and move its services there"
        )
