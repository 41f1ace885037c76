"""The application: what is wired to what, and which path leads where."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from anyio import CapacityLimiter
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from api import health, role_names, telemetry
from api.access import Callers
from api.context import Application, Context, utc_now
from api.door import Arrival, Counters, Door, Observer, Persisted, Points
from api.examples import EXAMPLES
from api.oidc import Issuer, Tokens
from api.orphans import end_with_parent
from api.schema import schema
from api.settings import Settings
from api.shutdown import STREAMS_END_WITHIN_S, announced
from api.telemetry import traces
from api.telemetry.exposition import Exposition, metrics
from api.telemetry.measures import Measures
from api.telemetry.observer import Operations, Requests, sample
from api.telemetry.processes import Processes
from api.telemetry.state import State
from api.trusted_documents import TrustedDocuments
from api.watch import Watch
from domain.database import Database
from ml.serving import Serving

log = structlog.get_logger(__name__)

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings) -> Starlette:
    """The ASGI application of one installation; it opens everything when it starts."""
    application = assemble(settings)
    counters = Counters(_secret(settings.redis_url))
    readiness = health.Readiness(application)
    measures = Measures()
    door = make_door(application, counters, Operations(measures))
    exposition = Exposition(
        Processes(measures.registry),
        State(application.database, application.serving, clock=application.clock),
    )

    async def stop() -> None:
        readiness.is_stopping = True
        await asyncio.sleep(settings.drain_s)
        await door.end_streams()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        application.serving.start()
        application.watch.start()
        sampling = asyncio.create_task(sample(application, measures))
        log.info("limits_counted", where=counters.place)
        try:
            with traces.sent(), announced(stop, within_s=settings.drain_s + STREAMS_END_WITHIN_S):
                yield
        finally:
            sampling.cancel()
            await application.watch.stop()
            await counters.close()
            application.serving.stop()
            application.database.close()

    return Starlette(
        routes=[
            Route("/", _to_graphiql),
            Route("/graphql", door),
            WebSocketRoute("/graphql", door),
            Route("/health/live", health.live),
            Route("/health/ready", readiness.ready),
            Route(
                "/metrics",
                metrics(
                    exposition,
                    authenticate=door.authenticate,
                    token=_secret(settings.metrics_token),
                ),
            ),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Requests, measures=measures), *_middleware(settings)],
        exception_handlers={404: _not_found},
        lifespan=lifespan,
    )


def from_environment() -> Starlette:
    """The application of the settings in force: what a server process starts with."""
    end_with_parent()
    settings = Settings()
    telemetry.set_up_logs(settings)
    application = create_app(settings)
    _collect_less_often()
    return application


def _collect_less_often() -> None:
    """Look for garbage less often: an answer of a thousand fields is ten thousand small objects.

    What was imported stays for good, so it is looked through no more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def assemble(settings: Settings) -> Application:
    """What lives as long as the process."""
    database = Database(
        settings.resolved_database_url,
        pool_size=settings.database_pool_size,
        patience=settings.request_patience,
    )
    serving = Serving(
        database,
        artifact_key=settings.artifact_key,
        poll_s=settings.revision_poll_s,
        clock=utc_now,
    )
    # As many threads as there are connections: one more would only wait for one.
    threads = CapacityLimiter(settings.database_pool_size)
    watch = Watch(database, serving, threads=threads, poll_s=settings.revision_poll_s)
    return Application(settings, database, serving, watch, threads)


def make_door(application: Application, counters: Counters, observer: Observer) -> Door:
    """The GraphQL endpoint of an installation."""
    settings = application.settings

    def context_of(arrival: Arrival) -> Context:
        return Context(application, arrival.actor, arrival.request_id, arrival.points, arrival.stop)

    return Door(
        schema,
        context_factory=context_of,
        authenticate=Callers(
            application.database,
            secret=settings.secret_key_bytes,
            threads=application.threads,
            tokens=_tokens(settings),
            counters=counters,
        ),
        limits=settings.limits,
        points=Points(settings.points_per_minute, counters),
        persisted=Persisted(
            TrustedDocuments(application.database, threads=application.threads),
            only_registered=settings.trusted_documents_only,
            characters=settings.max_cached_characters,
        ),
        graphiql=settings.graphiql,
        examples=EXAMPLES,
        origins=settings.cors_origins,
        observer=observer,
    )


def _secret(setting: SecretStr | None) -> str | None:
    return None if setting is None else setting.get_secret_value()


def _tokens(settings: Settings) -> Tokens | None:
    """Callers with a token, where an issuer is set."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return Tokens(
        Issuer(
            settings.oidc_issuer,
            settings.oidc_audience,
            role_claim=settings.oidc_role_claim,
            name_claim=settings.oidc_name_claim,
            role_names=role_names.parse(settings.oidc_role_map),
        )
    )


def _middleware(settings: Settings) -> list[Middleware]:
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "POST"),
        allow_headers=("authorization", "content-type", "x-request-id"),
        expose_headers=("x-request-id", "retry-after"),
    )
    return [*([cors] if settings.cors_origins else []), Middleware(GZipMiddleware)]


async def _to_graphiql(_: Request) -> Response:
    return RedirectResponse("/graphql")


async def _not_found(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "There is nothing here: the API is at /graphql."}, 404)
