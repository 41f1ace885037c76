"""Rounding: to a price with the wanted ending inside the band, else to 0.01 inside it.

All of it calculates in the context of its caller: ``domain.pricing.steps.EXACT``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal

from domain.money import CENT, plain_text
from domain.pricing.content import Rounding, RoundingMode
from domain.pricing.steps import EXACT, Cause, StepKind

# The one context of the engine that may lose digits, and only to ``quantize``.
_QUANTIZING = Context(prec=EXACT.prec)

_TO_CENTS = Cause(StepKind.ROUNDING, "Rounded to 0.01")
_ZERO = Decimal("0.00")

Rounder = Callable[[Decimal, Decimal, Decimal], tuple[Decimal, Cause]]
"""From an exact price and the ends of its band, both included, to the price to offer, in whole
hundredths, and why it is that one. An open end is infinitely far away."""


def rounder(rounding: Rounding | None) -> Rounder:
    """How a strategy rounds."""
    return to_cents if rounding is None else Endings(rounding).rounded


class Endings:
    """The candidates of a strategy: the prices ``n * step + ending`` with a whole ``n >= 0``."""

    def __init__(self, rounding: Rounding) -> None:
        # Two decimals and no more, so that every candidate has two as well.
        self._step = rounding.step.quantize(CENT, context=EXACT)
        self._ending = rounding.ending.quantize(CENT, context=EXACT)
        self._half_step = EXACT.divide(self._step, Decimal(2))
        self._choose = {
            RoundingMode.NEAREST: self._nearest,
            RoundingMode.DOWN: self._at_most,
            RoundingMode.UP: self._at_least,
        }[rounding.mode]
        self._cause = Cause(StepKind.ROUNDING, _sentence(rounding))

    def rounded(self, price: Decimal, floor: Decimal, ceiling: Decimal) -> tuple[Decimal, Cause]:
        """The candidate that the mode chooses, or the one in the band closest to it.

        To 0.01 without any in the band.
        """
        chosen = self._choose(price)
        if floor <= chosen <= ceiling:
            return chosen, self._cause
        chosen = self._at_least(floor) if chosen < floor else self._at_most(ceiling)
        if floor <= chosen <= ceiling:
            return chosen, self._cause
        return to_cents(price, floor, ceiling)

    def _nearest(self, price: Decimal) -> Decimal:
        """The candidate nearest to the price; a tie goes up."""
        return self._at_most(price + self._half_step)

    def _at_most(self, price: Decimal) -> Decimal:
        """The greatest candidate not above the price, else the smallest there is."""
        if price < self._ending:
            return self._ending
        return (price - self._ending) // self._step * self._step + self._ending

    def _at_least(self, price: Decimal) -> Decimal:
        """The smallest candidate not below the price."""
        candidate = self._at_most(price)
        return candidate if candidate >= price else candidate + self._step


def to_cents(price: Decimal, floor: Decimal, ceiling: Decimal) -> tuple[Decimal, Cause]:
    """To 0.01 half up, moved inward by 0.01 where that would leave the band.

    A band too narrow to hold a whole hundredth is left upwards: floors beat ceilings.
    """
    # Zero has no sign.
    cents = price.quantize(CENT, ROUND_HALF_UP, _QUANTIZING) or _ZERO
    if cents < floor:
        cents += CENT
    elif cents > ceiling and cents - CENT >= floor:
        cents -= CENT
    return cents, _TO_CENTS


def _sentence(rounding: Rounding) -> str:
    direction = {
        RoundingMode.NEAREST: "the nearest price",
        RoundingMode.DOWN: "the next price below",
        RoundingMode.UP: "the next price above",
    }[rounding.mode]
    form = f"{plain_text(rounding.step)} x n"
    if rounding.ending:
        form += f" + {plain_text(rounding.ending)}"
    return f"To {direction} of the form {form}"
