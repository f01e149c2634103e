"""The demo's parts that need no Kafka: pace, take-over, comparison, and what is shown."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from services.demo.compare import compare
from services.demo.kill import TakeOver, victim_of
from services.demo.pace import Pace, Rate
from services.demo.place import Place
from services.demo.scene import Scene, partitions_in_words
from services.demo.supervisor import Supervisor
from services.demo.table import LiveTable, PlainLines, drawn, open_screen
from services.demo.watch import Seen
from services.demo.workers import owned
from streams.engine.status import WorkerStatus
from streams.errors import StreamsError
from streams.settings import DemoSettings


class Clock:
    """Time that moves when it is told to."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def worker(slot, *partitions, pid=None, state="live"):
    return WorkerStatus(
        slot=slot,
        pid=pid or 10 + slot,
        state=state,
        partitions=list(partitions),
        http=0,
        updated_us=0,
    )


def test_the_last_event_is_due_when_the_time_is_over():
    """Paced over at least 25 s means that none is left out and none comes early."""
    clock = Clock()
    pace = Pace(200_000, 25.0, clock)

    due = []
    for clock.now_s in (100.0, 110.0, 124.5, 125.0, 200.0):
        due.append(pace.due())

    assert [0, 80_000, 196_000, 200_000, 200_000] == due


def test_a_rate_is_that_of_the_last_seconds():
    """A stall shows at once, and not as a slowly sinking mean."""
    clock = Clock()
    rate = Rate(clock)

    rates = []
    for clock.now_s, count in ((100.0, 0), (102.0, 2_000), (104.0, 6_000), (109.0, 6_000)):
        rates.append(rate.of(count))

    assert [0.0, 1_000.0, 2_000.0, 0.0] == rates


def test_an_average_is_that_of_the_time_in_which_something_happened():
    """The wait before the first event, and the look at the last, would make it smaller."""
    clock = Clock()
    rate = Rate(clock)

    for clock.now_s, count in ((100.0, 0), (110.0, 0), (112.0, 6_000), (120.0, 20_000)):
        rate.of(count)
    clock.now_s = 500.0
    rate.of(20_000)

    assert 2_000.0 == rate.average(rate.began_s)
    assert 1_600.0 == rate.average(107.5)


def test_the_worker_that_owns_most_is_killed():
    """Its death is what can be seen best; the dead and the idle are left alone."""
    workers = [
        worker(0, "a/0"),
        worker(1, "a/1", "a/2"),
        worker(2, "b/0", "b/1", "b/2", state="restoring"),
    ]

    assert 1 == victim_of(workers).slot
    assert victim_of([worker(0), worker(1, "a/0", state="restoring")]) is None


def test_a_take_over_is_over_when_every_partition_has_a_live_owner():
    """Also one that the killed worker's successor gets back."""
    take_over = TakeOver(worker(1, "a/0", "a/1", "b/0", pid=7), killed_at_s=50.0)
    last_words = worker(1, "a/0", "a/1", "b/0", pid=7)

    nothing = take_over.look([worker(0, "c/0"), last_words], 51.0)
    some = take_over.look([worker(0, "c/0", "a/0", "a/1"), last_words], 56.5)
    early = take_over.look([worker(0), worker(1, "b/0", pid=8, state="restoring")], 57.0)
    took_s = take_over.took_s
    rest = take_over.look([worker(0, "c/0"), worker(1, "b/0", pid=8)], 58.0)

    assert ([], None, []) == (nothing, took_s, early)
    assert ["worker 0 (process 10) took over 2 partitions after 6.5 s"] == some
    assert ["worker 1 (process 8) took over 1 partition after 8.0 s"] == rest
    assert 8.0 == take_over.took_s


def test_a_restoring_worker_owns_nothing_yet():
    """Its partitions stand still until it is live."""
    workers = [worker(0, "a/0"), worker(1, "a/1", state="restoring")]

    assert ["a/0"] == list(owned(workers))


ROW = {"photo_id": 5, "owner_id": 9, "likes": 2, "shares": 1, "deleted": False}


