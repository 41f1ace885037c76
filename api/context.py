"""What a resolver gets: who asks, at what moment, and how to reach the domain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property, partial
from typing import Concatenate, ParamSpec, TypeVar

import strawberry
from anyio import CapacityLimiter, to_thread
from sqlmodel import Session

from api.door import Standing
from api.loaders import Loaders
from api.settings import Settings
from api.watch import Watch
from domain.access import Actor
from domain.database import Database
from domain.snapshots import PricingSnapshot
from domain.spans import span
from domain.stopping import Stop
from ml.serving import Serving

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def utc_now() -> datetime:
    """The clock of a running installation."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Application:
    """What lives as long as the process: opened at its start, closed at its end."""

    settings: Settings
    database: Database
    serving: Serving
    watch: Watch
    threads: CapacityLimiter
    clock: Callable[[], datetime] = utc_now


@dataclass
class Context:
    """One operation: its caller, its moment, its loaders.

    The moment is taken once, so that everything in one answer agrees on what is in force.
    """

    application: Application
    actor: Actor
    request_id: str
    points: Standing
    stop: Stop = field(default_factory=Stop)
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.application.clock()

    def begin_anew(self) -> None:
        """Another moment, nothing remembered: before each event that a subscription tells."""
        self.now = self.application.clock()
        for remembered in ("loaders", "_snapshots"):
            self.__dict__.pop(remembered, None)

    @property
    def today(self) -> date:
        """The calendar day, in UTC."""
        return self.now.date()

    @cached_property
    def loaders(self) -> Loaders:
        """Batches of rows by id, for this operation only."""
        return Loaders(self)

    async def run(
        self,
        service: Callable[Concatenate[Session, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a domain function in a worker thread, inside one unit of work."""

        def work() -> Result:
            with _step(service), self.application.database.unit_of_work(self.stop) as session:
                return service(session, *args, **kwargs)

        return await self._in_thread(work)

    async def read(
        self,
        query: Callable[Concatenate[Session, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a domain function that only reads, in a worker thread."""

        def work() -> Result:
            with _step(query), self.application.database.reading(self.stop) as session:
                return query(session, *args, **kwargs)

        return await self._in_thread(work)

    async def compute(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a function that needs no session but takes its time, in a worker thread."""

        def work() -> Result:
            self.stop.check()
            with _step(function):
                return function(*args, **kwargs)

        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        # Who is given up waits no more, but the work has its place among the threads until it has
        # really ended: as many as there are connections.
        threads = self.application.threads
        task = asyncio.ensure_future(to_thread.run_sync(work, limiter=threads))
        task.add_done_callback(_heard)
        return await asyncio.shield(task)

    async def pricing(self, market: str) -> PricingSnapshot:
        """The pricing snapshot of a market, the same for the whole operation.

        Raises:
            NotFound: there is no such market.
        """
        if market not in self._snapshots:
            self._snapshots[market] = await self.compute(
                self.application.serving.snapshot, market, at=self.now
            )
        return self._snapshots[market]

    @cached_property
    def _snapshots(self) -> dict[str, PricingSnapshot]:
        return {}


def _heard(task: asyncio.Task[object]) -> None:
    """Look at how a task ended: of one that was given up nobody else does, and the loop complains.

    Where one part of an answer fails, the others are given up, and may fail as well.
    """
    if not task.cancelled():
        task.exception()


def _step(function: Callable[..., object]) -> AbstractContextManager[object]:
    """The span of a domain function; of one that is given its arguments before, its own name."""
    while isinstance(function, partial):
        function = function.func
    return span(f"{function.__module__}.{function.__qualname__}")


Info = strawberry.Info[Context, None]
