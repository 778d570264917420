"""Several hosts on one machine that join, leave, die and are cut off, clocks apart (result F4).

python -m benchmarks.many_hosts [--cameras 4] [--fps 5] [--skew 2] [--calm 60] [--tail 30]

Network namespaces: a Redis host, two ingest hosts, three worker hosts, a dashboard host; 10 ms
to one of the worker hosts where the kernel can. Wall clocks: 2 s ahead on one ingest and one worker
host and the dashboard's, 2 s behind on the other ingest and another worker host. Demo scenes with
known people.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from benchmarks.hosts.cluster import Cluster, Observer, Tenure, running_cluster
from benchmarks.hosts.namespaces import Host, why_not
from benchmarks.scenes.live_truth import all_fresh, books_agree, compare, frame_counts
from benchmarks.speed.watch import percentiles
from benchmarks.system import machine, print_result, wait_until
from bus.keys import CameraKeys
from bus.members.leases import Role
from contract.cameras.camera import Camera
from contract.people.totals import REFUSALS, decode_totals, refused_field

LEASE_S: Final = 2.0
CUT_OFF_S: Final = 20.0
REST_S: Final = 15.0
SCENE: Final = "&fps=5&width=640"
"""Small, so that seven hosts fit on two cores."""
TAKEOVER_S: Final = 3.0
OLDEST_S: Final = 1.0
AFTER_S: Final = 12.0
"""Of each event, left out of the calm ages."""
SKEWS: Final = {"ingest1": +1, "ingest2": -1, "worker1": 0, "worker2": +1, "worker3": -1}
LATE_MS: Final = {"worker3": 10.0}


class Trial:
    """The cluster, what happens to it, and what was seen meanwhile."""

    def __init__(self, cluster: Cluster, skew_s: float) -> None:
        self.cluster = cluster
        self._skew_s = skew_s
        self.hosts: dict[str, Host] = {}
        self.events: list[tuple[float, str]] = []
        self.takeovers: dict[str, list[float]] = {}

    def boot(self, name: str) -> None:
        """Have a host and its stage; one that died begins anew."""
        if name not in self.hosts:
            self.hosts[name] = self.cluster.add(name, LATE_MS.get(name, 0.0))
        off_s = SKEWS.get(name, +1) * self._skew_s
        self.cluster.start(self.hosts[name], name.rstrip("0123456789"), off_s)

    def happens(self, words: str, action: Callable[[], None]) -> float:
        """Note and do something; return when that was."""
        at_s = time.time()
        self.events.append((at_s, words))
        action()
        print(f"{at_s - self.events[0][0]:6.1f} s: {words}", flush=True)
        return at_s

    def busiest(self, role: Role) -> str:
        """The host with the most cameras."""
        owners = [self.cluster.owner(role, camera) for camera in self.cluster.cameras()]
        return Counter(filter(None, owners)).most_common(1)[0][0]

    def _expires_s(self, host: str, camera: Camera, gone_s: float) -> float:
        """When the host's lease runs out; one that was given back ran out when the host left."""
        left: Any = self.cluster.redis.pttl(CameraKeys(camera.id).worker_lease)
        held = left > 0 and self.cluster.owner("worker", camera) == host
        return time.time() + left / 1000 if held else gone_s

    def lose(self, name: str, words: str, action: Callable[[], None], watch: Observer) -> None:
        """Do something that takes a worker host's cameras from it; note when others had them."""
        cluster = self.cluster
        lost = [camera for camera in cluster.cameras() if cluster.owner("worker", camera) == name]
        at_s = self.happens(f"{words}: {name}, with {len(lost)} cameras", action)
        expiries_s = [self._expires_s(name, camera, at_s) for camera in lost]
        time.sleep(LEASE_S + TAKEOVER_S + 2.0)
        taken = [watch.taken_after(at_s, camera.id) for camera in lost]
        self.takeovers[words] = [_after(s, one) for s, one in zip(expiries_s, taken, strict=True)]
        times = ", ".join(f"{_after(at_s, one):.2f}" for one in taken)
        print(f"          owned again after {times} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--skew", type=float, default=2.0)
    parser.add_argument("--calm", type=float, default=60.0, help="seconds before it all")
    parser.add_argument("--tail", type=float, default=30.0, help="seconds of calm at the end")
    parser.add_argument("--seed", type=int, default=900)
    options = parser.parse_args()
    if reason := why_not():
        raise SystemExit(reason)
    print(f"{options.cameras} demo scenes, clocks {options.skew:g} s apart, {machine()}")
    with running_cluster() as cluster:
        trial = Trial(cluster, options.skew)
        for name in ("dashboard", "ingest1", "ingest2", "worker1", "worker2"):
            trial.boot(name)
        wait_until(cluster.healthy, 60, "the cluster to be healthy", cluster)
        register(cluster, options.cameras, options.fps, options.seed)
        wait_until(lambda: all_fresh(cluster, time.time() - 1.0), 60, "all cameras", cluster)
        time.sleep(10)
        leave_alone(trial, options.calm)
        measure(trial, options.tail)


