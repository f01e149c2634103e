"""Each stop that needs a human: it names a command, and that command, as printed, resolves it."""

from __future__ import annotations

import shutil

import pytest
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewPartitions

from schemas.social import PhotoLiked
from streams.engine.services import load_service
from streams.kafka.admin import KafkaAdmin
from streams.ports.records import TopicPartition
from streams.sdk import EventClient
from streams.settings import TopicSettings
from streams.topics.apply import apply_topics
from streams.topics.catalog import Catalog
from streams.topics.declared import declared_topics
from streams.views.results import Results
from tests.faults.stops import Station

INPUT = "social.photos"
PARTITIONS = 4
LIKES = "tests.faults.likes:SERVICE"
COUNTERS = "counters"

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def at(kafka, tmp_path, monkeypatch):
    """A station of a service, whose topics are made."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("STREAMS_NAMESPACE", kafka.namespace)
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))

    def at(target):
        service = load_service(target)
        make_topics(kafka, service)
        return Station(service, kafka, tmp_path)

    return at


def make_topics(kafka, service):
    admin = KafkaAdmin(kafka)
    declared = declared_topics(Catalog.find(), [service.name])
    apply_topics(declared, admin, TopicSettings(), folded=set(service.inputs))
    admin.close()


def like(station, *pairs):
    with EventClient(station.kafka) as client:
        client.emit_many(PhotoLiked(user_id, photo_id, 9) for user_id, photo_id in pairs)


def likes(station):
    topic = "demo.counts" if station.service.name == "likes" else "counters.photos"
    with Results(topic, station.kafka) as results:
        return {photo_id: row.likes for photo_id, row in results.items()}


def delete_topic(station, name=INPUT):
    broker = AdminClient({"bootstrap.servers": station.kafka.bootstrap_servers})
    for done in broker.delete_topics([station.kafka.namespace + name]).values():
        done.result(30)


def delete_records(station, name=INPUT):
    """Everything there is, as retention does in the end."""
    admin = KafkaAdmin(station.kafka)
    ends = admin.ends([TopicPartition(name, number) for number in range(PARTITIONS)])
    admin.close()
    places = [
        Place(station.kafka.namespace + name, one.partition, end) for one, end in ends.items()
    ]
    broker = AdminClient({"bootstrap.servers": station.kafka.bootstrap_servers})
    for done in broker.delete_records(places).values():
        done.result(30)


def add_partitions(station, name=INPUT):
    broker = AdminClient({"bootstrap.servers": station.kafka.bootstrap_servers})
    more = NewPartitions(station.kafka.namespace + name, PARTITIONS + 2)
    for done in broker.create_partitions([more]).values():
        done.result(30)


PHOTOS = range(1, 41)
FIRST = [(user, photo) for user in range(3) for photo in PHOTOS]
LOST = [(7, photo) for photo in PHOTOS]
LAST = [(user, photo) for user in range(3, 5) for photo in PHOTOS]

BOTH = pytest.mark.parametrize("target", [COUNTERS, pytest.param(LIKES, marks=pytest.mark.chaos)])
EITHER = pytest.mark.parametrize("target", [LIKES, pytest.param(COUNTERS, marks=pytest.mark.chaos)])


@BOTH
def test_a_topic_that_was_made_again_is_begun_anew(at, target):
    """Its offsets mean other records; only a human knows whether the old ones matter."""
    station = at(target)
    like(station, *FIRST)
    station.work_and_obey(stops=0)
    delete_topic(station)
    make_topics(station.kafka, station.service)
    like(station, *LAST)

    obeyed = station.work_and_obey(stops=1)

    assert [f"state reset {target} --topic {INPUT}"] == obeyed
    assert dict.fromkeys(PHOTOS, 2) == likes(station)
    assert likes_given(station) in ({}, dict.fromkeys(range(5), len(PHOTOS)))


@EITHER
def test_a_topic_that_is_gone_is_made_again_and_begun_anew(at, target):
    """To make it again is one decision, what becomes of the state another."""
    station = at(target)
    like(station, *FIRST)
    station.work_and_obey(stops=0)
    delete_topic(station)

    said = station.work()
    station.obey(said)
    like(station, *LAST)
    station.work_and_obey(stops=1)

    assert f"found no topic {INPUT}" in said
    assert dict.fromkeys(PHOTOS, 2) == likes(station)


@BOTH
def test_records_that_retention_removed_unread_are_accepted_to_be_gone(at, target):
    """The state goes on behind them: what was counted stays, what is left is counted."""
    station = at(target)
    like(station, *FIRST)
    station.work_and_obey(stops=0)
    like(station, *LOST)
    delete_records(station)
    like(station, *LAST)

    obeyed = station.work_and_obey(stops=1)

    assert [f"offsets restore {target}"] == obeyed
    assert dict.fromkeys(PHOTOS, 5) == likes(station)
    assert likes_given(station) in ({}, dict.fromkeys(range(5), len(PHOTOS)))


@pytest.mark.chaos
def test_a_state_that_is_lost_with_its_records_counts_what_is_left(at):
    """Results can be made of what the log still holds, when somebody says so."""
    station = at(LIKES)
    like(station, *FIRST)
    station.work_and_obey(stops=0)
    delete_records(station)
    shutil.rmtree(station.folder / "state")
    like(station, *LAST)

    obeyed = station.work_and_obey(stops=1)

    assert [f"state reset {LIKES} --topic {INPUT}"] == obeyed
    assert dict.fromkeys(PHOTOS, 2) == likes(station)


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["counters.decisions", "counters.quarantine", "counters.photos"])
def test_an_output_that_is_gone_is_made_again(at, name):
    """What is published from then on is there; every photo is liked again here."""
    station = at(COUNTERS)
    like(station, *FIRST)
    station.work_and_obey(stops=0)
    delete_topic(station, name)
    like(station, *LAST)

    obeyed = station.work_and_obey(stops=1)

    assert ["topics apply"] == obeyed
    assert dict.fromkeys(PHOTOS, 5) == likes(station)


@pytest.mark.chaos
@pytest.mark.parametrize("target", [LIKES, COUNTERS])
def test_added_partitions_stop_a_service_before_it_counts_anything_wrong(at, target):
    """A key's records go on where its state is not. Nothing here can take that back."""
    station = at(target)
    like(station, *FIRST)
    station.work_and_obey(stops=0)
    add_partitions(station)
    like(station, *LAST)

    said = station.work()

    assert f"{INPUT}: found {PARTITIONS + 2} partitions, wanted {PARTITIONS}" in said
    assert dict.fromkeys(PHOTOS, 3) == likes(station)


def likes_given(station):
    """By user, what the second stage summed of the facts; nothing of a service without any."""
    if station.service.name != "counters":
        return {}
    with Results("counters.users", station.kafka) as results:
        return {user_id: row.likes_given for user_id, row in results.items() if user_id < 9}
