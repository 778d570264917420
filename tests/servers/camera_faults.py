"""What can be wrong with a camera, each kind a small object that overrides one moment."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from typing import Final

from tests.servers.films import FPS, Film
from tests.servers.rtp import HEADER_BYTES

RTSP_STEPS: Final = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY")


class HangUpError(Exception):
    """The camera sends `last` and closes the connection."""

    def __init__(self, last: bytes = b"") -> None:
        self.last = last


class SilenceError(Exception):
    """The camera sends `last`, keeps the connection and never says a word on it again."""

    def __init__(self, last: bytes = b"") -> None:
        self.last = last


@dataclass(frozen=True)
class Reply:
    """An answer in place of the right one."""

    status: int
    words: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Shot:
    """One picture on its way: what is sent, when it says it was taken, when the next one is due."""

    film: Film
    number: int
    timestamp_s: float
    at_s: float
    """Seconds since the connection began to play."""
    interval_s: float = 1 / FPS


@dataclass(frozen=True)
class Fault:
    """Nothing is wrong."""

    cuts: bool = field(default=False, kw_only=True)
    """Open connections are cut when it begins: only who connects anew would notice."""
    listens: bool = field(default=True, kw_only=True)

    def film(self, film: Film) -> Film:
        """What the camera plays, and says it plays."""
        return film

    def reply(self, step: str, path: str) -> Reply | None:
        """What to answer a request instead of the right thing; may be silent or hang up."""

    def answered(self, step: str) -> None:
        """A request was answered; may be silent or hang up."""

    def shot(self, shot: Shot) -> Shot:
        return shot

    def packets(self, packets: list[bytes]) -> list[bytes]:
        """The picture's packets as they are sent."""
        return packets

    def wire(self, data: bytes, at_s: float) -> bytes:
        """The picture as it goes out; may hang up or be silent within it."""
        return data


WELL: Final = Fault()


@dataclass(frozen=True)
class Refuses(Fault):
    """Nothing listens any more."""

    cuts: bool = field(default=True, kw_only=True)
    listens: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class HangsBefore(Fault):
    """Never answers this step."""

    step: str
    cuts: bool = field(default=True, kw_only=True)

    def reply(self, step: str, path: str) -> Reply | None:
        if step == self.step:
            raise SilenceError
        return None


@dataclass(frozen=True)
class HangsAfter(Fault):
    """Answers this step and does nothing more."""

    step: str
    cuts: bool = field(default=True, kw_only=True)

    def answered(self, step: str) -> None:
        if step == self.step:
            raise SilenceError


@dataclass(frozen=True)
class HangsUpAt(Fault):
    """Closes the connection instead of answering this step."""

    step: str
    cuts: bool = field(default=True, kw_only=True)

    def reply(self, step: str, path: str) -> Reply | None:
        if step == self.step:
            raise HangUpError
        return None


@dataclass(frozen=True)
class Answers(Fault):
    """Answers this step with a status of its own."""

    step: str
    instead: Reply
    cuts: bool = field(default=True, kw_only=True)

    def reply(self, step: str, path: str) -> Reply | None:
        return self.instead if step == self.step and path != "/moved" else None


@dataclass(frozen=True)
class Several(Fault):
    """Answers some steps wrongly, each in its way."""

    first: Fault
    second: Fault

    def reply(self, step: str, path: str) -> Reply | None:
        return self.first.reply(step, path) or self.second.reply(step, path)


@dataclass(frozen=True)
class AnswersInTurn(Fault):
    """Answers a step with one thing after another, and rightly once these are over."""

    step: str
    replies: list[Reply]

    def reply(self, step: str, path: str) -> Reply | None:
        return self.replies.pop(0) if step == self.step and self.replies else None


@dataclass(frozen=True)
class Utters(Fault):
    """Sends bytes of its own instead of an answer to this step, and hangs up."""

    step: str
    said: bytes

    def reply(self, step: str, path: str) -> Reply | None:
        if step == self.step:
            raise HangUpError(self.said)
        return None


