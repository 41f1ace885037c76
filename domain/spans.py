"""Spans: what takes time says its name, for whoever traces it; nobody does unless told to.

The domain knows no tracing library. ``api.telemetry.traces`` hands one over where an operator
wants traces; without it a span is nothing at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Fact = str | int | float | bool
"""What a span may tell besides its name; never what a client sent."""


class Tracer(Protocol):
    """Whoever records spans."""

    def span(self, name: str, facts: Mapping[str, Fact], /) -> AbstractContextManager[object]:
        """Record what happens inside, as a part of what is being recorded already."""

    def ids(self) -> Mapping[str, str]:
        """``trace_id`` and ``span_id`` of what is being recorded; empty where nothing is."""


class _Nobody:
    _nothing = nullcontext()

    def span(self, _name: str, _facts: Mapping[str, Fact]) -> AbstractContextManager[object]:
        return self._nothing

    def ids(self) -> Mapping[str, str]:
        return {}


_tracer: Tracer = _Nobody()


def trace_with(tracer: Tracer | None) -> None:
    """Have a tracer record the spans of this process from now on; None for nobody."""
    global _tracer
    _tracer = tracer or _Nobody()


def span(name: str, **facts: Fact) -> AbstractContextManager[object]:
    """What happens inside is one step of a request or of a job, worth telling apart."""
    return _tracer.span(name, facts)


def ids() -> Mapping[str, str]:
    """The ids by which a log line finds its trace; empty where nothing is traced."""
    return _tracer.ids()
