"""Trusted documents as the door asks for them: by hash, remembered for a moment."""

from __future__ import annotations

import time

from anyio import CapacityLimiter, to_thread

from domain import trusted_documents
from domain.database import Database

MAX_REMEMBERED = 5_000
REMEMBERED_FOR_S = 0.5
"""So long one is taken for registered; what was taken back is refused everywhere after it."""


class TrustedDocuments:
    """Looks registered documents up."""

    def __init__(self, database: Database, *, threads: CapacityLimiter) -> None:
        self._database = database
        self._threads = threads
        self._remembered: dict[str, tuple[float, str]] = {}

    async def __call__(self, hash: str) -> str | None:
        """The text registered under a hash; None where there is none."""
        until, text = self._remembered.get(hash, (0.0, ""))
        if time.monotonic() < until:
            return text
        found = await to_thread.run_sync(self._look_up, hash, limiter=self._threads)
        if found is None:
            self._remembered.pop(hash, None)
            return None
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[hash] = (time.monotonic() + REMEMBERED_FOR_S, found)
        return found

    def _look_up(self, hash: str) -> str | None:
        with self._database.reading() as session:
            return trusted_documents.body_of(session, hash)
