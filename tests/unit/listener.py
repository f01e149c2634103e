"""A member's part in rebalances, for tests that look at something else."""


class ReadAll:
    """Implements `RebalanceListener`: reads everything from the start, and does no more."""

    def assigned(self, partitions):
        return dict.fromkeys(partitions, 0)

    def revoked(self, partitions):
        pass

    def lost(self, partitions):
        pass
