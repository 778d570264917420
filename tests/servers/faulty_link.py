"""A TCP proxy that fails as networks do: slow, silent, refusing, cut in the middle of a command."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

CHUNK_BYTES: Final = 64 * 1024

Moment = Literal["during", "after"]
"""`during`: half of the command arrives; `after`: it is carried out, and its answer is lost."""
T = TypeVar("T")


@dataclass(eq=False)
class _Cut:
    marker: bytes
    moment: Moment


class _Connection:
    """One client's way to the server and back."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.dead = False
        """Silent for good, while both ends believe in it."""
        self.lose_answer = False

    def reset(self) -> None:
        """End both ways at once, as a router that forgets does: with RST."""
        for writer in (self.client, self.server):
            raw = writer.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class FaultyLink:
    """Passes bytes between clients and `target`, a port of 127.0.0.1, as long as all is well.

    Everything may be changed while connections are open. Safe from any thread.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        """Where new connections lead."""
        self.delay_s = 0.0
        """What each way adds to the time that bytes take."""
        self.port = 0
        self.cuts = 0
        """Connections that were cut in the middle of a command."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._planned: list[_Cut] = []
        self._passing = asyncio.Event()
        self._passing.set()

    def start(self) -> None:
        """Listen, always on the same port."""
        if not self._thread.is_alive():
            self._thread.start()
        self._do(self._listen())

    def stop(self) -> None:
        """Refuse connections and end those there are."""
        self._do(self._close())

    def cut_all(self) -> None:
        """End all connections; new ones are taken."""
        self._do(self._reset_all())

    def cut(self, marker: bytes, moment: Moment) -> None:
        """Cut the connection of the next command in which `marker` is found."""
        self._call(lambda: self._planned.append(_Cut(marker, moment)))

    def be_silent(self) -> None:
        """Take connections and bytes, and pass nothing on."""
        self._call(self._passing.clear)

    def speak(self, old_connections_too: bool) -> None:
        """Pass bytes again; without the old connections, these stay silent for good."""

        def begin() -> None:
            for connection in self._connections:
                connection.dead = not old_connections_too
            self._passing.set()

        self._call(begin)

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._do(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, work: Callable[[], object]) -> None:
        async def call() -> None:
            work()

        self._do(call())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        await self._reset_all()

    async def _reset_all(self) -> None:
        for connection in list(self._connections):
            connection.reset()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, forth)
        self._connections.add(connection)
        ways = (
            self._carry(connection, reader, forth, self._on_request),
            self._carry(connection, back, writer, self._on_answer),
        )
        tasks = {asyncio.ensure_future(way) for way in ways}
        self._tasks |= tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            connection.reset()
            for task in tasks:
                task.cancel()
            self._tasks -= tasks
            self._connections.discard(connection)

    async def _carry(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        look: Callable[[_Connection, bytes], bytes | None],
    ) -> None:
        """Bring bytes from one end to the other, each as late as the delay makes it."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arrival = asyncio.ensure_future(self._receive(reader, under_way))
        try:
            while True:
                sent_at_s, data = await under_way.get()
                await asyncio.sleep(sent_at_s + self.delay_s - self._loop.time())
                await self._passing.wait()
                if connection.dead:
                    await asyncio.Event().wait()
                passed = look(connection, data)
                writer.write(data if passed is None else passed)
                if not data or passed is not None:
                    return
                await writer.drain()
        except OSError:
            return
        finally:
            arrival.cancel()

    async def _receive(
        self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(CHUNK_BYTES)
            except OSError:
                data = b""
            under_way.put_nowait((self._loop.time(), data))

    def _on_request(self, connection: _Connection, data: bytes) -> bytes | None:
        """What is passed on of a command that is cut; None where it is not."""
        for cut in self._planned:
            if cut.marker in data:
                self._planned.remove(cut)
                self.cuts += 1
                if cut.moment == "during":
                    return data[: len(data) // 2]
                connection.lose_answer = True
                break
        return None

    @staticmethod
    def _on_answer(connection: _Connection, data: bytes) -> bytes | None:
        return b"" if connection.lose_answer else None
