"""`streams run`: what it looks at before it starts workers, and what it tells of them."""

import pytest
from typer.testing import CliRunner

from streams.cli import main
from streams.cli.run import Watch
from tests.unit.engine_bench import liked


def test_progress_is_what_was_folded_since_the_first_look(bench):
    """A rate counted from what an earlier run had folded would be nonsense."""
    heard = []
    worker = bench.worker()
    bench.emit(liked(1), liked(2))
    worker.drain()
    bench.emit(liked(3), liked(4), liked(5))
    watch = Watch(bench.service, bench.log.admin(), lambda *one: heard.append(one))

    before = watch.is_done()
    worker.drain()
    after = watch.is_done()

    assert (before, after) == (False, True)
    assert heard == [(0, 3), (3, 3)]


def test_records_that_come_meanwhile_count_too(bench):
    """The end moves while the workers fold."""
    heard = []
    worker = bench.worker()
    bench.emit(liked(1))
    watch = Watch(bench.service, bench.log.admin(), lambda *one: heard.append(one))
    watch.is_done()
    worker.drain()
    bench.emit(liked(2), liked(3))

    is_done = watch.is_done()

    assert not is_done
    assert heard == [(0, 1), (1, 3)]


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
