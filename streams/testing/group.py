"""A consumer group of the in-memory log, as its coordinator sees it.

Rebalances are incremental, as in KIP-848: a member first gives up what it no longer has in its
target, and only then another one gets it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from streams.errors import TransactionFailed
from streams.ports.records import Committed, TopicPartition

NOT_JOINED = -1


@dataclass(frozen=True, slots=True)
class Membership:
    """Implements the `GroupMember` port: who, in which group, as of which generation."""

    group: str
    member_id: int
    generation: int


@dataclass(slots=True)
class _Member:
    topics: frozenset[str]
    generation: int = NOT_JOINED
    target: frozenset[TopicPartition] = frozenset()
    owned: set[TopicPartition] = field(default_factory=set)


class Group:
    """Members, what each owns, and committed positions. The caller holds the log's lock."""

    def __init__(self, name: str, partition_count: Callable[[str], int]) -> None:
        self.name = name
        self.positions: dict[TopicPartition, Committed] = {}
        self._partition_count = partition_count
        self._generation = 0
        self._members: dict[int, _Member] = {}

    def join(self, member_id: int, topics: Collection[str]) -> None:
        """Add a member; every member's target changes."""
        self._members[member_id] = _Member(frozenset(topics))
        self.rebalance()

    def leave(self, member_id: int) -> None:
        """Take a member out at once, with all it owned; one that is not in it is no matter."""
        if self._members.pop(member_id, None) is not None:
            self.rebalance()

    def rebalance(self) -> None:
        """Begin a generation: targets by range over the members of each topic."""
        self._generation += 1
        shares = [
            (member_id, share)
            for topic in sorted({one for member in self._members.values() for one in member.topics})
            for member_id, share in self._shares(topic)
        ]
        for member_id, member in self._members.items():
            member.target = frozenset(one for owner, one in shares if owner == member_id)

    def has(self, member_id: int) -> bool:
        """Whether the member is in the group; one that was expelled is not."""
        return member_id in self._members

    def generation_of(self, member_id: int) -> int:
        """The generation that the member knows of."""
        member = self._members.get(member_id)
        return NOT_JOINED if member is None else member.generation

    def leaving(self, member_id: int) -> list[TopicPartition]:
        """What the member must give up."""
        member = self._members[member_id]
        return sorted(member.owned - member.target)

    def release(self, member_id: int) -> None:
        """The member gave up what it had to, and knows of the newest generation."""
        member = self._members[member_id]
        member.owned &= member.target
        member.generation = self._generation

    def arriving(self, member_id: int) -> list[TopicPartition]:
        """What the member gets: new in its target, and no longer owned by another."""
        taken = {one for member in self._members.values() for one in member.owned}
        return sorted(self._members[member_id].target - taken)

    def own(self, member_id: int, partitions: Iterable[TopicPartition]) -> None:
        """The member took the partitions."""
        self._members[member_id].owned.update(partitions)

    def forget(self, topic: str) -> None:
        """Drop the positions on a topic that is no more."""
        self.positions = {one: at for one, at in self.positions.items() if one.topic != topic}

    def check(self, membership: Membership) -> None:
        """TransactionFailed unless positions of this membership may be committed."""
        if membership.generation == NOT_JOINED and not self._members:
            return
        known = self.generation_of(membership.member_id)
        if known == NOT_JOINED or known != membership.generation:
            raise TransactionFailed(
                f"the group {self.name} moved on: found generation {known}, "
                f"wanted {membership.generation}",
                is_stale_member=True,
            )

    def _shares(self, topic: str) -> Iterable[tuple[int, TopicPartition]]:
        members = sorted(one for one, member in self._members.items() if topic in member.topics)
        size, larger = divmod(self._partition_count(topic), len(members))
        first = 0
        for position, member_id in enumerate(members):
            after = first + size + (position < larger)
            for number in range(first, after):
                yield member_id, TopicPartition(topic, number)
            first = after
