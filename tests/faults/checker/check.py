"""The checker: evidence in, verdict out."""

from __future__ import annotations

from tests.faults.checker.evidence import Evidence
from tests.faults.checker.outputs import check_outputs
from tests.faults.checker.positions import check_liveness, check_samples, check_stores
from tests.faults.checker.quarantine import check_quarantine
from tests.faults.checker.reads import check_gets, check_reads
from tests.faults.checker.states import check_states
from tests.faults.checker.verdict import Verdict
from tests.faults.checker.writes import check_writes

CHECKS = (
    check_writes,
    check_reads,
    check_outputs,
    check_quarantine,
    check_states,
    check_samples,
    check_stores,
    check_gets,
    check_liveness,
)


def check(evidence: Evidence) -> Verdict:
    """Every property over everything a trial left behind."""
    return Verdict(violation for one in CHECKS for violation in one(evidence))
