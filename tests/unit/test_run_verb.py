"""`streams run`: what it looks at before it starts workers, when it ends, and what it tells."""

import pytest
from typer.testing import CliRunner

from streams.cli import main
from streams.cli.run import Watch
from streams.cli.watch import CaughtUp, summary
from streams.clock import Deadline
from streams.errors import BrokerUnavailable, StreamsError
from tests.unit.engine_bench import liked, posted


class Covered:
    """Stands in for `Coverage`."""

    def __init__(self, *, is_complete=True, folded=0):
        self.is_all_open = is_complete
        self.folded = folded

    def is_complete(self, _partitions, _since_us):
        return self.is_all_open


@pytest.fixture
def heard():
    return []


@pytest.fixture
def watch(bench, heard):
    def make(coverage=None, **options):
        def report(*one):
            heard.append(one)

        return Watch(bench.service, bench.log, coverage or Covered(), report, **options)

    return make


def test_progress_is_what_was_folded_since_the_first_look(bench, watch, heard):
    """A rate counted from what an earlier run had folded would be nonsense."""
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    bench.emit(liked(3), liked(4), liked(5))
    watch = watch()

    before = watch.is_done()
    worker.drain()
    after = watch.is_done()

    assert (before, after) == (False, True)
    assert heard == [(0, 3), (3, 3)]


def test_records_that_come_meanwhile_count_too(bench, watch, heard):
    """The end moves while the workers fold."""
    worker = bench.worker()
    bench.emit(liked(1))
    watch = watch()
    watch.is_done()
    worker.drain()
    bench.emit(liked(2), liked(3))

    is_done = watch.is_done()

    assert not is_done
    assert heard == [(0, 1), (1, 3)]


def test_positions_at_the_end_are_not_enough(bench, watch):
    """A fold that was changed is refused where its partition is opened, with no lag at all."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    coverage = Covered(is_complete=False)
    watch = watch(coverage)

    before = watch.is_done()
    coverage.is_all_open = True

    assert (False, True) == (before, watch.is_done())


def test_the_end_tells_what_was_skipped_in_all_and_since_the_start(bench, watch):
    """Exit code 0 beside a wrong number would hide it."""
    worker = bench.worker()
    bench.emit(posted("raise", 7))
    worker.drain()
    watch = watch(Covered(folded=3))
    watch.is_done()
    bench.emit(liked(1), posted("raise"))
    bench.put(liked(2), value=b"rubbish")
    worker.drain()
    watch.is_done()

    assert watch.result() == CaughtUp(
        service="bench", folded=3, parked=2, parked_new=1, quarantined=1, quarantined_new=1
    )


def test_the_line_at_the_end_names_the_commands():
    """Whoever reads it shall not have to look for them."""
    clean = CaughtUp(
        service="likes", folded=1, parked=0, parked_new=0, quarantined=0, quarantined_new=0
    )
    skipping = CaughtUp(
        service="likes", folded=2_000, parked=2, parked_new=1, quarantined=1, quarantined_new=0
    )

    assert summary(clean) == "caught up: 1 record folded"
    assert summary(skipping) == (
        "caught up: 2,000 records folded; 2 keys parked (1 new): streams parked list likes; "
        "1 record in quarantine (0 new): streams quarantine list likes"
    )


def test_a_timeout_tells_how_many_records_are_left(bench, watch):
    """A script shall not wait for a service that cannot keep up."""
    bench.worker()
    bench.emit(liked(1), liked(2))

    with pytest.raises(StreamsError, match="2 records are left") as failure:
        watch(deadline=Deadline(0)).is_done()
    assert 1 == failure.value.exit_code


def test_a_timeout_without_kafka_is_told_apart(bench, watch, monkeypatch):
    """There is nothing wrong with the service."""
    watch = watch(deadline=Deadline(0))

    def is_away(*_):
        raise BrokerUnavailable("away")

    monkeypatch.setattr(watch._admin, "topics", is_away)

    with pytest.raises(BrokerUnavailable, match="Kafka did not answer before --timeout"):
        watch.is_done()


@pytest.mark.parametrize("verb", [["run", "counters"], ["kafka", "up"]], ids=" ".join)
def test_a_home_that_cannot_be_written_is_a_wrong_setting(verb, tmp_path, monkeypatch):
    """A worker would end and be started again for ever."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)

    shown = CliRunner().invoke(main.app, verb)

    assert shown.exit_code == 2
    assert f"cannot write to {tmp_path}/file/home: Not a directory; set STREAMS_HOME" in (
        shown.stderr
    )
