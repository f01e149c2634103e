"""Folds redriven records where they are due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from streams.engine.admission import Admission
from streams.engine.attempt import GONE, Attempt
from streams.engine.course import Late
from streams.engine.decisions import Decision, DecisionKind, PartitionDecisions
from streams.engine.fold_partition import HandlerRaised
from streams.engine.folding import Folding, Since
from streams.engine.originals import Originals
from streams.engine.quarantine import MAX_DETAIL
from streams.errors import Undecodable
from streams.ports.records import TopicPartition


class Readmission:
    """Redriven records of one partition. Owned by the worker's thread.

    One that was folded before and cannot be now stops the worker. Where the log is folded anew
    (`streams state reset`) it goes back into quarantine: nothing of it was published yet.
    """

    def __init__(
        self,
        source: TopicPartition,
        decisions: PartitionDecisions,
        admission: Admission,
        folding: Folding,
        originals: Originals,
    ) -> None:
        self._source = source
        self._decisions = decisions
        self._admission = admission
        self._folding = folding
        self._originals = originals

    def fold(
        self, late: Sequence[Late], since: Since, attempt: Attempt | None, *, is_silent: bool
    ) -> None:
        """Fold what is due at one offset; HandlerRaised as any fold."""
        records = self._originals.read(self._source, [one.original for one in late])
        for one, record in zip(late, records, strict=True):
            try:
                if record is None:
                    raise Undecodable(*GONE)
                met = self._folding.run_late(one, record, is_silent=is_silent, since=since)
            except Undecodable as found:
                if attempt is not None and attempt.holds(one.number):
                    attempt.refuse(one.number, found.reason, found.detail)
                elif is_silent or one.is_held:
                    where = f"{self._source}/{one.original}"
                    raise self._admission.changed(where, found) from found
                else:
                    self._fail(one.number, found.reason, found.detail)
            else:
                if attempt is not None:
                    attempt.touched(one.number, met)

    def failed(self, raised: HandlerRaised) -> Decision | None:
        """The record that a live handler raised on goes back into quarantine; None if it is none.

        Call it before the partition is reopened.
        """
        number = self._decisions.redriven.get(-1 if raised.offset is None else raised.offset)
        if number is None:
            return None
        why = {"raised_by": "handler", "raised_at": raised.offset, "where": raised.where}
        return self._fail(number, raised.reason, raised.detail, **why)

    def _fail(self, number: int, reason: str, detail: str, **why: Any) -> Decision:
        failed = msgspec.structs.replace(
            self._decisions.readmitted[number],
            kind=DecisionKind.REDRIVE_FAILED,
            reason=reason,
            detail=detail[:MAX_DETAIL],
            **why,
        )
        self._decisions.add(failed)
        self._admission.owe(failed)
        return failed