def test_equal_rows_are_equal():
    """Ids, owners and flags are compared too, but are no counters."""
    result = compare({"photos": {5: ROW}}, {"photos": {5: dict(ROW)}})

    assert (2, 0, True) == (result.counters, result.wrong, result.is_equal)
    assert "200,000 events · 2 counters · 0 wrong" == result.line(200_000)


@pytest.mark.parametrize(
    ("found", "counters", "wrong"),
    [
        ({5: ROW | {"likes": 3}}, 2, 1),
        ({5: ROW | {"owner_id": 8, "deleted": True}}, 2, 2),
        ({}, 2, 5),
        ({5: ROW, 6: ROW}, 4, 5),
        ({5: {name: ROW[name] for name in ROW if name != "likes"}}, 2, 1),
    ],
)
def test_whatever_differs_is_wrong(found, counters, wrong):
    """A missing row and one too many are wrong in every field."""
    result = compare({"photos": {5: ROW}}, {"photos": found})

    assert (counters, wrong, False) == (result.counters, result.wrong, result.is_equal)
    assert wrong == len(result.examples)


def test_an_unread_topic_is_wrong():
    """Results that are not there must not pass for right ones."""
    assert 5 == compare({"photos": {5: ROW}}, {}).wrong
    assert not compare({}, {}).is_equal


def test_a_wrong_counter_is_told_in_words():
    """Whoever sees it has to know where to look."""
    result = compare({"counters.photos": {5: ROW}}, {"counters.photos": {5: ROW | {"likes": 3}}})

    assert ("counters.photos 5: likes is 3, wanted 2",) == result.examples


def scene():
    photo = SimpleNamespace(photo_id=77, owner_id=9, likes=1_234, comments=5, shares=6)
    return Scene(
        total=200_000,
        emitted=50_000,
        emitted_per_s=8_000.0,
        counted_per_s=7_900.0,
        seen=Seen(processed=49_000, lag=1_000, partitions=3, top=(photo,)),
        workers=(
            worker(0, "social.photos/1", "social.photos/0", "counters.contributions/2", pid=41),
            worker(1, "social.users/3", pid=42),
        ),
        dead_pid=42,
    )


def text_of(renderable):
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def test_partitions_are_named_by_topic():
    """The table tells which worker owns which partition."""
    assert "contributions 2 · photos 0 1" == partitions_in_words(scene().workers[0].partitions)


SHOWN = """
50,000 of 200,000
49,000 of 200,000
8,000 events/s
7,900 events/s
1,000 records
photos 0 1
live
killed
1,234
"""


def test_the_table_shows_what_is_going_on():
    """Events a second, lag, top photos, and which worker owns which partition."""
    text = text_of(drawn(scene()))

    assert [] == [wanted for wanted in SHOWN.strip().splitlines() if wanted not in text]


def test_a_dead_worker_owns_nothing():
    """Its status file still says otherwise."""
    assert "users 3" not in text_of(drawn(scene()))


def test_without_a_terminal_there_are_lines():
    """A log or a pipe wants no cursor movements."""
    out = io.StringIO()
    screen = open_screen(Console(file=out, width=80))

    with screen:
        screen.say("killed [worker] 1")
        screen.show(scene())

    assert PlainLines is type(screen)
    assert out.getvalue().endswith("s  killed [worker] 1\n")
    assert 1 == out.getvalue().count("\n")


def test_a_line_says_how_things_stand():
    """The same as the table, in short."""
    assert (
        "50,000 of 200,000 emitted (8,000/s) · 49,000 counted (7,900/s) · lag 1,000 · "
        "worker 0 live, 3 partitions · worker 1 killed, 1 partition · photo 77 has 1,234 likes"
    ) == scene().line()


def test_on_a_terminal_the_table_stays_with_what_happened():
    """The last picture is what one wants to show around."""
    out = io.StringIO()
    screen = open_screen(Console(file=out, width=120, height=40, force_terminal=True))

    with screen:
        screen.say("killed [worker] 1")
        screen.show(scene())

    assert LiveTable is type(screen)
    assert "killed [worker] 1" in out.getvalue()
    assert "50,000 of 200,000" in out.getvalue()


