"""Starts of workers that are not alone: with sisters, or after their own sudden end."""

from __future__ import annotations

import threading

import pytest

from schemas.social import PhotoLiked
from services.counters import SERVICE
from streams.clock import Deadline
from streams.engine.first_start import ensure_started
from streams.engine.slots import Slot
from streams.engine.worker import Worker
from streams.errors import BrokerUnavailable, TransactionFailed
from streams.kafka.address import NO_LOCAL_KAFKA
from streams.ports.records import TopicPartition
from streams.settings import WorkerSettings
from streams.state.folder import StateFolders
from streams.testing.coordinator import CommitFault
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
                ensure_started(SERVICE, self, StateFolders(self.home), Deadline.after(5))
                commit(*args)

            producer.commit = commit_too_late
        return producer


def test_a_worker_that_is_overtaken_goes_on_with_the_others_offsets(tmp_path):
    """`streams run --workers 3` starts three at once; being fenced by a sister needs no human."""
    log = OvertakenLog(tmp_path)
    place = TopicPartition("social.photos", 0)

    ensure_started(SERVICE, log, StateFolders(tmp_path), Deadline.after(5))

    positions = log.admin().group_positions(SERVICE.name, [place])
    assert log.is_overtaken
    assert 0 == positions[place].offset


def test_a_worker_first_aborts_what_its_dead_self_left_open(tmp_path):
    """Until then no position is told, so it would wait for the broker's time-out of itself."""
    log = OvertakenLog(tmp_path)
    log.is_overtaken = True
    place = TopicPartition("social.photos", 0)
    ensure_started(SERVICE, log, StateFolders(tmp_path), Deadline.after(5))
    before = log.admin().group_positions(SERVICE.name, [place])
    dead = log.transactions(f"{SERVICE.name}.{_instance(tmp_path)}.0")
    log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        dead.commit([], before, log.consumer(SERVICE.name).member())

    worker = Worker(SERVICE, log=log, home=tmp_path, settings=WorkerSettings(http_port=-1))
    stop = threading.Thread(target=lambda: (_await_positions(log, place), worker.stop()))
    stop.start()
    worker.run()
    stop.join()

    assert before == log.admin().group_positions(SERVICE.name, [place])


class AddresslessLog(OvertakenLog):
    """No local Kafka runs when it is first asked for; `is_opened` once a consumer was made."""

    def __init__(self, home):
        super().__init__(home)
        self.is_absent = True
        self.is_opened = threading.Event()

    def admin(self):
        if self.is_absent:
            self.is_absent = False
            raise BrokerUnavailable(NO_LOCAL_KAFKA)
        return super().admin()

    def consumer(self, group):
        self.is_opened.set()
        return super().consumer(group)


def test_a_worker_waits_until_there_is_a_local_kafka(tmp_path, caplog):
    """It says what it waits for, and looks again: whoever starts Kafka need not start it too."""
    log = AddresslessLog(tmp_path)
    worker = Worker(SERVICE, log=log, home=tmp_path, settings=WorkerSettings(http_port=-1))
    stop = threading.Thread(target=lambda: (log.is_opened.wait(20), worker.stop()))
    stop.start()

    worker.run()
    stop.join()

    assert log.is_opened.is_set()
    assert f"waiting for Kafka action=waiting error={NO_LOCAL_KAFKA}" in caplog.text


def _instance(home):
    slot = Slot.take(home, SERVICE.name)
    slot.release()
    return slot.instance


def _await_positions(log, place):
    deadline, pause = Deadline.after(20), threading.Event()
    while not deadline.is_over:
        try:
            log.admin().group_positions(SERVICE.name, [place])
        except BrokerUnavailable:
            pause.wait(0.05)
        else:
            return
