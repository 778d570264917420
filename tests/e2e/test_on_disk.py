"""What lies on the disk when a whole system has been used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.on_disk import Used, used_system


@pytest.fixture(scope="module")
def used() -> Iterator[Used]:
    with used_system() as system:
        yield system


def test_redis_writes_no_picture_whatever_is_used(used: Used) -> None:
    assert set(used.used) >= {"probes", "images", "webcam frames", "recordings", "pictures watched"}
    assert {"frames", "views", "uploads", "probes"} <= set(used.held), "there were pictures to find"
    assert {place: count for place, count in used.pictures().items() if count} == {}
