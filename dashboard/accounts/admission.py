"""Decides whether a client may open an answer, and whether a long answer may continue.

Both decisions use the same check, once per request and then once a second: the client's identity,
its rights and the camera's group, all as of now. Therefore removing a role, an account, a key, a
session or a camera ends open answers as surely as it refuses the next request.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol, cast

from flask import Response
from werkzeug.exceptions import Forbidden, HTTPException, Unauthorized
from werkzeug.wsgi import ClosingIterator

from bus.errors import StoreError
from bus.stores.cameras import CameraRegistry, CameraRoster
from contract.cameras.camera import Camera
from contract.errors import CameraNotFoundError, MessageError
from dashboard.accounts.identity import Identity
from dashboard.web.viewer_socket import ViewerSocket

LOOK_EVERY_S: Final = 1.0
UNASKED_S: Final = 10.0
"""Seconds for which a download continues while Redis is away."""
SIGN_IN: Final = "sign in, or send an API key: Authorization: Bearer KEY"


class Asked(Protocol):
    """A view's requirements (`access.Rule`)."""

    @property
    def role(self) -> str | None: ...

    def admits(self, identity: Identity, camera: Camera | None) -> bool: ...


class Admission:
    """A request's permission, as of the last check."""

    def __init__(
        self,
        who: Callable[[], Identity | None],
        asked: Asked,
        cameras: CameraRegistry,
        roster: CameraRoster,
        camera_id: str | None = None,
    ) -> None:
        """`who` reads the client's identity from the store; `camera_id`: the path's camera."""
        self._who = who
        self._asked = asked
        self._cameras = cameras
        self._roster = roster
        self._camera_id = camera_id
        self._identity: Identity | None = None
        self._known: Mapping[str, Camera] | None = None
        self._looked_at = self._admitted_at = float("-inf")

    @property
    def identity(self) -> Identity:
        """The client's identity and rights at the last check."""
        if self._identity is None:
            raise Unauthorized(SIGN_IN)
        return self._identity

    def require(self, asking: Identity | None = None) -> None:
        """Check the client; `asking` is its identity if that was just read.

        Raises:
            Unauthorized: the client has no session, or it has ended.
            CameraNotFoundError: the camera does not exist, or is hidden from the client.
            Forbidden: the client's role is not sufficient.
        """
        self._looked_at = time.monotonic()
        asking = asking or self._who()
        if asking is None:
            raise Unauthorized(SIGN_IN)
        if not self._asked.admits(asking, self._named_camera(asking)):
            words = (
                f"this needs the role {self._asked.role}; "
                f"your roles: {asking.grants.words() or 'none'}"
            )
            raise Forbidden(words)
        if self._known is not None:
            self._known = self._read_cameras()
        self._identity = asking
        self._admitted_at = time.monotonic()

    def due(self) -> bool:
        """Whether the last check is at least a second old."""
        return time.monotonic() - self._looked_at >= LOOK_EVERY_S

    def recheck(self) -> None:
        """Check again if it is time; raises like `require`."""
        if self.due():
            self.require()

    def ended(self) -> bool:
        """Whether a stream must end now; checks at most once a second.

        While Redis is away, no check is possible, and no live picture arrives either.
        """
        try:
            self.recheck()
        except (HTTPException, CameraNotFoundError, MessageError):
            return True
        except StoreError:
            return False
        return False

    def unasked(self) -> bool:
        """Whether Redis has been away for so long that a download must end too."""
        return time.monotonic() - self._admitted_at > UNASKED_S

    def groups(self) -> frozenset[str] | None:
        """The groups of visible cameras; None for all cameras."""
        return self.identity.grants.groups()

    def sees(self, camera: Camera) -> bool:
        """Whether a camera may be seen, by its newest record if that was read."""
        return may_see(self.identity, self._newest().get(camera.id, camera))

    def shows(self, camera_id: str) -> bool:
        """Whether pictures of a camera may be shown: it exists, is visible and is enabled."""
        camera = self._newest().get(camera_id)
        return camera is not None and camera.enabled and may_see(self.identity, camera)

    def _named_camera(self, asking: Identity) -> Camera | None:
        if self._camera_id is None or asking.metrics_only:
            return None
        camera = self._cameras.get(self._camera_id)
        if not may_see(asking, camera):
            raise CameraNotFoundError(f"no camera has the id {self._camera_id!r}")
        return camera

    def _newest(self) -> Mapping[str, Camera]:
        """Return all cameras as of the last check; reads them from the first call on."""
        if self._known is None:
            try:
                self._known = self._read_cameras()
            except StoreError:
                return {}
        return self._known

    def _read_cameras(self) -> Mapping[str, Camera]:
        return {camera.id: camera for camera in self._roster.cameras()}


def may_see(asking: Identity, camera: Camera) -> bool:
    """Whether a camera is visible to a client; only its owner sees a browser's webcam."""
    if camera.owner:
        return camera.owner == asking.owner
    return asking.grants.allow("viewer", camera.group)


def hold(response: Response, admission: Admission, viewer_socket: ViewerSocket) -> None:
    """Make a long answer check before each of its parts.

    Its iterator must yield at least twice a second, `b""` if there is nothing to send, so that the
    answer also ends in time when nothing happens.
    """
    parts = cast(Iterable[bytes], response.response)
    if "Content-Length" in response.headers:
        steps = _file(parts, admission)
    else:
        viewer_socket.keep_short()
        steps = _live(parts, admission, viewer_socket)
    close = getattr(parts, "close", None)
    response.response = ClosingIterator(steps, [close] if close else [])


def _live(
    parts: Iterable[bytes], admission: Admission, viewer_socket: ViewerSocket
) -> Iterator[bytes]:
    for part in parts:
        if viewer_socket.gone() or admission.ended():
            return
        if part:
            yield part


def _file(parts: Iterable[bytes], admission: Admission) -> Iterator[bytes]:
    for part in parts:
        if admission.ended() or admission.unasked():
            # The answer must not look complete, and the server would wait for the promised length.
            raise ConnectionResetError(errno.ECONNRESET, "the right to this file has ended")
        yield part
