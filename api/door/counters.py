"""Where callers' doings are counted: in Redis, or in the memory of this process alone."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import structlog
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

log = structlog.get_logger(__name__)

PATIENCE_S = 0.5
"""How long Redis may take to answer."""
PAUSE_S = 5.0
"""How long it is left alone when it does not."""

Result = TypeVar("Result")


class Counters:
    """One place to count in.

    Args:
        redis_url: where the processes of one installation count together; in memory without.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        self._local = MemoryStorage()
        self._pool = redis_url and ConnectionPool.from_url(
            redis_url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        )
        self._shared = self._pool and RedisStorage(
            "async+redis://",  # which one, the pool says
            implementation="redispy",
            wrap_exceptions=True,
            connection_pool=cast("Any", self._pool),
        )
        self._shared_again_at = 0.0

    @property
    def place(self) -> str:
        """Where they are, for an operator; without a password."""
        if not self._pool:
            return "memory of this process"
        options = self._pool.connection_kwargs
        address = options.get("path") or f"{options.get('host')}:{options.get('port', 6379)}"
        return f"Redis at {address}, database {options.get('db', 0)}"

    async def count(self, action: Callable[[Any], Awaitable[Result]]) -> Result:
        """Do something with the storage.

        Without an answer from Redis pricing goes on, and each process counts for itself for a
        while.
        """
        if self._shared and time.monotonic() >= self._shared_again_at:
            try:
                return await action(self._shared)
            except StorageError:
                self._shared_again_at = time.monotonic() + PAUSE_S
                log.warning("limits_counted_locally", seconds=PAUSE_S, exc_info=True)
        return await action(self._local)

    async def close(self) -> None:
        """Give the connections to Redis back."""
        if self._pool:
            await self._pool.aclose()
