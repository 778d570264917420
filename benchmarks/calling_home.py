"""Does the system speak to anybody that nobody named? Its only neighbour notes every packet.

The whole system runs in a network namespace: demo, RTSP and HLS camera, worker, dashboard, alerts
with a webhook. Cameras and receiver are in the neighbour's namespace; the neighbour is the gateway
to everywhere else, and the name server. Needs root and `ip`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.hosts.eavesdropper import Eavesdropper
from benchmarks.hosts.namespaces import Host, network, why_not
from benchmarks.system import ROOT, System, machine, running_system, wait_until

RESULT: Final = "result of the run: "
QUIET_S: Final = 10.0
"""How long the system runs on after all is under way."""


@dataclass(frozen=True)
class Overheard:
    """What came of one run."""

    strangers: list[str]
    """Whom it spoke to, or asked about, that nobody had named."""
    packets: int
    written: list[str]
    """Files in its home or temporary folder."""


def listen_in(checkout: Path = ROOT, environment: dict[str, str] | None = None) -> Overheard:
    """Run the system of a checkout, and return what was heard of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="overheard-")))
        hosts = stack.enter_context(network())
        system, neighbour = hosts.host("system"), hosts.host("neighbour")
        system.route_everything_to(neighbour)
        (folder / "resolv.conf").write_text(f"nameserver {neighbour.address}\n")
        ear = stack.enter_context(Eavesdropper(hosts.switch, system.link))
        with (folder / "neighbour").open("wb+") as said:
            module = (sys.executable, "-m", "benchmarks.calling_home")
            neighbour.start([*module, "neighbour", neighbour.address], {}, ROOT, said)
            named = json.loads(_result(neighbour, said))
        arguments = json.dumps({"named": named, "checkout": str(checkout), "folder": str(folder)})
        # In a mount namespace of its own (`ip netns exec`), which ends with it.
        script = f'mount --bind {folder}/resolv.conf /etc/resolv.conf && exec "$@"'
        command = ["sh", "-c", script, "sh", *module, "system", arguments]
        with (folder / "system").open("wb+") as said:
            system.start(command, environment or {}, ROOT, said)
            written = json.loads(_result(system, said))
        known = {f"{neighbour.address}:{port}" for port in named["ports"]}
        return Overheard(ear.strangers(known), ear.packets, written)


def _result(host: Host, said: IO[bytes], limit_s: float = 180.0) -> str:
    """Wait for what a process in `host` has to say."""
    ends_s = time.monotonic() + limit_s
    while time.monotonic() < ends_s:
        said.seek(0)
        text = said.read().decode(errors="replace")
        if RESULT in text and text.endswith("\n"):
            return text.rpartition(RESULT)[2].partition("\n")[0]
        if host.processes[-1].poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"{host.name} came to nothing:\n{text[-3000:]}")


def be_neighbour(address: str) -> None:
    """Be two cameras and a receiver of webhooks, until killed."""
    from tests.servers.clips import make_clip, make_hls
    from tests.servers.faulty_rtsp import FaultyRtspCamera
    from tests.servers.hostile import file_server
    from tests.servers.receiver import receiver

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        make_hls(Path(folder) / "live.m3u8", make_clip(Path(folder) / "clip.mp4", seconds=8))
        rtsp = stack.enter_context(FaultyRtspCamera(host=address)).url
        web = stack.enter_context(file_server(Path(folder), host=address))
        hook = stack.enter_context(receiver(host=address)).url
        ports = [int(url.rpartition(":")[2].partition("/")[0]) for url in (rtsp, web, hook)]
        urls = {"rtsp": rtsp, "hls": f"{web}/live.m3u8", "hook": hook, "ports": ports}
        print(RESULT + json.dumps(urls), flush=True)
        threading.Event().wait()


def be_system(named: dict[str, Any], checkout: str, folder: str) -> None:
    """Run everything for a while, and say which files appeared outside its state folder."""
    home, temporary = Path(folder) / "home", Path(folder) / "tmp"
    for one in (home, temporary):
        one.mkdir()
    kept = ("PATH", "MASKWATCH_CLASSIFIER_RUNTIME")
    for name in set(os.environ) - set(kept):
        del os.environ[name]  # a CI's variables keep some libraries quiet by themselves
    environment = {
        **{"HOME": str(home), "TMPDIR": str(temporary)},
        **{"MASKWATCH_WORKERS": "1", "CAMERAS": "demo=demo:fps=5&width=640"},
    }
    with running_system(environment, checkout=Path(checkout)) as system:
        _use(system, named)
        time.sleep(QUIET_S)
    found = [path for one in (home, temporary) for path in one.rglob("*") if path.is_file()]
    print(RESULT + json.dumps(sorted(str(path.relative_to(folder)) for path in found)), flush=True)


def _use(system: System, named: dict[str, Any]) -> None:
    """Watch two cameras besides the demo, and send an alert."""
    for name in ("rtsp", "hls"):
        system.call("POST", "/api/v1/cameras", {"name": name, "source": named[name]})
    hook = {"kind": "webhook", "name": "hook", "url": named["hook"]}
    made = system.call("POST", "/api/v1/alerts/channels", hook)
    system.call("POST", f"/api/v1/alerts/channels/{made['id']}/test")
    for camera in system.cameras():
        wait_until(partial(_is_analysed, system, camera), 120, f"frames of {camera.name}", system)
    for page in ("/", "/metrics", "/healthz"):
        system.get(page)


def _is_analysed(system: System, camera: Any) -> bool:
    return system.totals(camera).get("frames:analysed", 0) > 10


def attacks(checkout: Path) -> Iterator[Attack]:
    """Listen in once."""
    if reason := why_not():
        raise SystemExit(reason)
    heard = listen_in(checkout)
    seen = f"{heard.packets} packets; strangers: {', '.join(heard.strangers) or 'none'}"
    yield Attack(0, "packets to unknown hosts", not heard.strangers, seen, "G6")
    files = f"{len(heard.written)} files: {', '.join(heard.written[:4])}"
    yield Attack(13, "files outside the state folder", not heard.written, files)


def main() -> None:
    role = sys.argv[1] if len(sys.argv) == 3 else ""
    with suppress(KeyboardInterrupt):
        if role == "neighbour":
            be_neighbour(sys.argv[2])
        elif role == "system":
            be_system(**json.loads(sys.argv[2]))
        else:
            checkout = attacked_checkout(__doc__ or "")
            print(machine())
            for attack in attacks(checkout):
                print_attack(attack)


if __name__ == "__main__":
    main()
