"""What a strategy says: rules, ladder, guards and rounding, as plain values.

The classes take whatever they are given; ``domain.pricing.validation.checked`` says what of it
cannot be right. Names are kept as they were written and compared folded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from domain.vocabulary import Fuel, Gearbox


class RoundingMode(StrEnum):
    """Which of the prices with the wanted ending is taken."""

    NEAREST = "NEAREST"
    DOWN = "DOWN"
    UP = "UP"


@dataclass(frozen=True, slots=True)
class IntRange:
    """Half-open: ``min <= x < max``; None leaves an end open."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class DecimalRange:
    """Half-open: ``min <= x < max``; None leaves an end open."""

    min: Decimal | None = None
    max: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a vehicle must be for a rule to hit it; None accepts anything, also what is unknown."""

    brands: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    fuels: tuple[Fuel, ...] | None = None
    gearboxes: tuple[Gearbox, ...] | None = None
    age_years: IntRange | None = None
    mileage_km: IntRange | None = None
    market_price: DecimalRange | None = None

    @property
    def accept_everything(self) -> bool:
        """Whether nothing is asked: the mark of the default rule."""
        return self == _NONE


_NONE = Conditions()


@dataclass(frozen=True, slots=True)
class Rule:
    """``market price * factor + amount``, for the vehicles that its conditions accept."""

    key: str
    conditions: Conditions = _NONE
    factor: Decimal = Decimal(1)
    amount: Decimal = Decimal(0)
    note: str | None = None


@dataclass(frozen=True, slots=True)
class LadderStep:
    """From this day in stock on, the price after the rule is multiplied by ``factor``."""

    from_day: int
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Guards:
    """Bounds on the price; None is not set."""

    min_market_share: Decimal | None = None
    max_market_share: Decimal | None = None
    min_margin: Decimal | None = None
    min_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rounding:
    """To a price of the form ``n * step + ending``."""

    step: Decimal
    ending: Decimal = Decimal(0)
    mode: RoundingMode = RoundingMode.NEAREST


@dataclass(frozen=True, slots=True)
class StrategyContent:
    """All that a strategy version says; the order of its rules carries no meaning."""

    rules: tuple[Rule, ...]
    ladder: tuple[LadderStep, ...] = ()
    guards: Guards = field(default_factory=Guards)
    rounding: Rounding | None = None

    @property
    def default(self) -> Rule:
        """The rule without conditions; content that was checked has exactly one."""
        return next(rule for rule in self.rules if rule.conditions.accept_everything)
