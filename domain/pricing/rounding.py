"""Rounding: to a price with the wanted ending inside the band, else to 0.01 inside it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from domain.money import CENT
from domain.pricing.content import Rounding, RoundingMode
from domain.pricing.steps import EXACT

# The one context of the engine that may lose digits, and only to ``quantize``.
_QUANTIZING = Context(prec=EXACT.prec)


@dataclass(frozen=True, slots=True)
class Rounded:
    """The price to offer, in whole hundredths, and whether it has the wanted ending."""

    price: Decimal
    has_ending: bool


def rounded(
    price: Decimal, rounding: Rounding | None, floor: Decimal | None, ceiling: Decimal | None
) -> Rounded:
    """The price to offer.

    Args:
        price: exact, after the guards.
        floor, ceiling: the band's ends, both included; None is open.
    """
    if rounding is not None:
        candidate = candidate_in_band(price, rounding, floor, ceiling)
        if candidate is not None:
            return Rounded(candidate.quantize(CENT, ROUND_HALF_UP, _QUANTIZING), has_ending=True)
    return Rounded(to_cents_in_band(price, floor, ceiling), has_ending=False)


def candidate_in_band(
    price: Decimal, rounding: Rounding, floor: Decimal | None, ceiling: Decimal | None
) -> Decimal | None:
    """The candidate that the mode chooses, or the one in the band closest to it; None without any.

    Candidates are the prices ``n * step + ending`` with a whole ``n >= 0``.
    """
    chosen = _chosen(price, rounding)
    if floor is not None and chosen < floor:
        chosen = _at_least(floor, rounding)
    elif ceiling is not None and chosen > ceiling:
        chosen = _at_most(ceiling, rounding)
    # Below the ending there is no candidate: the smallest one is the closest.
    chosen = max(chosen, rounding.ending)
    if (floor is not None and chosen < floor) or (ceiling is not None and chosen > ceiling):
        return None
    return chosen


def to_cents_in_band(price: Decimal, floor: Decimal | None, ceiling: Decimal | None) -> Decimal:
    """To 0.01 half up, moved inward by 0.01 where that would leave the band.

    A band too narrow to hold a whole hundredth is left upwards: floors beat ceilings.
    """
    # Zero has no sign.
    cents = price.quantize(CENT, ROUND_HALF_UP, _QUANTIZING) or Decimal("0.00")
    if floor is not None and cents < floor:
        return cents + CENT
    if ceiling is not None and cents > ceiling and (floor is None or cents - CENT >= floor):
        return cents - CENT
    return cents


def _chosen(price: Decimal, rounding: Rounding) -> Decimal:
    below = _at_most(price, rounding)
    rest = EXACT.subtract(price, below)
    if rounding.mode is RoundingMode.DOWN or not rest:
        return below
    above = EXACT.add(below, rounding.step)
    if rounding.mode is RoundingMode.UP:
        return above
    return below if rest < EXACT.subtract(above, price) else above


def _at_most(price: Decimal, rounding: Rounding) -> Decimal:
    steps, rest = _whole_steps(price, rounding)
    return _candidate(steps - 1 if rest < 0 else steps, rounding)


def _at_least(price: Decimal, rounding: Rounding) -> Decimal:
    steps, rest = _whole_steps(price, rounding)
    return _candidate(steps + 1 if rest > 0 else steps, rounding)


def _whole_steps(price: Decimal, rounding: Rounding) -> tuple[Decimal, Decimal]:
    """Steps from the ending to the price, cut off towards zero, and what is left of the price."""
    return EXACT.divmod(EXACT.subtract(price, rounding.ending), rounding.step)


def _candidate(steps: Decimal, rounding: Rounding) -> Decimal:
    return EXACT.fma(steps, rounding.step, rounding.ending)
