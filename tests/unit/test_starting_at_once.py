"""Several workers of a service that is started for the first time, at the same moment."""

from __future__ import annotations

from schemas.social import PhotoLiked
from services.counters import SERVICE
from streams.clock import Deadline
from streams.engine.first_start import ensure_started
from streams.ports.records import TopicPartition
from streams.testing.log import InMemoryLog
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics


class OvertakenLog(InMemoryLog):
    """Another worker makes the whole first start just before this one's commit."""

    def __init__(self, home):
        super().__init__()
        for topic in declared_topics(Catalog.of(PhotoLiked), [SERVICE.name]).values():
            self.create_topic(topic.name, topic.partitions)
        self.home = home
        self.is_overtaken = False

    def transactions(self, transactional_id, deadline=None):
        producer = super().transactions(transactional_id, deadline)
        if not self.is_overtaken:
            self.is_overtaken = True
            commit = producer.commit

            def commit_too_late(*args):
                ensure_started(SERVICE, self, self.home, Deadline.after(5))
                commit(*args)

            producer.commit = commit_too_late
        return producer


def test_a_worker_that_is_overtaken_goes_on_with_the_others_offsets(tmp_path):
    """`streams run --workers 3` starts three at once; being fenced by a sister needs no human."""
    log = OvertakenLog(tmp_path)
    place = TopicPartition("social.photos", 0)

    ensure_started(SERVICE, log, tmp_path, Deadline.after(5))

    positions = log.admin().group_positions(SERVICE.name, [place])
    assert log.is_overtaken
    assert 0 == positions[place].offset
