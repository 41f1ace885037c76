"""Where requests and operations are seen by logs, metrics and traces, all of them at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import event
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.context import Application
from api.door import Observer, Outcome, Refused
from api.telemetry import traces
from api.telemetry.logs import log_operation
from api.telemetry.measures import Measures
from domain.spans import span

PATHS: Final = frozenset({"/", "/graphql", "/health/live", "/health/ready", "/metrics"})
METHODS: Final = frozenset({"GET", "POST", "HEAD", "OPTIONS"})
OTHER: Final = "other"

SAMPLED_EVERY_S = 1.0


class Operations(Observer):
    """Counts, times, logs and traces GraphQL operations, over HTTP and WebSocket alike."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def during(self, name: str | None, kind: str) -> AbstractContextManager[object]:
        return span(
            f"{kind} {name or '(anonymous)'}",
            **{"graphql.operation.type": kind, "graphql.operation.name": name or ""},
        )

    def ran(self, outcome: Outcome) -> None:
        self._measures.ran(outcome)
        log_operation(outcome)

    def refused(self, refusal: Refused) -> None:
        self._measures.turned_away(refusal)


class Requests:
    """Middleware around everything: counts requests, and takes over the trace of whoever asks."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path = _path(scope["path"])
        with traces.request(_name(scope, path), Headers(scope=scope)) as recorded:
            if scope["type"] == "websocket":
                with self._measures.sockets.track_inprogress():
                    await self._app(scope, receive, send)
                return
            status = 500

            async def sent(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                with self._measures.in_progress.track_inprogress():
                    await self._app(scope, receive, sent)
            finally:
                method = scope["method"] if scope["method"] in METHODS else OTHER
                self._measures.requests.labels(path, method, status).inc()
                recorded.answered(status)


async def sample(application: Application, measures: Measures) -> None:
    """Look at the process once a second, for as long as it serves."""
    measures.processes.set(1)
    count_statements(application, measures)
    while True:
        due = time.monotonic() + SAMPLED_EVERY_S
        await asyncio.sleep(SAMPLED_EVERY_S)
        measures.loop_lag.set(max(0.0, time.monotonic() - due))
        pool, threads = application.database.engine.pool, application.threads.statistics()
        measures.connections.set(pool.checkedout())  # type: ignore[attr-defined]
        measures.max_connections.set(application.settings.database_pool_size)
        measures.waiting.set(threads.tasks_waiting)
        measures.checked_at.set(time.time() - application.serving.unchecked_s())
        for code, each in application.serving.pricing().items():
            measures.revision.labels(code).set(each.revision)
            measures.built_at.labels(code).set(each.built_at.timestamp())


def count_statements(application: Application, measures: Measures) -> None:
    """Count every statement that the process sends, and tell the span that sent it."""

    def sent(*_: object) -> None:
        measures.statements.inc()
        traces.count_statement()

    event.listen(application.database.engine, "after_cursor_execute", sent)


def _path(path: str) -> str:
    """Only paths that there are become labels."""
    if path in PATHS:
        return path
    return "/static" if path.startswith("/static/") else OTHER


def _name(scope: Scope, path: str) -> str:
    return f"{'WS' if scope['type'] == 'websocket' else scope['method']} {path}"