def register(cluster: Cluster, cameras: int, fps: float, first_seed: int) -> None:
    """Add demo cameras of known scenes by the dashboard's API."""
    for seed in range(first_seed, first_seed + cameras):
        body = {"name": f"seed-{seed}", "source": f"demo:seed={seed}{SCENE}", "analysis_fps": fps}
        cluster.call("POST", "/api/v1/cameras", body)


def leave_alone(trial: Trial, seconds: float) -> None:
    """Print who was counted while nothing happened, to compare with."""
    from_s, before = time.time(), frame_counts(trial.cluster)
    time.sleep(seconds)
    found = compare(trial.cluster, from_s, from_s + seconds)
    found.show(f"left alone, {seconds:g} s")
    print(f"frames: {dict(frame_counts(trial.cluster) - before)}", flush=True)


def measure(trial: Trial, tail_s: float) -> None:
    """Let everything happen, and print what came of it."""
    cluster = trial.cluster
    watch = Observer(f"redis://{_redis_address(cluster)}", "worker", cluster.cameras())
    watch.start()
    from_s, before = time.time(), frame_counts(cluster)
    ages = happenings(trial, watch)
    time.sleep(tail_s)
    to_s = time.time()
    found = compare(cluster, from_s, to_s)
    watch.stop()
    found.show(f"{to_s - from_s:.0f} s with all of that")
    print(f"frames: {dict(frame_counts(cluster) - before)}")
    report_owners(trial, watch)
    report_time(trial, watch, ages)
    people = found.true.total()
    print_result("F4 people", people, "people who left", ">= 200", people >= 200)
    error = round(found.error * 100, 1)
    print_result("F4 counts, total error", error, "%", "<= 3", error <= 3)
    agree = books_agree(cluster)
    print_result("F4 totals, minutes and rows agree", agree, "", "True", agree)


def happenings(trial: Trial, watch: Observer) -> list[float]:
    """Join, leave, die, cut off, come back; returns picture ages that the dashboard gave before."""
    hosts = trial.hosts
    trial.happens("joins: worker3", lambda: trial.boot("worker3"))
    time.sleep(REST_S)
    ages = dashboard_ages(trial.cluster)
    name = trial.busiest("worker")
    trial.lose(name, "leaves", hosts[name].stop, watch)
    trial.happens(f"joins again: {name}", lambda: trial.boot(name))
    time.sleep(REST_S)
    dead = trial.busiest("worker")
    trial.lose(dead, "loses power", hosts[dead].power_off, watch)
    trial.happens(f"is started again: {dead}", lambda: revive(trial, dead))
    time.sleep(REST_S)
    away = trial.busiest("worker")
    trial.lose(away, "cut off", hosts[away].cut, watch)
    time.sleep(max(0.0, trial.events[-1][0] + CUT_OFF_S - time.time()))
    trial.happens(f"is back: {away}", hosts[away].mend)
    time.sleep(REST_S)
    ingest_hosts(trial)
    return ages


def ingest_hosts(trial: Trial) -> None:
    """One loses its power and is started again, the other is cut off and comes back."""
    hosts = trial.hosts
    trial.happens("loses power: ingest1", hosts["ingest1"].power_off)
    time.sleep(REST_S)
    trial.happens("is started again: ingest1", lambda: revive(trial, "ingest1"))
    time.sleep(REST_S)
    trial.happens("cut off: ingest2", hosts["ingest2"].cut)
    time.sleep(CUT_OFF_S)
    trial.happens("is back: ingest2", hosts["ingest2"].mend)
    time.sleep(REST_S)


