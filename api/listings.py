"""Listings in the GraphQL API: what models learn from."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from api.amounts import Money
from api.context import Context, Info
from api.cost import cost
from api.errors import UserError, mutation, user_errors
from api.markets import Market
from api.relay import Node, made, to_id
from api.vocabulary import Fuel, Gearbox
from domain import listings, tables
from domain.errors import Refusals
from domain.tables import Role


@strawberry.type(description="A past offer or sale seen on the market: what models learn from.")
class Listing(Node):
    row: strawberry.Private[tables.Listing]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    source: str = strawberry.field(description="Where it was seen, e.g. a portal's name.")
    brand: str = strawberry.field(description="Maker, in the catalogue's spelling.")
    model: str = strawberry.field(description="Model, in the catalogue's spelling.")
    version: str | None = strawberry.field(description="Version, where known.")
    fuel: Fuel = strawberry.field(description="What it runs on.")
    gearbox: Gearbox | None = strawberry.field(description="How it changes gear, where known.")
    release_year: int = strawberry.field(description="Year of first registration.")
    mileage_km: int = strawberry.field(description="Kilometres driven.")
    horsepower: int | None = strawberry.field(description="Metric horsepower, where known.")
    engine_cc: int | None = strawberry.field(description="Cubic centimetres, where known.")
    doors: int | None = strawberry.field(description="Number of doors, where known.")
    observed_on: date = strawberry.field(description="The day it was seen.")

    @strawberry.field(description="The market on which it was seen.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(description="What was asked or paid.")
    async def price(self, info: Info) -> Money:
        market = await Market.load(info.context, self.row.market_id)
        return Money.of(self.row.price, market.currency)

    @classmethod
    def from_row(cls, row: tables.Listing) -> Listing:
        """What clients see of a listing."""
        return cls(
            row=row,
            id=to_id("Listing", row.id),
            source=row.source,
            brand=row.brand,
            model=row.model,
            version=row.version,
            fuel=row.fuel,
            gearbox=row.gearbox,
            release_year=row.release_year,
            mileage_km=row.mileage_km,
            horsepower=row.horsepower,
            engine_cc=row.engine_cc,
            doors=row.doors,
            observed_on=row.observed_on,
        )


async def load_listings(context: Context, keys: list[int]) -> list[Listing | None]:
    """Listings by key, for ``node``."""
    rows = await context.loaders.listing.load_many(keys)
    return made(rows, Listing.from_row)


@strawberry.input(description="A past offer or sale; fuel and gearbox as free text.")
class ListingInput:
    source: str = strawberry.field(description="Where it was seen.")
    reference: str = strawberry.field(
        description="The source's own id: the same listing sent again replaces itself."
    )
    brand: str = strawberry.field(description="Maker, or a name it goes by.")
    model: str = strawberry.field(description="Model.")
    version: str | None = strawberry.field(default=None, description="Version, where known.")
    fuel: str = strawberry.field(description="Free text, e.g. 'essence'.")
    gearbox: str | None = strawberry.field(default=None, description="Free text, e.g. 'BVA'.")
    release_year: int = strawberry.field(description="Year of first registration.")
    mileage_km: int = strawberry.field(description="Kilometres driven.")
    horsepower: int | None = strawberry.field(default=None, description="Metric horsepower.")
    engine_cc: int | None = strawberry.field(default=None, description="Cubic centimetres.")
    doors: int | None = strawberry.field(default=None, description="Number of doors.")
    price: Decimal = strawberry.field(description="In the market's currency.")
    observed_on: date = strawberry.field(description="The day it was seen.")

    def to_domain(self) -> listings.ListingRow:
        """The listing as the business reads it."""
        return listings.ListingRow(
            **{each.name: getattr(self, each.name) for each in fields(listings.ListingRow)}
        )


@strawberry.input(description="Listings to add to what a market's models learn from.")
class AddListingsInput:
    market: str = strawberry.field(description="Code of the market, e.g. FR.")
    listings: list[ListingInput] = strawberry.field(description="1 to 1000.")


@strawberry.type(description="What became of the listings; refused ones beside the others.")
class AddListingsPayload:
    added: int = strawberry.field(default=0, description="New ones.")
    replaced: int = strawberry.field(default=0, description="Sent before, now replaced.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why some or all were not added.",
        metadata=cost(size="parent"),
    )


@strawberry.type
class ListingMutations:
    @mutation(Role.DATA_SCIENCE, metadata=cost(weight=1, count="input.listings"))
    async def add_listings(
        self,
        info: Info,
        input: Annotated[AddListingsInput, strawberry.argument(description="What to add.")],
    ) -> AddListingsPayload:
        """Add listings to what a market's models learn from."""
        added = await info.context.run(
            listings.add_to_market,
            input.market,
            [each.to_domain() for each in input.listings],
            today=info.context.today,
        )
        return AddListingsPayload(
            added=added.added,
            replaced=added.replaced,
            user_errors=user_errors(Refusals(added.refusals)),
        )
