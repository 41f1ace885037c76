"""The ladder: a markdown by days in stock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal

from domain.money import plain_text
from domain.pricing.content import LadderStep
from domain.pricing.steps import Cause, StepKind

Markdown = tuple[Decimal, Cause]
"""What the price is multiplied by, and why."""


class CompiledLadder:
    """The ladder of a strategy, its sentences written once."""

    def __init__(self, ladder: Sequence[LadderStep]) -> None:
        self._days = [step.from_day for step in ladder]
        self._markdowns = [(step.factor, _cause(step)) for step in ladder]

    def markdown_on(self, days_in_stock: int | None) -> Markdown | None:
        """That of the last step with ``from_day <= days_in_stock``.

        None before the first step and where the days in stock are not known: the price stays.
        """
        if days_in_stock is None:
            return None
        passed = bisect_right(self._days, days_in_stock)
        return self._markdowns[passed - 1] if passed else None


def _cause(step: LadderStep) -> Cause:
    sentence = f"In stock for {step.from_day} days or more: x {plain_text(step.factor)}"
    return Cause(StepKind.LADDER, sentence, factor=step.factor)
