"""A relay between FFmpeg and an RTSP camera: FFmpeg connects only to the relay.

FFmpeg would follow a camera's redirect to any address. The relay reads every message of a
connection and writes it again, so FFmpeg never sees a redirect. The relay also signs in, so that
FFmpeg knows no password and requests use the camera's own name. It ends TLS, and receives video
over UDP from a camera that refuses TCP.
"""

from __future__ import annotations

import contextlib
import secrets
import selectors
import socket
import ssl
import threading
import time
from dataclasses import dataclass, replace
from typing import Final

from contract.errors import SourceError
from ingest.reach.address import Address
from ingest.reach.connecting import connect, secured
from ingest.reach.errors import no_video
from ingest.reach.login import Login, as_sent
from ingest.reach.reach import Reach
from ingest.rtsp.messages import Message, NotRtspError, Splitter, packets
from ingest.rtsp.udp import UdpStream

CHUNK_BYTES: Final = 64 * 1024
REST_S: Final = 0.005
"""Seconds between two reads of UDP packets. Packets of one read are sorted into their order."""
GREETING_S: Final = 2.0
LEAVING_S: Final = 1.0
"""Longest time for sending TEARDOWN, in seconds."""
_OPTIONS: Final = ("OPTIONS", "GET_PARAMETER")
_PRIVATE: Final = {"Location": "", "WWW_Authenticate": ""}


@dataclass
class _Asked:
    """A request of FFmpeg that the camera has not answered yet."""

    request: Message
    udp: UdpStream | None = None


