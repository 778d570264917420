"""A receiver of OpenTelemetry traces over HTTP that keeps the spans it got."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass
class Receiver:
    """What came."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    def traces(self) -> dict[bytes, list[tuple[str, Any]]]:
        """By trace, the sending service's name and the span."""
        found: dict[bytes, list[tuple[str, Any]]] = {}
        for body in tuple(self.bodies):
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {a.key: a.value.string_value for a in sent.resource.attributes}
                for scope in sent.scope_spans:
                    for span in scope.spans:
                        found.setdefault(span.trace_id, []).append((named["service.name"], span))
        return found


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """A receiver on the loopback."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
