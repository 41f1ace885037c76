"""Changes as they happen, for subscriptions: one watcher a process, however many subscribers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from sqlmodel import Session, col, select

from domain import tables
from domain.database import Database
from domain.errors import NotFound
from domain.tables import JobStatus
from ml.serving import Serving

log = structlog.get_logger(__name__)

Key = TypeVar("Key")
Event = TypeVar("Event")

ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class Watch:
    """Tells subscribers of jobs and of markets; asks the database once for all of them."""

    def __init__(
        self, database: Database, serving: Serving, *, threads: CapacityLimiter, poll_s: float
    ) -> None:
        self._database = database
        self._serving = serving
        self._threads = threads
        self._poll_s = poll_s
        self._of_jobs: dict[int, set[asyncio.Queue[tables.Job]]] = {}
        self._of_markets: dict[str, set[asyncio.Queue[None]]] = {}
        self._poller: asyncio.Task[None] | None = None
        self._deaf = contextlib.ExitStack()

    def start(self) -> None:
        """Hear of market changes, from the thread that sees them, in the running event loop."""
        loop = asyncio.get_running_loop()
        forget = self._serving.listen(lambda market: _run_in(loop, self._tell_market, market))
        self._deaf.callback(forget)

    async def stop(self) -> None:
        """End the watch."""
        self._deaf.close()
        if self._poller is not None:
            self._poller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poller

    async def job(self, key: int) -> AsyncIterator[tables.Job]:
        """The job now, then after each change, to its end.

        Raises:
            NotFound: there is no such job.
        """
        with self._subscribed(self._of_jobs, key) as changes:
            seen = (await self._read([key])).get(key)
            if seen is None:
                raise NotFound("There is no such job.", path=("job",))
            yield seen
            if self._poller is None or self._poller.done():
                self._poller = asyncio.create_task(self._poll({key: _state(seen)}))
            while seen.status not in ENDED:
                row = await changes.get()
                if _state(row) != _state(seen):
                    seen = row
                    yield seen

    async def market(self, code: str) -> AsyncIterator[None]:
        """Once now, then after each change of the market's champion or strategy."""
        with self._subscribed(self._of_markets, code) as changes:
            yield
            while True:
                await changes.get()
                yield

    @staticmethod
    @contextlib.contextmanager
    def _subscribed(
        subscribers: dict[Key, set[asyncio.Queue[Event]]], key: Key
    ) -> Iterator[asyncio.Queue[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        subscribers.setdefault(key, set()).add(queue)
        try:
            yield queue
        finally:
            subscribers[key].discard(queue)
            if not subscribers[key]:
                del subscribers[key]

    def _tell_market(self, market: str) -> None:
        for queue in self._of_markets.get(market, ()):
            queue.put_nowait(None)

    async def _poll(self, told: dict[int, tuple[object, ...]]) -> None:
        """Tell of jobs that have changed, for as long as somebody listens."""
        while self._of_jobs:
            await asyncio.sleep(self._poll_s)
            try:
                rows = await self._read(list(self._of_jobs))
            except Exception:
                # The database may be away for a moment; subscribers wait with us.
                log.exception("watch.poll_failed")
                continue
            for key, row in rows.items():
                if told.get(key) != _state(row):
                    told[key] = _state(row)
                    for queue in self._of_jobs.get(key, ()):
                        queue.put_nowait(row)

    async def _read(self, keys: Sequence[int]) -> dict[int, tables.Job]:
        def read(session: Session) -> dict[int, tables.Job]:
            rows = session.exec(select(tables.Job).where(col(tables.Job.id).in_(keys)))
            return {row.id: row for row in rows}

        def work() -> dict[int, tables.Job]:
            with self._database.reading() as session:
                return read(session)

        return await to_thread.run_sync(work, limiter=self._threads)


def _state(job: tables.Job) -> tuple[object, ...]:
    return (job.status, job.progress, job.message, job.error, job.attempts)


def _run_in(loop: asyncio.AbstractEventLoop, function: Callable[[str], None], text: str) -> None:
    loop.call_soon_threadsafe(function, text)
