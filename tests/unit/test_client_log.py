"""What a client's log lines say about its connections."""

import pytest

from streams.errors import ConfigurationError
from streams.kafka.client_log import ClientLog

FORM = "%s [%s] %s"
LOST = "127.0.0.1:9092/1: Disconnected (after 400ms in state UP)"


def said(facility, line, level=20, **options):
    """A log that was handed one line."""
    log = ClientLog("line", options)
    log.log(level, FORM, facility, "rdkafka#producer-1", line)
    return log


@pytest.mark.parametrize(
    ("facility", "line"),
    [
        ("FAIL", LOST),
        (
            "FAIL",
            "TxnCoordinator: 127.0.0.1:9092: Disconnected (after 9ms in state UP, 1 identical",
        ),
        ("FAIL", "127.0.0.1:9092/1: Receive failed: Connection timed out (after 1ms in state UP)"),
        ("FAIL", "something that no version said yet"),
        ("REQTMOUT", "127.0.0.1:9092/1: Timed out EndTxnRequest in flight (after 6000ms)"),
    ],
)
def test_a_connection_that_was_open_is_lost(facility, line):
    """Words that are not known count as a loss: a needless new producer costs milliseconds."""
    assert said(facility, line).is_connection_lost


@pytest.mark.parametrize(
    ("facility", "line"),
    [
        (
            "FAIL",
            "b:9/1: Connect to b:9 failed: Connection refused (after 0ms in state CONNECT)",
        ),
        ("FAIL", "b:9/1: Failed to resolve 'b:9': unknown (after 1ms in state TRY_CONNECT)"),
        ("FAIL", "b:9/1: Connection setup timed out in state CONNECT (after 9s)"),
        ("CONFWARN", "Configuration property x is a consumer property"),
    ],
)
def test_a_connection_that_was_never_open_is_not(facility, line):
    """Else one dead node of three would cost a new producer at each commit."""
    assert not said(facility, line).is_connection_lost


@pytest.mark.parametrize(
    ("options", "shown"), [({}, 0), ({"log_level": "6"}, 1), ({"debug": "eos"}, 1)]
)
def test_lines_are_shown_to_those_who_ask(options, shown, caplog):
    """The level that the client needs for itself must not fill everybody's logs."""
    with caplog.at_level("INFO"):
        said("FAIL", LOST, **options)

    assert shown == len(caplog.records)


def test_a_client_is_made_to_say_what_is_needed():
    """Whatever else its user asked for."""
    assert "6" == ClientLog("line", {"log_level": "0"}).config["log_level"]
    assert "7" == ClientLog("line", {"debug": "eos"}).config["log_level"]
    assert ClientLog("line", {}).config["log.connection.close"]


def test_a_level_that_is_none_is_a_wrong_setting():
    """The client itself would be asked for another level and could not refuse it."""
    with pytest.raises(ConfigurationError, match="log_level=loud"):
        ClientLog("line", {"log_level": "loud"})
