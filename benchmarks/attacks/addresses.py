"""Attacks by a camera's address, and by texts that redaction looks at: lines 1, 2 and 8.

python -m benchmarks.attacks.addresses [--checkout OTHER]

A stranger's packet that is logged; an address that an operator registers; a redirect that a camera
sends; and secrets in the path and the query of an address, looked for as a viewer and in Redis.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks.attacks.answering import answering
from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.secrecy.secrets_seen import Places
from benchmarks.system import System, running_dashboard, running_system
from bus.bus import Bus
from bus.stores.status import StatusStore
from contract.accounts.grants import EVERYWHERE
from dashboard.accounts.service import make_accounts
from tests.builders import values_in

SOON_S: Final = 1.0
PATIENCE_S: Final = 60.0
WATCHED_S: Final = 20.0
MOST_CPU_S: Final = 1.0
SLOW: Final = "http://h/?" + "?key" * 2500
SECRETS: Final = {
    "a password in a path": ("rtsp://10.9.8.7/user=admin_password={}_channel=1", "Zq7pLm2vT9"),
    "a password in a query": ("http://10.9.8.7/video?pw={}", "hY4wK8sD2c"),
    "a token as a path": ("rtsp://10.9.8.7:7447/{}", "mB6xR3nJ5g"),
}


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try each against the product of `checkout`."""
    with running_dashboard(checkout=checkout) as system:
        yield _one_packet(system)
    with running_dashboard(checkout=checkout) as system:
        yield _slow_lists(system)
    with running_dashboard(checkout=checkout) as system:
        yield _read_as_a_viewer(system)
    yield _long_redirect(checkout)


def _one_packet(system: System) -> Attack:
    """8 kB without an HTTP version, which the server logs."""
    system.get("/api/v1/cameras")
    answered: list[float] = []

    def send() -> None:
        began_s = time.monotonic()
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", _port(system)), 5) as stranger,
        ):
            stranger.settimeout(PATIENCE_S)
            stranger.sendall(b"GET " + SLOW.encode()[:8000] + b"\r\n\r\n")
            stranger.recv(4096)
        answered.append(time.monotonic() - began_s)

    stranger = threading.Thread(target=send)
    stranger.start()
    time.sleep(0.3)
    waited_s = _seconds_for(system, "/healthz")
    stranger.join(PATIENCE_S)
    took = f"{answered[0]:.1f} s" if answered else f"over {PATIENCE_S:.0f} s"
    seen = f"/healthz answered after {waited_s:.1f} s; the packet took {took}"
    return Attack(1, "one packet of 8 kB without an account", waited_s < SOON_S, seen)


def _slow_lists(system: System) -> Attack:
    """Five cameras at the longest address that is taken."""
    for number in range(5):
        with suppress(OSError):
            camera = {"name": f"slow {number}", "source": SLOW[:2000]}
            system.call("POST", "/api/v1/cameras", camera)
    waited_s = min(_seconds_for(system, "/api/v1/cameras") for _ in range(3))
    count = len(system.cameras())
    seen = f"a list with {count} such cameras takes {waited_s:.2f} s"
    return Attack(2, "a registered address that slows every list", waited_s < SOON_S, seen)


def _read_as_a_viewer(system: System) -> Attack:
    """Secrets that are not before an `@`."""
    for name, (form, secret) in SECRETS.items():
        system.call("POST", "/api/v1/cameras", {"name": name, "source": form.format(secret)})
    store = make_accounts(Bus(system.redis)).api_keys
    _, key = store.add("a viewer", {EVERYWHERE: "viewer"}, 1, "an attack")
    places = Places()
    paths = ["/api/v1/cameras", "/api/v1/cameras/export?format=csv", "/", "/metrics"]
    paths += [f"/cameras/{camera.id}" for camera in system.cameras()]
    for path in paths:
        request = urllib.request.Request(
            system.url + path, headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            places.add("what a viewer reads", answer.read())
    for value in values_in(system.redis):
        places.add("Redis", value)
    for file in (system.log.parent / "redis").rglob("*"):
        if file.is_file():
            places.add("Redis' files", file.read_bytes())
    leaks = places.leaks({name: secret for name, (_, secret) in SECRETS.items()})
    seen = "; ".join(leaks) or f"none of {len(SECRETS)} secrets, in {places.size()} bytes"
    return Attack(8, "secrets in paths and queries of addresses", not leaks, seen)


def _long_redirect(checkout: Path) -> Attack:
    """A camera that sends its viewers on to 30 kB of address."""
    with answering(_redirect) as port, running_system(checkout=checkout) as system:
        for demo in system.cameras():
            system.call("DELETE", f"/api/v1/cameras/{demo.id}")
        source = f"rtsp://127.0.0.1:{port}/live"
        system.call("POST", "/api/v1/cameras", {"name": "redirects", "source": source})
        time.sleep(2.0)
        before_s = _cpu_s(system)
        time.sleep(WATCHED_S)
        used_s = _cpu_s(system) - before_s
        [camera] = [one for one in system.cameras() if one.name == "redirects"]
        state = StatusStore(system.redis).read([camera])[camera.id]
    held = state.error_kind in ("redirect", "no_video") and used_s < MOST_CPU_S
    seen = f"its reader used {used_s:.1f} s of CPU in {WATCHED_S:.0f} s and says "
    seen += f"{state.error_kind or state.state!r} in {len(state.error)} characters"
    return Attack(2, "a redirect to 30 kB of address", held, seen)


def _redirect(asked: str, number: str) -> str:
    """What an RTSP server says that redirects everything."""
    del asked
    location = f"rtsp://127.0.0.1/{'?key' * 7500}"
    return f"RTSP/1.0 302 Found\r\nCSeq: {number}\r\nLocation: {location}\r\n\r\n"


def _cpu_s(system: System) -> float:
    """Seconds that the readers of cameras used so far, those that ended included."""
    used = 0.0
    for process in system.processes().get("ingest", []):
        times = process.cpu_times()
        used += times.user + times.system + times.children_user + times.children_system
        for child in process.children(recursive=True):
            with suppress(Exception):  # it may have ended
                used += sum(child.cpu_times()[:2])
    return used


def _seconds_for(system: System, path: str) -> float:
    """Seconds until an answer; `PATIENCE_S` for none."""
    began_s = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", _port(system), timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=system.authorization())
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return PATIENCE_S
    finally:
        connection.close()
    return time.monotonic() - began_s


def _port(system: System) -> int:
    return int(system.url.rpartition(":")[2])


def main() -> None:
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
