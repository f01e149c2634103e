"""The table of settings: complete, without values, and the same in the documentation."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.cli.settings import markdown_table
from streams.errors import ConfigurationError
from streams.settings import SECTIONS, WorkerSettings

ROOT = Path(__file__).parents[2]
START, END = "<!-- settings -->", "<!-- /settings -->"
NUMBERS = {
    str(field.validation_alias): section
    for section in SECTIONS
    for field in section.model_fields.values()
    if field.annotation in {int, float}
}
MAY_BE_ZERO = {
    "STREAMS_EMIT_FLUSH_TIMEOUT_S",
    "STREAMS_EMIT_LINGER_MS",
    "STREAMS_HTTP_PORT",
}
DOCUMENTS = [file for file in sorted(ROOT.glob("*.md")) if START in file.read_text("utf-8")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_the_documented_table_is_the_code_s(document):
    """Run `streams settings --markdown` and put it between the markers."""
    text = document.read_text("utf-8")

    table = text.partition(START)[2].partition(END)[0].strip()

    assert markdown_table() == table


def test_every_setting_is_in_the_table():
    """A setting that nobody can find is not there."""
    names = {str(f.validation_alias) for s in SECTIONS for f in s.model_fields.values()}

    shown = CliRunner().invoke(app, ["settings", "--json"]).stdout

    assert {json.loads(line)["variable"] for line in shown.splitlines()} == names


@pytest.mark.parametrize("form", [[], ["--markdown"], ["--json"]])
def test_no_value_is_shown(form, monkeypatch):
    """The list is pasted into reports; a password must not be in it."""
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("KAFKA_SSL_KEY_PASSWORD", "hunter2")
    monkeypatch.setenv("KAFKA_CLIENT_OPTIONS", "sasl.password=hunter2")

    shown = CliRunner().invoke(app, ["settings", *form])

    assert shown.exit_code == 0
    assert "hunter2" not in shown.output


def test_a_wrong_value_is_refused_in_words_of_ours():
    """`Value error` is what another library calls it."""
    wanted = "^STREAMS_COMMIT_INTERVAL_S: found -1, must be from 0.001 to 2,147,483$"
    with pytest.raises(ConfigurationError, match=wanted):
        WorkerSettings(commit_interval_s=-1)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-2", "1e12"])
@pytest.mark.parametrize("variable", sorted(NUMBERS))
def test_a_number_that_makes_no_sense_is_refused_with_its_variable(variable, value, monkeypatch):
    """NaN is neither positive nor negative, and Kafka's client names options that nobody set."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=f"^{variable}: found '{value}', "):
        NUMBERS[variable]()


@pytest.mark.parametrize("variable", sorted(NUMBERS.keys() - MAY_BE_ZERO))
def test_zero_is_refused_where_it_makes_no_sense(variable, monkeypatch):
    """No time between commits, or no record a poll, would be a worker that does nothing."""
    monkeypatch.setenv(variable, "0")

    with pytest.raises(ConfigurationError, match=f"^{variable}: found '0', must be "):
        NUMBERS[variable]()


@pytest.mark.parametrize("variable", sorted(MAY_BE_ZERO))
def test_zero_is_taken_where_it_means_something(variable, monkeypatch):
    """A batch need not wait, nor an exit flush, and port 0 is any that is free."""
    monkeypatch.setenv(variable, "0")

    settings = NUMBERS[variable]()

    assert 0 in settings.model_dump().values()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STREAMS_HTTP_PORT", "65536"),
        ("STREAMS_POLL_RECORDS", "1000001"),
        ("STREAMS_PREFETCH_KBYTES", "2097152"),
        ("STREAMS_SESSION_TIMEOUT_S", "301"),
        ("STREAMS_TRANSACTION_TIMEOUT_S", "751"),
        ("STREAMS_EMIT_LINGER_MS", "900001"),
        ("STREAMS_EMIT_MAX_RECORD_BYTES", "999900001"),
    ],
)
def test_a_number_that_kafka_s_client_refuses_is_refused_before(variable, value, monkeypatch):
    """The client would name its own option, or one that is computed from ours."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=f"^{variable}: found '{value}', must be "):
        NUMBERS[variable]()
