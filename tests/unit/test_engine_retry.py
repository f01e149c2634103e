"""`parked retry`: what was skipped of a key is folded after all, once, whatever happens."""

from __future__ import annotations

from streams.engine.decisions import DecisionKind
from streams.engine.reset import reset_state
from streams.testing.coordinator import CommitFault
from tests.unit.engine_bench import (
    PARTITIONS,
    HandlerError,
    home_of,
    liked,
    likes_fold,
    photos_on,
    posted,
    shares_fold,
    unliked,
)
from tests.unit.mended_folds import answer, parked, quiet_fold, raising_on, users

MENDED = {"5": 4, "7": 1}
FACTS = [1, 2, 3, 7, 666]


def test_what_was_skipped_is_folded_and_published_once(bench):
    """The event it raised on, and everything behind it, in its order."""
    parked(bench)
    worker = bench.worker()
    bench.ask()

    worker.drain()

    assert MENDED == bench.counts()
    assert FACTS == users(bench)
    assert ["parked", "retry_asked", "retried"] == bench.kinds()


def test_a_retried_key_flows_on(bench):
    """Its next events are folded like any other's."""
    parked(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()

    bench.emit(liked(4), unliked(1))
    worker.drain()

    assert {"5": 4, "7": 1} == bench.counts()
    assert {2, 3, 4, 666} == worker.state().users


def test_nothing_is_appended_to_the_input_topic(bench):
    """What happened once stands there once."""
    parked(bench)
    before = bench.log.records("social.photos")
    bench.ask()

    bench.worker().drain()

    assert before == bench.log.records("social.photos")


def test_a_request_waits_for_the_next_start(bench):
    """A service is often stopped while its handler is mended."""
    parked(bench)

    bench.ask()
    bench.worker().drain()

    assert MENDED == bench.counts()


def test_the_answer_stands_in_the_transaction_of_an_offset(bench):
    """Whoever recovers knows of it exactly if its outputs are there."""
    parked(bench)
    worker = bench.worker()
    worker.drain()
    before = bench.committed(home_of(5))
    bench.ask()
    worker.commit()
    worker.turn()
    bench.log.fail_next_commit(CommitFault.BEFORE)
    worker.commit()
    after_failure = bench.kinds(), users(bench), bench.committed(home_of(5))

    worker.drain()

    assert (["parked", "retry_asked"], [1, 7], before) == after_failure
    assert before.offset == bench.committed(home_of(5)).offset == answer(bench).at + 1
    assert before.metadata != bench.committed(home_of(5)).metadata
    assert FACTS == users(bench)


def test_ids_of_facts_are_those_of_their_events(bench):
    """Late or not, a fact is made of one record, so a duplicate can always be told."""
    parked(bench)
    bench.ask()
    bench.worker().drain()
    ids = {fact.user_id: fact.event_id for fact in bench.facts()}

    other = type(bench)(bench.home / "other", likes_fold(is_mended=True))
    other.emit(liked(1), posted("raise"), liked(2), liked(7, photo_id=7), liked(3))
    other.worker().drain()

    assert ids == {fact.user_id: fact.event_id for fact in other.facts()}
    assert len(ids) == len(set(ids.values()))


def test_what_raises_again_stays_parked_with_the_new_error(bench):
    """The first event is mended now, a later one is not: nothing of the key is published."""
    parked(bench)
    bench.declare(raising_on(3))
    bench.ask()
    worker = bench.worker()

    worker.drain()

    failed = answer(bench)
    assert (DecisionKind.RETRY_FAILED, "HandlerError", "3") == (
        failed.kind, failed.reason, failed.detail,
    )  # fmt: skip
    assert ("handler", 3) == (failed.raised_by, failed.raised_at)
    assert "mended_folds.py" in failed.where
    assert {"5": 1, "7": 1} == bench.counts()
    assert {1} == worker.state().users
    assert [1, 7] == users(bench)


def test_what_raised_again_can_be_asked_for_again(bench):
    """Each request gets its answer, and the one that is right gets through."""
    parked(bench)
    bench.declare(likes_fold())
    bench.ask()
    worker = bench.worker()
    worker.drain()
    worker.stop()

    bench.declare(likes_fold(is_mended=True))
    bench.ask()
    bench.worker().drain()

    assert MENDED == bench.counts()
    assert ["parked", "retry_asked", "retry_failed", "retry_asked", "retried"] == bench.kinds()


def test_a_result_that_raises_again_stays_parked(bench):
    """It is asked for before anything is committed."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    bench.emit(liked(2), posted("break the result"), liked(3))
    worker.drain()
    bench.ask()

    worker.drain()

    assert ("result", None) == (answer(bench).raised_by, answer(bench).raised_at)
    assert DecisionKind.RETRY_FAILED is answer(bench).kind
    assert {"5": 1} == bench.counts()
    assert {1} == worker.state().users


def test_a_result_that_was_mended_is_published(bench):
    """From the first event that was not committed on."""
    worker = bench.worker()
    bench.emit(liked(1))
    worker.drain()
    bench.emit(liked(2), posted("break the result"), liked(3))
    worker.drain()
    worker.stop()
    bench.declare(likes_fold(is_mended=True))
    bench.ask()

    bench.worker().drain()

    assert {"5": 3} == bench.counts()
    assert [1, 2, 3] == users(bench)


def test_of_several_keys_each_succeeds_or_fails_on_its_own(bench):
    """One that raises again must not take the others along."""
    one, other, third = photos_on(home_of(5).partition, 3)
    worker = bench.worker()
    bench.emit(
        posted("raise", one), posted("break the result", other), posted("raise", third),
        liked(1, one), liked(2, other), liked(3, third),
    )  # fmt: skip
    worker.drain()
    worker.stop()
    mended = likes_fold(is_mended=True)
    handler = mended.handlers[type(posted(""))]

    def raises(fans, event, ctx):
        handler.handle(fans, event, ctx)
        if event.photo_id == third:
            raise HandlerError("third")

    mended.handlers[type(posted(""))] = type(handler)(raises, wants_context=True)
    bench.declare(mended)
    bench.ask()

    bench.worker().drain()

    assert {str(one): 2, str(other): 1} == bench.counts()
    assert [1, 2, 666] == users(bench)
    assert {"retry_failed": [third], "retried": [one, other]} == {
        kind: sorted(one.fold_key for one in bench.decisions() if one.kind == kind)
        for kind in ("retry_failed", "retried")
    }


def test_other_keys_are_not_folded_twice(bench):
    """Their events stand between those of the key that is tried again."""
    photo, other = photos_on(home_of(5).partition, 2)
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    bench.emit(posted("raise", photo), liked(1, other), liked(2, photo), unliked(1, other))
    worker.drain()
    worker.stop()
    bench.declare(likes_fold(is_mended=True), shares_fold())
    bench.ask()
    worker = bench.worker()

    worker.drain()

    assert {str(photo): 2, str(other): 0} == bench.counts()
    assert [1, 1, 2, 666] == users(bench)
    assert set() == worker.state(other).users


def test_a_key_that_is_parked_again_can_be_retried_again(bench):
    """Each time from the event that it was parked at last."""
    parked(bench)
    bench.declare(raising_on(4))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    bench.emit(liked(4), liked(5))
    worker.drain()
    while_parked = bench.counts()
    worker.stop()
    bench.declare(raising_on(None))
    bench.ask(bench.decisions()[-1])

    bench.worker().drain()

    assert {"5": 4, "7": 1} == while_parked
    assert {"5": 6, "7": 1} == bench.counts()
    assert [1, 2, 3, 4, 5, 7, 666] == users(bench)
    assert ["parked", "retry_asked", "retried"] * 2 == bench.kinds()


def test_a_request_about_a_key_that_is_not_parked_is_passed_over(bench):
    """As when two people ask at once, and the first is answered before the second asks."""
    parked(bench)
    bench.ask()
    worker = bench.worker()
    worker.drain()

    bench.ask(*[one for one in bench.decisions() if one.kind is DecisionKind.PARKED])
    worker.drain()
    worker.stop()
    bench.worker().drain()

    assert ["parked", "retry_asked", "retried", "retry_asked"] == bench.kinds()
    assert MENDED == bench.counts()


def test_two_requests_for_one_key_are_one(bench):
    """Whoever is in doubt asks again."""
    parked(bench)
    bench.ask()
    bench.ask(bench.decisions()[0])

    bench.worker().drain()

    assert ["parked", "retry_asked", "retry_asked", "retried"] == bench.kinds()
    assert FACTS == users(bench)


def test_a_fold_that_is_gone_fails_its_keys(bench):
    """Nobody can fold them, and whoever asked wants to know."""
    bench.declare(likes_fold(), shares_fold())
    worker = bench.worker()
    bench.emit(posted("raise"))
    worker.drain()
    worker.stop()
    bench.declare(shares_fold())
    bench.ask()

    bench.worker().drain()

    assert ("retry_failed", "not declared") == (answer(bench).kind, answer(bench).reason)


def test_events_that_retention_removed_fail_their_key(bench):
    """Half of its events would be another answer."""
    parked(bench)
    bench.log.delete_records(home_of(5), before=2)
    bench.ask()
    worker = bench.worker()

    worker.drain()

    assert ("retry_failed", "gone") == (answer(bench).kind, answer(bench).reason)
    assert {"5": 1, "7": 1} == bench.counts()


def test_a_request_about_an_earlier_topic_is_passed_over(bench):
    """Its offsets mean other records."""
    bench.declare(quiet_fold())
    worker = bench.worker()
    bench.emit(posted("raise"))
    worker.drain()
    worker.stop()
    (old,) = bench.decisions()
    bench.log.recreate_topic(home_of(5).topic)
    bench.log.drop_offsets("bench")
    reset_state(bench.service, bench.log, bench.folders)
    worker = bench.worker()
    bench.emit(posted("raise"))
    worker.drain()

    bench.ask(old)
    worker.drain()

    begun = ["begun_anew"] * PARTITIONS
    assert ["parked", *begun, "parked", "retry_asked"] == bench.kinds()


def test_more_keys_than_fit_one_transaction_are_all_answered(bench, monkeypatch):
    """A bad deployment parks many."""
    monkeypatch.setattr("streams.engine.attempts.MAX_REQUESTS", 2)
    photos = photos_on(home_of(5).partition, 5)
    worker = bench.worker()
    bench.emit(*(posted("raise", photo) for photo in photos))
    worker.drain()
    worker.stop()
    bench.declare(likes_fold(is_mended=True))
    bench.ask()

    bench.worker().drain()

    assert {str(photo): 1 for photo in photos} == bench.counts()
    assert 5 == bench.kinds().count("retried")


def test_failures_of_what_is_tried_again_do_not_stop_the_worker(bench):
    """Over a hundred parks a minute are a broken handler; a person who asks too early is none."""
    photos = photos_on(home_of(5).partition, 60)
    worker = bench.worker()
    bench.emit(*(posted("raise", photo) for photo in photos))
    worker.drain()
    bench.ask()

    worker.drain()

    assert 60 == bench.kinds().count("retry_failed")


def test_an_answer_is_told_in_the_log_when_it_is_committed(bench, caplog):
    """Whoever reads the log at night sees what became of it, and where to look."""
    parked(bench)
    bench.put(liked(1), value=b"rubbish")
    bench.declare(raising_on(3))
    bench.ask()
    worker = bench.worker()
    worker.drain()
    bench.declare(likes_fold(is_mended=True))
    worker.stop()
    bench.ask()
    with caplog.at_level("INFO"):
        bench.worker().drain()

    told = caplog.text
    assert "action=retry_failed" in told
    assert "error=HandlerError: 3" in told
    assert "see=streams parked show bench 5" in told
    assert "action=retried" in told
    assert "action=redrive_failed" in told
    assert f"see=streams quarantine show bench {home_of(5)}/4" in told
