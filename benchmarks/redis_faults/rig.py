"""Redis behind a link that can be made to fail, and what is done to it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.system import ROOT, System
from tests.servers.faulty_link import FaultyLink
from tests.servers.redis_process import RedisProcess

PASSWORD: Final = "c0ntrol-room-7c41"  # noqa: S105 - of a Redis that lives for minutes
"""Of the Redis; it must be in no log and no answer."""
CUT_EVERY_S: Final = 0.4
CUT_AT: Final = (b":position", b":frames", b":lease:", b":status", b"members:", b"GET")
"""Commands that are cut: commits, frames published, leases, states, beats, and any that reads."""
SLOW_ONE_WAY_S: Final = 0.1


@dataclass
class Rig:
    """A primary, its replica, and the link that everything reaches the primary by."""

    folder: Path
    primary: RedisProcess
    replica: RedisProcess
    link: FaultyLink
    system: System | None = None

    @property
    def url(self) -> str:
        """Where Maskwatch is told that Redis is."""
        return self.primary.url_at(self.link.port)

    def look_past_the_link(self) -> None:
        """Have the benchmark itself ask the primary."""
        if self.system:
            self.system.redis = self.primary.client()

    def maskwatch(self, *arguments: str) -> None:
        """Run the command as an administrator would."""
        key_file = self.system.log.parent / "secret.key" if self.system else ""
        subprocess.run(
            [sys.executable, "-m", "maskwatch", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "MASKWATCH_REDIS_URL": self.url,
                "MASKWATCH_SECRET_KEY_FILE": str(key_file),
            },
            check=True,
            capture_output=True,
        )


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Start a primary with a replica behind a link."""
    primary = RedisProcess(folder / "one", PASSWORD)
    replica = RedisProcess(folder / "two", PASSWORD)
    link = FaultyLink(primary.port)
    try:
        primary.start()
        replica.start()
        replica.replicate(primary)
        link.start()
        yield Rig(folder, primary, replica, link)
    finally:
        link.close()
        primary.kill()
        replica.kill()


class Fault:
    """Something that happens to Redis, and ends."""

    name = ""
    seconds = 10.0
    loses_data = False
    """Counts and cameras go with it, and come back from a backup."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    def begin(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class Restart(Fault):
    """Killed, and started again with its data at once."""

    name, seconds = "restarted", 3.0

    def begin(self) -> None:
        self.rig.primary.kill()

    def end(self) -> None:
        self.rig.primary.start()


class Gone(Fault):
    """Nothing listens for a while."""

    name = "away"

    def begin(self) -> None:
        self.rig.link.stop()

    def end(self) -> None:
        self.rig.link.start()


class Failover(Fault):
    """The primary dies, the replica takes its place at the same address."""

    name, seconds = "failed over", 4.0

    def begin(self) -> None:
        self.rig.primary.kill()

    def end(self) -> None:
        rig = self.rig
        rig.primary, rig.replica = rig.replica, rig.primary
        rig.primary.promote()
        rig.link.target = rig.primary.port
        rig.link.cut_all()
        rig.look_past_the_link()
        rig.replica.start()
        rig.replica.replicate(rig.primary)


class Slow(Fault):
    """Every answer takes a fifth of a second longer."""

    name, seconds = "slow", 15.0

    def begin(self) -> None:
        self.rig.link.delay_s = SLOW_ONE_WAY_S

    def end(self) -> None:
        self.rig.link.delay_s = 0.0


class Full(Fault):
    """`maxmemory` reached, and nothing may be evicted."""

    name, seconds = "full", 15.0

    def begin(self) -> None:
        client = self.rig.primary.client()
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)

    def end(self) -> None:
        self.rig.primary.client().config_set("maxmemory", 0)


class ReadOnly(Fault):
    """The address leads to a replica; connections to it stay open when it leads back."""

    name, seconds = "read-only replica", 12.0

    def begin(self) -> None:
        self.rig.link.target = self.rig.replica.port
        self.rig.link.cut_all()

    def end(self) -> None:
        self.rig.link.target = self.rig.primary.port


class Cuts(Fault):
    """Connections are cut in the middle of commands, and before their answers."""

    name, seconds = "cut mid-command", 15.0

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._cut, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _cut(self) -> None:
        dice = random.Random(7)  # noqa: S311 - chooses what to cut, guards nothing
        while not self._over.wait(CUT_EVERY_S):
            self.rig.link.cut(dice.choice(CUT_AT), dice.choice(("during", "after")))


class Silent(Fault):
    """Packets vanish; when new connections work again, the old ones never do."""

    name = "silent"

    def begin(self) -> None:
        self.rig.link.be_silent()

    def end(self) -> None:
        self.rig.link.speak(old_connections_too=False)


class WrongPassword(Fault):
    """The password is changed, and later put back."""

    name, seconds = "wrong password", 12.0

    def begin(self) -> None:
        self._admin = self.rig.primary.client()
        self._admin.config_set("requirepass", "an0ther-8812")
        self.rig.link.cut_all()

    def end(self) -> None:
        self._admin.config_set("requirepass", PASSWORD)


class Wiped(Fault):
    """All data are deleted; an administrator restores the backup made just before."""

    name, seconds, loses_data = "wiped", 10.0, True

    def begin(self) -> None:
        self._file = self.rig.folder / "station.backup"
        self.rig.maskwatch("backup", str(self._file))
        self.rig.primary.client().flushall()

    def end(self) -> None:
        self.rig.maskwatch("restore", str(self._file))


FAULTS: Final = (
    Restart, Gone, Failover, Slow, Full, ReadOnly, Cuts, Silent, WrongPassword, Wiped,
)  # fmt: skip
