"""Experiments in the GraphQL API: a challenger and what prices beside it, side by side."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.context import Info
from api.cost import cost
from domain import experiments

MAX_ARMS = 50
"""Of the versions that priced beside a challenger, the latest are told of."""

if TYPE_CHECKING:
    from api.strategies import StrategyVersion


@strawberry.type(description="A range that holds the true value with probability `coverage`.")
class ConfidenceInterval:
    low: float = strawberry.field(description="The lower end.")
    high: float = strawberry.field(description="The upper end.")
    coverage: float = strawberry.field(description="Probability, e.g. 0.95.")

    @classmethod
    def of(cls, interval: experiments.Interval | None) -> ConfidenceInterval | None:
        """What clients see of an interval."""
        if interval is None:
            return None
        return cls(low=interval.low, high=interval.high, coverage=experiments.COVERAGE)


@strawberry.type(description="What one side of an experiment did.")
class ExperimentArm:
    arm: strawberry.Private[experiments.Arm]
    challenger: bool = strawberry.field(description="Whether it is the challenger's.")
    quotes: int = strawberry.field(description="How many quotes it priced, repeated ones too.")
    mean_versus_market: float = strawberry.field(
        description="Mean of price over market price, minus 1."
    )
    mean_versus_market_interval: ConfidenceInterval | None = strawberry.field(
        description=f"Around that mean; null below {experiments.FEWEST_QUOTES} quotes, which say "
        "too little."
    )
    orders: int = strawberry.field(
        description="How many of its quotes a live order names; an order that names no quote "
        "counts for no arm."
    )
    conversion: float = strawberry.field(description="Orders over quotes.")
    conversion_interval: ConfidenceInterval = strawberry.field(
        description="Around the conversion, after Wilson: it holds for few quotes, too."
    )
    mean_days_to_sell: float | None = strawberry.field(
        description="From a vehicle's arrival in stock to its order; null without orders."
    )

    @strawberry.field(description="What priced.")
    async def version(
        self, info: Info
    ) -> Annotated[StrategyVersion, strawberry.lazy("api.strategies")]:
        from api.strategies import StrategyVersion

        return await StrategyVersion.load(info.context, self.arm.version_id)

    @classmethod
    def of(cls, arm: experiments.Arm) -> ExperimentArm:
        """What clients see of an arm."""
        return cls(
            arm=arm,
            challenger=arm.is_challenger,
            quotes=arm.quotes,
            mean_versus_market=arm.versus_market.value,
            mean_versus_market_interval=ConfidenceInterval.of(arm.versus_market.interval),
            orders=arm.orders,
            conversion=arm.conversion,
            conversion_interval=ConfidenceInterval(
                low=arm.conversion_interval.low,
                high=arm.conversion_interval.high,
                coverage=experiments.COVERAGE,
            ),
            mean_days_to_sell=arm.mean_days_to_sell,
        )


@strawberry.type(
    description="A challenger and what priced the other vehicles in the same stretch of time. "
    "Which arm a vehicle falls into follows from a hash, so the two are like for like."
)
class Experiment:
    starts_at: datetime = strawberry.field(description="From this instant on.")
    ends_at: datetime | None = strawberry.field(description="Null while nothing ends it.")
    arms: list[ExperimentArm] = strawberry.field(
        description="Each version that priced quotes in that time, the challenger last.",
        metadata=cost(size=MAX_ARMS),
    )
    difference: ConfidenceInterval | None = strawberry.field(
        description="By how much more the challenger asks, relative to the market; null while one "
        "of the arms has too few quotes. An interval around 0 shows no difference."
    )

    @classmethod
    def of(cls, experiment: experiments.Experiment) -> Experiment:
        """What clients see of an experiment."""
        return cls(
            starts_at=experiment.starts_at,
            ends_at=experiment.ends_at,
            arms=[ExperimentArm.of(arm) for arm in experiment.arms[-MAX_ARMS:]],
            difference=ConfidenceInterval.of(experiment.difference),
        )
