"""What decodes strangers' data cannot take the machine's memory or time with it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bus.keys import RECORDINGS_QUEUE
from bus.stores.recordings import ANALYSE_JOB, RecordingStore
from ingest.probe.probe import probe_camera
from tests.servers.clips import make_clip
from worker.uploads.recording_jobs import KILLED

PATIENCE_S = 60.0


def in_a_process(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"from runtime.process_limits import *\n{program}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def wait_until(true: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        time.sleep(0.05)


def test_a_process_gets_no_more_memory_than_its_limit_and_lives_on() -> None:
    ended = in_a_process(
        "limit_memory(200)\n"
        "try: bytearray(300 << 20)\n"
        "except MemoryError: print('refused')\n"
        "print(len(bytearray(50 << 20)))"
    )
    assert ended.stdout.split() == ["refused", str(50 << 20)]


def test_a_process_that_never_ends_is_ended_when_its_processor_time_is_over() -> None:
    ended = in_a_process("limit_processor_time(0.2)\nwhile True: pass")
    assert ended.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_limit_is_never_above_one_that_was_set_before() -> None:
    ended = in_a_process(
        "limit_memory(200)\nlimit_memory(400)\nprint(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    )
    assert ended.stdout.strip() == str(200 << 20)


def test_a_picture_too_large_for_a_reader_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = str(make_clip(tmp_path / "vast.mp4", size=(7680, 4320), fps=5, seconds=1))
    monkeypatch.setenv("MASKWATCH_READER_MEMORY_MB", "384")
    found = probe_camera(clip)
    assert found["error"] == "too_large"
    assert "MASKWATCH_READER_MEMORY_MB" in found["detail"]
    monkeypatch.delenv("MASKWATCH_READER_MEMORY_MB")
    assert probe_camera(clip)["width"] == 7680


def test_a_recording_whose_process_is_killed_says_so_and_leaves_nothing(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    monkeypatch.setenv("MASKWATCH_REDIS_URL", redis_url)
    monkeypatch.setenv("MASKWATCH_RECORDINGS_DIR", str(kept))
    store = RecordingStore(redis, kept, 3600)
    made = store.create("somebody", "hall.mp4")
    make_clip(tmp_path / "clip.mp4", seconds=60).rename(store.given_file(made))
    queue = Queue(RECORDINGS_QUEUE, connection=redis, serializer=JSONSerializer)
    queue.enqueue(ANALYSE_JOB, made.id)
    with subprocess.Popen([sys.executable, "-m", "maskwatch", "recordings"]) as process:
        try:
            state = lambda: getattr(store.get(made.id), "state", "gone")  # noqa: E731
            wait_until(lambda: state() == "running", "the analysis to begin")
            for child in psutil.Process(process.pid).children():
                child.kill()
            wait_until(lambda: state() == "failed", "the recording to be said failed")
        finally:
            process.terminate()
    found = store.get(made.id)
    assert found is not None
    assert found.error == KILLED
    assert list(kept.iterdir()) == []
