"""Trusted documents as the door asks for them: by hash, remembered once they are found."""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread

from domain import trusted_documents
from domain.database import Database

MAX_REMEMBERED = 5_000


class TrustedDocuments:
    """Looks registered documents up; what a hash stands for never changes."""

    def __init__(self, database: Database, *, threads: CapacityLimiter) -> None:
        self._database = database
        self._threads = threads
        self._remembered: dict[str, str] = {}

    async def __call__(self, hash: str) -> str | None:
        """The text registered under a hash; None where there is none."""
        if (text := self._remembered.get(hash)) is not None:
            return text
        found = await to_thread.run_sync(self._look_up, hash, limiter=self._threads)
        if found is not None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[hash] = found
        return found

    def _look_up(self, hash: str) -> str | None:
        with self._database.reading() as session:
            return trusted_documents.body_of(session, hash)
