"""A stall is time without progress while there is something to do."""

from __future__ import annotations

from streams.ports.records import TopicPartition
from tests.faults.checker.evidence import Sample
from tests.faults.stalls import longest_stall_s

HERE, THERE = TopicPartition("social.photos", 0), TopicPartition("social.photos", 1)


def test_one_input_that_stands_still_is_a_stall():
    """The others go on; their outputs must not hide it."""
    samples = [
        Sample(1.0, HERE, 5, end=9),
        Sample(1.0, THERE, 1, end=2),
        Sample(4.0, HERE, 5, end=12),
        Sample(4.0, THERE, 2, end=3),
        Sample(6.5, HERE, 5, end=13),
        Sample(6.5, THERE, 3, end=4),
    ]

    assert 5.5 == longest_stall_s(samples)


def test_an_input_with_nothing_to_read_does_not_stall():
    """Nobody waits for it."""
    samples = [
        Sample(1.0, HERE, 5, end=5),
        Sample(9.0, HERE, 5, end=5),
        Sample(9.5, HERE, 5, end=6),
    ]

    assert 0.0 == longest_stall_s(samples)


def test_any_step_ends_a_stall():
    """Slow is not stuck."""
    samples = [Sample(float(at), HERE, at, end=99) for at in range(10)]

    assert 0.0 == longest_stall_s(samples)
