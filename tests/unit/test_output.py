"""What verbs print: safe for terminals, fit for scripts, and a bar for whoever waits."""

import json
import sys

import pytest

from streams.cli.output import json_line, progress_bar, write_fields, write_table


@pytest.mark.parametrize(
    "text", ["\x1b[2Jgone", "\x9b2J", "\u202eevil", "two\nlines", "\U000e0041"]
)
def test_json_lines_cannot_steer_a_terminal(text):
    """A caption is a stranger's text; what it holds must come back whole all the same."""
    line = json_line({"caption": text})

    assert line.isprintable()
    assert json.loads(line) == {"caption": text}


def test_json_lines_keep_other_writing_readable():
    """Escaping all that is not English would make names unreadable."""
    assert json_line({"caption": "Zoë 日本"}) == '{"caption":"Zoë 日本"}'


def test_a_table_aligns_numbers_to_the_right(capsys):
    """They are compared by their length."""
    write_table(("key", "likes"), [("5", 7), ("10:3", 1234)])

    assert capsys.readouterr().out.splitlines() == ["key   likes", "5         7", "10:3   1234"]


def test_a_table_shows_what_is_missing_and_cuts_nothing(capsys):
    """It may be piped into another program."""
    write_table(("a", "b"), [(None, "x" * 300), (1.25, "\x1b[2J")])

    lines = capsys.readouterr().out.splitlines()

    assert lines[1] == "  -  " + "x" * 300
    assert lines[2] == '1.2  "\\u001b[2J"'


def test_fields_are_one_a_line(capsys):
    """Long values stay on their line, so that they can be searched."""
    write_fields({"key": "5", "tags": ["a"], "caption": "two\nlines"})

    assert capsys.readouterr().out.splitlines() == [
        "key      5",
        'tags     ["a"]',
        'caption  "two\\nlines"',
    ]


def test_progress_is_silent_where_nobody_watches(capsys):
    """Standard error of a script is for errors."""
    with progress_bar("reading") as report:
        report(1, 2)

    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal_shows_count_and_rate(capsys, monkeypatch):
    """A long read without a sign of life gets interrupted."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")

    with progress_bar("reading") as report:
        report(10_000, 40_000)

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "reading" in shown.err
    assert "10000/40000" in shown.err
