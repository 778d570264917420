"""Sampled frames followed through all stages, as OpenTelemetry spans. Off unless it is asked for.

A frame that is followed carries its first span's name (W3C Trace Context) with it through Redis;
frames without one are all others, and cost one look at an empty text. Nothing of OpenTelemetry is
imported before a process is to trace. Attributes are the camera's id and name, and numbers.
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
    """Writes spans of the frames that are followed. Without a tracer it does nothing."""

    def __init__(
        self,
        tracer: Tracer | None = None,
        every: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`every`: of so many frames, `due` picks one. `clock`: what frames are stamped by."""
        self._tracer = tracer
        self._every = every
        self.now_s = clock
        self._number = -1

    def due(self) -> bool:
        """Whether this frame is to be followed; asked once for each."""
        if self._tracer is None or not self._every:
            return False
        self._number += 1
        return self._number % self._every == 0

    def record(
        self, parent: Trace, name: str, begin_s: float, end_s: float, **attributes: Attribute
    ) -> Trace:
        """Write a span of a followed frame, or the first one for no `parent`; return its name.

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
        """Write one span for each of the followed among `parents`, of what is done inside."""
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
    """Return what a process of this role traces with; it sends spans from a thread of its own.

    `clock`: the one that all stages share.

    Raises:
        SettingsError: traces are asked for, and OpenTelemetry is not installed.
    """
    check_tracing(settings)
    if not settings.trace_every:
        return OFF
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    # The frame was chosen where it was captured; whoever has it in hand follows it.
    provider = TracerProvider(
        ALWAYS_ON, Resource.create({"service.name": f"maskwatch-{role}"}), shutdown_on_exit=True
    )
    exporter = OTLPSpanExporter(settings.trace_url, timeout=SEND_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY_MS))
    return Tracing(provider.get_tracer("maskwatch"), settings.trace_every, clock)


def check_tracing(settings: Settings) -> None:
    """Raise `SettingsError` where traces are asked for and OpenTelemetry is not installed."""
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
    """When Redis took an entry, by its id: seconds since the epoch of the machine with Redis."""
    return int(stream_id.split(b"-")[0]) / 1000


def _safe(value: Attribute) -> Attribute:
    return redact_text(value) if isinstance(value, str) else value
