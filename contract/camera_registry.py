"""Where all registered cameras are kept."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline

from contract import keys
from contract.cameras import Camera, changed_camera, has_secret
from contract.errors import (
    CameraNameTakenError,
    CameraNotFoundError,
    CamerasChangedError,
    MessageError,
    SecretKeyError,
)
from contract.history import forget_history
from contract.redaction import redact_text

if TYPE_CHECKING:
    from contract.vault import Vault  # workers have no key, and not the package that uses one

_log = logging.getLogger(__name__)


class CameraRegistry:
    """The cameras in Redis. A revision number tells watchers cheaply that something changed.

    With a vault, addresses come whole; without one, those with a password come redacted.
    """

    def __init__(self, redis: Redis, vault: Vault | None = None) -> None:
        self._redis = redis
        self._vault = vault
        self._said: set[str] = set()

    def revision(self) -> int:
        """The number of changes so far; 0 in an empty Redis."""
        return int(self._redis.get(keys.CAMERAS_REVISION) or 0)

    def all(self) -> list[Camera]:
        """Every camera, by name and then by id.

        A record that cannot be read is logged and left out, so that it costs no other camera.
        """
        cameras = []
        for camera_id, record in self._redis.hgetall(keys.CAMERAS).items():
            try:
                cameras.append(self._opened(_decode(record)))
            except MessageError as error:
                _log.error("camera %s is left out: %s", str(camera_id), error)
        return sorted(cameras, key=lambda camera: (camera.name.lower(), camera.id))

    def get(self, camera_id: str) -> Camera:
        """Return one camera, or raise `CameraNotFoundError`."""
        record = self._redis.hget(keys.CAMERAS, camera_id)
        if record is None:
            raise CameraNotFoundError(f"no camera has the id {camera_id!r}")
        return self._opened(_decode(record))

    def add(self, camera: Camera) -> Camera:
        """Register `camera`; raise `CameraNameTakenError` when its name is taken."""
        self._require_free_name(camera)
        self._store(camera)
        return camera

    def update(self, camera_id: str, **changes: Any) -> Camera:
        """Change some fields of a camera and return it as it is now."""
        camera = changed_camera(self.get(camera_id), changes)
        self._require_free_name(camera)
        self._store(camera)
        return camera

    def remove(self, camera_id: str) -> None:
        """Forget a camera and everything counted for it."""
        self.get(camera_id)
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hdel(keys.CAMERAS, camera_id)
            pipeline.incr(keys.CAMERAS_REVISION)
            pipeline.execute()
        self._forget_counts(camera_id)

    def apply(self, revision: int, stored: Sequence[Camera], removed: Collection[str]) -> None:
        """Write and forget many cameras in one step.

        `stored` are new ones and changed ones, whose names the caller knows to differ; `removed`
        are ids.

        Raises:
            CamerasChangedError: the registry is not at `revision` any more; nothing was written.
        """
        records = {camera.id: self._record(camera) for camera in stored}
        write = partial(self._write_many, revision, records, removed)
        self._redis.transaction(write, keys.CAMERAS_REVISION)
        for camera_id in removed:
            self._forget_counts(camera_id)

    @staticmethod
    def _write_many(
        revision: int, records: dict[str, str], removed: Collection[str], pipeline: Pipeline
    ) -> None:
        if int(pipeline.get(keys.CAMERAS_REVISION) or 0) != revision:
            raise CamerasChangedError(
                "somebody else changed the cameras meanwhile, so nothing was changed here; "
                "look at what would change now, and try again"
            )
        pipeline.multi()
        if records:
            pipeline.hset(keys.CAMERAS, mapping=records)  # type: ignore[arg-type]
        if removed:
            pipeline.hdel(keys.CAMERAS, *removed)
        pipeline.incr(keys.CAMERAS_REVISION)

    def _forget_counts(self, camera_id: str) -> None:
        # Outside the transaction: in a cluster these live in the camera's own slot.
        self._redis.delete(*keys.CameraKeys(camera_id).all())
        forget_history(self._redis, camera_id, time.time())

    def _require_free_name(self, camera: Camera) -> None:
        for other in self.all():
            if other.name.lower() == camera.name.lower() and other.id != camera.id:
                raise CameraNameTakenError(f"name: another camera is called {camera.name!r}")

    def seal_all(self) -> int:
        """Encrypt every address with the newest key: those in clear, and those of older keys.

        Returns how many were written. Those that no key here opens stay as they are.
        """
        written = 0
        for camera in self.all():
            if has_secret(camera.source):
                self._redis.transaction(partial(self._seal_again, camera.id), keys.CAMERAS)
                written += 1
        return written

    def _seal_again(self, camera_id: str, pipeline: Pipeline) -> None:
        """Write a record anew unless somebody changes the cameras meanwhile: then try again."""
        record = pipeline.hget(keys.CAMERAS, camera_id)
        pipeline.multi()
        if record is not None:
            camera = self._opened(_decode(record))
            pipeline.hset(keys.CAMERAS, camera.id, self._record(camera))

    def _opened(self, camera: Camera) -> Camera:
        """The camera with its whole address, where there is a key that opens it."""
        if camera.sealed_source is None or self._vault is None:
            return camera
        try:
            source = self._vault.open(camera.sealed_source)
        except SecretKeyError as error:
            if camera.id not in self._said:
                _log.error("the address of %s cannot be used: %s", camera.name, error)
            self._said.add(camera.id)
            return camera
        self._said.discard(camera.id)
        return camera.model_copy(update={"source": source})

    def _record(self, camera: Camera) -> str:
        """The camera as JSON for Redis, which never gets a password in clear.

        Raises:
            SecretKeyError: the address has a password, and there is no key to encrypt it with.
        """
        sealed = camera.sealed_source
        if has_secret(camera.source):
            if self._vault is None:
                raise SecretKeyError(
                    "the address has a password, and there is no key to encrypt it with; "
                    "set MASKWATCH_SECRET_KEY_FILE"
                )
            sealed = self._vault.seal(camera.source)
        return json.dumps(
            {**camera.model_dump(mode="json"), "source": camera.redacted_source}
            | ({"sealed_source": sealed} if sealed else {})
        )

    def _store(self, camera: Camera) -> None:
        record = self._record(camera)
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(keys.CAMERAS, camera.id, record)
            pipeline.incr(keys.CAMERAS_REVISION)
            pipeline.execute()


class CameraRoster:
    """All cameras, read again only when the registry's revision has changed."""

    def __init__(self, redis: Redis) -> None:
        self._registry = CameraRegistry(redis)
        self._revision = -1
        self._cameras: list[Camera] = []

    def cameras(self) -> list[Camera]:
        """Every camera as registered now; one small command when nothing changed."""
        revision = self._registry.revision()
        if revision != self._revision:
            self._cameras = self._registry.all()
            self._revision = revision
        return self._cameras


def _decode(record: bytes | str) -> Camera:
    try:
        return Camera.model_validate_json(record)
    except ValidationError as error:
        raise MessageError(
            f"a camera record in Redis cannot be read: {redact_text(str(error))}"
        ) from None
