"""Log lines: their shape, their level, and what must not stand in them."""

import json
import logging
import sys

import pytest

from streams import logs
from streams.avro.reasons import Reason
from streams.settings import LogSettings


@pytest.fixture(autouse=True)
def _standard_logging_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_json_line_holds_time_level_event_and_fields(capsys):
    """Log collectors index by these names."""
    logs.configure(LogSettings(form="json"))

    logs.get_logger(service="counters").info("assigned", action="assigned", partition=3)

    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "assigned",
        "service": "counters",
        "action": "assigned",
        "partition": 3,
    }


def test_lines_of_other_loggers_take_the_same_form(capsys):
    """The Kafka client and user code log through the standard library."""
    logs.configure(LogSettings(form="json"))

    logging.getLogger("librdkafka").warning("broker %s is down", 1)

    (line,) = lines(capsys)
    assert line["event"] == "broker 1 is down"
    assert line["logger"] == "librdkafka"


def test_a_level_hides_less_severe_lines(capsys):
    """STREAMS_LOG_LEVEL=warning must silence what is normal."""
    logs.configure(LogSettings(form="json", level="warning"))
    log = logs.get_logger()

    log.info("normal")
    log.warning("odd")

    assert [line["event"] for line in lines(capsys)] == ["odd"]


def test_a_field_named_like_a_secret_is_masked(capsys):
    """A password passed as a field by mistake must not reach a log collector."""
    logs.configure(LogSettings(form="json"))

    logs.get_logger().info("connecting", sasl_password="hunter2", ssl_key_PASSWORD="hunter2")

    assert "hunter2" not in capsys.readouterr().err


def test_an_exception_stays_within_its_line(capsys):
    """One occurrence is one line, also with a traceback."""
    logs.configure(LogSettings(form="json"))

    try:
        raise ValueError("no")
    except ValueError:
        logs.get_logger().exception("failed", action="fold")

    (line,) = lines(capsys)
    assert line["level"] == "error"
    assert "ValueError: no" in line["exception"]


@pytest.mark.parametrize("form", ["console", "json"])
def test_an_enum_shows_what_it_stands_for(capsys, form):
    """`bad magic` is what the header, the dashboards and the documentation say."""
    logs.configure(LogSettings(form=form))

    logs.get_logger().warning("record quarantined", reason=Reason.BAD_MAGIC)

    line = capsys.readouterr().err
    assert "bad magic" in line
    assert "BAD_MAGIC" not in line


@pytest.mark.parametrize("name", ["name", "msg", "args", "module", "process", "extra", "level"])
def test_a_field_may_have_any_name(capsys, name):
    """Standard logging refuses some names in `extra`; a log line must never raise."""
    logs.configure(LogSettings(form="json"))

    logs.get_logger().info("said", **{name: "x"})

    assert len(lines(capsys)) == 1


@pytest.mark.parametrize("form", ["console", "json"])
def test_on_a_terminal_a_line_erases_the_progress_bar_before_it(capsys, monkeypatch, form):
    """`streams run` draws the bar, its workers write the lines: neither can redraw the other's."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.configure(LogSettings(form=form))

    logs.get_logger().info("assigned")

    line = capsys.readouterr().err
    assert line.startswith("\r\x1b[K")
    assert line.count("\n") == 1


def test_configuring_twice_does_not_double_lines(capsys):
    """A worker embedded in a program may call it after the command line did."""
    logs.configure(LogSettings(form="json"))
    logs.configure(LogSettings(form="json"))

    logs.get_logger().info("once")

    assert len(lines(capsys)) == 1


def test_a_program_with_its_own_logging_sees_the_fields(caplog):
    """Embedded, the library must not take over the program's logging."""
    with caplog.at_level(logging.INFO, logger="streams"):
        logs.get_logger(topic="t").info("assigned", partition=3)

    assert caplog.messages == ["assigned topic=t partition=3"]


def test_a_console_line_is_readable(capsys):
    """On a terminal a person reads it."""
    logs.configure(LogSettings(form="console"))

    logs.get_logger(topic="t").info("assigned", partition=3)

    line = capsys.readouterr().err
    assert "assigned" in line
    assert "partition=3" in line
    assert line.count("\n") == 1
