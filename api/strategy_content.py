"""What a strategy says, as GraphQL types and inputs: rules, ladder, guards and rounding."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

import strawberry

from api.enums import describe
from api.vocabulary import Fuel, Gearbox
from domain.pricing import content
from domain.pricing.content import RoundingMode

Item = TypeVar("Item")
Read = TypeVar("Read", covariant=True)


class Readable(Protocol[Read]):
    """An input that the business can read."""

    def to_domain(self) -> Read: ...


def _read(given: Readable[Read] | None) -> Read | None:
    return None if given is None else given.to_domain()


describe(
    RoundingMode,
    "Which of the prices of the strategy's form is taken.",
    {
        RoundingMode.NEAREST: "The nearest; a tie goes up.",
        RoundingMode.DOWN: "The greatest not above.",
        RoundingMode.UP: "The smallest not below.",
    },
)


@strawberry.type(description="Half-open: min <= x < max; either end may be absent.")
class IntRange:
    min: int | None = strawberry.field(description="The least that is in it.")
    max: int | None = strawberry.field(description="The least above it that is not.")

    @classmethod
    def of(cls, given: content.IntRange | None) -> IntRange | None:
        """What clients see of a range."""
        return None if given is None else cls(min=given.min, max=given.max)


@strawberry.type(description="Half-open: min <= x < max; either end may be absent.")
class DecimalRange:
    min: Decimal | None = strawberry.field(description="The least that is in it.")
    max: Decimal | None = strawberry.field(description="The least above it that is not.")

    @classmethod
    def of(cls, given: content.DecimalRange | None) -> DecimalRange | None:
        """What clients see of a range."""
        return None if given is None else cls(min=given.min, max=given.max)


@strawberry.type(description="What a vehicle must be; an absent condition accepts anything.")
class RuleConditions:
    brands: list[str] | None = strawberry.field(description="One of these makers.")
    models: list[str] | None = strawberry.field(description="One of these models.")
    fuels: list[Fuel] | None = strawberry.field(description="One of these fuels.")
    gearboxes: list[Gearbox] | None = strawberry.field(description="One of these gearboxes.")
    age_years: IntRange | None = strawberry.field(
        description="Year of the estimate minus release year."
    )
    mileage_km: IntRange | None = strawberry.field(description="Kilometres driven.")
    market_price: DecimalRange | None = strawberry.field(
        description="The model's estimate, in the market's currency."
    )

    @classmethod
    def of(cls, given: content.Conditions) -> RuleConditions:
        """What clients see of conditions."""
        return cls(
            brands=_listed(given.brands),
            models=_listed(given.models),
            fuels=_listed(given.fuels),
            gearboxes=_listed(given.gearboxes),
            age_years=IntRange.of(given.age_years),
            mileage_km=IntRange.of(given.mileage_km),
            market_price=DecimalRange.of(given.market_price),
        )


def _listed(values: Sequence[Item] | None) -> list[Item] | None:
    return None if values is None else list(values)


@strawberry.type(
    description="Conditions are all optional; an absent one accepts anything. Of the rules that "
    "hit, the one whose conditions lie inside every other's wins; order carries no meaning."
)
class StrategyRule:
    key: str = strawberry.field(description="Unique inside its version, e.g. peugeot-petrol.")
    conditions: RuleConditions = strawberry.field(description="Which vehicles it hits.")
    factor: Decimal = strawberry.field(
        description="Multiplies the market price; at most 4 decimals."
    )
    amount: Decimal = strawberry.field(
        description="Added after the factor, in the market's currency."
    )
    note: str | None = strawberry.field(description="Why it is there.")

    @classmethod
    def of(cls, rule: content.Rule) -> StrategyRule:
        """What clients see of a rule."""
        return cls(
            key=rule.key,
            conditions=RuleConditions.of(rule.conditions),
            factor=rule.factor,
            amount=rule.amount,
            note=rule.note,
        )


@strawberry.type(
    description="From this day in stock on, the price after the rule is multiplied by `factor`. "
    "Steps rise in days and never rise in factor."
)
class LadderStep:
    from_day: int = strawberry.field(description="Days in stock from which it counts.")
    factor: Decimal = strawberry.field(description="E.g. 0.95.")

    @classmethod
    def of(cls, step: content.LadderStep) -> LadderStep:
        """What clients see of a step."""
        return cls(from_day=step.from_day, factor=step.factor)


@strawberry.type(
    description="Bounds on the price, applied after rule and ladder; the rounding stays inside "
    "them. Floors beat ceilings."
)
class PriceGuards:
    min_market_share: Decimal | None = strawberry.field(
        description='No lower than this share of the market price, e.g. "0.70".'
    )
    max_market_share: Decimal | None = strawberry.field(
        description="No higher than this share of the market price."
    )
    min_margin: Decimal | None = strawberry.field(
        description="No lower than cost times (1 + this), where the cost is known."
    )
    min_price: Decimal | None = strawberry.field(
        description="Absolute floor in the market's currency."
    )

    @classmethod
    def of(cls, guards: content.Guards) -> PriceGuards:
        """What clients see of guards."""
        return cls(
            min_market_share=guards.min_market_share,
            max_market_share=guards.max_market_share,
            min_margin=guards.min_margin,
            min_price=guards.min_price,
        )


@strawberry.type(
    description="To a price of the form n * step + ending, e.g. step 100 ending 90 gives 12 390."
)
class PriceRounding:
    step: Decimal = strawberry.field(description="Above 0.")
    ending: Decimal = strawberry.field(description="From 0 to below the step.")
    mode: RoundingMode = strawberry.field(description="Which of those prices.")

    @classmethod
    def of(cls, rounding: content.Rounding) -> PriceRounding:
        """What clients see of a rounding."""
        return cls(step=rounding.step, ending=rounding.ending, mode=rounding.mode)


@strawberry.input(description="Half-open: min <= x < max; either end may be absent.")
class IntRangeInput:
    min: int | None = strawberry.field(default=None, description="The least that is in it.")
    max: int | None = strawberry.field(default=None, description="The least above it that is not.")

    def to_domain(self) -> content.IntRange:
        """The range, as the business reads it."""
        return content.IntRange(self.min, self.max)


@strawberry.input(description="Half-open: min <= x < max; either end may be absent.")
class DecimalRangeInput:
    min: Decimal | None = strawberry.field(default=None, description="The least that is in it.")
    max: Decimal | None = strawberry.field(
        default=None, description="The least above it that is not."
    )

    def to_domain(self) -> content.DecimalRange:
        """The range, as the business reads it."""
        return content.DecimalRange(self.min, self.max)


@strawberry.input(description="What a vehicle must be; an absent condition accepts anything.")
class RuleConditionsInput:
    brands: list[str] | None = strawberry.field(
        default=None, description="One of these makers, by catalogue name."
    )
    models: list[str] | None = strawberry.field(
        default=None, description="One of these models, by catalogue name."
    )
    fuels: list[Fuel] | None = strawberry.field(default=None, description="One of these fuels.")
    gearboxes: list[Gearbox] | None = strawberry.field(
        default=None, description="One of these gearboxes; an unknown one is none of them."
    )
    age_years: IntRangeInput | None = strawberry.field(
        default=None, description="Year of the estimate minus release year."
    )
    mileage_km: IntRangeInput | None = strawberry.field(
        default=None, description="Kilometres driven."
    )
    market_price: DecimalRangeInput | None = strawberry.field(
        default=None, description="The model's estimate, in the market's currency."
    )

    def to_domain(self) -> content.Conditions:
        """The conditions, as the business reads them."""
        return content.Conditions(
            brands=_tuple(self.brands),
            models=_tuple(self.models),
            fuels=_tuple(self.fuels),
            gearboxes=_tuple(self.gearboxes),
            age_years=_read(self.age_years),
            mileage_km=_read(self.mileage_km),
            market_price=_read(self.market_price),
        )


def _tuple(values: Sequence[Item] | None) -> tuple[Item, ...] | None:
    return None if values is None else tuple(values)


@strawberry.input(description="A rule: which vehicles it hits, and what it does to their price.")
class StrategyRuleInput:
    key: str = strawberry.field(description="Unique inside the version, e.g. peugeot-petrol.")
    conditions: RuleConditionsInput = strawberry.field(
        description="Empty for the default rule, of which there is exactly one."
    )
    factor: Decimal = strawberry.field(
        default=Decimal(1), description="Multiplies the market price; at most 4 decimals."
    )
    amount: Decimal = strawberry.field(
        default=Decimal(0), description="Added after the factor, in the market's currency."
    )
    note: str | None = strawberry.field(default=None, description="Why it is there.")

    def to_domain(self) -> content.Rule:
        """The rule, as the business reads it."""
        return content.Rule(
            key=self.key,
            conditions=self.conditions.to_domain(),
            factor=self.factor,
            amount=self.amount,
            note=self.note,
        )


@strawberry.input(description="A markdown from a day in stock on.")
class LadderStepInput:
    from_day: int = strawberry.field(description="Days in stock from which it counts.")
    factor: Decimal = strawberry.field(description="Above 0, e.g. 0.95.")

    def to_domain(self) -> content.LadderStep:
        """The step, as the business reads it."""
        return content.LadderStep(self.from_day, self.factor)


@strawberry.input(description="Bounds on the price; absent ones do not bind.")
class PriceGuardsInput:
    min_market_share: Decimal | None = strawberry.field(
        default=None, description='No lower than this share of the market price, e.g. "0.70".'
    )
    max_market_share: Decimal | None = strawberry.field(
        default=None, description="No higher than this share of the market price."
    )
    min_margin: Decimal | None = strawberry.field(
        default=None, description="No lower than cost times (1 + this), where the cost is known."
    )
    min_price: Decimal | None = strawberry.field(
        default=None, description="Absolute floor in the market's currency."
    )

    def to_domain(self) -> content.Guards:
        """The guards, as the business reads them."""
        return content.Guards(
            min_market_share=self.min_market_share,
            max_market_share=self.max_market_share,
            min_margin=self.min_margin,
            min_price=self.min_price,
        )


@strawberry.input(description="The form of prices: n * step + ending.")
class PriceRoundingInput:
    step: Decimal = strawberry.field(description="Above 0.")
    ending: Decimal = strawberry.field(default=Decimal(0), description="From 0 to below the step.")
    mode: RoundingMode = strawberry.field(
        default=RoundingMode.NEAREST, description="Which of those prices."
    )

    def to_domain(self) -> content.Rounding:
        """The rounding, as the business reads it."""
        return content.Rounding(self.step, self.ending, self.mode)


@strawberry.input(description="All that a strategy version says.")
class StrategyContentInput:
    rules: list[StrategyRuleInput] = strawberry.field(
        description="Exactly one of them without conditions: the default."
    )
    ladder: list[LadderStepInput] = strawberry.field(
        default_factory=list, description="Markdown by days in stock."
    )
    guards: PriceGuardsInput | None = strawberry.field(
        default=None, description="Bounds on the price."
    )
    rounding: PriceRoundingInput | None = strawberry.field(
        default=None, description="The form of prices; to 0.01 if absent."
    )

    def to_domain(self) -> content.StrategyContent:
        """The content, as the business reads it; not judged yet."""
        return content.StrategyContent(
            rules=tuple(rule.to_domain() for rule in self.rules),
            ladder=tuple(step.to_domain() for step in self.ladder),
            guards=self.guards.to_domain() if self.guards else content.Guards(),
            rounding=_read(self.rounding),
        )
