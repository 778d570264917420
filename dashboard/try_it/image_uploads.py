"""Queues uploaded images for `maskwatch images` and waits for the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bus.jobs.queue import JobQueue
from bus.stores.uploads import ANALYSE_JOB, GIVEN_KEPT_S, KEPT_S, UploadStore

JOB_TIMEOUT_S: Final = 60
MOST_WAITING: Final = 8
"""Uploads in the queue; each may hold 24 MB of Redis' memory."""
WAIT_S: Final = 15.0
POLL_S: Final = 0.03

State = Literal["queued", "running", "finished", "failed"]


@dataclass(frozen=True)
class Upload:
    """The state of an upload of images."""

    id: str
    state: State
    names: list[str]
    expires_in_s: int
    result: dict[str, Any] = field(default_factory=dict)
    """The result of `worker.uploads.image_jobs.analyse_images`; empty until finished."""


class ImageUploads:
    """Uploaded images in the queue, and their results."""

    def __init__(self, queue: JobQueue, uploads: UploadStore) -> None:
        self._queue = queue
        self._store = uploads

    def busy(self) -> bool:
        """Whether too many uploads are waiting."""
        return self._queue.waiting() >= MOST_WAITING

    def processes(self) -> int:
        """Return the number of processes that take uploads."""
        return self._queue.processes()

    def start(self, owner: str, names: Sequence[str], images: Sequence[bytes]) -> str:
        """Queue images and return the upload's id."""
        upload_id = self._store.add(owner, names, images)
        self._queue.add(
            ANALYSE_JOB,
            upload_id,
            description="analyse uploaded images",
            timeout_s=JOB_TIMEOUT_S,
            result_kept_s=KEPT_S,
            failure_kept_s=KEPT_S,
            waits_s=GIVEN_KEPT_S,
            job_id=upload_id,
        )
        return upload_id

    def wait(self, upload_id: str, owner: str, recheck: Callable[[], None]) -> Upload | None:
        """Return the upload once it has ended, or in its present state after `WAIT_S`.

        `recheck` raises if the waiting account has lost its right to the upload.
        """
        give_up_s = time.monotonic() + WAIT_S
        while True:
            found = self.find(upload_id, owner)
            ended = found is None or found.state in {"finished", "failed"}
            if ended or time.monotonic() > give_up_s:
                return found
            time.sleep(POLL_S)
            recheck()

    def find(self, upload_id: str, owner: str) -> Upload | None:
        """Return an upload of `owner`; None for other owners and expired uploads."""
        record = self._store.find(upload_id, owner)
        if record is None:
            return None
        result = record.get("result", {})
        state: State = "finished" if result else self._job_state(upload_id)
        return Upload(
            upload_id, state, record["names"], self._store.seconds_left(upload_id), result
        )

    def picture(self, upload_id: str, owner: str, number: int) -> bytes | None:
        """Return one annotated picture of an upload of `owner`, a JPEG."""
        if self._store.find(upload_id, owner) is None:
            return None
        return self._store.annotated(upload_id, number)

    def remove(self, upload_id: str, owner: str) -> bool:
        """Delete an upload of `owner`; False if there is none."""
        if self._store.find(upload_id, owner) is None:
            return False
        self._store.remove(upload_id)
        return True

    def _job_state(self, upload_id: str) -> State:
        job = self._queue.find(upload_id)
        if job is None:
            return "failed"
        status = job.status()
        states: dict[str, State] = {"queued": "queued", "started": "running"}
        # A job writes its record before it finishes; only a failed job leaves no record.
        return states.get(status, "failed" if status != "finished" else "running")