def revive(trial: Trial, name: str) -> None:
    """Plug a host that lost its power in again, and start its stage."""
    trial.hosts[name].mend()
    trial.boot(name)


def dashboard_ages(cluster: Cluster) -> list[float]:
    """How old each picture is, as the API says, a few times over."""
    found = []
    for _ in range(10):
        answer = cluster.call("GET", "/api/v1/cameras")
        found += [camera["picture_age_s"] for camera in answer["cameras"]]
        time.sleep(0.3)
    return found


def report_owners(trial: Trial, watch: Observer) -> None:
    """Print takeovers, and whether anything was done twice."""
    cluster = trial.cluster
    for words, seconds in trial.takeovers.items():
        after_expiry = max(seconds, default=float("nan"))
        met = after_expiry <= TAKEOVER_S
        title = f"F4 {words}: {len(seconds)} cameras owned again, after lease expiry at most"
        print_result(title, round(after_expiry, 2), "s", "<= 3", met)
    falling = sum(
        later.token <= earlier.token
        for camera_id in watch.frames
        for earlier, later in _pairs([t for t in watch.tenures if t.camera_id == camera_id])
    )
    print_result("F4 leases whose number did not rise", falling, "leases", "0", falling == 0)
    repeated = sum(
        later.sequence <= earlier.sequence
        for frames in watch.frames.values()
        for earlier, later in pairwise(frames)
    )
    print_result("F4 frames analysed again", repeated, "frames", "0", repeated == 0)
    surplus = {camera.name: unaccounted(cluster, camera.id) for camera in cluster.cameras()}
    exact = all(0 <= frames <= 16 for frames in surplus.values())
    title = "F4 captured less analysed and dropped, a camera"
    print_result(title, list(surplus.values()), "frames", "0 to 16 under way", exact)
    totals = [cluster.totals(camera) for camera in cluster.cameras()]
    refused = sum(one.get(refused_field(reason), 0) for one in totals for reason in REFUSALS)
    print_result("F4 commits refused", int(refused), "commits", "none", True)


def unaccounted(cluster: Cluster, camera_id: str) -> int:
    """Frames captured that were neither analysed nor dropped: under way, or lost if many."""
    raw: Any = cluster.redis.hgetall(CameraKeys(camera_id).totals)
    totals = decode_totals(raw)
    dropped = sum(n for f, n in totals.items() if f.startswith("dropped:") and "malformed" not in f)
    return round(totals["frames:captured"] - totals["frames:analysed"] - dropped)


def report_time(trial: Trial, watch: Observer, shown_ages_s: list[float]) -> None:
    """Print ages and order, across hosts whose clocks are apart."""
    frames = [frame for seen in watch.frames.values() for frame in seen]
    calm = [f for f in frames if not _near_event(f.captured_at_s, trial.events)]
    p50, _, p99 = percentiles([f.analysed_at_s - f.captured_at_s for f in calm])
    least = min(f.analysed_at_s - f.captured_at_s for f in frames)
    print(f"{len(calm)} frames away from events: age p50 {p50:.3f} s; youngest {least:.3f} s")
    print_result("F4 age p99, clocks apart", round(p99, 3), "s", "< 1", p99 < OLDEST_S)
    sane = all(0 <= age <= OLDEST_S for age in shown_ages_s)
    span = f"{min(shown_ages_s):.3f} to {max(shown_ages_s):.3f}"
    print_result("F4 picture ages the dashboard gives", span, "s", "0 to 1", sane)
    backwards = sum(
        later.captured_at_s <= earlier.captured_at_s
        for seen in watch.frames.values()
        for earlier, later in pairwise(seen)
    )
    print_result("F4 frames older than the one before", backwards, "frames", "0", backwards == 0)


def _pairs(tenures: list[Tenure]) -> list[tuple[Tenure, Tenure]]:
    owned = [tenure for tenure in tenures if tenure.lease]
    return list(pairwise(owned))


def _near_event(at_s: float, events: list[tuple[float, str]]) -> bool:
    return any(event_s - 1.0 <= at_s <= event_s + AFTER_S for event_s, _ in events)


def _after(at_s: float, tenure: Tenure | None) -> float:
    return tenure.at_s - at_s if tenure else float("inf")


def _redis_address(cluster: Cluster) -> str:
    options = cluster.redis.connection_pool.connection_kwargs
    return f"{options['host']}:{options['port']}/0"


if __name__ == "__main__":
    main()
