"""What a run of the demo promises: when it kills, and what its exit code says."""

from __future__ import annotations

import io
import signal
from types import SimpleNamespace

import pytest
from rich.console import Console

from services.demo import show
from services.demo.__main__ import main
from services.demo.compare import compare
from services.demo.show import Demo, Plan
from services.demo.table import PlainLines
from streams.engine.status import WorkerStatus, write_status


@pytest.mark.parametrize(("likes", "code"), [(2, 0), (3, 1)])
def test_the_exit_code_tells_whether_every_counter_is_right(likes, code, monkeypatch, capsys):
    """CI and newcomers look at nothing else."""
    comparison = compare({"photos": {5: {"likes": 2}}}, {"photos": {5: {"likes": likes}}})
    done = SimpleNamespace(run=lambda: comparison, how_to_look="")
    monkeypatch.setattr(show, "Demo", lambda *_: done)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    assert code == main()
    assert f"{code} wrong" in capsys.readouterr().out


@pytest.mark.parametrize(("emitted", "is_killed"), [(7, True), (8, False)])
def test_a_worker_is_killed_only_while_much_is_to_come(emitted, is_killed, monkeypatch, tmp_path):
    """After the last events its death would show nothing, and the demo says that it failed."""
    killed = []
    monkeypatch.setattr(show, "kill", lambda victim: not killed.append(victim.pid))
    worker = WorkerStatus(pid=41, slot=0, state="live", partitions=["a/0"], http=0, updated_us=0)
    write_status(tmp_path, show.SERVICE, worker)
    demo = Demo(Plan(events=10), PlainLines(Console(file=io.StringIO())))
    demo._place = SimpleNamespace(service_home=tmp_path)
    demo._watch = SimpleNamespace(seen=SimpleNamespace(processed=0))
    demo._events, demo._emitted = [None] * 10, emitted

    demo._kill()

    assert [41] * is_killed == killed
