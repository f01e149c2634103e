"""The public data, mapped to events and recounted, gives the answers that are known."""

from __future__ import annotations

from collections import Counter

from schemas import social
from tests.acceptance.datasets import answers, with_redeliveries
from tests.acceptance.igclone import expected_igclone, igclone, igclone_answers
from tests.acceptance.ldbc_snb import (
    expected_ldbc_snb,
    ldbc_answers,
    ldbc_initial,
    ldbc_snb,
    ldbc_totals,
)
from tests.model.recount import recount


def test_igclone_gives_its_known_answers():
    """The mapping is right, so that a wrong counter is the counter's fault."""
    found = recount(igclone())

    assert expected_igclone() == igclone_answers(found.photos, found.users)


def test_igclone_carries_who_owns_what():
    """Own likes count like any other; notifications will tell them apart by the owner."""
    likes = [one for one in igclone() if isinstance(one, social.PhotoLiked)]

    assert answers("igclone")["self_likes"] == sum(one.user_id == one.owner_id for one in likes)


def test_igclone_is_in_referential_order():
    """Its rows have no times of their own but the users'."""
    times = [one.occurred_at for one in igclone() if not isinstance(one, social.UserRegistered)]
    registered = [one.occurred_at for one in igclone() if isinstance(one, social.UserRegistered)]

    assert sorted(times) == times
    assert 0 < min(registered) < max(registered) < times[0]


def test_ldbc_gives_its_known_answers():
    """Replies at any depth belong to the thread's root post."""
    found = recount(ldbc_snb())

    assert expected_ldbc_snb() == ldbc_answers(found.photos, found.users)


def test_ldbc_starts_from_its_snapshot():
    """The snapshot is loaded whole before the first update."""
    found = recount(ldbc_initial())

    assert answers("ldbc_snb")["before_updates"] == ldbc_totals(found.photos, found.users)


def test_ldbc_updates_are_merged_by_time():
    """Two files, each sorted; merged so, nothing is used before it exists."""
    times = [one.occurred_at for one in ldbc_snb()[len(ldbc_initial()) :]]

    assert sorted(times) == times


def test_redeliveries_change_no_answer():
    """What the data sets do is idempotent, so a run with duplicates has the same answers."""
    events = igclone()
    again = with_redeliveries(events, seed=1)

    repeated = Counter(one.event_id for one in again)

    assert len(events) == len(repeated)
    assert {1, 2} == set(repeated.values())
    assert recount(events) == recount(again)
