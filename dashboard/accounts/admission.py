"""Decides whether somebody may open an answer, and whether an answer that goes on may go on.

The same question is asked at the door and, once a second, for as long as an answer goes on: who
is this now, what may they do now, where is the camera now. So whatever is withdrawn, a role, an
account, a key, a session or a camera, ends what is open as surely as it refuses the next request.
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
"""How long we go on sending a file while Redis cannot be asked."""
SIGN_IN: Final = "sign in, or send an API key: Authorization: Bearer KEY"


class Asked(Protocol):
    """What a view asks of whoever opens it (`access.Rule`)."""

    @property
    def role(self) -> str | None: ...

    def admits(self, identity: Identity, camera: Camera | None) -> bool: ...


class Admission:
    """One request's permission, as of the last look."""

    def __init__(
        self,
        who: Callable[[], Identity | None],
        asked: Asked,
        cameras: CameraRegistry,
        roster: CameraRoster,
        camera_id: str | None = None,
    ) -> None:
        """`who` says, from fresh records, who asks; `camera_id` is the camera the path names."""
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
        """Who asks, with what they might do at the last look."""
        if self._identity is None:
            raise Unauthorized(SIGN_IN)
        return self._identity

    def require(self, asking: Identity | None = None) -> None:
        """Look, and let in whoever asks; `asking` is who that is, where it was just read.

        Raises:
            Unauthorized: nobody is signed in, or not any more.
            CameraNotFoundError: the camera is not there, or out of their sight.
            Forbidden: their role does not do.
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
        """Whether the last look is a second old."""
        return time.monotonic() - self._looked_at >= LOOK_EVERY_S

    def recheck(self) -> None:
        """Look again if it is time; raises as `require` does."""
        if self.due():
            self.require()

    def ended(self) -> bool:
        """Whether what is open must end now; asks once a second at most.

        While Redis is away nobody can say, and no live picture can come.
        """
        try:
            self.recheck()
        except (HTTPException, CameraNotFoundError, MessageError):
            return True
        except StoreError:
            return False
        return False

    def unasked(self) -> bool:
        """Whether Redis has not answered for so long that a file must not go on either."""
        return time.monotonic() - self._admitted_at > UNASKED_S

    def groups(self) -> frozenset[str] | None:
        """The groups whose cameras may be seen; None: all cameras."""
        return self.identity.grants.groups()

    def sees(self, camera: Camera) -> bool:
        """Whether a camera may be seen, going by its newest record where that was read."""
        return may_see(self.identity, self._newest().get(camera.id, camera))

    def shows(self, camera_id: str) -> bool:
        """Whether pictures of a camera may be shown: it is there, in sight and switched on."""
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
        """All cameras as of the last look; read from the first time that somebody asks for one."""
        if self._known is None:
            try:
                self._known = self._read_cameras()
            except StoreError:
                return {}
        return self._known

    def _read_cameras(self) -> Mapping[str, Camera]:
        return {camera.id: camera for camera in self._roster.cameras()}


def may_see(asking: Identity, camera: Camera) -> bool:
    """Whether a camera exists for somebody; a browser's webcam does for its owner alone."""
    if camera.owner:
        return camera.owner == asking.owner
    return asking.grants.allow("viewer", camera.group)


def hold(response: Response, admission: Admission, viewer_socket: ViewerSocket) -> None:
    """Have an answer that goes on ask before each of its parts.

    Its iterator yields at least twice a second, `b""` where there is nothing to send, so that it
    also ends in time when nothing happens.
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
            # It must not look whole, and the server would wait for what its length promised.
            raise ConnectionResetError(errno.ECONNRESET, "the right to this file has ended")
        yield part
