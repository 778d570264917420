"""A connection to Redis that can be made slow: a TCP port in front of its socket.

python -m benchmarks.slow_link SOCKET

Prints its port. Reads lines of two numbers from standard input, seconds that everything is late
by in either direction and bytes a second that pass in each (0: as many as come), and ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.stopping import die_with_parent

CHUNK: Final = 1 << 16
WAITING: Final = 256
"""Pieces under way at most, in one direction of one connection."""


@dataclass
class Pace:
    """How slow the link is now."""

    late_s: float = 0.0
    bytes_a_second: float = 0.0


class SlowLink:
    """Handle of a running link."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.url = f"redis://127.0.0.1:{port}/0"

    def slow_down(self, late_s: float, bytes_a_second: float) -> None:
        """Be late and narrow from now on; 0 and 0 is as fast as it goes."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{late_s} {bytes_a_second}\n")
        self._process.stdin.flush()


@contextmanager
def slow_link(socket_path: Path) -> Iterator[SlowLink]:
    """Run a link to a Redis socket in a process of its own; at first it is fast."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.hosts.slow_link", str(socket_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        yield SlowLink(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


async def _serve(socket_path: str) -> None:
    pace = Pace()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner = await asyncio.open_unix_connection(socket_path)
        except OSError:
            writer.close()
            return
        ways = [_carry(reader, inner[1], pace), _carry(inner[0], writer, pace)]
        tasks = [asyncio.create_task(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        writer.close()
        inner[1].close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async for line in await _standard_input():
        late_s, bytes_a_second = map(float, line.split())
        pace.late_s, pace.bytes_a_second = late_s, bytes_a_second


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pace: Pace) -> None:
    """Pass on what comes, in order, until either end hangs up."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)
    deliver = asyncio.create_task(_deliver(under_way, writer))
    free_at_s = 0.0
    try:
        while data := await reader.read(CHUNK):
            begins_s = max(loop.time(), free_at_s)
            width = pace.bytes_a_second
            free_at_s = begins_s + (len(data) / width if width else 0.0)
            await under_way.put((free_at_s + pace.late_s, data))
    except OSError:
        return
    finally:
        deliver.cancel()


async def _deliver(
    under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while True:
            due_s, data = await under_way.get()
            if (pause_s := due_s - loop.time()) > 0:
                await asyncio.sleep(pause_s)
            writer.write(data)
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
