"""Health for whoever restarts processes and routes requests to them.

Ready means that requests can be answered here. What only makes some answers poorer, or late, is
told beside it and takes no process out of service: a balancer that did so would turn a worker's
fault into an outage. Who wants to be woken by it asks for ``/health/ready?strict``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.context import Application
from api.lately import Lately
from domain import markets, migrations, models
from domain.database import current_time
from domain.queues import is_served
from ml.serving import MarketPricing

LOOK_EVERY_S = 1.0
PATIENCE_S = 2.0

UNCACHED = {"Cache-Control": "no-store"}


async def live(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"}, headers=UNCACHED)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the database said a moment ago; nothing more where it is not migrated."""

    is_current: bool
    champions: dict[str, int] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    queue_is_served: bool = True


class Readiness:
    """An endpoint that says 200 when requests can be served here, and 503 with why not."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._look = Lately(self._look_at_database, every_s=LOOK_EVERY_S)
        # Threads of its own: those of requests may all be waiting for the database.
        self._threads = CapacityLimiter(2)
        self.is_stopping = False

    async def ready(self, request: Request) -> Response:
        """What is missing, in ``reasons``; what is amiss, in ``warnings``."""
        reasons, warnings = await to_thread.run_sync(self._found, limiter=self._threads)
        is_refused = bool(reasons or (warnings and "strict" in request.query_params))
        status = "not ready" if reasons else "degraded" if warnings else "ready"
        return JSONResponse(
            {"status": status, "reasons": reasons, "warnings": warnings},
            503 if is_refused else 200,
            headers=UNCACHED,
        )

    def _found(self) -> tuple[list[str], list[str]]:
        if self.is_stopping:
            return ["The process is stopping."], []
        look, answered = self._look.value(within_s=PATIENCE_S)
        if look is None or not answered:
            return ["The database does not answer."], []
        if not look.is_current:
            return ["The database is not at the newest revision: run `forecourt migrate`."], []
        if not self._application.serving.is_fresh():
            return [
                "The pricing of the markets is not loaded yet, or has not been read for a while."
            ], []
        lost = self._lost_champions(look)
        if lost and len(lost) == len(look.champions):
            return lost, []
        warnings = [*lost, *self._refused_champions(look)]
        if not look.queue_is_served:
            warnings.append("Jobs wait and nobody takes them: start `forecourt worker`.")
        return [], warnings

    def _lost_champions(self, look: _Look) -> list[str]:
        """The markets that had a model, and have none that answers here."""
        return [
            f"No model of {code} answers: its champion was refused, see the log."
            for code in look.champions
            if (served := self._served(code)) and served.base.model is None
        ]

    def _refused_champions(self, look: _Look) -> list[str]:
        """The markets that an earlier model prices than the one that was promoted."""
        return [
            f"An earlier model prices {code}: its champion was refused, see the log."
            for code, model_id in look.champions.items()
            if (served := self._served(code))
            and served.base.model is not None
            and served.base.model.id != model_id
            and served.revision >= look.revisions[code]
        ]

    def _served(self, code: str) -> MarketPricing | None:
        return self._application.serving.pricing().get(code)

    def _look_at_database(self) -> _Look:
        database = self._application.database
        if not migrations.is_current(database.engine):
            return _Look(is_current=False)
        with database.reading() as session:
            every = markets.all_markets(session)
            champions = models.champion_ids(session, [each.id for each in every])
            return _Look(
                is_current=True,
                champions={each.code: champions[each.id] for each in every if each.id in champions},
                revisions={each.code: each.revision for each in every},
                queue_is_served=is_served(session, now=current_time(session)),
            )
