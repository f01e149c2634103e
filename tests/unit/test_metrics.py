"""Metrics: names that dashboards rely on, and what they say."""

import pytest

from streams import metrics


def test_names_have_the_prefix_and_a_unit():
    """Dashboards and alerts are written against them."""
    names = {family.name for family in metrics.registry().collect() if "streams" in family.name}

    assert {
        "streams_records",
        "streams_events",
        "streams_commits",
        "streams_commit_seconds",
        "streams_lag_records",
        "streams_cache_entries",
        "streams_checkpoint_size_bytes",
        "streams_checkpoint_age_seconds",
        "streams_quarantined_records",
        "streams_parked_keys",
        "streams_transactions_failed",
        "streams_restores",
    } <= names
    assert all(name.startswith("streams_") for name in names)


def test_a_checkpoint_ages_until_the_next(monkeypatch):
    """An old checkpoint means a long restore, so its age is what is watched."""
    now_s = [100.0]
    monkeypatch.setattr(metrics, "monotonic_s", lambda: now_s[0])

    metrics.checkpointed("s", "t", 1, size_bytes=5)
    now_s[0] = 107.0

    labels = {"service": "s", "topic": "t", "partition": "1"}
    sample = metrics.registry().get_sample_value
    assert sample("streams_checkpoint_age_seconds", labels) == pytest.approx(7.0)
    assert sample("streams_checkpoint_size_bytes", labels) == 5


def test_a_released_partition_is_no_longer_shown():
    """Two workers must not both report the lag of a partition that moved."""
    metrics.LAG_RECORDS.labels("s", "t", "2").set(9)

    metrics.released("s", "t", 2)

    labels = {"service": "s", "topic": "t", "partition": "2"}
    assert metrics.registry().get_sample_value("streams_lag_records", labels) is None
