"""Who asks, and what they have left: bearer keys and tokens, the viewer and its points."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime

import strawberry
from anyio import CapacityLimiter, to_thread

from api.context import Info
from api.door import Counters
from api.enums import describe
from api.errors import query
from api.guesses import Guesses
from api.oidc import Tokens
from domain import access
from domain.access import Actor
from domain.database import Database
from domain.tables import Role

describe(
    Role,
    "What a key allows. Everybody reads everything but audit events and clients' addresses.",
    {
        Role.SALES: "Reads, asks for predictions and quotes.",
        Role.PRICING: "Writes strategies, simulates, submits them.",
        Role.APPROVER: "Approves and activates what somebody else wrote.",
        Role.DATA_SCIENCE: "Adds listings, trains and promotes models.",
        Role.ADMIN: "Manages access; may do everything but approve its own work.",
    },
)

REMEMBERED_FOR_S = 0.5
"""So long a key is taken for what it was: a revoked one is refused within this time everywhere."""
MAX_REMEMBERED = 10_000


class Callers:
    """Finds the caller behind an ``Authorization`` header, and slows down who guesses.

    Args:
        secret: what keys are hashed with.
        tokens: of a company's single sign-on, where there is one.
        counters: where wrong attempts are counted; in this process's memory without.
    """

    def __init__(
        self,
        database: Database,
        *,
        secret: bytes,
        threads: CapacityLimiter,
        tokens: Tokens | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._database = database
        self._secret = secret
        self._threads = threads
        self._tokens = tokens
        self._remembered: dict[bytes, tuple[float, Actor]] = {}
        self._guesses = Guesses(counters or Counters())

    async def __call__(self, authorization: str | None, address: str) -> Actor | None:
        """The caller; None without a key or token, or with one that is wrong, revoked or expired.

        Raises:
            Refused: too many wrong ones from this address within a minute, or the issuer of tokens
                is away.
        """
        scheme, _, bearer = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not bearer.strip():
            return None
        return await self._caller(bearer.strip(), address)

    async def _caller(self, bearer: str, address: str) -> Actor | None:
        # Not the key itself: it stays in nothing that a memory dump or a log could show.
        digest = hashlib.sha256(bearer.encode(errors="replace")).digest()
        until, actor = self._remembered.get(digest, (0.0, None))
        if time.monotonic() < until:
            return actor
        # Whoever guesses behind the same proxy keeps nobody out whose key was right a moment ago.
        if actor is None:
            await self._guesses.check(address)
        found = await self._find(bearer)
        if found is None:
            self._remembered.pop(digest, None)
            await self._guesses.count(address)
            return None
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = (time.monotonic() + REMEMBERED_FOR_S, found)
        return found

    async def _find(self, bearer: str) -> Actor | None:
        # A key has no dots, a signed token two.
        if self._tokens and bearer.count(".") == 2:
            return await self._tokens.caller(bearer)
        return await to_thread.run_sync(self._look_up, bearer, limiter=self._threads)

    def _look_up(self, key: str) -> Actor | None:
        with self._database.reading() as session:
            return access.authenticate(session, key, secret=self._secret)


@strawberry.type(
    description="Points left in the window; a request costs what its fields and page sizes make "
    "it cost."
)
class RateLimit:
    limit: int = strawberry.field(description="Points a minute.")
    remaining: int = strawberry.field(description="Points left, this request paid.")
    reset_at: datetime = strawberry.field(
        description="When all are back, if none is spent meanwhile."
    )


@strawberry.type(description="Whoever the key belongs to.")
class Viewer:
    name: str = strawberry.field(description="The person or system.")
    roles: list[Role] = strawberry.field(description="What the key allows.")
    rate_limit: RateLimit = strawberry.field(description="What may still be asked for.")


@strawberry.type
class AccessQueries:
    @query()
    async def viewer(self, info: Info) -> Viewer:
        """Who you are to Forecourt, and what you have left."""
        context = info.context
        standing = context.points
        return Viewer(
            name=context.actor.name,
            roles=sorted(context.actor.roles),
            rate_limit=RateLimit(
                limit=standing.limit, remaining=standing.remaining, reset_at=standing.reset_at
            ),
        )
