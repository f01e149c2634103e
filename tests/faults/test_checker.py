"""The checker goes red on every kind of bad history, and names the property that broke."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from schemas.counters import PhotoContribution
from schemas.social import PhotoLiked
from services.counters import photos
from streams.ports.records import TopicPartition
from streams.state.members import Members
from tests.faults.checker.check import check
from tests.faults.checker.evidence import End, Glance, Got, Sample, StoreDump
from tests.faults.small_trial import (
    CONTRIBUTIONS,
    FAILED,
    LIKED,
    LIKED_TOO,
    PHOTO_ROWS,
    PHOTOS,
    POSTED,
    UNKNOWN,
    USER_ROWS,
    changed,
    fact,
    photo_row,
    seen,
    small_trial,
    user_row,
)
from tests.faults.timeline import Reset

QUARANTINE = TopicPartition("counters.quarantine", 0)


@pytest.fixture
def good():
    return small_trial()


def broken(evidence):
    """The properties that the checker finds broken."""
    return set(check(evidence).broken)


def test_a_good_history_is_green(good):
    """A checker that is always red would prove nothing."""
    assert set() == broken(good)
    assert check(good).is_green


def test_an_acknowledged_event_that_is_nowhere_is_lost(good):
    """C1: acknowledged is for ever."""
    bad = changed(good, PHOTOS, lambda log: log[:2])

    assert "C1" in broken(bad)


def test_an_acknowledged_event_at_another_offset_is_not_the_one(good):
    """C1: the receipt says where it is."""
    bad = changed(good, PHOTOS, lambda log: [*log[:2], replace(log[2], offset=3)])

    assert "C1" in broken(bad)


def test_an_event_that_says_something_else_is_not_what_was_sent(good):
    """C1: bytes may change under way as well as vanish."""
    other = msgspec.structs.replace(LIKED_TOO, user_id=8)
    bad = changed(good, PHOTOS, lambda log: [*log[:2], seen(2, other)])

    assert "C1" in broken(bad)


def test_an_event_that_nobody_sent_is_noticed(good):
    """C1: what is in the log came from somebody."""
    stranger = PhotoLiked(user_id=3, photo_id=5, owner_id=9, event_id=b"z" * 16)
    bad = changed(good, PHOTOS, lambda log: [*log, seen(3, stranger)])

    assert "C1" in broken(bad)


def test_an_event_that_failed_must_not_appear(good):
    """C2: its sender was told that it never will."""
    bad = changed(good, PHOTOS, lambda log: [*log, seen(3, FAILED)])

    assert "C2" in broken(bad)


def test_an_event_of_unknown_fate_may_appear(good):
    """It did happen, and nobody was told; then it counts like any other."""
    fine = changed(good, PHOTOS, lambda log: [*log, seen(3, UNKNOWN)])

    assert {"C1", "C2", "C3", "C5"}.isdisjoint(broken(fine))


def test_an_event_that_is_there_twice_is_noticed(good):
    """C3: a retry wrote it again."""
    bad = changed(good, PHOTOS, lambda log: [*log, seen(3, LIKED)])

    assert "C3" in broken(bad)


def test_two_readers_that_disagree_are_noticed(good):
    """C4: one of them saw what was not committed, or a log that was cut and written anew."""
    bad = replace(good, live={PHOTOS: [[Glance(0, 1)]]})
    gone = replace(good, live={PHOTOS: [[Glance(7, 1)]]})

    assert {"C4"} == broken(bad)
    assert {"C4"} == broken(gone)


def test_events_of_a_key_out_of_order_are_noticed(good):
    """C5: the second like was sent after the first."""
    bad = changed(good, PHOTOS, lambda log: [log[0], seen(1, LIKED_TOO), seen(2, LIKED)])

    assert "C5" in broken(bad)


def test_a_key_in_two_partitions_is_noticed(good):
    """C5: its events have no order any more."""
    elsewhere = PHOTOS._replace(partition=1)
    bad = changed(good, PHOTOS, lambda log: log[:2])
    bad = replace(bad, log={**bad.log, elsewhere: [seen(2, LIKED_TOO)]})

    assert "C5" in broken(bad)


@pytest.mark.parametrize("order", [[0, 2], [0, 1, 1, 2], [1, 0, 2]])
def test_a_reader_that_skips_or_goes_back_is_noticed(good, order):
    """C6: within one session it reads each record once, in order."""
    glances = [Glance(good.log[PHOTOS][at].offset, good.log[PHOTOS][at].crc) for at in order]
    bad = replace(good, live={PHOTOS: [glances]})

    assert {"C6"} == broken(bad)


def test_a_reader_may_go_back_in_its_next_session(good):
    """C6 speaks of one session: the next one starts where it likes."""
    glances = [Glance(one.offset, one.crc) for one in good.log[PHOTOS]]

    assert set() == broken(replace(good, live={PHOTOS: [glances, glances]}))


def test_a_committed_position_that_goes_back_is_noticed(good):
    """C7: what is between would be folded twice."""
    bad = replace(good, samples=[Sample(0.5, PHOTOS, 3), Sample(1.0, PHOTOS, 2)])

    assert {"C7"} == broken(bad)
    assert set() == broken(replace(bad, resets=[Reset("social.photos", 0, 2)]))


def test_a_reset_allows_no_step_below_it(good):
    """C7: it was allowed to there and no further."""
    samples = [Sample(0.5, PHOTOS, 3), Sample(1.0, PHOTOS, 1)]
    bad = replace(good, samples=samples, resets=[Reset("social.photos", 0, 2)])

    assert {"C7"} == broken(bad)


def test_a_torn_transaction_is_noticed(good):
    """C8: the row of the photo is missing from the second commit, all else of it is there."""
    bad = changed(good, CONTRIBUTIONS, lambda log: log[:3])
    bad = changed(bad, USER_ROWS, lambda log: log[:3])

    assert "C9" in broken(bad)
    assert "C8" in broken(changed(good, USER_ROWS, lambda log: [log[0], *log[2:]]))


def test_outputs_beyond_the_committed_position_are_noticed(good):
    """C8: outputs and positions belong together."""
    bad = replace(good, positions={**good.positions, PHOTOS: 2}, samples=())

    assert "C8" in broken(bad)


def test_an_output_that_is_seen_before_its_position_is_committed_is_noticed(good):
    """C8: a reader saw half of a transaction."""
    bad = replace(good, samples=[Sample(0.7, PHOTOS, 2, published=3)])

    assert {"C8"} == broken(bad)


def test_a_wrong_value_is_noticed_though_a_later_one_is_right(good):
    """C9: every value counts, not only the last."""
    bad = changed(good, PHOTO_ROWS, lambda log: [seen(0, photo_row(2), at=1), log[1]])

    assert {"C8", "C9", "C14"} == broken(bad)


def test_a_result_that_nothing_called_for_is_noticed(good):
    """C9: the interval was published twice."""
    bad = changed(good, PHOTO_ROWS, lambda log: [*log, replace(log[1], offset=3)])

    assert {"C9"} == broken(bad)


def test_results_in_another_order_are_noticed(good):
    """C9: a reader of the newest value would keep the older one."""

    def swapped(log):
        return [replace(log[1], offset=0), replace(log[0], offset=2)]

    assert "C9" in broken(replace(changed(good, PHOTO_ROWS, swapped), gets=()))


def test_an_event_that_was_dropped_is_noticed(good):
    """C9: its fact is missing, and the values of its commit are too low."""
    bad = changed(
        good,
        CONTRIBUTIONS,
        lambda log: [*log[:2], seen(4, PhotoContribution(9, 5, 1, 1, 0), at=2)],
    )

    assert "C9" in broken(bad)


def test_an_output_of_nowhere_is_noticed(good):
    """C9: its header names what nobody folds."""
    stray = seen(3, photo_row(2), at=0, of=USER_ROWS)
    bad = changed(good, PHOTO_ROWS, lambda log: [*log, stray])

    assert "C9" in broken(bad)


def test_a_store_that_is_not_the_fold_of_its_log_is_noticed(good):
    """C10: it has one fan too many."""
    state = photos.Photo(owner_id=9, is_posted=True, fans=Members([3, 4, 8]))
    bad = replace(good, stores=[StoreDump(PHOTOS, 3, {"photos": {5: state}}), good.stores[1]])

    assert {"C10"} == broken(bad)


def test_a_store_that_differs_where_nothing_is_counted_is_noticed(good):
    """C10: what is hidden now decides what later events do."""
    state = photos.Photo(
        owner_id=9, is_posted=True, fans=Members([3, 4]), closed_comments=Members([1])
    )
    bad = replace(good, stores=[StoreDump(PHOTOS, 3, {"photos": {5: state}}), good.stores[1]])

    assert {"C10"} == broken(bad)


def test_a_store_ahead_of_the_committed_position_is_noticed(good):
    """C11: it holds what may never have been published."""
    ahead = replace(good.stores[0], offset=4)

    assert "C11" in broken(replace(good, stores=[ahead, good.stores[1]]))


def test_a_store_that_lags_after_an_orderly_end_is_noticed(good):
    """C11: the last checkpoint was not made."""
    behind = StoreDump(PHOTOS, 1, {"photos": {5: photos.Photo(owner_id=9, is_posted=True)}})
    bad = replace(good, stores=[behind, good.stores[1]])

    assert {"C11"} == broken(bad)
    assert set() == broken(replace(bad, is_orderly=False))


def test_a_fact_that_is_there_twice_is_noticed(good):
    """C12: whoever acts on facts acts twice."""
    bad = changed(good, CONTRIBUTIONS, lambda log: [*log, replace(log[2], offset=5)])

    assert "C12" in broken(bad)


def test_a_fact_with_another_id_is_noticed(good):
    """C12: the same fact under a new id is not recognised as a repeat."""
    other = fact(LIKED_TOO, 2, event_id=b"y" * 16)
    bad = changed(good, CONTRIBUTIONS, lambda log: [*log[:2], seen(3, other, at=2), log[3]])

    assert {"C12"} == broken(bad)


def test_records_left_unread_are_noticed(good):
    """C13: the service hangs."""
    bad = replace(good, positions={**good.positions, PHOTOS: good.positions[PHOTOS] - 1})

    assert "C13" in broken(bad)


def test_a_marker_behind_everything_is_nothing_unread(good):
    """A transaction without records may be ended when the workers are gone."""
    late = replace(good, ends={**good.ends, PHOTOS: End(4, 4)})

    assert set() == broken(late)


def test_a_transaction_left_open_is_noticed(good):
    """C13: readers of committed records see nothing behind it."""
    bad = replace(good, ends={**good.ends, PHOTO_ROWS: End(3, 4)})

    assert {"C13"} == broken(bad)


def test_a_read_of_what_was_never_committed_is_noticed(good):
    """C14: a client was told a value that does not exist."""
    bad = replace(good, gets=[Got("counters.photos", 5, 0, 2, photo_row(3))])
    ahead = replace(good, gets=[Got("counters.photos", 5, 0, 9, photo_row(2))])

    assert {"C14"} == broken(bad)
    assert {"C14"} == broken(ahead)


def test_reads_that_go_back_are_noticed(good):
    """C14: a like that was shown must not vanish."""
    bad = replace(good, gets=good.gets[::-1])

    assert {"C14"} == broken(bad)


@pytest.fixture
def bad_record(good):
    """The good trial, and behind it a record that nobody can decode, which is in quarantine."""
    garbage = replace(seen(3, POSTED), message=None)
    fine = changed(good, PHOTOS, lambda log: [*log, garbage])
    return replace(
        fine,
        log={**fine.log, QUARANTINE: [replace(seen(0, POSTED, at=3), message=None)]},
        positions={**good.positions, PHOTOS: 4},
        stores=[replace(good.stores[0], offset=4), good.stores[1]],
        ends={**good.ends, PHOTOS: End(4, 4)},
    )


def test_what_nobody_can_decode_counts_nothing(bad_record):
    """It is quarantined; the checker must not stumble over it."""
    assert set() == broken(bad_record)


def test_a_bad_record_that_is_not_in_quarantine_is_noticed(bad_record):
    """C9: nobody would ever hear of it."""
    assert {"C9"} == broken(replace(bad_record, log={**bad_record.log, QUARANTINE: []}))


def test_a_bad_record_that_is_in_quarantine_twice_is_noticed(bad_record):
    """C3: it would be redriven twice."""
    bad = changed(bad_record, QUARANTINE, lambda log: [*log, replace(log[0], offset=1)])

    assert {"C3"} == broken(bad)


def test_a_good_record_in_quarantine_is_noticed(bad_record):
    """C9: it is folded, and would be folded again."""
    stray = replace(seen(1, POSTED, at=0), message=None)
    bad = changed(bad_record, QUARANTINE, lambda log: [*log, stray])

    assert {"C9"} == broken(bad)


@pytest.fixture
def begun_again(good):
    """The second stage was folded from its start once more, in one commit."""
    again = [user_row(3, likes_given=1), user_row(9, photos=1, likes_received=2)]
    again = [*again, user_row(4, likes_given=1)]
    rows = [seen(6 + at, row, at=4, of=CONTRIBUTIONS) for at, row in enumerate(again)]
    reset = Reset(*CONTRIBUTIONS, 0, reached=6, ends={str(USER_ROWS): 6})
    return replace(changed(good, USER_ROWS, lambda log: [*log, *rows]), resets=[reset])


def test_an_input_that_is_folded_again_is_published_again(begun_again):
    """C9 holds for each course by itself; without the reset it is the same twice."""
    assert set() == broken(begun_again)
    assert "C9" in broken(replace(begun_again, resets=[]))


def test_a_row_that_is_missing_from_a_second_course_is_noticed(begun_again):
    """C8: its commit is torn, though the row is there of the first course."""
    assert "C8" in broken(changed(begun_again, USER_ROWS, lambda log: log[:-1]))


def test_a_row_that_is_missing_from_a_first_course_is_noticed(begun_again):
    """C8: that the second one has it does not mend what readers saw."""
    assert "C8" in broken(changed(begun_again, USER_ROWS, lambda log: [log[0], *log[2:]]))
