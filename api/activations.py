"""Activations in the GraphQL API: when a strategy version prices a market's quotes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.context import Context, Info
from api.cost import cost
from api.experiments import Experiment
from api.markets import Market
from api.relay import Node, to_id
from domain import experiments, tables
from domain.ledger import Ledger

if TYPE_CHECKING:
    from api.strategies import StrategyVersion


@strawberry.type(
    description="One row of the activation ledger: a version prices (a share of) a market's "
    "quotes for a stretch of time. Half-open, never backdated, never edited."
)
class Activation(Node):
    row: strawberry.Private[tables.Activation]
    ledger: strawberry.Private[Ledger]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    starts_at: datetime = strawberry.field(description="From this instant on.")
    ends_at: datetime | None = strawberry.field(description="Null while nothing ends it.")
    share: float = strawberry.field(
        description="Share of vehicles, 0 to 1; below 1 it is a challenger beside the active "
        "version."
    )
    activated_by: str = strawberry.field(description="Who.")
    recorded_at: datetime = strawberry.field(description="When it was written down.")
    reason: str | None = strawberry.field(description="Why.")

    @strawberry.field(description="What prices.")
    async def version(
        self, info: Info
    ) -> Annotated[StrategyVersion, strawberry.lazy("api.strategies")]:
        from api.strategies import StrategyVersion

        return await StrategyVersion.load(info.context, self.row.version_id)

    @strawberry.field(description="Whose quotes it prices.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(
        description="What it and the strategy beside it did, for a challenger; null for an "
        "activation that prices every vehicle. Computed only when asked for.",
        metadata=cost(weight=50),
    )
    async def experiment(self, info: Info) -> Experiment | None:
        found = await info.context.read(experiments.report, self.row, self.ledger)
        return None if found is None else Experiment.of(found)

    @classmethod
    def from_row(cls, row: tables.Activation, ledger: Ledger) -> Activation:
        """What clients see of an activation, its end as the ledger says today."""
        return cls(
            row=row,
            ledger=ledger,
            id=to_id("Activation", row.id),
            starts_at=row.starts_at,
            ends_at=ledger.end_of(row.id),
            share=row.share,
            activated_by=row.activated_by,
            recorded_at=row.recorded_at,
            reason=row.reason,
        )


async def load_activations(context: Context, keys: list[int]) -> list[Activation | None]:
    """Activations by key, for ``node``."""
    rows = await context.loaders.activation.load_many(keys)
    found: list[Activation | None] = []
    for row in rows:
        ledger = row and await context.loaders.ledger.load(row.market_id)
        found.append(Activation.from_row(row, ledger) if row and ledger else None)
    return found
