"""The stock in the GraphQL API: which of the seller's vehicles, in which order."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from functools import partial
from typing import Annotated

import strawberry

from api.context import Info
from api.enums import describe
from api.errors import query
from api.pagination import After, Before, Connection, Direction, First, Last, connection, window_of
from api.vehicles import Vehicle
from api.vocabulary import Fuel, Gearbox
from domain import offers, stock_lists
from domain.offers import Offer
from domain.stock_lists import VehicleOrderField

describe(
    VehicleOrderField,
    "What a list of vehicles is ordered by.",
    {
        VehicleOrderField.PRICE: "What each is offered for.",
        VehicleOrderField.MILEAGE_KM: "Kilometres driven.",
        VehicleOrderField.RELEASE_YEAR: "Year of first registration.",
        VehicleOrderField.DAYS_IN_STOCK: "Days since it was taken in.",
        VehicleOrderField.REFERENCE: "Stock number, as text.",
    },
)


@strawberry.input(
    description="Which vehicles; absent conditions accept anything, empty lists nothing. Bounds "
    "are included."
)
class VehicleFilter:
    market: str | None = strawberry.field(default=None, description="Code of the market.")
    brands: list[str] | None = strawberry.field(
        default=None, description="Names or aliases; case and accents do not matter."
    )
    fuels: list[Fuel] | None = strawberry.field(default=None, description="What it runs on.")
    gearboxes: list[Gearbox] | None = strawberry.field(
        default=None, description="How it changes gear."
    )
    colours: list[str] | None = strawberry.field(
        default=None, description="As the stock's files spell them; case does not matter."
    )
    doors: int | None = strawberry.field(default=None, description="Number of doors.")
    min_price: Decimal | None = strawberry.field(default=None, description="Lowest asking price.")
    max_price: Decimal | None = strawberry.field(default=None, description="Highest asking price.")
    min_release_year: int | None = strawberry.field(default=None, description="Earliest year.")
    max_release_year: int | None = strawberry.field(default=None, description="Latest year.")
    min_mileage_km: int | None = strawberry.field(default=None, description="Fewest kilometres.")
    max_mileage_km: int | None = strawberry.field(default=None, description="Most kilometres.")
    available: bool | None = strawberry.field(
        default=None,
        description="True: only vehicles that no live order holds; false: only the others.",
    )
    search: str | None = strawberry.field(
        default=None,
        description="Words to find in brand, model, version, each of them; case and accents do "
        "not matter.",
    )

    def to_domain(self) -> stock_lists.VehicleFilter:
        """The filter, as the business reads it."""
        names = (each.name for each in fields(stock_lists.VehicleFilter))
        return stock_lists.VehicleFilter(**{name: getattr(self, name) for name in names})


@strawberry.input(description="What a list of vehicles is ordered by, and which way.")
class VehicleOrder:
    field: VehicleOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(
        default=Direction.ASC, description="Which end comes first."
    )

    def to_domain(self) -> stock_lists.VehicleOrder:
        """The order, as the business reads it."""
        return stock_lists.VehicleOrder(self.field, self.direction)


@strawberry.type
class StockQueries:
    @query()
    async def vehicles(
        self,
        info: Info,
        filter: Annotated[
            VehicleFilter | None, strawberry.argument(description="Which; all if absent.")
        ] = None,
        order_by: Annotated[
            VehicleOrder | None,
            strawberry.argument(description="As they came into the stock if absent."),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Vehicle]:
        """The seller's own vehicles."""
        wanted = filter.to_domain() if filter else stock_lists.VehicleFilter()
        order = order_by.to_domain() if order_by else None
        return await connection(
            info.context.read,
            partial(stock_lists.listed, wanted=wanted, order=order),
            window_of(first, after, last, before),
            lambda row: Vehicle.of(Offer(*row)),
        )

    @query()
    async def vehicle(
        self,
        info: Info,
        market: Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")],
        reference: Annotated[str, strawberry.argument(description="Stock number.")],
    ) -> Vehicle | None:
        """One vehicle of the stock; null where there is none of this number."""
        found = await info.context.read(offers.of_reference, market, reference)
        return None if found is None else Vehicle.of(found)
