"""Hosts on one machine: network namespaces, each with its own link to one bridge.

The bridge is in a namespace of its own, because the rules of a firewall or a container engine also
apply to bridges beside them. Needs root, `ip` and `tc`. Whatever was made goes when the `network`
ends, also when this process is killed: a process of its own waits for that and then clears away.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from runtime.stopping import die_with_parent

NETWORK: Final = ipaddress.IPv4Network("198.18.0.0/15")
"""Set aside for measurements of networks (RFC 2544); each `network` takes 256 addresses of it."""
BRIDGE: Final = "bridge"


def why_not() -> str:
    """Why there can be no namespaces here; empty when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("ip", "tc") if shutil.which(tool) is None]
    if missing:
        return f"network namespaces need {' and '.join(missing)}: apt-get install iproute2"
    name = f"mw{os.getpid()}-try"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "this machine does not let us add network namespaces"
    _ip("netns", "del", name)
    return ""


class Host:
    """One namespace with one address, and the processes that run in it."""

    def __init__(self, network: Network, name: str, number: int) -> None:
        self.name = name
        self.address = str(network.subnet[number + 1])
        self._namespace = f"{network.prefix}-{name}"
        self._link = f"{network.prefix}h{number}"
        self._network = network
        self.processes: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        """Make it and plug it in."""
        _ip("netns", "add", self._namespace)
        self._network.plug(self._link, self._namespace)
        here = ("-n", self._namespace)
        _ip(*here, "link", "set", "lo", "up")
        address = f"{self.address}/{self._network.subnet.prefixlen}"
        _ip(*here, "addr", "add", address, "dev", f"{self._link}i")

    @property
    def link(self) -> str:
        """The bridge's end of its link, in the bridge's namespace."""
        return self._link

    def route_everything_to(self, gateway: Host) -> None:
        """Send whatever is for another network to a neighbour."""
        _ip("-n", self._namespace, "route", "add", "default", "via", gateway.address)

    def delay(self, milliseconds: float) -> bool:
        """Have what is sent to it come so much later; False where the kernel has no netem."""
        late = ["root", "netem", "delay", f"{milliseconds}ms"]
        queue = ["qdisc", "replace", "dev", self._link, *late]
        done = subprocess.run(
            ["tc", "-n", self._network.switch, *queue], capture_output=True, check=False
        )
        return done.returncode == 0

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path, log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Run a command in it; it ends with us."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self._namespace, *command],
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
        self.processes.append(process)
        return process

    def cut(self) -> None:
        """Pull the plug of its network: nothing comes or goes, and nobody is told."""
        _ip("-n", self._network.switch, "link", "set", self._link, "down")

    def mend(self) -> None:
        """Plug it in again."""
        _ip("-n", self._network.switch, "link", "set", self._link, "up")

    def power_off(self) -> None:
        """End everything in it, without a word to anybody, as when its power fails."""
        self.cut()
        _kill_all(self._namespace)
        for process in self.processes:
            process.wait()
        self.processes.clear()

    def stop(self) -> None:
        """End what runs in it politely."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(15)
        self.processes.clear()

    def pids(self) -> set[int]:
        """Of everything that runs in it."""
        return _pids(self._namespace)


class Network:
    """A bridge, and hosts on it."""

    def __init__(self) -> None:
        self.prefix = f"mw{os.getpid()}"
        self.switch = f"{self.prefix}-switch"
        """The namespace of the bridge."""
        subnets = list(NETWORK.subnets(new_prefix=24))
        self.subnet = subnets[os.getpid() % len(subnets)]
        self.hosts: dict[str, Host] = {}

    def open(self) -> None:
        """Make the bridge; this machine is its last host."""
        _ip("netns", "add", self.switch)
        _ip("-n", self.switch, "link", "add", BRIDGE, "type", "bridge")
        _ip("-n", self.switch, "link", "set", BRIDGE, "up")
        self.plug(f"{self.prefix}h")
        here = f"{self.subnet[-2]}/{self.subnet.prefixlen}"
        _ip("addr", "add", here, "dev", f"{self.prefix}hi")

    def plug(self, link: str, namespace: str = "") -> None:
        """Lead a cable called `link` from the bridge to a namespace, or to this machine."""
        inside = f"{link}i"
        at_bridge, at_end = ("-n", self.switch), ("-n", namespace) if namespace else ()
        _ip(*at_bridge, "link", "add", link, "type", "veth", "peer", "name", inside)
        _ip(*at_bridge, "link", "set", inside, "netns", namespace or str(os.getpid()))
        _ip(*at_bridge, "link", "set", link, "master", BRIDGE, "up")
        _ip(*at_end, "link", "set", inside, "up")

    def host(self, name: str) -> Host:
        """A new host, plugged in."""
        host = Host(self, name, len(self.hosts))
        self.hosts[name] = host
        host.open()
        return host


@contextmanager
def network() -> Iterator[Network]:
    """A network without hosts; it goes with all that was added to it."""
    made = Network()
    guard = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.hosts.namespaces", made.prefix],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us; the guard is to see us end
    )
    try:
        made.open()
        yield made
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(30)


def clear_away(prefix: str) -> None:
    """Remove the namespaces whose names begin so, their links, and end what runs in them."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    for namespace in [line.split()[0] for line in listed.stdout.splitlines()]:
        if namespace.startswith(f"{prefix}-"):
            _kill_all(namespace)
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", namespace)


def _pids(namespace: str) -> set[int]:
    found = subprocess.run(
        ["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True
    )
    return {int(pid) for pid in found.stdout.split()}


def _kill_all(namespace: str) -> None:
    # Again until there is none: some start others.
    while pids := _pids(namespace):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    sys.stdin.read()
    clear_away(sys.argv[1])
