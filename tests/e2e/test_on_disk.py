"""What lies on the disk when a whole system has been used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.on_disk import Used, used_system
from runtime.own_files import OTHERS


@pytest.fixture(scope="module")
def used() -> Iterator[Used]:
    with used_system() as system:
        yield system


def test_redis_writes_no_picture_whatever_is_used(used: Used) -> None:
    assert set(used.used) >= {
        "probes",
        "images",
        "webcam frames",
        "recordings",
        "pictures watched",
        "audits",
    }
    assert {"frames", "views", "uploads", "probes", "audits"} <= set(used.held), (
        "there were pictures to find"
    )
    assert {place: count for place, count in used.pictures().items() if count} == {}


def test_what_the_system_wrote_is_open_to_its_own_account_alone(used: Used) -> None:
    written = [
        path
        for folder in (used.state_folder, used.temporary)
        for path in folder.rglob("*")
        if path.name != "run.log"  # which this test has the system's words written into
    ]
    kinds = {path.suffix for path in written}
    assert {".aof", ".rdb", ".key", ".mp4", ".backup", ".sock", ".log"} <= kinds
    modes = {str(path): path.lstat().st_mode for path in written}
    assert {path: oct(mode) for path, mode in modes.items() if mode & OTHERS} == {}
