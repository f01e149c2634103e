"""The short benchmark: it may be slow on a busy machine, but never wrong."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.modules import run_module

LONGEST_S = 300


@pytest.mark.kafka
@pytest.mark.slow
def test_the_short_benchmark_gives_right_answers(broker, tmp_path):
    """Every system's answer is compared with a recount before its time counts."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": broker, "STREAMS_HOME": str(tmp_path / "home")}

    bench = run_module(
        "tests.benchmarks",
        "--quick",
        "--into",
        str(tmp_path),
        environment=environment,
        timeout_s=LONGEST_S,
    )

    assert 0 == bench.returncode, bench.stdout + bench.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert {"members", "count", "replay", "emit"} == results.keys()
    assert all(one["correct"] for systems in results.values() for one in systems.values())
    assert {"Millrace", "bare consume()"} < results["members"].keys()
