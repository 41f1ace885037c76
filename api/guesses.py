"""Wrong keys and tokens, counted per address, so that guessing takes for ever."""

from __future__ import annotations

from typing import Any, Final

from limits import RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from api.door import Counters, refused

WRONG_ATTEMPTS_A_MINUTE: Final = 30


class Guesses:
    """Counts them where points are counted: for all processes together where there is Redis."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._allowance = RateLimitItemPerMinute(
            WRONG_ATTEMPTS_A_MINUTE, namespace="forecourt-guesses"
        )

    async def check(self, address: str) -> None:
        """Turn away who has guessed too often of late.

        Raises:
            Refused: says when to come again.
        """

        async def test(storage: Any) -> bool:
            limiter = SlidingWindowCounterRateLimiter(storage)
            return await limiter.test(self._allowance, address)

        if not await self._counters.count(test):
            raise refused(
                429,
                "RATE_LIMITED",
                "Too many wrong keys or tokens from this address: wait a minute, then use a right "
                "one.",
                headers={"Retry-After": "60"},
            )

    async def count(self, address: str) -> None:
        """A wrong one came from an address."""

        async def hit(storage: Any) -> bool:
            return await SlidingWindowCounterRateLimiter(storage).hit(self._allowance, address)

        await self._counters.count(hit)
