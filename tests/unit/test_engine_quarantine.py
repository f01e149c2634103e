"""Records that cannot be folded: quarantined once, with their bytes and the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.avro.codec import Codec
from streams.avro.framing import frame
from streams.engine.decisions import DecisionKind
from streams.errors import FoldChanged
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import (
    CATALOG,
    INPUT,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    shares_fold,
)

LIKE = CATALOG.encoder(type(liked(1))).encode(liked(1))
UNKNOWN_ID = 7

BAD_BYTES = {
    "bad magic": b"\1" + LIKE[1:],
    "empty": b"",
    "only a frame's beginning": LIKE[:3],
    "unknown schema id": frame(UNKNOWN_ID) + LIKE[5:],
    "truncated": LIKE[:-3],
    "trailing bytes": LIKE + b"\0",
    "null payload": None,
}


@pytest.mark.parametrize("value", BAD_BYTES.values(), ids=BAD_BYTES)
def test_bytes_that_no_schema_explains_are_quarantined_once_as_they_were(bench, value):
    """Everything else flows, before and after it, also on its partition and with its key."""
    worker = bench.worker()
    bench.emit(liked(1))
    bad = bench.put(liked(2), value=value, headers=[("traceparent", b"00-1")])
    bench.emit(liked(3))

    worker.drain()
    worker.crash()
    bench.worker().drain()

    (record,) = bench.quarantined()
    assert (bad.key, value) == (record.key, record.value)
    assert {"5": 2} == bench.counts()


def test_a_quarantined_record_says_why_and_whence(bench):
    """Its own headers come first, so ours are the last of their names."""
    worker = bench.worker()
    bench.put(liked(1), value=BAD_BYTES["trailing bytes"], headers=[("reason", b"mine")])

    worker.drain()

    (record,) = bench.quarantined()
    headers = dict(record.headers)
    assert ("reason", b"mine") == record.headers[0]
    assert b"trailing bytes" == headers["reason"]
    assert f"{home_of(5)}/0".encode() == headers["source"]
    assert bench.log.admin().topics([INPUT])[INPUT].topic_id.encode() == headers["topic_id"]
    assert b"bench" == headers["service"]
    assert str(CATALOG.schema_id(type(liked(1)))).encode() == headers["schema_id"]


def test_a_quarantine_is_decided_once_with_the_transaction_of_its_offset(bench):
    """Bytes and decision appear together with the offset, not before."""
    worker = bench.worker()
    bench.put(liked(1), value=b"rubbish")
    worker.turn()
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.commit()
    before = (bench.quarantined(), bench.decisions())

    worker.drain()

    (decision,) = bench.decisions()
    assert ([], []) == before
    assert (DecisionKind.QUARANTINED, home_of(5), 0) == (
        decision.kind,
        decision.source,
        decision.at,
    )
    assert 1 == len(bench.quarantined())


def test_a_quarantine_survives_a_park_in_the_same_interval(bench):
    """The partition is read again from its checkpoint; the record is refused only once."""
    worker = bench.worker()
    bench.put(liked(1), value=b"rubbish")
    bench.emit(posted("raise"), liked(2, photo_id=7))

    worker.drain()

    assert 1 == len(bench.quarantined())
    assert 2 == len(bench.decisions())


def test_many_bad_records_in_one_batch_are_all_quarantined_in_order(bench):
    """A batch is decoded as columns; one bad record must not hide the next."""
    worker = bench.worker()
    for user in range(50):
        bench.emit(liked(user))
        bench.put(liked(user), value=b"bad %d" % user)

    worker.drain()

    assert [b"bad %d" % user for user in range(50)] == [one.value for one in bench.quarantined()]
    assert {"5": 50} == bench.counts()


def test_bytes_of_a_type_that_no_fold_handles_are_not_looked_at(bench):
    """Decoding them would cost, and would quarantine what does not concern this service."""
    bench.declare(shares_fold())
    worker = bench.worker()
    bench.put(liked(1), value=BAD_BYTES["trailing bytes"])

    worker.drain()

    assert [] == bench.quarantined()


def test_a_record_on_a_foreign_partition_is_quarantined(bench):
    """A producer with another hash would give one key two states on two workers."""
    worker = bench.worker()
    foreign = (home_of(5).partition + 1) % 4
    bench.put(liked(1), partition=foreign)
    bench.emit(liked(2))

    worker.drain()

    (record,) = bench.quarantined()
    assert b"wrong partition" == dict(record.headers)["reason"]
    assert {"5": 1} == bench.counts()


@pytest.mark.parametrize("key", [None, b"6", b""])
def test_a_record_with_another_key_than_its_fields_is_quarantined(bench, key):
    """Whoever wrote it keys by something else; null keys end up anywhere."""
    worker = bench.worker()
    bench.put(liked(1), key=key, partition=home_of(5).partition)

    worker.drain()

    (record,) = bench.quarantined()
    assert (key, LIKE) == (record.key, record.value)
    assert {} == bench.counts()


def test_a_long_run_of_strays_of_one_key_is_quarantined_whole(bench):
    """A mistaken producer writes thousands; each batch of them is one pass, not one each."""
    worker = bench.worker()
    for user in range(1_500):
        bench.put(liked(user), key=None, partition=home_of(5).partition)
    bench.emit(liked(1))

    worker.drain()

    assert 1_500 == len(bench.quarantined())
    assert {"5": 1} == bench.counts()


def test_every_fold_skips_a_stray_that_one_of_them_met(bench):
    """The record is out, not its effect on one fold."""
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    stray = photos_on((home_of(5).partition + 1) % 4, 1)[0]
    bench.put(liked(1, stray), partition=home_of(5).partition)

    worker.drain()

    assert 1 == len(bench.decisions())
    assert {} == bench.counts()


def test_replay_follows_a_decision_although_the_bytes_would_decode(bench, disk):
    """A schema that was released later must not change what was published."""
    worker = bench.worker()
    bench.put(liked(1), value=b"rubbish")
    bench.emit(liked(2))
    worker.drain()
    worker.crash()
    disk.rows.clear()
    _mend(bench, home_of(5), 0, LIKE)
    worker = bench.worker()
    bench.emit(liked(3))

    worker.drain()

    assert {"5": 2} == bench.counts()
    assert {2, 3} == worker.state().users


def test_replay_does_not_decode_what_was_quarantined(bench, disk, monkeypatch):
    """Its bytes may kill whoever decodes them, in the owner that decided and in the next."""
    poison = BAD_BYTES["trailing bytes"]
    worker = bench.worker()
    bench.emit(liked(2))
    bench.put(liked(1), value=poison)
    worker.drain()
    worker.crash()
    disk.rows.clear()
    decode_many, seen = Codec.decode_many, []

    def spied(codec, values):
        seen.extend(values)
        return decode_many(codec, values)

    monkeypatch.setattr(Codec, "decode_many", spied)
    bench.worker().drain()

    assert {"5": 1} == bench.counts()
    assert LIKE[:5] in {value[:5] for value in seen if value}
    assert poison not in seen


def test_a_record_that_was_folded_and_no_longer_decodes_stops_the_replay(bench, disk):
    """Quarantining it now would contradict what was published from it."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    worker.crash()
    disk.rows.clear()
    _mend(bench, home_of(5), 0, b"rubbish")

    with pytest.raises(FoldChanged, match="was folded before"):
        bench.worker().drain()
    assert [] == bench.quarantined()


def test_decisions_about_a_topic_of_the_same_name_that_was_deleted_do_not_count(bench, disk):
    """Its offsets begin again at 0 and are other records."""
    worker = bench.worker()
    bench.put(liked(1), value=b"rubbish")
    worker.drain()
    worker.stop()
    bench.log.recreate_topic(INPUT)
    disk.rows.clear()
    for topic in (bench.service.quarantine, "demo.counts", "counters.contributions"):
        bench.log.recreate_topic(topic)
    decisions = bench.log.records(bench.service.decisions)
    bench.log.recreate_topic(bench.service.decisions)
    worker = bench.worker()
    for record in decisions:
        bench.log.append(record.topic, record.key, record.value, partition=0)
    bench.emit(liked(1))
    worker.crash()

    bench.worker().drain()

    assert {"5": 1} == bench.counts()


def _mend(bench, source, offset, value):
    """Other bytes at an offset, as if another schema were known now."""
    entries = bench.log._broker.partition(source)._entries
    entry = entries[offset]
    entries[offset] = replace(entry, record=replace(entry.record, value=value))
