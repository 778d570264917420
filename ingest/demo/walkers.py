"""The walkers of the concourse: their times, ways and masks. This is the ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from contract.people.verdicts import Verdict
from ingest.demo.geometry import FACE_HEIGHT_M, FACE_WIDTH_M, Geometry
from ingest.demo.options import DemoOptions
from ingest.demo.pillars import PILLAR_Z_M, pillar_edges

SHARES: Final[dict[Verdict, float]] = {"mask": 0.6, "no_mask": 0.25, "incorrect": 0.15}
MEAN_STAY_S: Final = 5.3
"""Measured over ten minutes of walkers; sets how often one enters."""
LONGEST_STAY_S: Final = 10.0
FAR_M: Final = 10.5
STANDS_S: Final = 60.0
STANDING_EVERY_S: Final = 80.0
"""At each place to stand one person follows the other, with a pause between."""
_UNIT: Final = Geometry(1280, 720)


@dataclass(frozen=True)
class Walker:
    """One passage of one person, on a straight line at constant speed, perhaps with one stop."""

    id: int
    verdict: Verdict
    enters_at_s: float
    """Seconds since the epoch, like every time of the scene."""
    leaves_at_s: float
    start: tuple[float, float]
    """`x, z` in metres."""
    end: tuple[float, float]
    stature_m: float
    """Height of the middle of the face above the floor."""
    size: float
    """The face's size, 1 being the average."""
    look_seed: int
    stands_s: float = 0.0
    """Seconds for which the walker stands still."""
    stands_at: float = 0.5
    """Part of the way, 0 to 1, after which the walker stands still."""

    def at(self, time_s: float) -> tuple[float, float]:
        """Return `x, z` in metres."""
        stood_s = self._stood_s(time_s)
        walked_s = time_s - self.enters_at_s - stood_s
        share = walked_s / (self.leaves_at_s - self.enters_at_s - self.stands_s)
        (x0, z0), (x1, z1) = self.start, self.end
        # A standing person slowly shifts their weight; the shift starts and ends at zero.
        sway_m = 0.05 * math.sin(2 * math.pi * 5 * stood_s / self.stands_s) if stood_s else 0.0
        return x0 + (x1 - x0) * share + sway_m, z0 + (z1 - z0) * share

    def is_standing(self, time_s: float) -> bool:
        """Whether this is the time of the stop."""
        return 0.0 < self._stood_s(time_s) < self.stands_s

    def face_height_m(self, time_s: float) -> float:
        """Height of the middle of the face above the floor, bobbing with each step."""
        if self.is_standing(time_s):
            return self.stature_m
        return self.stature_m + 0.012 * math.sin(11.0 * (time_s - self.enters_at_s))

    def _stood_s(self, time_s: float) -> float:
        """Return for how many seconds of the stop the walker has stood so far."""
        walking_s = self.leaves_at_s - self.enters_at_s - self.stands_s
        stops_at_s = self.enters_at_s + self.stands_at * walking_s
        return min(max(time_s - stops_at_s, 0.0), self.stands_s)

    def face_box(self, time_s: float, geometry: Geometry) -> tuple[float, float, float, float]:
        """Return the face's box in pixels, unclipped; where detectors draw it."""
        x, z = self.at(time_s)
        column, row = geometry.project(x, self.face_height_m(time_s), z)
        half_h = FACE_HEIGHT_M * self.size * geometry.scale(z) / 2
        half_w = half_h * FACE_WIDTH_M / FACE_HEIGHT_M
        return column - half_w, row - half_h, column + half_w, row + half_h


@dataclass(frozen=True)
class FaceTruth:
    """A face in one frame."""

    walker_id: int
    verdict: Verdict
    box: tuple[float, float, float, float]
    """`x_min, y_min, x_max, y_max` pixels, clipped to the picture."""
    visible: float
    """Share of the face that is in the picture and not behind somebody nearer, 0 to 1."""


def walkers_between(options: DemoOptions, from_s: float, to_s: float) -> list[Walker]:
    """Return everyone in the concourse at some time from `from_s` to `to_s`, by entry."""
    everyone = _passing(options, from_s, to_s) + _standing(options, from_s, to_s)
    present = (w for w in everyone if w.enters_at_s <= to_s and w.leaves_at_s > from_s)
    return sorted(present, key=lambda walker: walker.enters_at_s)


def _passing(options: DemoOptions, from_s: float, to_s: float) -> list[Walker]:
    if options.people <= 0:
        return []
    spacing_s = MEAN_STAY_S / options.people
    first = math.floor((from_s - LONGEST_STAY_S) / spacing_s)
    last = math.floor(to_s / spacing_s)
    return [_walker(options.seed, slot, spacing_s) for slot in range(first, last + 1)]


def _standing(options: DemoOptions, from_s: float, to_s: float) -> list[Walker]:
    visits = range(
        math.floor(from_s / STANDING_EVERY_S) - 1, math.floor(to_s / STANDING_EVERY_S) + 1
    )
    return [
        _stander(options.seed, place, visit)
        for place in range(options.standing)
        for visit in visits
    ]


