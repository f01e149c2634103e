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
    wanted = "^STREAMS_COMMIT_INTERVAL_S: found -1, must be positive$"
    with pytest.raises(ConfigurationError, match=wanted):
        WorkerSettings(commit_interval_s=-1)
