"""A consumer group of the in-memory log, as its coordinator sees it.

What a member learns between its polls comes with a heartbeat: the epoch moves there, callbacks wait
for the poll.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
class Member:
    """One member as the coordinator knows it. `generation` is the one the member knows of."""

    topics: frozenset[str]
    generation: int = NOT_JOINED
    target: frozenset[TopicPartition] = frozenset()
    owned: set[TopicPartition] = field(default_factory=set)
    has_rejoined: bool = False


class Group(ABC):
    """Members, what each owns, and committed positions. The caller holds the log's lock."""

    def __init__(self, name: str, partition_count: Callable[[str], int]) -> None:
        self.name = name
        self.positions: dict[TopicPartition, Committed] = {}
        self._partition_count = partition_count
        self._generation = 0
        self._members: dict[int, Member] = {}

    @abstractmethod
    def join(self, member_id: int, topics: Collection[str]) -> None:
        """Add a member; every member's target changes."""

    @abstractmethod
    def leave(self, member_id: int) -> None:
        """Take a member out at once, with all it owned; one that is not in it is no matter."""

    @abstractmethod
    def rebalance(self) -> None:
        """Hand the partitions out anew."""

    @abstractmethod
    def leaving(self, member_id: int) -> list[TopicPartition]:
        """What the member must give up."""

    @abstractmethod
    def release(self, member_id: int, gone: Collection[TopicPartition] = ()) -> None:
        """The member gave up `gone`; it hears of the newest generation unless it owes more."""

    @abstractmethod
    def arriving(self, member_id: int) -> list[TopicPartition]:
        """What the member gets."""

    def has(self, member_id: int) -> bool:
        """Whether the member is in the group; one that was expelled is not."""
        return member_id in self._members

    def generation_of(self, member_id: int) -> int:
        """The generation that the member knows of."""
        member = self._members.get(member_id)
        return NOT_JOINED if member is None else member.generation

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
        known = self._valid_generation(membership.member_id)
        if known == NOT_JOINED or known != membership.generation:
            raise TransactionFailed(
                f"the group {self.name} moved on: found generation {known}, "
                f"wanted {membership.generation}",
                is_stale_member=True,
            )

    def _valid_generation(self, member_id: int) -> int:
        """The generation with which the member may commit."""
        return self.generation_of(member_id)

    def _aim(self) -> None:
        """Targets by range over the members of each topic."""
        shares = [
            (member_id, share)
            for topic in sorted({one for member in self._members.values() for one in member.topics})
            for member_id, share in self._shares(topic)
        ]
        for member_id, member in self._members.items():
            member.target = frozenset(one for owner, one in shares if owner == member_id)

    def _shares(self, topic: str) -> Iterable[tuple[int, TopicPartition]]:
        members = sorted(one for one, member in self._members.items() if topic in member.topics)
        size, larger = divmod(self._partition_count(topic), len(members))
        first = 0
        for position, member_id in enumerate(members):
            after = first + size + (position < larger)
            for number in range(first, after):
                yield member_id, TopicPartition(topic, number)
            first = after


class ConsumerGroup(Group):
    """KIP-848: a member gives up what it no longer has, and only then another one gets it."""

    def join(self, member_id: int, topics: Collection[str]) -> None:
        """Add a member; every member's target changes."""
        self._members[member_id] = Member(frozenset(topics))
        self.rebalance()

    def leave(self, member_id: int) -> None:
        """Take a member out at once, with all it owned."""
        if self._members.pop(member_id, None) is not None:
            self.rebalance()

    def rebalance(self) -> None:
        """Begin a generation."""
        self._generation += 1
        self._aim()

    def leaving(self, member_id: int) -> list[TopicPartition]:
        """What the member must give up."""
        member = self._members[member_id]
        return sorted(member.owned - member.target)

    def release(self, member_id: int, gone: Collection[TopicPartition] = ()) -> None:
        """The member gave up what it had to; its epoch moves without a callback."""
        member = self._members[member_id]
        member.owned.difference_update(gone)
        if member.owned <= member.target:
            member.generation = self._generation

    def arriving(self, member_id: int) -> list[TopicPartition]:
        """What the member gets: new in its target, and no longer owned by another."""
        if self.leaving(member_id):
            return []
        taken = {one for member in self._members.values() for one in member.owned}
        return sorted(self._members[member_id].target - taken)


class ClassicGroup(Group):
    """The eager protocol: everybody gives up everything, then all partitions are handed out.

    A generation ends when the last member has joined again; until then commits of the old one are
    taken, so that members can commit while they give up.
    """

    def __init__(self, name: str, partition_count: Callable[[str], int]) -> None:
        super().__init__(name, partition_count)
        self._is_stable = True

    def join(self, member_id: int, topics: Collection[str]) -> None:
        """Add a member that waits for the others."""
        self._members[member_id] = Member(frozenset(topics), has_rejoined=True)
        self.rebalance()

    def leave(self, member_id: int) -> None:
        """Take a member out at once; nobody waits for it any more."""
        if self._members.pop(member_id, None) is not None and self._members:
            self.rebalance()

    def rebalance(self) -> None:
        """Ask all members to join again."""
        self._is_stable = False
        self._complete()

    def leaving(self, member_id: int) -> list[TopicPartition]:
        """All it owns, while the group waits for it."""
        member = self._members[member_id]
        is_asked = not self._is_stable and not member.has_rejoined
        return sorted(member.owned) if is_asked else []

    def release(self, member_id: int, gone: Collection[TopicPartition] = ()) -> None:
        """The member owns nothing and joins again, or hears of the generation that began."""
        member = self._members[member_id]
        member.owned.difference_update(gone)
        if not self._is_stable and not member.owned:
            member.has_rejoined = True
            self._complete()
        if self._is_stable:
            member.generation = self._generation

    def arriving(self, member_id: int) -> list[TopicPartition]:
        """Its whole share, once the generation began."""
        member = self._members[member_id]
        return sorted(member.target - member.owned) if self._is_stable else []

    def _complete(self) -> None:
        if self._is_stable or not all(one.has_rejoined for one in self._members.values()):
            return
        self._is_stable = True
        self._generation += 1
        self._aim()
        for member in self._members.values():
            member.has_rejoined = False
            member.owned = set()

    def _valid_generation(self, member_id: int) -> int:
        return self._generation if member_id in self._members else NOT_JOINED
