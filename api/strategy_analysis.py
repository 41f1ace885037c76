"""What can be told of a strategy version without running it: analysis, grid and differences."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from api.amounts import Money
from api.cost import cost
from api.strategy_content import RuleConditions
from api.vocabulary import Fuel
from domain.errors import LimitExceeded
from domain.pricing import analysis, matrix
from domain.pricing.validation import MAX_NAMES, MAX_RULES

MAX_CELLS = MAX_NAMES * len(Fuel)
"""Of a grid that is shown: as many brands as one rule may name."""
MAX_DEFAULTED = 1_000


@strawberry.type(
    description="Two rules that can hit the same vehicle while neither lies inside the other and "
    "no third one settles it: stops submission."
)
class RuleAmbiguity:
    rule_keys: list[str] = strawberry.field(description="The two rules.")
    example: str = strawberry.field(description="A vehicle that both hit, in words.")
    proposal: RuleConditions = strawberry.field(
        description="Conditions of a rule that would settle it: exactly what both accept. Of two "
        "rules with equal conditions one has to go."
    )
    advice: str = strawberry.field(description="What to do about it, in one sentence.")

    @classmethod
    def of(cls, found: analysis.Ambiguity) -> RuleAmbiguity:
        """What clients see of an ambiguity."""
        return cls(
            rule_keys=list(found.rule_keys),
            example=found.example,
            proposal=RuleConditions.of(found.proposal),
            advice=found.advice,
        )


@strawberry.type(description="A rule that can never win, or that names what nobody knows.")
class UnreachableRule:
    rule_key: str = strawberry.field(description="The rule.")
    reason: str = strawberry.field(
        description="Why; for an unknown brand or model with the nearest spelling."
    )

    @classmethod
    def of(cls, found: analysis.Unreachable) -> UnreachableRule:
        """What clients see of an unreachable rule."""
        return cls(rule_key=found.rule_key, reason=found.reason)


@strawberry.type(description="Vehicles of one brand and fuel that only the default rule decides.")
class DefaultedCell:
    brand: str = strawberry.field(description="In the catalogue's spelling.")
    fuel: Fuel = strawberry.field(description="What they run on.")
    vehicles: int = strawberry.field(description="How many are for sale.")
    value: Money = strawberry.field(description="Sum of their asking prices.")

    @classmethod
    def of(cls, cell: analysis.StockCell, currency: str) -> DefaultedCell:
        """What clients see of a cell."""
        return cls(
            brand=cell.brand,
            fuel=cell.fuel,
            vehicles=cell.vehicles,
            value=Money.of(cell.value, currency),
        )


@strawberry.type(
    description="What can be told of a version from its content, the catalogue and the stock; "
    "exact, not sampled."
)
class StrategyAnalysis:
    ambiguities: list[RuleAmbiguity] = strawberry.field(
        description="Two rules that can hit the same vehicle while neither lies inside the other "
        "and no third one settles it: stops submission. "
        f"{analysis.MAX_AMBIGUITIES} at most, those of the first rules.",
        metadata=cost(size=analysis.MAX_AMBIGUITIES),
    )
    further_ambiguities: int = strawberry.field(
        description="How many there are besides; 0 unless `ambiguities` is full."
    )
    unreachable: list[UnreachableRule] = strawberry.field(
        description="Rules that can never win, or whose brands or models the catalogue does not "
        "know: stops submission.",
        metadata=cost(size=MAX_RULES),
    )
    defaulted: list[DefaultedCell] = strawberry.field(
        description="Brand x fuel cells of the vehicles for sale that only the default rule "
        f"decides, most vehicles first, at most {MAX_DEFAULTED}: a warning.",
        metadata=cost(size=MAX_DEFAULTED),
    )
    submittable: bool = strawberry.field(description="Whether it can go to review.")

    @classmethod
    def of(cls, found: analysis.Analysis, currency: str) -> StrategyAnalysis:
        """What clients see of an analysis."""
        return cls(
            ambiguities=[RuleAmbiguity.of(each) for each in found.ambiguities],
            further_ambiguities=found.further_ambiguities,
            unreachable=[UnreachableRule.of(each) for each in found.unreachable],
            defaulted=[
                DefaultedCell.of(each, currency) for each in found.defaulted[:MAX_DEFAULTED]
            ],
            submittable=found.submittable,
        )


@strawberry.type(description="What vehicles of one brand and fuel are priced at.")
class StrategyMatrixCell:
    brand: str | None = strawberry.field(
        description="Null is the row for every brand that no rule names."
    )
    fuel: Fuel = strawberry.field(description="What they run on.")
    factor: Decimal = strawberry.field(description="Multiplies the market price.")
    amount: Decimal = strawberry.field(description="Added after the factor.")
    rule_key: str = strawberry.field(description="The rule that decides.")
    refined: bool = strawberry.field(
        description="True when rules with further conditions (model, age, ...) decide some "
        "vehicles of the cell otherwise."
    )

    @classmethod
    def of(cls, cell: matrix.Cell) -> StrategyMatrixCell:
        """What clients see of a cell."""
        return cls(
            brand=cell.brand,
            fuel=cell.fuel,
            factor=cell.factor,
            amount=cell.amount,
            rule_key=cell.rule_key,
            refined=cell.refined,
        )


@strawberry.type(description="The rules as a grid of brands and fuels, for a table on a screen.")
class StrategyMatrix:
    brands: list[str] = strawberry.field(
        description="Every brand that a rule names, in order, without the row of all other brands."
    )
    fuels: list[Fuel] = strawberry.field(description="The columns.")
    cells: list[StrategyMatrixCell] = strawberry.field(
        description="Row by row, the one of all other brands last.",
        metadata=cost(size=MAX_CELLS),
    )

    @classmethod
    def of(cls, grid: matrix.Matrix) -> StrategyMatrix:
        """What clients see of a grid.

        Raises:
            LimitExceeded: it is too large to be shown.
        """
        if len(grid.cells) > MAX_CELLS:
            raise LimitExceeded(
                f"The grid has {len(grid.cells)} cells where {MAX_CELLS} are shown: read `rules`."
            )
        return cls(
            brands=list(grid.brands),
            fuels=list(grid.fuels),
            cells=[StrategyMatrixCell.of(cell) for cell in grid.cells],
        )


@strawberry.type(description="A cell whose factor or amount differs between two versions.")
class StrategyMatrixChange:
    brand: str | None = strawberry.field(
        description="Null is the row for every brand that no rule names."
    )
    fuel: Fuel = strawberry.field(description="What they run on.")
    before: StrategyMatrixCell = strawberry.field(description="In the other version.")
    after: StrategyMatrixCell = strawberry.field(description="In this version.")

    @classmethod
    def of(cls, change: matrix.Change) -> StrategyMatrixChange:
        """What clients see of a change."""
        return cls(
            brand=change.brand,
            fuel=change.fuel,
            before=StrategyMatrixCell.of(change.before),
            after=StrategyMatrixCell.of(change.after),
        )
