"""The figures of an installation in Prometheus' text format, for whoever operates it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Iterable

from anyio import CapacityLimiter, to_thread
from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.door import Refused
from domain.access import Actor, allows
from domain.tables import Role

FROM_INSTANT_TO_AGE = {
    "forecourt_snapshot_built_timestamp_seconds": "forecourt_snapshot_age_seconds",
    "forecourt_snapshot_checked_timestamp_seconds": "forecourt_snapshot_unchecked_seconds",
}
"""A process that hangs writes no new age, but its last instant shows."""

Authenticate = Callable[[str | None, str], Awaitable[Actor | None]]


class Exposition(Collector):
    """All figures, from wherever they come."""

    def __init__(self, *sources: Collector) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        """The figures of all sources, and the ages that follow from instants."""
        for source in self._sources:
            for metric in source.collect():
                yield metric
                if metric.name in FROM_INSTANT_TO_AGE:
                    yield _age(metric)


def metrics(
    exposition: Exposition, *, authenticate: Authenticate, token: str | None
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for a collector that has the token, or the key of an administrator.

    Args:
        token: opens this endpoint alone, and also while the database is away; None for none.
    """
    # Not the threads of requests: when all of those wait for the database, figures matter most.
    thread = CapacityLimiter(1)

    async def answer(request: Request) -> Response:
        authorization = request.headers.get("authorization")
        if not _has_token(authorization, token):
            address = request.client.host if request.client else ""
            try:
                actor = await authenticate(authorization, address)
            except Refused as refusal:
                return _turned_away(refusal.status, str(refusal), refusal.headers)
            if actor is None:
                return _turned_away(401, NO_KEY, {"WWW-Authenticate": "Bearer"})
            if not allows(actor, {Role.ADMIN}):
                return _turned_away(403, f"The key of {actor.name} has not the role ADMIN.")
        text = await to_thread.run_sync(generate_latest, exposition, limiter=thread)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return answer


NO_KEY = "Send FORECOURT_METRICS_TOKEN, or the key of an ADMIN, as Authorization: Bearer."


def _has_token(authorization: str | None, token: str | None) -> bool:
    if token is None or authorization is None:
        return False
    return hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _turned_away(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


def _age(instants: Metric) -> Metric:
    name = FROM_INSTANT_TO_AGE[instants.name]
    ages = Metric(name, f"{instants.documentation} As an age.", "gauge")
    for sample in instants.samples:
        ages.add_sample(name, sample.labels, max(0.0, time.time() - sample.value))
    return ages
