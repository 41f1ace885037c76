"""What a serving process counts and times as it works; summed over the processes of one server.

A name that a client chooses becomes a label only while there are few of them: every further one
is counted as ``other``, or a hostile client could fill the collector's memory.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

from api.door import Outcome, Refused

MAX_NAMES = 200
MAX_NAME_LENGTH = 64
OTHER = "other"
ANONYMOUS = "anonymous"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

LEAST: Final = "livemin"
GREATEST: Final = "livemax"
SUM: Final = "livesum"
"""What of a gauge is told where several processes have one; only living ones count."""

# When each counter began is of no use to anybody, and would double what is sent.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Measures:
    """The counters, histograms and gauges of this process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._names: set[str] = set()
        self._by_operation: dict[tuple[str, str], tuple[Counter, Histogram, Counter]] = {}
        self._count_requests()
        self._sample_process()
        self._watch_pricing()

    def _count_requests(self) -> None:
        self.requests = Counter(
            "forecourt_http_requests",
            "HTTP requests answered.",
            ("path", "method", "status"),
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "forecourt_http_requests_in_progress",
            "HTTP requests under way, event streams included.",
            registry=self.registry,
            multiprocess_mode=SUM,
        )
        self.sockets = Gauge(
            "forecourt_websockets",
            "WebSockets open.",
            registry=self.registry,
            multiprocess_mode=SUM,
        )
        self.operations = Counter(
            "forecourt_operations",
            "GraphQL operations executed; of a subscription, its events.",
            ("operation", "type"),
            registry=self.registry,
        )
        self.errors = Counter(
            "forecourt_operation_errors",
            "Top-level errors of executed operations, by their code.",
            ("operation", "code"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "forecourt_operation_duration_seconds",
            "Time that operations took to execute.",
            ("operation", "type"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.points = Counter(
            "forecourt_operation_points",
            "Points that executed operations cost.",
            ("operation",),
            registry=self.registry,
        )
        self.refused = Counter(
            "forecourt_operations_refused",
            "Operations turned away before they ran, by code; RATE_LIMITED: no points left.",
            ("code",),
            registry=self.registry,
        )
        self.points_refused = Counter(
            "forecourt_points_refused",
            "Points that callers wanted to spend and did not have.",
            registry=self.registry,
        )

    def _sample_process(self) -> None:
        self.processes = Gauge(
            "forecourt_serving_processes",
            "Processes that serve.",
            registry=self.registry,
            multiprocess_mode=SUM,
        )
        self.loop_lag = Gauge(
            "forecourt_event_loop_lag_seconds",
            "How late the event loop woke of late; of several processes the latest.",
            registry=self.registry,
            multiprocess_mode=GREATEST,
        )
        self.connections = Gauge(
            "forecourt_database_connections_in_use",
            "Connections of the pools that somebody works with.",
            registry=self.registry,
            multiprocess_mode=SUM,
        )
        self.max_connections = Gauge(
            "forecourt_database_connections_limit",
            "Connections that the pools may hold.",
            registry=self.registry,
            multiprocess_mode=SUM,
        )
        self.waiting = Gauge(
            "forecourt_threads_waited_for",
            "Steps of requests that wait for a free thread, and so for a connection.",
            registry=self.registry,
            multiprocess_mode=SUM,
        )
        self.statements = Counter(
            "forecourt_database_statements",
            "Statements sent to the database.",
            registry=self.registry,
        )

    def _watch_pricing(self) -> None:
        self.revision = Gauge(
            "forecourt_snapshot_revision",
            "Revision of the pricing that requests use; of several processes the oldest.",
            ("market",),
            registry=self.registry,
            multiprocess_mode=LEAST,
        )
        self.built_at = Gauge(
            "forecourt_snapshot_built_timestamp_seconds",
            "When that pricing was built; of several processes the earliest.",
            ("market",),
            registry=self.registry,
            multiprocess_mode=LEAST,
        )
        self.checked_at = Gauge(
            "forecourt_snapshot_checked_timestamp_seconds",
            "When the markets' revisions were read last; of several processes the earliest.",
            registry=self.registry,
            multiprocess_mode=LEAST,
        )

    def name(self, given: str | None) -> str:
        """The label of an operation: its name, while few are known."""
        if given is None:
            return ANONYMOUS
        if given in self._names:
            return given
        if len(self._names) >= MAX_NAMES or len(given) > MAX_NAME_LENGTH:
            return OTHER
        self._names.add(given)
        return given

    def ran(self, outcome: Outcome) -> None:
        """Count one operation that was executed."""
        name = self.name(outcome.operation_name)
        operations, seconds, points = self._of_operation(name, outcome.operation_type)
        operations.inc()
        seconds.observe(outcome.seconds)
        points.inc(outcome.cost)
        for code in outcome.error_codes:
            self.errors.labels(name, code).inc()

    def _of_operation(self, name: str, kind: str) -> tuple[Counter, Histogram, Counter]:
        """The figures of one operation; to find them by their labels costs more than to count."""
        known = self._by_operation.get((name, kind))
        if known is None:
            known = (
                self.operations.labels(name, kind),
                self.seconds.labels(name, kind),
                self.points.labels(name),
            )
            self._by_operation[name, kind] = known
        return known

    def turned_away(self, refusal: Refused) -> None:
        """Count one operation that was not."""
        for error in refusal.errors:
            extensions = error["extensions"]
            self.refused.labels(extensions["code"]).inc()
            if extensions["code"] == "RATE_LIMITED" and "cost" in extensions:
                self.points_refused.inc(extensions["cost"]["requested"])