@dataclass(frozen=True)
class Plays(Fault):
    """Switches to another film (size, codec) in mid-stream, or describes it to who comes anew."""

    other: Film

    def film(self, film: Film) -> Film:
        return self.other


@dataclass(frozen=True)
class Stalls(Fault):
    """Keeps its connections and sends nothing more on them."""

    def wire(self, data: bytes, at_s: float) -> bytes:
        raise SilenceError


@dataclass(frozen=True)
class CutsWithinPicture(Fault):
    """Closes the connection in the middle of a picture, soon after it began to play."""

    after_s: float = 0.0

    def wire(self, data: bytes, at_s: float) -> bytes:
        if at_s >= self.after_s:
            raise HangUpError(data[: len(data) // 2])
        return data


@dataclass(frozen=True)
class ClosesEvery(Fault):
    """Closes each connection after so many seconds."""

    seconds: float

    def wire(self, data: bytes, at_s: float) -> bytes:
        if at_s >= self.seconds:
            raise HangUpError(data)
        return data


@dataclass(frozen=True)
class Corrupts(Fault):
    """Changes bytes in a share of the packets."""

    share: float
    chance: random.Random = field(default_factory=lambda: random.Random(1), compare=False)

    def packets(self, packets: list[bytes]) -> list[bytes]:
        return [self._spoil(one) if self.chance.random() < self.share else one for one in packets]

    def _spoil(self, packet: bytes) -> bytes:
        spoiled = bytearray(packet)
        for _ in range(max(4, len(packet) // 50)):
            at = self.chance.randrange(HEADER_BYTES, len(packet))
            spoiled[at] = self.chance.randrange(256)
        return bytes(spoiled)


@dataclass(frozen=True)
class Loses(Fault):
    """Leaves out a share of the packets."""

    share: float
    chance: random.Random = field(default_factory=lambda: random.Random(2), compare=False)

    def packets(self, packets: list[bytes]) -> list[bytes]:
        return [one for one in packets if self.chance.random() >= self.share]


@dataclass(frozen=True)
class Reorders(Fault):
    """Sends packets in the wrong order, here and there across pictures."""

    share: float
    chance: random.Random = field(default_factory=lambda: random.Random(3), compare=False)
    late: list[bytes] = field(default_factory=list, compare=False)

    def packets(self, packets: list[bytes]) -> list[bytes]:
        sent: list[bytes] = []
        for packet in packets:
            if self.chance.random() < self.share:
                self.late.append(packet)
                continue
            sent.append(packet)
            if self.late and self.chance.random() < 0.5:
                sent.append(self.late.pop())
        return sent


@dataclass(frozen=True)
class JumpsInTime(Fault):
    """Its clock jumps ahead and back again."""

    by_s: float
    every_s: float

    def shot(self, shot: Shot) -> Shot:
        jumped = int(shot.at_s / self.every_s) % 2 == 1
        return replace(shot, timestamp_s=shot.timestamp_s + self.by_s) if jumped else shot


@dataclass(frozen=True)
class PlaysAt(Fault):
    """Sends so many frames a second."""

    fps: float

    def shot(self, shot: Shot) -> Shot:
        return replace(shot, interval_s=1 / self.fps)


@dataclass(frozen=True)
class NeverChanges(Fault):
    """Sends the same picture again and again."""

    def shot(self, shot: Shot) -> Shot:
        return replace(shot, number=0)


@dataclass(frozen=True)
class TakesLong(Fault):
    """Answers every request late."""

    seconds: float

    def answered(self, step: str) -> None:
        time.sleep(self.seconds)


@dataclass(frozen=True)
class SendsNoKeyFrame(Fault):
    """Sends pictures that are made from others only, also to who connects anew."""

    cuts: bool = field(default=True, kw_only=True)

    def shot(self, shot: Shot) -> Shot:
        return replace(shot, number=shot.number + shot.film.unit(shot.number).key)
