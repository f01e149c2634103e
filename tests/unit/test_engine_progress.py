"""What a committed offset's metadata says, and that it can be read back."""

from __future__ import annotations

from streams.engine.progress import Progress, progress_of
from streams.ports.records import Committed
from tests.unit.engine_bench import home_of


def test_a_progress_is_its_text():
    """The note is read by other versions of this program, and by people."""
    progress = Progress(
        generation="g", versions={"likes": 2}, topic_id="t", origin=3, partitions=6, count=4
    )

    committed = Committed(7, progress.text())

    assert progress == progress_of(home_of(5), committed, "bench")
    assert (
        '{"generation":"g","versions":{"likes":2},"topic_id":"t","origin":3,"partitions":6,"count":4}'
    ) == committed.metadata
