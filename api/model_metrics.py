"""How good a model version is, in the GraphQL API."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from api.cost import cost
from api.vocabulary import Fuel


@strawberry.type(description="The same by group.")
class ModelGroupMetrics:
    brand: str = strawberry.field(description="Maker.")
    fuel: Fuel = strawberry.field(description="What the vehicles run on.")
    rows: int = strawberry.field(description="How many were measured.")
    mape: float = strawberry.field(description="Mean absolute percentage error, 0.08 is 8 %.")
    coverage: float = strawberry.field(description="Share whose price lay in the interval.")


MAX_GROUPS = 1_000


@strawberry.type(
    description="How the algorithm fares on what comes after: learnt from older listings, measured "
    "on newer ones."
)
class OutOfTimeMetrics:
    observed_from: date = strawberry.field(
        description="The first day that was estimated; only listings before it were learnt from."
    )
    rows: int = strawberry.field(description="How many were measured.")
    mape: float = strawberry.field(description="Mean absolute percentage error, 0.08 is 8 %.")
    median_ape: float = strawberry.field(description="Median absolute percentage error.")

    @classmethod
    def from_document(cls, stored: dict[str, Any]) -> OutOfTimeMetrics:
        """The figures that a model version keeps."""
        return cls(**stored | {"observed_from": date.fromisoformat(stored["observed_from"])})


@strawberry.type(description="Measured on rows that training never saw.")
class ModelMetrics:
    rows: int = strawberry.field(description="How many were measured.")
    mae: float = strawberry.field(description="Mean absolute error in the market's currency.")
    mape: float = strawberry.field(description="Mean absolute percentage error, 0.08 is 8 %.")
    median_ape: float = strawberry.field(description="Median absolute percentage error.")
    r2: float = strawberry.field(description="Coefficient of determination.")
    within10: float = strawberry.field(description="Share of rows within 10 % of the price.")
    coverage: float = strawberry.field(description="Share of rows whose price lay in the interval.")
    relative_width: float = strawberry.field(description="Mean interval width over price.")
    groups: list[ModelGroupMetrics] = strawberry.field(
        description="The same by group, for a table on a screen: those with most rows, at most "
        f"{MAX_GROUPS}.",
        metadata=cost(size=MAX_GROUPS),
    )
    out_of_time: OutOfTimeMetrics | None = strawberry.field(
        description="The same algorithm on listings later than all it learnt from; null where the "
        "listings span fewer than 60 days."
    )

    @classmethod
    def from_document(cls, stored: dict[str, Any]) -> ModelMetrics:
        """The metrics that a model version keeps."""
        facts = {name: value for name, value in stored.items() if name in METRICS}
        groups = [
            ModelGroupMetrics(**group | {"fuel": Fuel(group["fuel"])})
            for group in stored["groups"][:MAX_GROUPS]
        ]
        later = stored.get("out_of_time")
        return cls(
            **facts,
            groups=groups,
            out_of_time=None if later is None else OutOfTimeMetrics.from_document(later),
        )


METRICS = frozenset(
    ("rows", "mae", "mape", "median_ape", "r2", "within10", "coverage", "relative_width")
)
