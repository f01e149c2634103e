"""Exactly once when a disk under Kafka is full."""

from __future__ import annotations

import errno
import os

import pytest

from tests.faults.cluster import LocalCluster
from tests.faults.disk import WANTED, Disk, can_mount
from tests.faults.faults.disks import FillBrokerDisk
from tests.faults.trial import Plan, Trial

RECOVERS_WITHIN_S = 30.0
DISK_MB = 192

pytestmark = pytest.mark.skipif(not can_mount(), reason=WANTED)


def test_a_full_disk_takes_nothing_until_it_is_freed(tmp_path):
    """Else the trials below would try nothing."""
    with Disk(tmp_path / "disk", tmp_path / "image", 8) as disk:
        disk.fill()
        with (tmp_path / "disk" / "more").open("wb", buffering=0) as file:
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                file.write(b"x")
            disk.free()
            written = file.write(b"x")
        was_mounted = (tmp_path / "disk").is_mount()

    assert 1 == written
    assert was_mounted
    assert not (tmp_path / "disk").is_mount()


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.parametrize("protocol", ["consumer", "classic"])
@pytest.mark.parametrize("nodes", [1, 3])
def test_no_acknowledged_event_is_lost_to_a_full_disk(tmp_path, nodes, protocol):
    """The node stops where it cannot write; what it acknowledged before is there afterwards."""
    cluster = LocalCluster(tmp_path / "kafka", nodes, disk_mb=DISK_MB)
    try:
        with Trial(cluster, tmp_path / "trial", Plan(seed=31, protocol=protocol)) as trial:
            trial.calm(3)
            trial.strike(FillBrokerDisk())
            verdict = trial.finish()
    finally:
        cluster.wipe()

    assert verdict.is_green, verdict
    assert 1 == trial.scene.timeline.count("node-stopped")
    assert [] == [one for one in trial.scene.fleet.ended if not one.is_wanted]
    assert trial.slowest_s <= RECOVERS_WITHIN_S