def faces_at(options: DemoOptions, time_s: float) -> list[FaceTruth]:
    """Return the faces in the frame of `time_s`, the nearest last."""
    geometry = Geometry(options.width, options.height)
    pillars = pillar_edges(options.pillars, geometry)
    walkers = sorted(walkers_between(options, time_s, time_s), key=lambda w: -w.at(time_s)[1])
    boxes = [walker.face_box(time_s, geometry) for walker in walkers]
    return [
        FaceTruth(walker.id, walker.verdict, clipped, visible)
        for index, walker in enumerate(walkers)
        for hiding in [pillars if walker.at(time_s)[1] > PILLAR_Z_M else []]
        for clipped, visible in [_seen(boxes[index], boxes[index + 1 :], hiding, geometry)]
        if visible > 0
    ]


def _walker(seed: int, slot: int, spacing_s: float) -> Walker:
    rng = np.random.default_rng([seed, slot])
    enters_at_s = (slot + float(rng.random())) * spacing_s
    side = 1.0 if slot % 2 else -1.0
    crossing = rng.random() < 0.35
    start, end = _crossing(rng, side) if crossing else _approach(rng, side)
    speed = rng.uniform(1.0, 1.25) if crossing else rng.uniform(1.15, 1.5)
    return Walker(
        id=slot,
        verdict=_verdict(float(rng.random())),
        enters_at_s=enters_at_s,
        leaves_at_s=enters_at_s + math.dist(start, end) / float(speed),
        start=start,
        end=end,
        stature_m=float(rng.uniform(1.5, 1.72)),
        size=float(rng.uniform(0.94, 1.06)),
        look_seed=int(rng.integers(2**31)),
    )


def _stander(seed: int, place: int, visit: int) -> Walker:
    """Across the picture with a stop of a minute."""
    rng = np.random.default_rng([seed, 7, place, visit])
    side = 1.0 if (visit + place) % 2 else -1.0
    start, end = _crossing(rng, side)
    enters_at_s = visit * STANDING_EVERY_S + float(rng.uniform(0.0, 8.0))
    walking_s = math.dist(start, end) / float(rng.uniform(1.0, 1.25))
    return Walker(
        id=-1 - place - 8 * visit,
        verdict=_verdict(float(rng.random())),
        enters_at_s=enters_at_s,
        leaves_at_s=enters_at_s + walking_s + STANDS_S,
        start=start,
        end=end,
        stature_m=float(rng.uniform(1.5, 1.72)),
        size=float(rng.uniform(0.94, 1.06)),
        look_seed=int(rng.integers(2**31)),
        stands_s=STANDS_S,
        stands_at=float(rng.uniform(0.3, 0.7)),
    )


def _approach(
    rng: np.random.Generator, side: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """From the far end towards the camera, out past the picture's left or right edge."""
    x_end = float(rng.uniform(1.3, 2.3))
    z_end = _UNIT.focal * (x_end - FACE_WIDTH_M) / (_UNIT.width / 2)
    return (side * float(rng.uniform(0.1, 1.7)), FAR_M), (side * x_end, z_end)


def _crossing(
    rng: np.random.Generator, side: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Across the picture, a little nearer or farther at the end."""
    z0, z1 = (float(z) for z in rng.uniform(2.5, 4.8, 2))
    return (-side * _edge_m(z0), z0), (side * _edge_m(z1), z1)


def _edge_m(z: float) -> float:
    return _UNIT.width / 2 / _UNIT.scale(z) + FACE_WIDTH_M


def _verdict(draw: float) -> Verdict:
    for verdict, share in SHARES.items():
        if draw < share:
            return verdict
        draw -= share
    return "mask"


def _seen(
    box: tuple[float, float, float, float],
    nearer: list[tuple[float, float, float, float]],
    pillars: list[tuple[float, float]],
    geometry: Geometry,
) -> tuple[tuple[float, float, float, float], float]:
    """Clip `box` to the picture; return it and the share of it that nothing nearer covers.

    A nearer person roughly covers everything from the hair down and half a face to either side; a
    pillar covers everything between its edges.
    """
    x0, y0, x1, y1 = box
    frame = (0.0, 0.0, float(geometry.width), float(geometry.height))
    clipped = (max(x0, frame[0]), max(y0, frame[1]), min(x1, frame[2]), min(y1, frame[3]))
    if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        return clipped, 0.0
    grid_x, grid_y = np.meshgrid(np.linspace(x0, x1, 12), np.linspace(y0, y1, 12))
    shown = (grid_x >= 0) & (grid_x < frame[2]) & (grid_y >= 0) & (grid_y < frame[3])
    for left, top, right, bottom in nearer:
        beside, above = (right - left) / 2, (bottom - top) / 2
        shown &= ~((grid_x > left - beside) & (grid_x < right + beside) & (grid_y > top - above))
    for left, right in pillars:
        shown &= (grid_x < left) | (grid_x > right)
    return clipped, float(shown.mean())
