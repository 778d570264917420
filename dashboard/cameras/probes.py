"""Asks a background process to try a camera: a web request never opens a user's address."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bus.jobs.queue import JobQueue
from bus.keys import probe_picture
from bus.stores.pictures import PictureStore
from contract.cameras.camera import Camera, is_network_address
from contract.cameras.probes import RESULT_KEPT_S, SNAPSHOT, STEPS_FIELD, ProbeResult
from contract.redaction import redact_url
from dashboard.cameras.setup_answers import ProbeAnswer, ProbeState
from runtime.vault import Vault

PROBE_JOB: Final = "ingest.probe.probe.probe_camera"
JOB_TIMEOUT_S: Final = 30
QUEUED_AT_MOST_S: Final = 60
OWNER_FIELD: Final = "owner"
"""Key in the job's `meta` for the probe's owner."""

_STATES: Final[dict[str, ProbeState]] = {
    "started": "running",
    "finished": "finished",
    "queued": "queued",
}
_RESULT: Final = TypeAdapter(ProbeResult)
_FAILED: Final = ProbeResult(
    error="probe_failed",
    detail="The test itself failed or took too long; the log of the jobs process says why.",
)


class Probes:
    """Probes among the queued jobs. Jobs of another kind cannot be read through it."""

    def __init__(self, queue: JobQueue, pictures: PictureStore, vault: Vault) -> None:
        self._queue = queue
        self._pictures = pictures
        self._vault = vault

    def start(self, camera: Camera, owner: str) -> str:
        """Queue a probe of a camera as it would be saved, for `owner`, and return its id.

        A network address travels encrypted.
        """
        source = camera.source
        return self._queue.add(
            PROBE_JOB,
            redact_url(source),
            self._vault.seal(source) if is_network_address(source) else None,
            asdict(camera.picture_options),
            description="probe a camera",
            timeout_s=JOB_TIMEOUT_S,
            result_kept_s=RESULT_KEPT_S,
            failure_kept_s=RESULT_KEPT_S,
            waits_s=QUEUED_AT_MOST_S,
            meta={OWNER_FIELD: owner},
        )

    def read(self, probe_id: str, owner: str) -> ProbeAnswer | None:
        """Return state and result of a probe of `owner`; None for other owners and unknown ids.

        Nobody else may see the picture and the camera's answers, whatever their role.
        """
        job = self._queue.find(probe_id)
        if job is None:
            return None
        meta = job.meta()
        if job.function != PROBE_JOB or meta.get(OWNER_FIELD) != owner:
            return None
        state = _STATES.get(job.status(), "failed")
        result = self._result(probe_id, job.result()) if state == "finished" else None
        if result is None and state in {"finished", "failed"}:
            state, result = "failed", _FAILED
        return ProbeAnswer(
            id=probe_id,
            state=state,
            steps=meta.get(STEPS_FIELD, []),
            result=result,
            jobs_processes=self._queue.processes(),
        )

    def _result(self, probe_id: str, returned: object) -> ProbeResult | None:
        """Return the job's result with the picture; None if it is not a result.

        RQ's result lacks the picture, because Redis would write it to its disk.
        """
        try:
            found = _RESULT.validate_python(returned)
        except ValidationError:
            return None
        picture = self._pictures.get(probe_picture(probe_id), SNAPSHOT) or b""
        return replace(found, snapshot_jpeg_base64=base64.b64encode(picture).decode())
