"""Runs the jobs for uploaded images. The first job loads the networks; they stay loaded."""

from __future__ import annotations

import logging
from functools import cache

from bus import keys
from bus.jobs.process import run_jobs, warm_worker
from bus.jobs.running_job import require_running_job
from bus.stores.uploads import ANALYSE_JOB, UploadStore
from contract.errors import UploadError
from runtime.image_files import decode_image
from runtime.process_limits import limit_memory
from runtime.settings import Settings, load_settings
from worker.networks import Networks, load_networks
from worker.uploads.images import draw_image, judge_image

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run jobs until SIGTERM, SIGINT or SIGHUP.

    Raises:
        SettingsError: no Redis is named.
    """
    limit_memory(settings.upload_memory_mb)
    run_jobs(settings, "images", warm_worker(keys.IMAGES_QUEUE, ANALYSE_JOB))


def analyse_images(upload_id: str) -> None:
    """Analyse the images of an upload and replace them with annotated ones. This is the RQ job.

    The upload's record then holds the results: `images`, one `ImageResult` each, in order. If an
    image cannot be used, it holds that image's `number`, the `error`'s kind and its `detail`.
    """
    job = require_running_job("analyse_images")
    analyse_upload(job.bus.uploads, warm_networks(), upload_id)


def analyse_upload(store: UploadStore, networks: Networks, upload_id: str) -> None:
    """Analyse one upload of `store`, as `analyse_images` promises."""
    results, annotated = [], []
    for number, data in enumerate(store.given(upload_id)):
        try:
            image = decode_image(data)
        except UploadError as error:
            refusal = {"number": number, "error": error.kind, "detail": str(error)}
            store.finish(upload_id, refusal, [])
            return
        result = judge_image(networks, image)
        results.append(result.to_record())
        annotated.append(draw_image(image, result.faces))
    store.finish(upload_id, {"images": results}, annotated)
    networks.totals.clear()


@cache
def warm_networks() -> Networks:
    """The networks that this process's settings ask for, loaded once."""
    networks = load_networks(load_settings())
    _log.info("networks are loaded: %s", networks.devices())
    return networks
