"""Frames that are followed: how they are marked, and that the others cost and load nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from redis import Redis

from bus.keys import CameraKeys
from bus.stores.frames import FramePublisher
from contract.errors import SettingsError
from contract.people.totals import Increments
from contract.pictures.frames import SCHEMA, FrameMessage
from contract.traces import read_trace
from runtime.settings import load_settings
from runtime.tracing import OFF, Tracing, check_tracing
from tests.builders import jpeg, take_lease

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Kept:
    """A tracer that keeps what it is asked for."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("test")

    def spans(self) -> tuple[Any, ...]:
        return self.exporter.get_finished_spans()


def fields_of(redis: Redis, trace: str) -> dict[bytes, bytes]:
    publisher = FramePublisher(redis, take_lease(redis, "c1", "ingest"), 8)
    publisher.publish(jpeg(), 1.0, 2.0, 1, Increments(), trace=trace)
    [(_, fields)] = redis.xrange(CameraKeys("c1").frames)
    return dict(fields)


def test_a_frame_that_is_not_followed_is_written_as_it_ever_was(redis: Redis) -> None:
    assert list(fields_of(redis, "")) == [b"v", b"seq", b"index", b"at", b"jpeg"]


def test_a_followed_frame_has_one_field_more_which_older_readers_do_not_look_at(
    redis: Redis,
) -> None:
    fields = fields_of(redis, TRACE)
    assert list(fields) == [b"v", b"seq", b"index", b"at", b"jpeg", b"trace"]
    assert fields[b"v"] == SCHEMA
    assert FrameMessage.decode("c1", b"1-0", fields).trace == TRACE


@pytest.mark.parametrize(
    "raw", [None, b"", b"00-0-0-01", TRACE.encode() + b"\n", b"01" + TRACE[2:].encode(), 7]
)
def test_what_is_no_trace_costs_no_frame(raw: object) -> None:
    assert read_trace(raw) == ""


def test_one_frame_in_so_many_is_due_the_first_among_them() -> None:
    tracing = Tracing(Kept().tracer, every=3)
    assert [tracing.due() for _ in range(7)] == [True, False, False, True, False, False, True]
    assert not OFF.due()


def test_spans_belong_to_their_frames_and_hold_no_password() -> None:
    kept = Kept()
    tracing = Tracing(kept.tracer, 1)
    first = tracing.record("", "capture", 10.0, 11.0, camera="rtsp://u:s3cret@10.0.0.9/live")
    assert read_trace(first.encode()) == first
    with tracing.span([first, "", TRACE, first], "detect", batch=3):
        pass
    root, one, other = kept.spans()
    assert dict(root.attributes) == {"maskwatch.camera": "rtsp://***@10.0.0.9/live"}
    assert (root.start_time, root.end_time) == (10_000_000_000, 11_000_000_000)
    assert one.parent.span_id == root.context.span_id
    assert one.context.trace_id == root.context.trace_id
    assert f"{other.parent.trace_id:032x}-{other.parent.span_id:016x}" == TRACE[3:-3]


def test_what_is_off_loads_nothing_and_writes_nothing() -> None:
    code = (  # redis-py loads what it finds of OpenTelemetry by itself
        "import sys, redis; before = set(sys.modules);"
        "import ingest.process.reader_process, worker.service, dashboard.app;"
        "from runtime.settings import load_settings; from runtime.tracing import *;"
        "tracing = start_tracing('worker', load_settings({}));"
        f"assert tracing.record('{TRACE}', 'detect', 1.0, 2.0) == '';"
        "sys.exit(any(name.startswith('opentelemetry') for name in set(sys.modules) - before))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_traces_without_opentelemetry_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    check_tracing(load_settings({}))
    with pytest.raises(SettingsError, match=r"pip install -r deploy/requirements-tracing\.lock"):
        check_tracing(load_settings({"MASKWATCH_TRACE_EVERY": "100"}))
