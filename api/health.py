"""Health for whoever restarts processes and routes requests to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.context import Application
from domain import migrations


async def live(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


def readiness(application: Application) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that says 200 when requests can be served here, and 503 with why not."""

    async def ready(_: Request) -> Response:
        reasons = await to_thread.run_sync(_missing, application, limiter=application.threads)
        status = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse(status, 503 if reasons else 200)

    return ready


def _missing(application: Application) -> list[str]:
    try:
        if not migrations.is_current(application.database.engine):
            return ["The database is not at the newest revision: run `forecourt migrate`."]
    except SQLAlchemyError:
        return ["The database does not answer."]
    if not application.serving.is_fresh():
        return ["The pricing of the markets is not loaded yet, or has not been read for a while."]
    return []
