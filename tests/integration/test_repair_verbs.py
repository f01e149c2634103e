"""offsets restore and state reset against a real broker: what people and scripts read."""

import pytest

from tests.integration.verbs import objects, run

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("environment")]


@pytest.fixture
def service():
    assert run("topics", "apply").exit_code == 0
    return "counters"


def test_restore_shows_each_offset_as_an_object(service):
    """A script compares what was found with what is right."""
    shown = run("offsets", "restore", service, "--dry-run", "--json")

    rows = objects(shown)
    assert shown.exit_code == 0
    assert {"topic": "social.photos", "partition": 0, "found": None, "wanted": 0} in rows
    assert len(rows) == len({(row["topic"], row["partition"]) for row in rows})


def test_restore_says_what_it_did(service):
    """A dry run must not read like the real one."""
    dry = run("offsets", "restore", service, "--dry-run").stdout.splitlines()
    done = run("offsets", "restore", service).stdout.splitlines()
    again = run("offsets", "restore", service).stdout.splitlines()

    count = len(dry) - 2
    assert dry[0].split() == ["topic", "partition", "found", "wanted"]
    assert dry[-1] == f"{count} of {count} offsets would change; nothing was committed"
    assert done[-1] == f"{count} offsets committed, {count} of them changed"
    assert again[-1] == f"{count} offsets committed, 0 of them changed"


def test_reset_shows_each_partition_as_an_object(service):
    """So that a script sees where folding begins."""
    shown = run("state", "reset", service, "--topic", "counters.contributions", "--json")

    rows = objects(shown)
    assert shown.exit_code == 0
    assert {"topic": "counters.contributions", "partition": 0, "offset": 0} in rows
    assert {row["topic"] for row in rows} == {"counters.contributions"}


def test_reset_says_what_it_leaves_standing(service):
    """After a topic was deleted and made again some results are of nobody's making."""
    shown = run("state", "reset", service, "--topic", "counters.contributions")

    assert (
        "results in counters.users of keys that no record of the log mentions any more stay"
        in shown.stdout
    )
