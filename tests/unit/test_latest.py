"""The newest value of each key: what is seen, what is forgotten, what is waited for."""

import pytest

from streams.errors import TransactionFailed
from streams.ports.records import Outgoing
from streams.testing.coordinator import CommitFault
from streams.testing.log import InMemoryLog
from streams.views import latest
from streams.views.latest import LatestValues
from tests.unit.listener import ReadAll


class CountingReader:
    """Counts the records that were really read."""

    def __init__(self, reader):
        self.count = 0
        self._reader = reader

    def read(self, starts, deadline=None):
        for record in self._reader.read(starts, deadline):
            self.count += 1
            yield record

    def close(self):
        self._reader.close()


@pytest.fixture
def log():
    log = InMemoryLog()
    log.create_topic("r", 2)
    return log


@pytest.fixture
def reader(log):
    return CountingReader(log.reader())


@pytest.fixture
def values(log, reader):
    return LatestValues("r", reader, log.admin())


def test_the_newest_value_of_a_key_wins(log, values):
    """A results topic is a series of upserts."""
    log.append("r", b"5", b"old", partition=0)
    log.append("r", b"5", b"new", partition=0)

    assert values.get(0, b"5").value == b"new"
    assert values.get(0, b"5").offset == 1


def test_a_tombstone_removes_its_key(log, values):
    """A result that was taken back is no result."""
    log.append("r", b"5", b"old", partition=0)
    log.append("r", b"6", b"stays", partition=0)
    log.append("r", b"5", None, partition=0)

    assert values.get(0, b"5") is None
    assert [key for _, key, _ in values.items((0, 1))] == [b"6"]


def test_a_second_read_takes_only_what_is_new(log, values, reader):
    """Asking for a key again and again must not read the topic again and again."""
    log.append("r", b"5", b"a", partition=0)
    values.get(0, b"5")
    log.append("r", b"5", b"b", partition=0)

    assert values.get(0, b"5").value == b"b"
    assert reader.count == 2


def test_only_the_partition_asked_for_is_read(log, values, reader):
    """One key is in one partition."""
    log.append("r", b"5", b"a", partition=0)
    log.append("r", b"6", b"b", partition=1)

    values.get(0, b"5")

    assert reader.count == 1


def test_uncommitted_values_are_not_seen(log, values, monkeypatch):
    """A transaction that is open may still be aborted."""
    monkeypatch.setattr(latest, "OPEN_TRANSACTION_WAIT_S", 0.0)
    log.append("r", b"5", b"committed", partition=0)
    consumer = log.consumer("g")
    consumer.subscribe(["r"], ReadAll())
    consumer.poll(1, 0.0)
    log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        log.transactions("t").commit([Outgoing("r", b"5", b"open", (), 0)], {}, consumer.member())

    assert values.get(0, b"5").value == b"committed"


def test_a_read_waits_for_a_transaction_that_is_about_to_end(log):
    """A commit returns before its markers are written; who committed must see what it wrote."""
    consumer = log.consumer("g")
    consumer.subscribe(["r"], ReadAll())
    consumer.poll(1, 0.0)
    log.fail_next_commit(CommitFault.BEFORE)
    with pytest.raises(TransactionFailed):
        log.transactions("t").commit([Outgoing("r", b"5", b"x", (), 0)], {}, consumer.member())
    log.append("r", b"6", b"behind it", partition=0)
    admin = log.admin()
    asked = []

    class EndsWhenAskedTwice:
        def ends(self, places, *, committed=True):
            asked.append(committed)
            if len(asked) == 3:
                log.expire_transactions()
            return admin.ends(places, committed=committed)

    values = LatestValues("r", log.reader(), EndsWhenAskedTwice())

    assert values.get(0, b"6").value == b"behind it"


def test_a_topic_made_anew_is_read_from_its_start(log, values):
    """Values of the topic that was deleted must not live on."""
    log.append("r", b"5", b"before", partition=0)
    log.append("r", b"6", b"before", partition=0)
    values.get(0, b"5")
    log.recreate_topic("r")
    log.append("r", b"6", b"after", partition=0)

    assert values.get(0, b"5") is None
    assert values.get(0, b"6").value == b"after"


def test_an_old_copy_is_read_from_the_start(log, values, reader, monkeypatch):
    """Tombstones it has not seen may be compacted away by then."""
    log.append("r", b"5", b"a", partition=0)
    values.get(0, b"5")
    monkeypatch.setattr(latest, "FRESH_S", -1.0)

    values.get(0, b"5")

    assert reader.count == 2


def test_progress_ends_at_what_was_read(log, values):
    """A bar that stops short looks like a failure."""
    for number in range(3):
        log.append("r", b"k", str(number).encode(), partition=number % 2)
    told = []

    values.catch_up((0, 1), lambda read, total: told.append((read, total)))

    assert told[-1] == (3, 3)
