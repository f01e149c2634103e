"""Hostile bytes: refused with a reason, in bounded memory, without ending the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.avro.fingerprint import canonical
from streams.avro.guard import Guard
from streams.avro.limits import Limits
from streams.avro.reasons import Reason
from streams.errors import Undecodable
from tests.unit.avro_hostile import ATTACKS, NODE, TREE, array
from tests.unit.avro_kinds import cases, damaged, written

PROJECT = Path(__file__).parents[2]
HARMLESS = {"a block that leads back"}  # sizes of blocks are not used where items are read


@pytest.fixture(scope="module")
def attacked():
    """What a process says that decoded every attack; it has 3 GB of address space."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.avro_hostile"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stderr[-2_000:]
    return json.loads(done.stdout)


def test_hostile_bytes_do_not_make_the_process_grow(attacked):
    """One record must not take the memory of a worker that has a million good ones."""
    assert attacked["grown_mb"] < 200


@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_bytes_are_refused_with_a_reason(attacked, name):
    """A quarantined record says why, and the rest of the batch flows."""
    reasons = {attacked["reasons"][name], attacked["reasons"][f"{name}, removed"]}

    assert reasons <= set(Reason) | ({"decoded"} if name in HARMLESS else set())


def test_a_batch_full_of_them_is_refused_too(attacked):
    """Columns are read past the end of a record before the damage shows."""
    assert Reason.TOO_MANY_ITEMS == attacked["reasons"]["a flood"]


def row(type_):
    fields = [{"name": "field", "type": type_}]
    return canonical({"type": "record", "name": "Row", "fields": fields})


def refusal(schema, limits, payload):
    try:
        Guard(schema, limits).check(payload)
    except Undecodable as undecodable:
        return undecodable.reason
    return None


@pytest.mark.parametrize(("type_", "payload"), [(NODE, b"\2" * 9 + b"\0"), (TREE, b"\2" * 9)])
def test_depth_is_counted_in_records(type_, payload):
    """The row is one, each node in it another."""
    payload += bytes(20)
    payload = payload[:10] if type_ is NODE else payload[:19]

    assert refusal(row(type_), Limits(max_depth=11), payload) is None
    assert Reason.TOO_DEEP == refusal(row(type_), Limits(max_depth=10), payload)


def test_items_are_counted_over_all_arrays_of_a_record():
    """Many short arrays are as heavy as one long one."""
    schema = row(array(array("long")))
    payload = b"\4" + b"\4\2\2\0" * 2 + b"\0"  # two arrays of two

    assert refusal(schema, Limits(max_items=6), payload) is None
    assert Reason.TOO_MANY_ITEMS == refusal(schema, Limits(max_items=5), payload)


def test_a_record_counts_as_its_fields():
    """Each becomes a Python value, of however few bytes."""
    pair = {"name": "Pair", "type": "record"}
    pair["fields"] = [{"name": "a", "type": "long"}, {"name": "b", "type": "null"}]
    payload = b"\6\2\2\2\0"

    assert refusal(row(array(pair)), Limits(max_items=6), payload) is None
    assert Reason.TOO_MANY_ITEMS == refusal(row(array(pair)), Limits(max_items=5), payload)


@given(st.data(), cases())
def test_the_guard_lets_every_valid_record_pass(data, case):
    """It is in front of the decoder, not instead of it."""
    event = data.draw(case.events)

    Guard(canonical(case.schema), Limits()).check(written(case.schema, event))


@given(st.data(), cases())
def test_the_guard_ends_on_any_bytes(data, case):
    """It is the first to look at what came from outside."""
    payload = data.draw(damaged(written(case.schema, data.draw(case.events))) | st.binary())

    found = refusal(canonical(case.schema), Limits(), payload)

    assert found is None or found in Reason


@pytest.mark.parametrize("name", ["max_bytes", "max_depth", "max_items"])
def test_a_limit_below_one_is_a_mistake(name):
    """Nothing could be decoded."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})