class RtspRelay:
    """One connection to a camera, and FFmpeg's connection that it serves."""

    def __init__(self, address: Address, reach: Reach) -> None:
        self._address = address
        self._reach = reach
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, name="rtsp relay", daemon=True)
        self._from_ffmpeg, self._from_camera = Splitter(), Splitter()
        self._sequence = 0
        self._waiting: dict[str, _Asked] = {}
        self._streams: list[UdpStream] = []
        self.url = ""
        """The address for FFmpeg. It contains a secret word, so that no other process can use
        it."""
        self.moved: str | None = None
        """The target of the camera's redirect; empty if the redirect has none."""
        self.failure: SourceError | None = None
        """The reason for closing the connection here."""

    @property
    def over_udp(self) -> bool:
        """Whether the camera sends its video over UDP."""
        return bool(self._streams)

    def start(self, limit_s: float) -> None:
        """Connect to the camera, and wait for FFmpeg in a thread that ends with the connection.

        Raises:
            SourceError, OSError: as `connect` does.
        """
        address = self._address
        self._server = connect(self._reach, address.host, address.port, limit_s)
        self._sockets.append(self._server)
        if address.encrypted:
            self._server = self._sockets[0] = secured(self._server, address.host)
        self._login = Login(*address.logins)
        self._camera = as_sent(address.without_login)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(self._listener)
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{secrets.token_urlsafe()}"
        self._thread.start()

    def close(self) -> None:
        """Pass on FFmpeg's TEARDOWN after it closed its side; then cut the connection."""
        if self._thread.ident is None:
            for one in self._sockets:
                one.close()
            return
        _cut(self._listener)
        self._thread.join(LEAVING_S)
        for one in tuple(self._sockets):
            _cut(one)
        self._thread.join(LEAVING_S)

    def _run(self) -> None:
        try:
            self._ffmpeg, first = self._accept()
            self._listener.close()
            with selectors.DefaultSelector() as self._selector:
                self._ask(_Asked(first))
                self._carry()
        except NotRtspError:
            self.failure = no_video(self._address, "something else than RTSP")
        except OSError:
            pass  # one side has closed; the other learns it when its connection ends
        finally:
            for stream in self._streams:
                stream.close()
            for one in self._sockets:
                _cut(one)
                one.close()

    def _accept(self) -> tuple[socket.socket, Message]:
        """Wait for the connection that knows the secret word; return it and its first request."""
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(GREETING_S)
            with contextlib.suppress(OSError, NotRtspError):
                for item in self._from_ffmpeg.feed(connection.recv(CHUNK_BYTES)):
                    if isinstance(item, Message) and item.uri == self.url:
                        connection.settimeout(None)
                        # The end of a picture must not wait until FFmpeg has read its beginning.
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        self._sockets.append(connection)
                        return connection, item
            connection.close()
            self._from_ffmpeg = Splitter()

    def _carry(self) -> None:
        """Pass data in both directions until one side closes.

        Writing waits for a slow reader, and reading stops meanwhile, so that the camera waits too.
        """
        self._selector.register(self._ffmpeg, selectors.EVENT_READ, self._hear_ffmpeg)
        self._selector.register(self._server, selectors.EVENT_READ, self._hear_camera)
        while True:
            for key, _ in self._selector.select():
                if not key.data():
                    return
            if self._streams:
                time.sleep(REST_S)

    def _hear_ffmpeg(self) -> bool:
        data = self._ffmpeg.recv(CHUNK_BYTES)
        for item in self._from_ffmpeg.feed(data):
            if isinstance(item, Message):
                self._ask(_Asked(item))
            elif self._streams:
                self._report(item)
            else:
                self._server.sendall(item)
        return bool(data)

    def _hear_camera(self) -> bool:
        data = _received(self._server)
        for item in self._from_camera.feed(data):
            if isinstance(item, bytes):
                self._tell(item)
            elif item.method:
                self._answer(item)
            elif not self._answered(item):
                return False
        return bool(data)

    def _hear_stream(self, stream: UdpStream) -> bool:
        self._tell(stream.received())
        return True

    def _tell(self, data: bytes) -> None:
        """Send data to FFmpeg; if it has closed, pass on its TEARDOWN."""
        try:
            self._ffmpeg.sendall(data)
        except OSError:
            self._ffmpeg.settimeout(0)
            self._hear_ffmpeg()
            raise

    def _report(self, run: bytes) -> None:
        for channel, payload in packets(run):
            for stream in self._streams:
                stream.report(channel, payload)

    def _ask(self, asked: _Asked) -> None:
        """Send FFmpeg's request to the camera, with the camera's name and the login."""
        self._sequence += 1
        self._waiting[str(self._sequence)] = asked
        request, uri = asked.request, asked.request.uri
        if uri.startswith(self.url):
            uri = self._camera + uri.removeprefix(self.url)
        headers = {
            "CSeq": str(self._sequence),
            "Authorization": self._login.authorization(request.method, uri),
        }
        if asked.udp:
            headers["Transport"] = asked.udp.transport
        self._server.sendall(replace(request, uri=uri).with_headers(**headers).encoded())

    def _answered(self, answer: Message) -> bool:
        """Pass an answer on, or ask again; return False if the camera redirects."""
        if answer.status < 200:
            return True  # the answer is still to come
        asked = self._waiting.pop(answer.header("CSeq"), None)
        if asked is None and self._waiting:
            # Some cameras number messages in their own way, but answer in the order of requests.
            asked = self._waiting.pop(next(iter(self._waiting)))
        if asked is None:
            return True
        if answer.status != 401:
            self._login.accepted()
        if 300 <= answer.status < 400:
            self.moved = answer.header("Location")
            return False
        if self._may_ask_again(asked, answer):
            self._ask(asked)
            return True
        if asked.udp:
            answer = self._agreed(asked.udp, answer)
        told = answer.with_headers(CSeq=asked.request.header("CSeq"), **_PRIVATE)
        self._tell(told.encoded())
        return True

    def _may_ask_again(self, asked: _Asked, answer: Message) -> bool:
        if answer.status == 401:
            return self._login.challenged(answer.all("WWW-Authenticate"))
        wanted = asked.request.header("Transport")
        refused = answer.status == 461 and "/TCP" in wanted and asked.udp is None
        # If the user asked for encryption, never deliver unencrypted pictures.
        if refused and not self._address.encrypted:
            asked.udp = UdpStream(self._server, wanted)
            self._streams.append(asked.udp)
            return True
        return False

    def _agreed(self, stream: UdpStream, answer: Message) -> Message:
        if answer.status != 200:
            return answer
        stream.agreed(answer.header("Transport"))
        for one in stream.sockets:
            self._selector.register(one, selectors.EVENT_READ, lambda: self._hear_stream(stream))
        return answer.with_headers(Transport=stream.as_tcp)

    def _answer(self, request: Message) -> None:
        """Answer a request of the camera: the viewer is there, and supports nothing else."""
        status, reason = (200, "OK") if request.method in _OPTIONS else (501, "Not Implemented")
        same = {name: request.header(name) for name in ("CSeq", "Session")}
        self._server.sendall(Message(status, reason).with_headers(**same).encoded())


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(CHUNK_BYTES)
    if isinstance(connection, ssl.SSLSocket):
        while data and connection.pending():
            data += connection.recv(CHUNK_BYTES)
    return data


def _cut(connection: socket.socket) -> None:
    # Use the plain socket, because no other thread may touch the TLS socket.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
