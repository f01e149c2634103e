"""get, dump and top against a real broker."""

import pytest

from streams.views.results import Results
from tests.integration.verbs import CATALOG, counted, objects, run

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("environment")]

COMPACTED = {"cleanup.policy": "compact"}


@pytest.fixture
def photos(admin):
    admin.create_topic("counters.photos", 4, COMPACTED)


def test_get_shows_the_committed_result(photos, write):
    """The first thing a newcomer does after a like."""
    write(counted(5, likes=1), counted(6, likes=7))
    write(counted(5, likes=2))
    write(counted(5, likes=99), commit=False)

    shown = run("get", "counters.photos", "5", "--json")

    assert shown.exit_code == 0
    assert objects(shown) == [
        {
            "type": "PhotoCounters",
            "photo_id": 5,
            "owner_id": 9,
            "likes": 2,
            "comments": 0,
            "comment_likes": 0,
            "shares": 0,
            "deleted": False,
        }
    ]


def test_get_for_people_is_a_line_a_field(photos, write):
    """Without --json it is read, not parsed."""
    write(counted(5, likes=2))

    lines = [line.split() for line in run("get", "counters.photos", "5").stdout.splitlines()]

    assert ["likes", "2"] in lines
    assert ["deleted", "false"] in lines


def test_get_of_a_key_without_a_result_is_exit_code_4(photos, write):
    """So that a script can tell nothing from an error."""
    write(counted(5, likes=2))
    write(("counters.photos", "5", None))

    for key in ("5", "6"):
        shown = run("get", "counters.photos", key)

        assert shown.exit_code == 4
        assert shown.stdout == ""
        assert shown.stderr.count("\n") == 1


def test_results_see_what_was_committed_just_before(photos, write, kafka):
    """A commit returns before its markers are written; reading must not race them."""
    with Results("counters.photos", kafka, catalog=CATALOG) as results:
        for likes in range(1, 31):
            write(counted(5, likes=likes))

            assert results.get(5).likes == likes


def test_dump_is_one_object_a_key(photos, write):
    """Newest values only, tombstoned keys absent, nothing else on standard output."""
    write(*(counted(number, likes=number) for number in range(50)))
    write(counted(3, likes=100), ("counters.photos", "4", None))
    write(counted(5, likes=999), commit=False)

    shown = run("dump", "counters.photos")

    assert shown.exit_code == 0
    likes = {one["photo_id"]: one["likes"] for one in objects(shown)}
    assert likes == {number: number for number in range(50) if number != 4} | {3: 100}
    assert all(next(iter(one)) == "type" for one in objects(shown))


def test_dump_with_position_tells_where_each_value_stands(photos, write, admin):
    """The place leads back to the record in the log."""
    write(counted(5, likes=1))

    (one,) = objects(run("dump", "counters.photos", "--with-position"))

    assert one["_topic"] == "counters.photos"
    assert one["_partition"] in range(4)
    assert one["_offset"] == 0


def test_top_ranks_by_value_then_numeric_key(photos, write):
    """9 stands before 10 where both have the same value."""
    write(counted(10, 3), counted(9, 3), counted(2, 7), counted(1, 0))

    as_json = objects(run("top", "counters.photos", "likes", "-n", "3", "--json"))
    for_people = run("top", "counters.photos", "likes", "-n", "3").stdout.splitlines()

    assert [(one["photo_id"], one["likes"]) for one in as_json] == [(2, 7), (9, 3), (10, 3)]
    assert [line.split() for line in for_people] == [
        ["rank", "key", "likes"], ["1", "2", "7"], ["2", "9", "3"], ["3", "10", "3"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "exit_code"),
    [
        (("get", "counters.nothing", "5"), 4),
        (("get", "counters.photos", "abc"), 2),
        (("dump", "social.photos"), 4),
        (("top", "counters.photos", "nothing"), 2),
        (("tail", "nothing"), 4),
        (("tail", "counters.photos", "--from", "yesterday"), 2),
        (("quarantine", "list", "nothing"), 4),
        (("parked", "list", "nothing"), 4),
    ],
)
def test_what_does_not_exist_is_told_in_one_line(photos, args, exit_code):
    """4 for what is not there, 2 for what cannot be meant."""
    shown = run(*args)

    assert shown.exit_code == exit_code
    assert shown.stdout == ""
    assert shown.stderr.startswith("error: found ")
