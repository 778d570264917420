"""Traces sampled frames through all stages as OpenTelemetry spans. Off by default.

A traced frame carries its first span's id (W3C Trace Context) through Redis. For all other frames
this id is empty, and checking it is all they cost. OpenTelemetry is imported only in a process that
traces. Attributes are the camera's id and name, and numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from contract.errors import SettingsError
from contract.redaction import redact_text
from contract.traces import Trace
from runtime.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


Attribute = str | int | float

SEND_EVERY_MS: Final = 1000
SEND_TIMEOUT_S: Final = 5.0


class Tracing:
    """Writes spans of traced frames. Without a tracer it does nothing."""

    def __init__(
        self,
        tracer: Tracer | None = None,
        every: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`every`: `due` picks one in this many frames. `clock`: the clock that stamps frames."""
        self._tracer = tracer
        self._every = every
        self.now_s = clock
        self._number = -1

    def due(self) -> bool:
        """Whether to trace this frame. Ask once per frame."""
        if self._tracer is None or not self._every:
            return False
        self._number += 1
        return self._number % self._every == 0

    def record(
        self, parent: Trace, name: str, begin_s: float, end_s: float, **attributes: Attribute
    ) -> Trace:
        """Write a span of a traced frame and return its id. Without `parent` it is the first span.

        Times are seconds since the epoch.
        """
        if self._tracer is None:
            return ""
        from opentelemetry.trace.propagation import set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        propagator, carrier = TraceContextTextMapPropagator(), dict[str, str]()
        span = self._tracer.start_span(
            name,
            propagator.extract({"traceparent": parent}) if parent else None,
            start_time=round(begin_s * 1e9),
            attributes={f"maskwatch.{key}": _safe(value) for key, value in attributes.items()},
        )
        span.end(round(max(begin_s, end_s) * 1e9))
        propagator.inject(carrier, set_span_in_context(span))
        return carrier.get("traceparent", "")

    @contextmanager
    def span(self, parents: Iterable[Trace], name: str, **attributes: Attribute) -> Iterator[None]:
        """Write one span of the block for each traced frame in `parents`."""
        followed = [] if self._tracer is None else [one for one in dict.fromkeys(parents) if one]
        if not followed:
            yield
            return
        begin_s = self.now_s()
        try:
            yield
        finally:
            for parent in followed:
                self.record(parent, name, begin_s, self.now_s(), **attributes)


OFF: Final = Tracing()


def start_tracing(role: str, settings: Settings, clock: Callable[[], float] = time.time) -> Tracing:
    """Return the tracing of a process with this role, which sends spans from its own thread.

    `clock`: the clock that all stages share.

    Raises:
        SettingsError: tracing is on, but OpenTelemetry is not installed.
    """
    check_tracing(settings)
    if not settings.trace_every:
        return OFF
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    # Ingest chose the frame; every later stage follows that choice.
    provider = TracerProvider(
        ALWAYS_ON, Resource.create({"service.name": f"maskwatch-{role}"}), shutdown_on_exit=True
    )
    exporter = OTLPSpanExporter(settings.trace_url, timeout=SEND_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY_MS))
    return Tracing(provider.get_tracer("maskwatch"), settings.trace_every, clock)


def check_tracing(settings: Settings) -> None:
    """Raise `SettingsError` if tracing is on, but OpenTelemetry is not installed."""
    if not settings.trace_every:
        return
    try:
        import opentelemetry.exporter.otlp.proto.http  # noqa: F401 - whether it is here
        import opentelemetry.sdk  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "MASKWATCH_TRACE_EVERY needs OpenTelemetry, which is not installed: "
            "pip install -r deploy/requirements-tracing.lock, or set it to 0"
        ) from error


def stream_moment(stream_id: bytes) -> float:
    """Return when Redis added an entry, from its id: seconds since the epoch on Redis' machine."""
    return int(stream_id.split(b"-")[0]) / 1000


def _safe(value: Attribute) -> Attribute:
    return redact_text(value) if isinstance(value, str) else value
