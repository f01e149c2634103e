"""A service without facts, known to commands as `tests.faults.likes:SERVICE` only."""

from tests.benchmarks.ours.jobs import members

SERVICE = members("likes")
