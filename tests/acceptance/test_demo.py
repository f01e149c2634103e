"""The demo as a newcomer runs it, on the suite's Kafka."""

from __future__ import annotations

import re

import pytest

from tests.acceptance.modules import run_module

LONGEST_S = 120


@pytest.mark.kafka
@pytest.mark.slow
def test_the_demo_kills_a_worker_and_counts_right(broker, tmp_path):
    """200,000 events, a take-over, no wrong counter, and all of it in less than two minutes."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": broker, "STREAMS_HOME": str(tmp_path), "KEEP": ""}

    demo = run_module("services.demo", environment=environment, timeout_s=LONGEST_S)

    assert 0 == demo.returncode, demo.stdout + demo.stderr
    assert "Social events become counters" in demo.stdout.splitlines()[0]
    assert re.search(r"SIGKILL to worker \d", demo.stdout)
    assert re.search(r"worker \d \(process \d+\) took over \d+ partition", demo.stdout)
    assert re.fullmatch(
        r"200,000 events · [\d,]{6,} counters · 0 wrong", demo.stdout.splitlines()[-1]
    )
    assert [] == list(tmp_path.glob("demos/*"))
