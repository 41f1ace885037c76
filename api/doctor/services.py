"""What an installation may use besides its database: Redis, Dask, a collector of traces."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from api.doctor.findings import Finding, fail, ok, warn
from api.settings import Settings, traces_are_wanted
from api.telemetry.traces import REMEDY

PATIENCE_S = 3.0


def findings(settings: Settings) -> Iterator[Finding]:
    """What was found; of what is not set, what is done without it."""
    yield _redis(settings)
    yield _dask(settings)
    yield _traces()
    yield _metrics(settings)


def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return ok("redis", "not set: each process counts the limits of callers for itself")
    url = settings.redis_url.get_secret_value()
    where = f"Redis at {urlsplit(url).hostname}"
    try:
        with Redis.from_url(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        ) as redis:
            redis.ping()
    except (RedisError, OSError) as fault:
        return fail(
            "redis",
            f"{where} does not answer: {_first_line(fault)}",
            "start it, or mend FORECOURT_REDIS_URL; until then each process counts for itself",
        )
    return ok("redis", f"{where} answers")


def _dask(settings: Settings) -> Finding:
    address = settings.dask_scheduler
    if address is None:
        return ok("dask", "not set: jobs run in processes of this machine")
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 8786), PATIENCE_S):
            return ok("dask", f"the scheduler at {address} can be reached")
    except OSError as fault:
        return fail(
            "dask",
            f"the scheduler at {address} cannot be reached: {_first_line(fault)}",
            "start it, or mend FORECOURT_DASK_SCHEDULER",
        )


def _traces() -> Finding:
    if not traces_are_wanted():
        return ok("traces", "not wanted: no OTEL_EXPORTER_OTLP_ENDPOINT")
    if find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        return warn("traces", "wanted, but OpenTelemetry is not installed", REMEDY)
    return ok("traces", "sent to a collector")


def _metrics(settings: Settings) -> Finding:
    if settings.metrics_token is None:
        return ok("metrics", "/metrics opens to keys with the role ADMIN only")
    return ok("metrics", "/metrics opens to FORECOURT_METRICS_TOKEN, and to the role ADMIN")


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]
