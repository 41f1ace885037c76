"""A collector of traces that keeps what it is sent: OTLP over HTTP, as OpenTelemetry defines it."""

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


@dataclass(frozen=True)
class Span:
    """One span as it was sent."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    facts: dict[str, Any]


@dataclass
class Collector:
    """What has arrived so far."""

    address: str
    spans: list[Span] = field(default_factory=list)

    def named(self, name: str) -> Span:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def below(self, parent: Span) -> list[Span]:
        """The spans that are parts of another."""
        return [span for span in self.spans if span.parent_id == parent.span_id]


@contextmanager
def a_collector() -> Iterator[Collector]:
    """A collector on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            collector.spans += spans_in(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spans_in(body: bytes) -> Iterator[Span]:
    """The spans of one export."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        of_service = facts_of(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service=of_service["service.name"],
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=span.kind,
                    facts=facts_of(span.attributes),
                )


def facts_of(attributes: Any) -> dict[str, Any]:
    """Attributes as plain values."""
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in attributes
    }
