"""What is told of a raise: the line of the user's code, the key, and where to look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.engine.raise_place import raise_place
from streams.topics.partitioner import partition_of
from tests.unit.engine_bench import HandlerError, liked, likes_fold, posted


@pytest.mark.parametrize(
    ("caption", "code"),
    [
        ("raise", "raise HandlerError(caption)"),
        ("break the result", 'raise HandlerError("result")'),
    ],
)
def test_a_park_is_told_with_the_line_that_raised_and_the_command_that_shows_it(
    bench, caplog, caption, code
):
    """At night somebody reads the log, not the code of the engine."""
    worker = bench.worker()
    bench.emit(liked(1), posted(caption))

    worker.drain()

    (decision,) = bench.decisions()
    (line,) = (one.msg.fields for one in caplog.records if "parked" in one.getMessage())
    file, number = decision.where.rsplit(":", 1)
    assert code == Path(file).read_text(encoding="utf-8").splitlines()[int(number) - 1].strip()
    assert (5, decision.where, "streams parked show bench 5") == (
        int(line["key"]),
        line["where"],
        line["see"],
    )
    assert f"HandlerError: {decision.detail}" == line["error"]


def test_a_long_error_is_cut_in_the_log(bench, caplog):
    """It may quote the whole event."""
    worker = bench.worker()
    fold = likes_fold()
    handler = fold.handlers[type(liked(1))]

    def raises(*_):
        raise HandlerError("x" * 10_000)

    fold.handlers[type(liked(1))] = type(handler)(raises, wants_context=True)
    bench.declare(fold)
    worker.stop()
    worker = bench.worker()
    bench.emit(liked(1))

    worker.drain()

    (line,) = (one.msg.fields for one in caplog.records if "parked" in one.getMessage())
    assert len(line["error"]) == 200


def test_an_error_below_the_handler_is_placed_in_the_users_code():
    """The line of a library does not tell which of the user's is wrong."""
    try:
        json.loads("{")
    except ValueError as exc:
        error = exc

    place = raise_place(error)

    assert place.startswith("tests/unit/test_raise_place.py:")


def test_an_error_of_ours_has_no_place_in_the_users_code():
    """As that of a result which fits no schema: its text names type and field."""
    try:
        partition_of(None, 1)
    except TypeError as exc:
        trace = exc.__traceback__.tb_next

    assert "" == raise_place(TypeError().with_traceback(trace))
