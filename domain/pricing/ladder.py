"""The ladder: a markdown by days in stock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from domain.pricing.content import LadderStep


def step_on(ladder: Sequence[LadderStep], days_in_stock: int | None) -> LadderStep | None:
    """The last step with ``from_day <= days_in_stock``.

    None before the first step and where the days in stock are not known: the price stays.
    """
    if days_in_stock is None:
        return None
    passed = bisect_right(ladder, days_in_stock, key=lambda step: step.from_day)
    return ladder[passed - 1] if passed else None
