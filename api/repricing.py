"""Repricing in the GraphQL API: the stock priced anew, as a job."""

from __future__ import annotations

from typing import Annotated

import strawberry

from api.context import Info
from api.cost import cost
from api.errors import UserError, mutation
from api.jobs import RepricingRun
from api.stock import VehicleFilter
from domain import repricing, stock_lists
from domain.tables import Role


@strawberry.input(description="Which vehicles to price anew.")
class RepriceStockInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    filter: VehicleFilter | None = strawberry.field(
        default=None, description="Which part of the market's stock; all of it if absent."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes a repeat answer the first result again."
    )


@strawberry.type(description="The repricing, queued.")
class RepriceStockPayload:
    run: RepricingRun | None = strawberry.field(
        default=None, description="Follow it with `jobProgress`."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not queued."
    )


@strawberry.type
class RepricingMutations:
    @mutation(Role.PRICING, metadata=cost(weight=100))
    async def reprice_stock(
        self,
        info: Info,
        input: Annotated[RepriceStockInput, strawberry.argument(description="Which vehicles.")],
    ) -> RepriceStockPayload:
        """Price the stock with champion and strategy in force, as a job.

        Those of the moment of the request price it to the end, and a challenger prices its share.
        """
        context = info.context
        row = await context.run(
            repricing.request_once,
            await context.pricing(input.market),
            input.filter.to_domain() if input.filter else stock_lists.VehicleFilter(),
            by=context.actor.name,
            now=context.now,
            idempotency_key=input.idempotency_key,
        )
        return RepriceStockPayload(run=RepricingRun.from_row(row))
