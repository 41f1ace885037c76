"""The engine for one vehicle: from a market price to a price, every step explained.

``domain.pricing.vectorised`` does the same for a whole stock; both agree to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.errors import Invalid
from domain.money import plain_text
from domain.pricing.content import LadderStep, Rounding, RoundingMode, StrategyContent
from domain.pricing.guards import Band, CompiledGuards
from domain.pricing.ladder import step_on
from domain.pricing.rounding import rounded
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


@dataclass(frozen=True, slots=True)
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
        self._guards = CompiledGuards(content.guards)
        # Sentences are written once: a batch says the same ones again and again.
        self._ladder_sentences = {step: _ladder_sentence(step) for step in content.ladder}
        self._rounding_sentence = _rounding_sentence(content.rounding)

    def price(self, market_price: Decimal, vehicle: PricedVehicle) -> Priced:
        """Price one vehicle.

        Args:
            market_price: in whole hundredths.

        Raises:
            NotSubmittable: two rules claim the vehicle; never for analysed content.
            Invalid: rule and ladder lead below zero, and no guard holds the price.
        """
        rule = self.table.deciding(vehicle, market_price)
        steps = [self._rule_step(rule, market_price)]
        self._climb(steps, vehicle.days_in_stock)
        band = self._guards.band(market_price, vehicle.cost)
        _guard(steps, band)
        self._round(steps, band)
        price = steps[-1].after
        if price < 0:
            raise Invalid(
                f"Rule {rule.rule.key} leads to {plain_text(price)}, below zero: "
                "set a lowest price or change its amount."
            )
        return Priced(price, tuple(steps), rule.rule.key, self._reasons(rule, vehicle, band))

    def verdicts(self, market_price: Decimal, vehicle: PricedVehicle) -> list[RuleVerdict]:
        """What became of each rule, in the order of the content."""
        winner = self.table.deciding(vehicle, market_price)
        found = {
            rule.rule.key: _verdict(rule, winner, rule.first_failure(vehicle, market_price))
            for rule in self.table.by_specificity
        }
        return [found[rule.key] for rule in self.content.rules]

    @staticmethod
    def _rule_step(rule: CompiledRule, market_price: Decimal) -> PriceStep:
        factor, amount = rule.rule.factor, rule.rule.amount
        return PriceStep(
            StepKind.RULE,
            rule.explanation,
            before=market_price,
            after=EXACT.fma(market_price, factor, amount),
            rule_key=rule.rule.key,
            factor=factor,
            amount=amount,
        )

    def _climb(self, steps: list[PriceStep], days_in_stock: int | None) -> None:
        step = step_on(self.content.ladder, days_in_stock)
        if step is None:
            return
        before = steps[-1].after
        after = EXACT.multiply(before, step.factor)
        if after != before:
            sentence = self._ladder_sentences[step]
            steps.append(PriceStep(StepKind.LADDER, sentence, before, after, factor=step.factor))

    def _round(self, steps: list[PriceStep], band: Band) -> None:
        before = steps[-1].after
        found = rounded(
            before,
            self.content.rounding,
            band.floor.amount if band.floor else None,
            band.ceiling.amount if band.ceiling else None,
        )
        if found.price != before:
            sentence = self._rounding_sentence if found.has_ending else "Rounded to 0.01"
            steps.append(PriceStep(StepKind.ROUNDING, sentence, before, found.price))

    def _reasons(
        self, rule: CompiledRule, vehicle: PricedVehicle, band: Band
    ) -> tuple[PricingReason, ...]:
        reasons = []
        if self.content.guards.min_margin is not None and vehicle.cost is None:
            reasons.append(PricingReason.COST_UNKNOWN)
        if band.is_upside_down:
            reasons.append(PricingReason.FLOOR_ABOVE_CEILING)
        if rule.is_default and len(self.content.rules) > 1:
            reasons.append(PricingReason.DEFAULT_RULE)
        return tuple(reasons)


def _guard(steps: list[PriceStep], band: Band) -> None:
    before = steps[-1].after
    bound = band.violated_bound(before)
    if bound is not None:
        steps.append(PriceStep(StepKind.GUARD, bound.explanation, before, bound.amount))


def _ladder_sentence(step: LadderStep) -> str:
    return f"In stock for {step.from_day} days or more: x {plain_text(step.factor)}"


def _rounding_sentence(rounding: Rounding | None) -> str:
    if rounding is None:
        return ""
    direction = {
        RoundingMode.NEAREST: "the nearest price",
        RoundingMode.DOWN: "the next price below",
        RoundingMode.UP: "the next price above",
    }[rounding.mode]
    form = f"{plain_text(rounding.step)} x n"
    if rounding.ending:
        form += f" + {plain_text(rounding.ending)}"
    return f"To {direction} of the form {form}"


def _verdict(rule: CompiledRule, winner: CompiledRule, failure: str | None) -> RuleVerdict:
    key = rule.rule.key
    if failure is not None:
        return RuleVerdict(key, hit=False, won=False, because=failure)
    if rule is winner:
        return RuleVerdict(key, hit=True, won=True, because="It lies inside every rule that hits.")
    return RuleVerdict(
        key, hit=True, won=False, because=f"{winner.rule.key} lies inside it and won."
    )
