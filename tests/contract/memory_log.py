"""The in-memory log with the one method more that the suite needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from streams.errors import TransactionFailed
from streams.ports.log import GroupMember
from streams.ports.records import Committed, Outgoing, TopicPartition
from streams.testing.coordinator import CommitFault
from streams.testing.log import InMemoryLog


class MemoryLog(InMemoryLog):
    """An `InMemoryLog` whose producers can die in mid-transaction."""

    def leave_open(
        self,
        transactional_id: str,
        outputs: Iterable[Outgoing],
        positions: Mapping[TopicPartition, Committed],
        member: GroupMember,
    ) -> None:
        """A transaction whose producer dies before it ends."""
        producer = self.transactions(transactional_id)
        self.fail_next_commit(CommitFault.BEFORE)
        with pytest.raises(TransactionFailed):
            producer.commit(outputs, positions, member)
