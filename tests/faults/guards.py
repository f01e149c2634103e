"""Guards of the engine, each taken away by what a careless hand would have written instead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from streams.clock import Deadline
from streams.engine import first_start
from streams.engine.admission import Admission
from streams.engine.assignment import Assignment
from streams.engine.commit import Committer
from streams.engine.fold_partition import FoldPartition
from streams.engine.membership import Membership
from streams.engine.opening import Opener
from streams.engine.partition import Opened, Partition
from streams.engine.progress import Progress
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.ports.store import Folder, Store
from streams.state.cache import StateCache
from tests.faults.scenarios import offsets, owners, programs, records, skipping
from tests.faults.scenarios.harm import Scenario


@dataclass(frozen=True, slots=True)
class Guard:
    """`remove` takes it away; then the scenario must do the harm that `shows` names."""

    name: str
    scenario: Scenario
    shows: str
    remove: Callable[[pytest.MonkeyPatch], None]


def _nothing(*_args: Any, **_named: Any) -> None:
    """What is done where nothing is done."""


def _keep_states(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StateCache, "clear", _nothing)


def _keep_facts(patch: pytest.MonkeyPatch) -> None:
    """What is to be published survives the way back, and is published with what is folded anew."""
    reopen = Partition._reopen

    def keeping(self: Partition) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(FoldPartition, "committed", _nothing)
            reopen(self)

    patch.setattr(Partition, "_reopen", keeping)


def _stay_where_it_raised(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Partition, "_reopen", _nothing)


def _try_in_silence(patch: pytest.MonkeyPatch) -> None:
    """What is below the committed offset counts as published, also what was skipped there."""
    patch.setattr(Partition, "_is_silent", lambda self, offset: offset < self.committed_offset)


def _answer_elsewhere(patch: pytest.MonkeyPatch) -> None:
    """The answer does not go with the facts, and the worker dies before it goes at all."""
    outputs = Partition.outputs

    def without_answers(self: Partition) -> list[Outgoing]:
        found, attempt = outputs(self), self._attempts.open
        told = [] if attempt is None else attempt.answers
        answers = [one.outgoing(f"{self.service}.decisions") for one in told]
        return [one for one in found if one not in answers]

    patch.setattr(Partition, "outputs", without_answers)


def _trust_the_offset_of_a_store(patch: pytest.MonkeyPatch) -> None:
    """Whatever was readmitted below its offset counts as held."""
    make = Partition.__init__

    def trusting(self: Partition, opened: Opened, *others: Any) -> None:
        make(self, replace(opened, readmitted=opened.decisions.last_number), *others)

    patch.setattr(Partition, "__init__", trusting)


def _trust_versions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Opener, "_check_versions", _nothing)


def _start_anew(patch: pytest.MonkeyPatch) -> None:
    """Whoever finds no offsets takes it for a first start."""
    patch.setattr(first_start, "_refuse_restart", _nothing)


def _read_none_as_zero(patch: pytest.MonkeyPatch) -> None:
    checked = Opener._checked

    def from_zero(
        self: Opener, source: TopicPartition, committed: Committed | None, topic_id: str
    ) -> tuple[Committed, Progress]:
        versions = self.service.versions_of(source.topic)
        anew = Progress(generation="anew", versions=versions, topic_id=topic_id, origin=0)
        return checked(self, source, committed or Committed(0, anew.text()), topic_id)

    patch.setattr(Opener, "_checked", from_zero)


def _trust_the_store(patch: pytest.MonkeyPatch) -> None:
    """A store that is ahead of the committed offset is gone on from."""

    def as_it_is(_self: Opener, _source: Any, _committed: Any, store: Store, _meta: Any) -> Store:
        return store

    patch.setattr(Opener, "_behind", as_it_is)


def _commit_while_restoring(patch: pytest.MonkeyPatch) -> None:
    def always(self: Partition) -> tuple[Committed, Progress]:
        progress = self.progress.next()
        return Committed(self.position, progress.text()), progress

    patch.setattr(Partition, "next_position", always)


def _keep_what_left(patch: pytest.MonkeyPatch) -> None:
    """The next owner gets the folder, but the open interval is kept for the next commit."""

    def kept(self: Assignment, source: TopicPartition) -> None:
        folder = self._folders.pop(source, None)
        if folder is not None:
            folder.release()

    patch.setattr(Assignment, "_release", kept)


def _take_any_membership(patch: pytest.MonkeyPatch) -> None:
    """What the client has now, whichever callbacks are still to come."""
    patch.setattr(Membership, "is_stale", False)
    patch.setattr(Membership, "member", lambda self: self._consumer.member())


def _count_no_fencing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Committer, "_count_fencing", _nothing)


def _insist_on_the_folder(patch: pytest.MonkeyPatch) -> None:
    def only(
        self: Opener, source: TopicPartition, _deadline: Deadline, on_failure: ExitStack
    ) -> Folder:
        folder = self.folders.take(self.service.name, source)
        on_failure.callback(folder.release)
        return folder

    patch.setattr(Opener, "_folder", only)


def _trust_keys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Admission, "find_strays", lambda *_args, **_named: False)


def _stop_at_the_last_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Partition, "reach_end", _nothing)


_HALF_WAY = skipping.a_handler_that_raises_half_way
_RETRY = skipping.a_retry_between_two_kills

GUARDS = [
    Guard("states-are-dropped", _HALF_WAY, "state", _keep_states),
    Guard("facts-are-dropped", _HALF_WAY, "facts", _keep_facts),
    Guard("back-to-the-checkpoint", _HALF_WAY, "counts", _stay_where_it_raised),
    Guard("what-is-tried-is-published", _RETRY, "facts", _try_in_silence),
    Guard("answers-go-with-facts", _RETRY, "facts", _answer_elsewhere),
    Guard(
        "readmissions-are-counted",
        skipping.a_retry_that_the_store_does_not_know,
        "facts",
        _trust_the_offset_of_a_store,
    ),
    Guard("versions", programs.a_version_raised_on_a_new_host, "counts", _trust_versions),
    Guard("added-folds", programs.a_fold_added_on_a_new_host, "facts", _trust_versions),
    Guard("first-start-store", offsets.a_deleted_group, "facts", _start_anew),
    Guard("first-start-outputs", offsets.a_deleted_group_on_a_new_host, "facts", _start_anew),
    Guard("first-start-others", offsets.an_expired_offset, "facts", _start_anew),
    Guard(
        "none-is-not-zero",
        offsets.offsets_that_go_under_a_running_group,
        "facts",
        _read_none_as_zero,
    ),
    Guard("store-ahead", offsets.a_kafka_from_an_older_backup, "facts", _trust_the_store),
    Guard(
        "restoring-commits-nothing",
        offsets.a_recovery_that_is_killed,
        "facts",
        _commit_while_restoring,
    ),
    Guard(
        "what-left-is-dropped",
        owners.a_commit_that_fails_while_its_partition_moves,
        "facts",
        _keep_what_left,
    ),
    Guard(
        "captured-membership",
        owners.a_worker_that_is_expelled_and_joins_again,
        "facts",
        _take_any_membership,
    ),
    Guard("two-fencings", owners.two_hosts_with_one_id, "counts", _count_no_fencing),
    Guard(
        "fresh-folder",
        owners.a_stopped_owner_that_keeps_its_lock,
        "owner",
        _insist_on_the_folder,
    ),
    Guard("home-of-keys", records.keys_that_belong_elsewhere, "counts", _trust_keys),
    Guard("past-markers", records.a_marker_at_the_end, "caught_up", _stop_at_the_last_record),
    Guard(
        "past-aborted-markers",
        records.a_marker_of_an_aborted_transaction_at_the_end,
        "caught_up",
        _stop_at_the_last_record,
    ),
]
