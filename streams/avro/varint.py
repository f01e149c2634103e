"""Avro's variable-length numbers: zig-zag, then seven bits a byte, lowest first."""

from __future__ import annotations

from functools import lru_cache

PAIR_BITS = 14  # two bytes hold 14 bits, few enough for a table
PAIR = (1 << PAIR_BITS) - 1
TWO_PAIRS = (1 << 2 * PAIR_BITS) - 1


def _ended(bits: int) -> bytes:
    return bytes((bits,)) if bits < 0x80 else bytes((bits & 0x7F | 0x80, bits >> 7))


LAST = [_ended(bits) for bits in range(PAIR + 1)]
"""A number of at most 14 bits, as the end of a varint: one byte or two."""

MORE = [bytes((bits & 0x7F | 0x80, bits >> 7 | 0x80)) for bits in range(PAIR + 1)]
"""The same as a part that more bytes follow: always two."""


def long_bytes(value: int) -> bytes:
    """`value` as Avro's long; TypeError if it is not exactly an int, OverflowError over 64 bits."""
    if value.__class__ is not int:
        raise TypeError(f"found {value!r}, wanted an int")
    bits = value * 2 if value >= 0 else ~(value * 2)
    if bits <= PAIR:
        return LAST[bits]
    if bits <= TWO_PAIRS:
        return MORE[bits & PAIR] + LAST[bits >> PAIR_BITS]
    if bits >> 64:
        raise OverflowError(f"{value} takes more than 64 bits")
    return MORE[bits & PAIR] + MORE[bits >> PAIR_BITS & PAIR] + high_bytes(bits >> 2 * PAIR_BITS)


@lru_cache(maxsize=1_024)
def high_bytes(bits: int) -> bytes:
    """The end of a long varint. Times of day share it for minutes, so it is remembered."""
    if bits <= PAIR:
        return LAST[bits]
    return MORE[bits & PAIR] + high_bytes(bits >> PAIR_BITS)
