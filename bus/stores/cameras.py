"""Stores all registered cameras."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline

from bus import keys
from bus.stores.history import forget_history
from contract.cameras.camera import Camera, changed_camera, is_network_address
from contract.errors import (
    CameraChangedError,
    CameraFieldsError,
    CameraNameTakenError,
    CameraNotFoundError,
    CamerasChangedError,
    MessageError,
    SecretKeyError,
)
from contract.names import alike, other_spelling
from contract.plain_text import STORED
from contract.redaction import redact_text
from runtime.logs import about

if TYPE_CHECKING:
    from runtime.vault import Vault  # workers have no key file

_log = logging.getLogger(__name__)


class CameraRegistry:
    """The cameras in Redis. A revision number makes changes cheap to notice.

    With a vault, network addresses are decrypted; without one, they are redacted.
    """

    def __init__(self, redis: Redis, vault: Vault | None = None) -> None:
        self._redis = redis
        self._vault = vault
        self._said: set[str] = set()

    def revision(self) -> int:
        """Return a number that rises by `revision_step` with each change; 0 in an empty Redis."""
        return int(self._redis.get(keys.CAMERAS_REVISION) or 0)

    def all(self) -> list[Camera]:
        """Return every camera, by name and then by id.

        An unreadable record is logged and left out, so that it affects no other camera.
        """
        cameras = []
        for camera_id, record in self._redis.hgetall(keys.CAMERAS).items():
            try:
                cameras.append(self._opened(_decode(record)))
            except MessageError as error:
                extra = about(camera_id=str(camera_id))
                _log.error("camera %s is left out: %s", str(camera_id), error, extra=extra)
        return sorted(cameras, key=lambda camera: (camera.name.lower(), camera.id))

    def get(self, camera_id: str) -> Camera:
        """Return one camera, or raise `CameraNotFoundError`."""
        record = self._redis.hget(keys.CAMERAS, camera_id)
        if record is None:
            raise CameraNotFoundError(f"no camera has the id {camera_id!r}")
        return self._opened(_decode(record))

    def add(self, camera: Camera) -> Camera:
        """Register `camera`, and return it as stored.

        Raises:
            CameraNameTakenError: another camera of its group has its name.
        """
        return self._write(lambda: camera)

    def update(
        self, camera_id: str, if_versions: Collection[str] | None = None, **changes: Any
    ) -> Camera:
        """Change some fields of a camera and return it as it is now.

        Raises:
            CameraChangedError: its version is not one of `if_versions`.
        """
        return self._write(lambda: changed_camera(self._get_at(camera_id, if_versions), changes))

    def remove(self, camera_id: str, if_versions: Collection[str] | None = None) -> None:
        """Remove a camera and its counts.

        Raises:
            CameraChangedError: its version is not one of `if_versions`.
        """

        def forget(pipeline: Pipeline) -> None:
            self._get_at(camera_id, if_versions)
            pipeline.multi()
            pipeline.hdel(keys.CAMERAS, camera_id)
            pipeline.incrby(keys.CAMERAS_REVISION, revision_step())

        self._redis.transaction(forget, keys.CAMERAS_REVISION)
        self._forget_counts(camera_id)

    def _get_at(self, camera_id: str, versions: Collection[str] | None) -> Camera:
        camera = self.get(camera_id)
        if versions is not None and camera.version not in versions:
            raise CameraChangedError(
                f"somebody else changed {camera.name!r} since it was read, so nothing was changed "
                "here; read it again and repeat your change"
            )
        return camera

    def _write(self, make: Callable[[], Camera]) -> Camera:
        """Store the result of `make`; call it again if a camera changes in between."""

        def store(pipeline: Pipeline) -> Camera:
            camera = self._sealed(make())
            self._require_free_name(camera)
            pipeline.multi()
            pipeline.hset(keys.CAMERAS, camera.id, _encode(camera))
            pipeline.incrby(keys.CAMERAS_REVISION, revision_step())
            return camera

        write: Any = store  # what it returns is asked for, which redis-py's types do not know
        stored: Any = self._redis.transaction(
            write, keys.CAMERAS_REVISION, value_from_callable=True
        )
        return cast(Camera, stored)

    def apply(self, revision: int, stored: Sequence[Camera], removed: Collection[str]) -> None:
        """Write and remove many cameras in one step.

        `stored`: new and changed cameras; the caller ensures that names differ. `removed`: ids.

        Raises:
            CamerasChangedError: the registry is no longer at `revision`; nothing was written.
        """
        records = {camera.id: _encode(self._sealed(camera)) for camera in stored}
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
                "somebody else changed the cameras, so nothing was changed here; "
                "check the planned changes again and retry"
            )
        pipeline.multi()
        if records:
            pipeline.hset(keys.CAMERAS, mapping=records)  # type: ignore[arg-type]
        if removed:
            pipeline.hdel(keys.CAMERAS, *removed)
        pipeline.incrby(keys.CAMERAS_REVISION, revision_step())

    def clear_away(self, camera_id: str) -> None:
        """Delete records that other processes wrote for a camera after its removal."""
        self._redis.delete(*keys.CameraKeys(camera_id).all())

    def _forget_counts(self, camera_id: str) -> None:
        # Outside the transaction, because in a cluster these keys are in the camera's own slot.
        self.clear_away(camera_id)
        forget_history(self._redis, camera_id, time.time())

    def _require_free_name(self, camera: Camera) -> None:
        """Require a name that is free in the group: an account may see all cameras that clash.

        A camera that keeps its name may be changed in any case.
        """
        everyone = [other for other in self.all() if not other.owner]
        before = next((other for other in everyone if other.id == camera.id), None)
        others = [other for other in everyone if other.id != camera.id]
        if before is None or before.group != camera.group:
            require_own_spelling(camera.group, (other.group for other in others))
        if before and (before.group, before.name) == (camera.group, camera.name):
            return
        taken = next((o for o in others if unique_name(o) == unique_name(camera)), None)
        if taken is not None:
            where = f"in {camera.group!r}" if camera.group else "without a group"
            raise CameraNameTakenError(f"name: another camera {where} is called {taken.name!r}")

    def seal_all(self) -> int:
        """Encrypt every address with the newest key: addresses in clear and of older keys.

        Returns the number written. Addresses that no key here decrypts stay unchanged.
        """
        written = 0
        for camera in self.all():
            if is_network_address(camera.source) and not camera.locked:
                seal = partial(self._seal_again, camera.id)
                self._redis.transaction(seal, keys.CAMERAS_REVISION)
                written += 1
        return written

    def _seal_again(self, camera_id: str, pipeline: Pipeline) -> None:
        """Write a record again; retry if the cameras change in between."""
        record = pipeline.hget(keys.CAMERAS, camera_id)
        pipeline.multi()
        if record is not None:
            opened = self._opened(_decode(record))
            if is_network_address(opened.source) and not opened.locked:
                opened = opened.model_copy(update={"sealed_source": None})
            camera = self._sealed(opened)
            pipeline.hset(keys.CAMERAS, camera.id, _encode(camera))
            # Counts as a change: a process that writes an older record must start again.
            pipeline.incrby(keys.CAMERAS_REVISION, revision_step())

    def _opened(self, camera: Camera) -> Camera:
        """Return the camera with its address decrypted, if there is a key for it."""
        if camera.sealed_source is None or self._vault is None:
            return camera
        try:
            source = self._vault.open(camera.sealed_source)
        except SecretKeyError as error:
            if camera.id not in self._said:
                extra = about(camera)
                words = "the address of %s cannot be used: %s"
                _log.error(words, camera.name, error, extra=extra)
            self._said.add(camera.id)
            return camera
        self._said.discard(camera.id)
        return camera.model_copy(update={"source": source, "opened": True})

    def _sealed(self, camera: Camera) -> Camera:
        """Return the camera with its network address encrypted.

        Raises:
            SecretKeyError: there is no key to encrypt it with.
        """
        if camera.sealed_source is not None or not is_network_address(camera.source):
            return camera
        if self._vault is None:
            raise SecretKeyError(
                "a network address must be encrypted, but there is no key; "
                "set MASKWATCH_SECRET_KEY_FILE"
            )
        sealed = {"sealed_source": self._vault.seal(camera.source), "opened": True}
        return camera.model_copy(update=sealed)


class CameraRoster:
    """All cameras, read again only if the registry's revision changed. Threads may share it.

    The revision is read before the cameras, so that at worst they are read once too often.
    """

    def __init__(self, redis: Redis) -> None:
        self._registry = CameraRegistry(redis)
        self._read: tuple[int, list[Camera]] = (-1, [])

    def cameras(self) -> list[Camera]:
        """Return every camera as registered now; takes one small command if nothing changed."""
        revision = self._registry.revision()
        known, cameras = self._read
        if revision != known:
            cameras = self._registry.all()
            self._read = revision, cameras
        return cameras


def revision_step() -> int:
    """Return what a change adds to the revision, 1 to 2**31.

    The step is random, so that a Redis that lost data and counts again does not reach a revision
    that a process remembers with the earlier cameras.
    """
    return secrets.randbelow(2**31) + 1


def require_own_spelling(group: str, groups: Iterable[str]) -> None:
    """Raise `CameraFieldsError` for a group that people could not tell from one that there is."""
    if known := other_spelling(group, groups):
        words = f"{known!r} exists and looks like {group!r}; write it as it is, or choose another"
        raise CameraFieldsError((("group", words),))


def unique_name(camera: Camera) -> tuple[str, str]:
    """Return the key that must be unique among cameras, except browsers' webcams."""
    return camera.group, alike(camera.name)


def _encode(camera: Camera) -> str:
    """Return the camera as JSON for Redis, with the redacted form of the address in clear."""
    sealed = {"sealed_source": camera.sealed_source} if camera.sealed_source else {}
    return json.dumps({**camera.model_dump(mode="json"), "source": camera.redacted_source} | sealed)


def _decode(record: bytes | str) -> Camera:
    try:
        return Camera.model_validate_json(record, context=STORED)
    except ValidationError as error:
        raise MessageError(
            f"a camera record in Redis cannot be read: {redact_text(str(error))}"
        ) from None
