"""The partitioner equals Java's, whose own test vectors these are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.topics.partitioner import murmur2, partition_of

JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""From `UtilsTest.testMurmur2` of Apache Kafka."""


@pytest.mark.parametrize(("data", "expected"), JAVA.items())
def test_murmur2_gives_what_java_gives(data, expected):
    """A Java producer and ours must agree where a key lives."""
    assert expected == murmur2(data)


@pytest.mark.parametrize(("data", "expected"), JAVA.items())
def test_the_sign_bit_is_cleared_not_negated(data, expected):
    """`abs` would move about half of all keys; Java's `toPositive` masks."""
    assert (expected & 0x7FFFFFFF) % 12 == partition_of(data, 12)


@given(st.binary(max_size=64), st.integers(1, 1000))
def test_every_key_has_a_partition_that_exists(key, partitions):
    """Whatever the bytes, also none."""
    assert 0 <= partition_of(key, partitions) < partitions
