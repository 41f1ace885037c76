"""The engine for one vehicle: from a market price to a price, every step explained.

``domain.pricing.vectorised`` does the same for a whole stock; both agree to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, getcontext, setcontext
from enum import StrEnum

from domain.errors import Invalid
from domain.money import plain_text
from domain.pricing.content import StrategyContent
from domain.pricing.guards import CompiledGuards
from domain.pricing.ladder import CompiledLadder
from domain.pricing.rounding import rounder
from domain.pricing.steps import EXACT, PriceStep, StepKind
from domain.pricing.table import CompiledRule, PricedVehicle, RuleTable

__all__ = [
    "PriceStep",
    "Priced",
    "PricedVehicle",
    "PricingPolicy",
    "PricingReason",
    "RuleVerdict",
    "StepKind",
]


class PricingReason(StrEnum):
    """Why a person should look at a price, as far as the strategy knows."""

    COST_UNKNOWN = "COST_UNKNOWN"
    FLOOR_ABOVE_CEILING = "FLOOR_ABOVE_CEILING"
    DEFAULT_RULE = "DEFAULT_RULE"


# Not frozen, as its steps are not.
@dataclass(slots=True)
class Priced:
    """A price in whole hundredths, and how it came about.

    ``after`` of the last step is the price.
    """

    price: Decimal
    steps: tuple[PriceStep, ...]
    rule_key: str
    reasons: tuple[PricingReason, ...]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What became of one rule for one vehicle."""

    rule_key: str
    hit: bool
    won: bool
    because: str


class PricingPolicy:
    """A strategy's content, compiled once; immutable, and safe in any thread."""

    def __init__(self, content: StrategyContent) -> None:
        self.content = content
        self.table = RuleTable(content.rules)
        self._ladder = CompiledLadder(content.ladder)
        self._guards = CompiledGuards(content.guards)
        self._round = rounder(content.rounding)
        self._guards_a_margin = content.guards.min_margin is not None
        self._has_special_rules = len(content.rules) > 1

    def price(self, market_price: Decimal, vehicle: PricedVehicle) -> Priced:
        """Price one vehicle.

        Args:
            market_price: in whole hundredths.

        Raises:
            NotSubmittable: two rules claim the vehicle; never for analysed content.
            Invalid: rule and ladder lead below zero, and no guard holds the price.
        """
        rule = self.table.deciding(vehicle, market_price)
        # Operators in the exact context take half the time of its methods.
        callers_context = getcontext()
        setcontext(EXACT)
        try:
            return self._priced(rule, market_price, vehicle)
        finally:
            setcontext(callers_context)

    def verdicts(self, market_price: Decimal, vehicle: PricedVehicle) -> list[RuleVerdict]:
        """What became of each rule, in the order of the content."""
        winner = self.table.deciding(vehicle, market_price)
        found = {
            rule.key: _verdict(rule, winner, rule.first_failure(vehicle, market_price))
            for rule in self.table.by_specificity
        }
        return [found[rule.key] for rule in self.content.rules]

    def _priced(self, rule: CompiledRule, market_price: Decimal, vehicle: PricedVehicle) -> Priced:
        price = market_price * rule.factor + rule.amount
        steps = [PriceStep(rule.cause, market_price, price)]
        markdown = self._ladder.markdown_on(vehicle.days_in_stock)
        if markdown is not None:
            factor, cause = markdown
            marked_down = price * factor
            if marked_down != price:
                steps.append(PriceStep(cause, price, marked_down))
                price = marked_down
        lowest, highest = self._guards.band(market_price, vehicle.cost)
        floor, ceiling = lowest[0], highest[0]
        if not floor <= price <= ceiling:
            # A floor above the ceiling wins.
            held, cause = highest if price > ceiling >= floor else lowest
            if held != price:
                steps.append(PriceStep(cause, price, held))
                price = held
        offered, cause = self._round(price, floor, ceiling)
        if offered != price:
            steps.append(PriceStep(cause, price, offered))
            price = offered
        if price < 0:
            raise Invalid(
                f"Rule {rule.key} leads to {plain_text(price)}, below zero: "
                "set a lowest price or change its amount."
            )
        reasons = self._reasons(rule, vehicle, is_upside_down=floor > ceiling)
        return Priced(price, tuple(steps), rule.key, reasons)

    def _reasons(
        self, rule: CompiledRule, vehicle: PricedVehicle, *, is_upside_down: bool
    ) -> tuple[PricingReason, ...]:
        reasons = []
        if self._guards_a_margin and vehicle.cost is None:
            reasons.append(PricingReason.COST_UNKNOWN)
        if is_upside_down:
            reasons.append(PricingReason.FLOOR_ABOVE_CEILING)
        if rule.is_default and self._has_special_rules:
            reasons.append(PricingReason.DEFAULT_RULE)
        return tuple(reasons)


def _verdict(rule: CompiledRule, winner: CompiledRule, failure: str | None) -> RuleVerdict:
    key = rule.key
    if failure is not None:
        return RuleVerdict(key, hit=False, won=False, because=failure)
    if rule is winner:
        return RuleVerdict(key, hit=True, won=True, because="It lies inside every rule that hits.")
    return RuleVerdict(key, hit=True, won=False, because=f"{winner.key} lies inside it and won.")
