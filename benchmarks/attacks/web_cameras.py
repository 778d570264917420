"""Cameras as they are found in the field, shown to the running product.

python -m benchmarks.attacks.web_cameras [--checkout OTHER]

Each odd camera is tested as an operator tests one ("Test this camera"); a camera with a wrong
password, and snapshot cameras, are registered and watched.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.system import System, running_system, wait_until
from tests.servers.certificates import Authority
from tests.servers.doorman import AsksForLogin, Doorman, digest
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.odd_web import ODD_MOTION, Answer, Motion, Snapshot, answers, web_camera
from tests.servers.rtsp import with_login

WATCHED_S: Final = 60.0
PASSWORD: Final = 'pä:s@/#%&"s3cret'  # noqa: S105 - nobody's
BASIC: Final = 'Basic realm="c"'
OFFERS: Final[dict[str, tuple[list[str], list[str]]]] = {
    "Basic": ([BASIC], []),
    "MD5": ([digest()], []),
    "MD5 without qop": ([digest("", qop="")], []),
    "MD5-sess": ([digest("MD5-sess")], []),
    "SHA-256": ([digest("SHA-256")], []),
    "SHA-512-256": ([digest("SHA-512-256")], []),
    "SHA-256 beside MD5": ([digest("SHA-256"), digest()], []),
    "one header": ([f"{digest('SHA-256')}, {digest()}, {BASIC}"], []),
    "SHA-256 is broken": ([digest("SHA-256"), digest()], ["SHA-256"]),
    "Digest is broken": ([digest(), BASIC], ["MD5"]),
}
"""What a camera offers, and what of that never lets anybody in."""


def attacks(checkout: Path) -> Iterator[Attack]:
    """Show all of them to the product of a checkout."""
    with running_system(checkout=checkout) as system:
        yield _all_shown(6, "odd Motion JPEG", _odd(system))
        yield _all_shown(7, "logins over HTTP, HTTPS and RTSP", _logins(system))
        yield _all_shown(11, "addresses of one picture", _snapshots(system))
        yield _flapping(system)
        yield _wrong_password(system)


def _all_shown(line: int, what: str, found: dict[str, str]) -> Attack:
    failed = {name: why for name, why in found.items() if why}
    seen = f"{len(found) - len(failed)} of {len(found)} shown; not: {failed or 'none'}"
    return Attack(line, what, not failed, seen[:2000])


def _odd(system: System) -> dict[str, str]:
    found = {}
    for name, answer in ODD_MOTION.items():
        with web_camera(answer) as served:
            found[name] = _why_not(system, served.url)
    return found


def _logins(system: System) -> dict[str, str]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        tls = Authority(Path(folder), "camera").server_context()
        for name, (offers, broken) in OFFERS.items():
            for scheme in ("http", "https", "rtsp"):
                doorman = Doorman(offers, password=PASSWORD, broken=broken)
                with ExitStack() as stack:
                    if scheme == "rtsp":
                        camera = stack.enter_context(FaultyRtspCamera())
                        camera.begin(AsksForLogin(doorman, camera))
                        url = camera.url
                    else:
                        secure = tls if scheme == "https" else None
                        url = stack.enter_context(web_camera(Motion(), doorman, secure)).url
                    why = _why_not(system, with_login(url, doorman.user, PASSWORD))
                    found[f"{name}, {scheme}"] = why
    return found


def _snapshots(system: System) -> dict[str, str]:
    kinds: dict[str, Answer] = {
        "with a length": Snapshot(),
        "without a length": Snapshot(length=False),
        "behind Digest": Snapshot(),
        "slow": Snapshot(takes_s=1.0),
        "with an ETag": Snapshot(validators=["ETag"]),
    }
    found = {}
    for name, answer in kinds.items():
        doorman = Doorman([digest("SHA-256")]) if name == "behind Digest" else None
        with web_camera(answer, doorman) as served:
            url = with_login(served.url, "admin", "s3cret") if doorman else served.url
            found[name] = _not_live(_watched(system, url, 8.0, lambda: None))
    return found


def _not_live(states: list[str]) -> str:
    """Return the states of a camera that did not stay live once it was; else nothing."""
    return "" if states[-1] == "live" and states.count("live") == 1 else " → ".join(states)


def _flapping(system: System) -> Attack:
    """A snapshot camera that is busy at every second request, read for twenty seconds."""
    refuses = iter([False, True] * 10_000)
    busy = answers(503, "text/plain", b"busy")
    with web_camera(Snapshot(fault=lambda h: next(refuses) and busy(h))) as served:
        states = _watched(system, served.url, 20.0, lambda: None)
    return Attack(11, "a busy snapshot camera", not _not_live(states), " → ".join(states))


def _wrong_password(system: System) -> Attack:
    """A camera with a wrong password, for a minute; then everything is searched for it."""
    doorman = Doorman([digest(), BASIC])
    texts: list[bytes] = []
    pages = ("/metrics", "/api/v1/cameras", "/")
    with web_camera(Motion(), doorman) as served:
        url = with_login(served.url, "admin", PASSWORD)
        _watched(system, url, WATCHED_S, lambda: texts.extend(map(system.get, pages)))
    told = b"".join(texts) + system.log.read_bytes()
    leaks = told.count(b"s3cret")
    seen = f"{len(doorman.tried)} passwords sent in {WATCHED_S:.0f} s; shown {leaks} times"
    return Attack(7, "a wrong password is tried again", len(doorman.tried) <= 4 and not leaks, seen)


def _watched(system: System, url: str, seconds: float, at_the_end: Callable[[], None]) -> list[str]:
    """Register a camera, and return the states that it had one after another."""
    camera = system.call("POST", "/api/v1/cameras", {"name": "watched", "source": url})
    states, ends_s = [""], time.monotonic() + seconds
    while time.monotonic() < ends_s:
        state = system.call("GET", f"/api/v1/cameras/{camera['id']}")["status"]["state"]
        states += [state] if state != states[-1] else []
        time.sleep(0.2)
    at_the_end()
    system.call("DELETE", f"/api/v1/cameras/{camera['id']}")
    return states[1:]


def _why_not(system: System, url: str) -> str:
    """Test a camera; return its error, or nothing if a picture of it is shown."""
    started: Any = system.call("POST", "/api/v1/probes", {"source": url})
    path, found = f"/api/v1/probes/{started['id']}", {}

    def done() -> bool:
        found.update(system.call("GET", path))
        return found["result"] is not None

    wait_until(done, 60, "a probe's result", system)
    return "" if found["result"]["reachable"] else str(found["result"]["error"])


def main() -> None:
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
