"""What the README says is what happens: its files are written and its commands run."""

from __future__ import annotations

import re

import pytest

from services.demo.compare import compare
from services.demo.generator import social_events
from services.demo.recount import recount
from services.demo.show import Plan
from streams.cli.verbs import VERBS
from streams.settings import rows
from tests.acceptance.readme import TEXT, Reader, blocks

TOUR = ("Start", "Emit", "Run and read")


@pytest.fixture
def reader(tmp_path, kafka):
    return Reader(tmp_path, kafka)


@pytest.mark.kafka
@pytest.mark.slow
def test_a_like_becomes_a_count_as_the_first_page_says(reader):
    """The first thing a newcomer tries; twice, because the text says that changes nothing."""
    first = reader.follow("A like becomes a count")
    again = reader.follow("A like becomes a count")

    assert re.search(r"^social\.photos/\d+/0$", first, re.MULTILINE)
    assert "LikesCounted(photo_id=5, likes=1)" == first.splitlines()[-1]
    assert "LikesCounted(photo_id=5, likes=1)" == again.splitlines()[-1]


def test_the_first_example_is_20_lines_of_code():
    """A longer one would not be read."""
    (program,) = [block for block in blocks("A like becomes a count") if block.file]

    assert 20 >= len([line for line in program.text.splitlines() if line])


@pytest.mark.kafka
@pytest.mark.slow
def test_the_tour_runs_from_its_start_to_its_end(reader):
    """Emitters, readers and the counters service, as shown."""
    start, emit, read = map(reader.follow, TOUR)

    assert "0 failed" in start
    assert "5 events sent" in emit
    assert "social.PhotoLiked.user_id: found '4' (str), wanted a whole number of 64 bits" in emit
    assert re.search(r"^likes +2$", read, re.MULTILINE)


@pytest.mark.kafka
@pytest.mark.slow
def test_an_event_and_a_fold_of_one_s_own_come_to_a_result(reader):
    """Every step from an empty folder to a counted order, the unit test included."""
    printed = reader.follow("In a project of your own")

    assert 2 == printed.count("1 passed")
    assert re.search(r"^orders +1$", printed, re.MULTILINE)


def test_the_demo_ends_with_the_line_that_is_shown():
    """Its traffic is the same for the same seed, so the number of counters is known."""
    plan = Plan()

    expected = recount(social_events(plan.seed, plan.events))

    assert f"`{compare(expected, expected).line(plan.events)}`" in TEXT


def test_what_is_installed_is_the_wheel_and_never_a_name():
    """An index may have anybody's package under the name."""
    lines = [line for line in TEXT.splitlines() if "pip install" in line]

    assert len(lines) >= 4
    assert [] == [line for line in lines if "pip install 'dist/millrace-" not in line]


def test_every_command_in_the_text_exists():
    """Also those in tables, which nothing runs."""
    named = set(re.findall(r"`streams (?!--)([a-z]+)", TEXT)) | set(
        re.findall(r"^streams ([a-z]+)", TEXT, re.MULTILINE)
    )

    assert named <= VERBS.keys()


def test_every_variable_in_the_text_is_a_setting():
    """A renamed setting would leave its old name here."""
    named = set(re.findall(r"\b(?:STREAMS|KAFKA)_[A-Z_]+", TEXT))

    assert named <= {variable for _, variable, *_ in rows()}
