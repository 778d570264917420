"""Runs everything, uses everything, has Redis write all it can, and looks at what lies on the disk.

    python -m benchmarks.on_disk [--checkout OTHER]

Prints how many pictures are in what Redis wrote, by place. The rounds stand for an hour's use: what
Redis writes of a picture it writes at once, so more of them would be more of the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.attacks.report import attacked_checkout
from benchmarks.secrecy.every_feature import EveryFeature, photograph
from benchmarks.secrecy.redis_files import copy_files, pictures_written
from benchmarks.system import ROOT, System, print_result, running_system, wait_until
from bus.keys import UPLOADED_PICTURES, AuditKeys
from tests.servers.clips import make_clip

SAVED_S: Final = 30
ONE_WORKER: Final = {"MASKWATCH_WORKERS": "1"}


@dataclass(frozen=True)
class Used:
    """A system that was used, still running, and what Redis held when it wrote everything down."""

    system: System
    used: dict[str, int]
    held: tuple[str, ...]
    """The kinds of keys with pictures that were in Redis' memory at that moment."""
    grown: Path
    """A copy of Redis' files as they were before it wrote anything anew."""
    temporary: Path
    """Where the system put its temporary files."""

    def pictures(self) -> dict[str, int]:
        """How many pictures lie in what Redis wrote, before and after it wrote all of it anew."""
        before, after = pictures_written(self.grown), pictures_written(self.state_folder / "redis")
        return {f"before, {place}": count for place, count in before.items()} | after

    @property
    def state_folder(self) -> Path:
        return self.system.log.parent


@contextmanager
def used_system(checkout: Path = ROOT) -> Iterator[Used]:
    """Run a system, use all of it, and have its Redis write its file anew and take a snapshot."""
    with (
        tempfile.TemporaryDirectory(prefix="maskwatch-films-") as folder,
        tempfile.TemporaryDirectory(prefix="maskwatch-tmp-") as temporary,
        running_system({**ONE_WORKER, "TMPDIR": temporary}, checkout=checkout) as system,
    ):
        clip = make_clip(Path(folder) / "film.mp4")
        features = EveryFeature(system, clip, checkout)
        features.use(photograph(Path(folder) / "noise.jpg"))
        features.back_up(system.log.parent / "station.backup")
        with features.watching():
            grown = Path(folder) / "grown"
            copy_files(system.log.parent / "redis", grown)
            held = _write_everything(system)
        yield Used(system, features.used, held, grown, Path(temporary))


def _write_everything(system: System) -> tuple[str, ...]:
    redis: Any = system.redis

    def idle() -> bool:
        state = redis.info("persistence")
        return not (state["aof_rewrite_in_progress"] or state["rdb_bgsave_in_progress"])

    wait_until(idle, SAVED_S, "Redis to have written")
    redis.bgsave()
    wait_until(idle, SAVED_S, "the snapshot")
    redis.bgrewriteaof()
    wait_until(idle, SAVED_S, "the file written anew")
    kinds = {
        "frames": "maskwatch:{cam:*}:frames",
        "views": "maskwatch:{cam:*}:view",
        "uploads": UPLOADED_PICTURES,
        "audits": AuditKeys("*").pictures("*"),
        "probes": "maskwatch:probe:*:picture",
        "probes, as results": "rq:results:*",
    }
    return tuple(kind for kind, names in kinds.items() if next(redis.scan_iter(names), None))


def main() -> None:
    with used_system(attacked_checkout("Whether a picture lies on the disk.")) as used:
        written = used.pictures()
    print("used:", used.used, "in memory:", used.held)
    found = {place: count for place, count in written.items() if count}
    print_result("G1 pictures in what Redis wrote", found, "", "{}", not found)
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