def test_at_the_end_the_rates_are_averages():
    """A rate of the last seconds falls to nothing while the last events are waited for."""
    final = replace(scene(), are_averages=True)

    assert "7,900 events/s on average" in text_of(drawn(final))
    assert "average" not in text_of(drawn(scene()))


def test_the_last_picture_holds_all_that_happened():
    """Where Kafka runs is told first, and is wanted afterwards."""
    out = io.StringIO()
    screen = LiveTable(Console(file=out, width=120, height=40, force_terminal=True))

    with screen:
        for number in range(20):
            screen.say(f"line {number}.")
        before = screen._drawn()
        screen.show(scene())
    last = text_of(screen._drawn())

    assert "line 0." not in text_of(before)
    assert [] == [number for number in range(20) if f"line {number}." not in last]


def supervisor(tmp_path, monkeypatch, script):
    """A supervisor whose Python runs `script` instead of a service."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return Supervisor("counters", 2, {"STREAMS_HOME": str(tmp_path), "STREAMS_NAMESPACE": "demo."})


def test_workers_that_end_are_missed_at_once(tmp_path, monkeypatch):
    """The demo says why, with the end of their log."""
    running = supervisor(
        tmp_path, monkeypatch, 'echo "no topics in $STREAMS_NAMESPACE: $*"; exit 3'
    )
    os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)

    with pytest.raises(StreamsError) as raised:
        running.check()

    assert "exit code 3" in str(raised.value)
    assert "no topics in demo.: -m streams.cli.main run counters --workers 2" in str(raised.value)


def test_running_workers_are_stopped_by_sigterm(tmp_path, monkeypatch):
    """They commit and leave; stopping twice is fine."""
    running = supervisor(tmp_path, monkeypatch, "exec sleep 600")
    running.check()

    running.stop()
    running.stop()

    with pytest.raises(StreamsError, match="exit code -15"):
        running.check()


def test_each_demo_has_a_place_of_its_own(tmp_path, monkeypatch):
    """Two at once, or one after another that was kept, must not meet."""
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path))
    monkeypatch.delenv("STREAMS_NAMESPACE", raising=False)

    one, other = Place(), Place()

    assert one.namespace != other.namespace
    assert one.home != other.home
    assert tmp_path in one.home.parents
    assert one.namespace.startswith("demo-")


def test_a_kept_place_says_how_to_look_around(tmp_path, monkeypatch):
    """With what must be set, and how to stop it."""
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path / "my home"))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    place = Place()

    text = place.how_to_look(4711)

    assert f"export STREAMS_HOME='{place.home}' STREAMS_NAMESPACE={place.namespace}\n" in text
    for verb in ("get counters.", "top counters.", "lag counters", "tail social.", "kafka down"):
        assert f"streams {verb}" in text
    assert "kill 4711" in text


def test_the_line_that_stops_a_kept_place_reaches_nothing_else(tmp_path, monkeypatch):
    """Typed in a fresh terminal, it must neither stop another Kafka nor delete under a live one."""
    monkeypatch.setenv("STREAMS_HOME", str(tmp_path / "my home"))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.chdir(tmp_path)
    place = Place()
    asked = tmp_path / "streams"
    asked.write_text('#!/bin/sh\necho "$STREAMS_HOME: $*"\nexit 1\n')
    asked.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    place.home.mkdir(parents=True)

    with subprocess.Popen(["sleep", "600"]) as running:
        line = place.how_to_look(running.pid).strip().splitlines()[-1]
        done = subprocess.run(
            ["sh", "-c", line], cwd="/", env={"PATH": os.environ["PATH"]}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        code = running.wait(10)

    assert -signal.SIGTERM == code
    assert f"{place.home}: kafka down\n" == done.stdout
    assert place.home.is_dir()


@pytest.mark.parametrize(("value", "keep"), [("1", True), ("", False), ("0", False)])
def test_keep_is_asked_for_by_a_variable(value, keep, monkeypatch):
    """`make demo` always passes it, mostly empty."""
    monkeypatch.setenv("KEEP", value)

    assert keep is DemoSettings().keep
