"""Traces by OpenTelemetry: spans of requests, of what they do, and of jobs.

Set up by the standard's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT`` and the others): where none
names a collector nothing of OpenTelemetry is even imported.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from api.settings import traces_are_wanted
from domain import spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = structlog.get_logger(__name__)

STATEMENTS = "forecourt.database.statements"
REMEDY = "pip install 'forecourt[otel]'"


class Recorded(Protocol):
    """The span of a request."""

    def answered(self, status: int) -> None:
        """Tell with which status the request was answered."""


class _Unrecorded:
    def answered(self, status: int) -> None:
        """Nobody listens."""


_UNRECORDED = nullcontext(_Unrecorded())


class _Recorder:
    """Records spans with OpenTelemetry; what its methods import is there once it is made."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import propagate, trace

        self._trace = trace
        self._propagate = propagate
        self._provider = provider
        self._tracer = provider.get_tracer("forecourt", version("forecourt"))

    def span(self, name: str, facts: Mapping[str, spans.Fact]) -> AbstractContextManager[object]:
        return self._tracer.start_as_current_span(name, attributes=dict(facts))

    def ids(self) -> Mapping[str, str]:
        context = self._trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {
            "trace_id": self._trace.format_trace_id(context.trace_id),
            "span_id": self._trace.format_span_id(context.span_id),
        }

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str]) -> Iterator[Recorded]:
        with self._tracer.start_as_current_span(
            name, context=self._propagate.extract(headers), kind=self._trace.SpanKind.SERVER
        ) as span:
            yield _RecordedRequest(span, self._trace)

    def count_statement(self) -> None:
        span: Any = self._trace.get_current_span()
        if span.is_recording():
            span.set_attribute(STATEMENTS, (span.attributes or {}).get(STATEMENTS, 0) + 1)

    def shut_down(self) -> None:
        self._provider.shutdown()


class _RecordedRequest:
    def __init__(self, span: Any, trace: Any) -> None:
        self._span = span
        self._trace = trace

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(self._trace.StatusCode.ERROR)


_recorder: _Recorder | None = None


def request(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Recorded]:
    """The span of one request; the trace that its ``traceparent`` names goes on in it."""
    return _UNRECORDED if _recorder is None else _recorder.request(name, headers)


def count_statement() -> None:
    """Tell the present span that a statement was sent to the database."""
    if _recorder is not None:
        _recorder.count_statement()


@contextmanager
def sent(service: str = "forecourt") -> Iterator[None]:
    """Record the spans of this process, if a collector is named, and send the last at the end.

    Args:
        service: what the process is called where ``OTEL_SERVICE_NAME`` names nothing else.
    """
    global _recorder
    provider = _provider(service) if traces_are_wanted() else None
    if provider is None:
        yield
        return
    _recorder = _Recorder(provider)
    spans.trace_with(_recorder)
    try:
        yield
    finally:
        spans.trace_with(None)
        _recorder.shut_down()
        _recorder = None


def _provider(service: str) -> TracerProvider | None:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("traces.not_installed", remedy=REMEDY)
        return None
    named = Resource({"service.name": service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create().merge(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
