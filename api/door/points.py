"""Points per caller and minute, in a sliding window.

The window is the library's counter: the minute before counts by the share of it that the sliding
minute still covers.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from api.door.counters import Counters
from api.door.refused import refused

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left.

    Attributes:
        reset_at: when all points are back, if none is spent meanwhile.
    """

    limit: int
    remaining: int
    reset_at: datetime


class Points:
    """Counts what callers spend.

    Args:
        per_minute: what one caller may spend in any minute.
        counters: where; in this process's memory without.
    """

    def __init__(self, per_minute: int, counters: Counters | None = None) -> None:
        self.per_minute = per_minute
        self._item = RateLimitItemPerMinute(per_minute, namespace="forecourt")
        self._counters = counters or Counters()

    async def spend(self, caller: str, cost: int) -> Standing:
        """Take points from a caller.

        Raises:
            Refused: there are not enough; says after how many seconds there will be.
        """
        return await self._counters.count(lambda storage: self._spend(storage, caller, cost))

    async def standing(self, caller: str) -> Standing:
        """What a caller has left, without spending any."""
        return await self._counters.count(lambda storage: self._look(storage, caller))

    async def _look(self, storage: Any, caller: str) -> Standing:
        return self._standing(await self._window(storage, caller))

    async def _spend(self, storage: Any, caller: str, cost: int) -> Standing:
        granted = await SlidingWindowCounterRateLimiter(storage).hit(self._item, caller, cost=cost)
        window = await self._window(storage, caller)
        standing = self._standing(window)
        if granted:
            return standing
        seconds = window.seconds_until(self._item.amount - cost)
        raise refused(
            429,
            "RATE_LIMITED",
            f"This costs {cost} points and {standing.remaining} of {standing.limit} are left: "
            f"try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
            cost={
                "requested": cost,
                "limit": standing.limit,
                "remaining": standing.remaining,
                "resetAt": standing.reset_at.isoformat(),
            },
        )

    async def _window(self, storage: Any, caller: str) -> Window:
        before, ends_in, now, expires_in = await storage.get_sliding_window(
            self._item.key_for(caller), int(MINUTE)
        )
        # The library keeps a minute's count for one minute more, as the minute before.
        return Window(before, ends_in if before else 0.0, now, max(expires_in - MINUTE, 0.0))

    def _standing(self, window: Window) -> Standing:
        spent = math.floor(window.spent())
        return Standing(
            limit=self._item.amount,
            remaining=max(self._item.amount - spent, 0),
            reset_at=datetime.fromtimestamp(
                math.ceil(time.time()) + (window.seconds_until(0) if spent else 0), UTC
            ),
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Points of the minute before and of the present one, and the seconds until each ends."""

    before: int
    before_ends_in: float
    present: int
    present_ends_in: float

    def spent(self) -> float:
        return self.before * self.before_ends_in / MINUTE + self.present

    def seconds_until(self, spent: int) -> int:
        """Whole seconds until no more than ``spent`` points count, if none is spent meanwhile."""
        excess = self.spent() - spent
        if excess <= 0:
            return 0
        fading = self.before * self.before_ends_in / MINUTE
        if excess <= fading:
            return math.ceil(excess * MINUTE / self.before)
        # The present minute has to become the one before, and to fade in its turn.
        share_to_fade = 1 - max(spent, 0) / self.present if self.present else 0
        return math.ceil(self.present_ends_in + share_to_fade * MINUTE)
