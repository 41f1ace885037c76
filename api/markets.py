"""Markets in the GraphQL API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.context import Context, Info
from api.cost import cost
from api.errors import query, subscription
from api.relay import Node, made, to_id
from domain import markets, tables

if TYPE_CHECKING:
    from api.models import ModelVersion
    from api.strategies import StrategyVersion


@strawberry.type(
    description="A country in which the seller prices vehicles; strategies and models belong to "
    "one market."
)
class Market(Node):
    row: strawberry.Private[tables.Market]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    code: str = strawberry.field(description="Short code, e.g. FR.")
    name: str = strawberry.field(description="For people, e.g. France.")
    currency: str = strawberry.field(description="ISO 4217 code of its prices, e.g. EUR.")

    @strawberry.field(description="The strategy version that prices quotes now, if any.")
    async def active_strategy(
        self, info: Info
    ) -> Annotated[StrategyVersion, strawberry.lazy("api.strategies")] | None:
        from api.strategies import StrategyVersion

        pricing = await info.context.pricing(self.code)
        if pricing.strategy is None:
            return None
        return await StrategyVersion.load(info.context, pricing.strategy.version_id)

    @strawberry.field(description="The model that answers predictions now, if any.")
    async def champion_model(
        self, info: Info
    ) -> Annotated[ModelVersion, strawberry.lazy("api.models")] | None:
        from api.models import ModelVersion

        champion = await info.context.loaders.champion_id.load(self.row.id)
        return None if champion is None else await ModelVersion.load(info.context, champion)

    @classmethod
    def from_row(cls, row: tables.Market) -> Market:
        """What clients see of a market."""
        return cls(
            row=row,
            id=to_id("Market", row.id),
            code=row.code,
            name=row.name,
            currency=row.currency,
        )

    @classmethod
    async def load(cls, context: Context, key: int) -> Market:
        """The market that a foreign key names."""
        row = await context.loaders.market.load(key)
        assert row is not None, "a foreign key leads to a row"  # noqa: S101
        return cls.from_row(row)


async def load_markets(context: Context, keys: list[int]) -> list[Market | None]:
    """Markets by key, for ``node``."""
    rows = await context.loaders.market.load_many(keys)
    return made(rows, Market.from_row)


@strawberry.type
class MarketQueries:
    @query(metadata=cost(size=100))
    async def markets(self, info: Info) -> list[Market]:
        """Every market, by code."""
        return [Market.from_row(row) for row in await info.context.read(markets.all_markets)]

    @query()
    async def market(
        self,
        info: Info,
        code: Annotated[str, strawberry.argument(description="Short code, e.g. FR.")],
    ) -> Market | None:
        """One market; null where there is none of this code."""
        row = await info.context.read(markets.find, code)
        return None if row is None else Market.from_row(row)


@strawberry.type
class MarketSubscriptions:
    @subscription()
    async def pricing_changed(
        self,
        info: Info,
        market: Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")],
    ) -> AsyncIterator[Market]:
        """The market's champion model and active strategy, now and at each change."""
        context = info.context
        row = await context.read(markets.by_code, market)
        async for _ in context.application.watch.market(row.code):
            context.begin_anew()
            yield Market.from_row(row)
