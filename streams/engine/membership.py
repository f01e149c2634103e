"""The group membership that commits are sent with, and when it may be taken anew.

The broker checks a commit's member and epoch, not whether the member owns the partition. So the
membership is captured where the owned set changes, inside the rebalance callbacks. In KIP-848
groups the epoch also moves without a callback; then the new membership may be used only once every
callback that was queued before it was read has run: `propose`, drain a poll, `settle`.
"""

from __future__ import annotations

from streams.errors import TransactionFailed
from streams.ports.log import Consumer, GroupMember


class Membership:
    """What a worker may commit with. Owned by the worker's thread."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._member: GroupMember | None = None
        self._proposed: GroupMember | None = None

    @property
    def has_joined(self) -> bool:
        """Whether the captured membership is one; safe to ask from any thread."""
        member = self._member
        return member is not None and member.generation >= 0

    @property
    def is_stale(self) -> bool:
        """Whether the group moved on since the capture."""
        if self._member is None:
            return True
        return self._consumer.member().generation != self._member.generation

    def member(self) -> GroupMember:
        """The captured membership; TransactionFailed before the first join."""
        if self._member is None or self._member.generation < 0:
            raise TransactionFailed("not a member of the group", is_stale_member=True)
        return self._member

    def capture(self) -> None:
        """Take the membership as it is; only inside a rebalance callback."""
        self._member = self._consumer.member()
        self._proposed = None

    def propose(self) -> None:
        """Read the newest membership, to be used if no callback comes until `settle`."""
        self._proposed = self._consumer.member()

    def settle(self) -> None:
        """The queue was drained since `propose`: without a callback, the proposal holds."""
        if self._proposed is not None:
            self._member, self._proposed = self._proposed, None
