"""Vehicles in the GraphQL API: described ones, catalogue entries, matches and the stock."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.amounts import Money
from api.context import Context, Info
from api.cost import SIZED_BY_PARENT, cost
from api.errors import UserError, query, user_errors
from api.loaders import MarketPriceWanted
from api.markets import Market
from api.relay import Node, made, to_id
from api.vocabulary import Fuel, Gearbox
from domain import predictions, price_history, stock, tables, vehicles
from domain.matching import Candidate
from domain.offers import Offer
from domain.price_history import DEFAULT_CHANGES, MAX_CHANGES

if TYPE_CHECKING:
    from api.strategies import StrategyVersion

MAX_CORRECTIONS = 11
"""Fields of a description that a catalogue entry has too."""


@strawberry.input(
    description="A vehicle as a form or a partner feed describes it: free text, possibly misspelt, "
    "any supported language."
)
class VehicleDescriptionInput:
    brand: str = strawberry.field(description="Maker, or a name it goes by, e.g. VW.")
    model: str = strawberry.field(description="Model, e.g. 208 or 'Serie 3'.")
    release_year: int = strawberry.field(description="Year of first registration.")
    fuel: str = strawberry.field(
        description="Free text: 'essence', 'Diesel', 'petrol', 'SP95', 'gazole', 'Elektro'..."
    )
    gearbox: str | None = strawberry.field(
        default=None, description="Free text: 'manuelle', 'BVA6', 'Semi-Auto', 'Schaltgetriebe'..."
    )
    mileage_km: int = strawberry.field(description="Kilometres driven.")
    doors: int | None = strawberry.field(default=None, description="Number of doors.")
    version: str | None = strawberry.field(default=None, description="E.g. '1.2 PureTech 100'.")
    trim: str | None = strawberry.field(default=None, description="Equipment line, e.g. Allure.")
    horsepower: int | None = strawberry.field(default=None, description="Metric horsepower.")
    engine: str | None = strawberry.field(default=None, description="E.g. 'BlueHDi 100'.")
    engine_cc: int | None = strawberry.field(
        default=None, description="Cubic centimetres; 0 for an electric vehicle."
    )

    def to_domain(self) -> vehicles.VehicleDescription:
        """The described vehicle, as the business reads it."""
        return vehicles.VehicleDescription(**described(self))


def described(given: Any) -> dict[str, Any]:
    """The fields of a description, from whatever carries them."""
    return {name: getattr(given, name) for name in vehicles.VehicleDescription.__slots__}


@strawberry.type(description="The description as it was given.")
class VehicleDescription:
    brand: str = strawberry.field(description="Maker, as given.")
    model: str = strawberry.field(description="Model, as given.")
    release_year: int = strawberry.field(description="Year of first registration.")
    fuel: str = strawberry.field(description="Fuel, as given.")
    gearbox: str | None = strawberry.field(description="Gearbox, as given.")
    mileage_km: int = strawberry.field(description="Kilometres driven.")
    doors: int | None = strawberry.field(description="Number of doors.")
    version: str | None = strawberry.field(description="Version, as given.")
    trim: str | None = strawberry.field(description="Equipment line, as given.")
    horsepower: int | None = strawberry.field(description="Metric horsepower.")
    engine: str | None = strawberry.field(description="Engine, as given.")
    engine_cc: int | None = strawberry.field(description="Cubic centimetres.")


@strawberry.type(description="What the catalogue knows of one vehicle specification.")
class CatalogueEntry(Node):
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    brand: str = strawberry.field(description="Maker, in the catalogue's spelling.")
    model: str = strawberry.field(description="Model, in the catalogue's spelling.")
    version: str | None = strawberry.field(description="Version, where known.")
    trim: str | None = strawberry.field(description="Equipment line, where known.")
    engine: str | None = strawberry.field(description="Engine, where known.")
    fuel: Fuel = strawberry.field(description="What it runs on.")
    gearbox: Gearbox | None = strawberry.field(description="How it changes gear, where known.")
    doors: int | None = strawberry.field(description="Number of doors, where known.")
    horsepower: int | None = strawberry.field(description="Metric horsepower, where known.")
    engine_cc: int | None = strawberry.field(description="Cubic centimetres, where known.")
    first_year: int | None = strawberry.field(description="Earliest release year seen.")
    last_year: int | None = strawberry.field(description="Latest release year seen.")

    @classmethod
    def of(cls, entry: vehicles.CatalogueEntry | tables.CatalogueEntry) -> CatalogueEntry:
        """What clients see of an entry."""
        return cls(
            id=to_id("CatalogueEntry", entry.id),
            brand=entry.brand,
            model=entry.model,
            version=entry.version,
            trim=entry.trim,
            engine=entry.engine,
            fuel=entry.fuel,
            gearbox=entry.gearbox,
            doors=entry.doors,
            horsepower=entry.horsepower,
            engine_cc=entry.engine_cc,
            first_year=entry.first_year,
            last_year=entry.last_year,
        )


@strawberry.type(description="A given field that differed, and what it was taken for.")
class Correction:
    field: str = strawberry.field(description="Name of the input's field, e.g. model.")
    given: str = strawberry.field(description="What was given.")
    understood: str = strawberry.field(description="What it was taken for.")


@strawberry.type(description="A catalogue entry that a description may mean.")
class VehicleMatchCandidate:
    entry: CatalogueEntry = strawberry.field(description="The entry.")
    score: float = strawberry.field(description="0 to 1; 1 is an exact match of every given field.")
    corrections: list[Correction] = strawberry.field(
        description="Which given fields differed, and what they were taken for.",
        metadata=cost(size=MAX_CORRECTIONS),
    )

    @classmethod
    def of(cls, candidate: Candidate) -> VehicleMatchCandidate:
        """What clients see of a candidate."""
        return cls(
            entry=CatalogueEntry.of(candidate.entry),
            score=candidate.score,
            corrections=[
                Correction(field=each.field, given=each.given, understood=each.understood)
                for each in candidate.corrections
            ],
        )

    @classmethod
    def from_document(cls, stored: dict[str, Any]) -> VehicleMatchCandidate:
        """The match that a quote keeps, with the entry as it was then."""
        entry = stored["entry"]
        return cls(
            entry=CatalogueEntry.of(
                vehicles.CatalogueEntry(
                    **entry
                    | {
                        "fuel": Fuel(entry["fuel"]),
                        "gearbox": entry["gearbox"] and Gearbox(entry["gearbox"]),
                    }
                )
            ),
            score=stored["score"],
            corrections=[Correction(**each) for each in stored["corrections"]],
        )


@strawberry.type(description="What a description was taken for.")
class VehicleMatchResult:
    best: VehicleMatchCandidate | None = strawberry.field(
        description="The best candidate, when it is good enough and clearly ahead; null otherwise."
    )
    candidates: list[VehicleMatchCandidate] = strawberry.field(
        description="Best first.", metadata=cost(size=SIZED_BY_PARENT)
    )
    problem: UserError | None = strawberry.field(description="Why `best` is null.")


# Named here, because a vehicle has a field `cost` of its own.
_ESTIMATED = cost(weight=1)
_COUNTED = cost(count="first")


@strawberry.type(description="One change of a stock vehicle's price.")
class PriceChange:
    change: strawberry.Private[price_history.Change]
    price: Money = strawberry.field(description="From then on.")
    changed_at: datetime = strawberry.field(description="When.")
    reason: str = strawberry.field(
        description="Who or what changed it, e.g. a repricing job under a strategy version."
    )

    @classmethod
    def of(cls, change: price_history.Change, currency: str) -> PriceChange:
        """What clients see of a change."""
        return cls(
            change=change,
            price=Money.of(change.price, currency),
            changed_at=change.changed_at,
            reason=change.reason,
        )

    @strawberry.field(description="The strategy version that made the price, if one did.")
    async def strategy(
        self, info: Info
    ) -> Annotated[StrategyVersion, strawberry.lazy("api.strategies")] | None:
        from api.strategies import StrategyVersion

        key = self.change.strategy_version_id
        return None if key is None else await StrategyVersion.load(info.context, key)


@strawberry.type(description="A vehicle of the seller's own stock.")
class Vehicle(Node):
    row: strawberry.Private[tables.Vehicle]
    currency: strawberry.Private[str]
    id: strawberry.ID = strawberry.field(description="Global id, opaque to clients.")
    reference: str = strawberry.field(description="Stock number, unique in the market.")
    brand: str = strawberry.field(description="Maker, in the catalogue's spelling.")
    model: str = strawberry.field(description="Model, in the catalogue's spelling.")
    version: str | None = strawberry.field(description="Version, where known.")
    fuel: Fuel = strawberry.field(description="What it runs on.")
    gearbox: Gearbox | None = strawberry.field(description="How it changes gear, where known.")
    release_year: int = strawberry.field(description="Year of first registration.")
    mileage_km: int = strawberry.field(description="Kilometres driven.")
    doors: int | None = strawberry.field(description="Number of doors, where known.")
    colour: str | None = strawberry.field(description="Colour, where known.")
    acquired_on: date = strawberry.field(description="The day the seller took it in.")
    cost: Money | None = strawberry.field(description="What the seller paid for it.")
    price: Money = strawberry.field(description="What it is offered for today.")

    @strawberry.field(description="The market whose stock it belongs to.")
    async def market(self, info: Info) -> Market:
        return await Market.load(info.context, self.row.market_id)

    @strawberry.field(description="Its specification in the catalogue.")
    async def entry(self, info: Info) -> CatalogueEntry | None:
        row = await info.context.loaders.catalogue_entry.load(self.row.entry_id)
        return None if row is None else CatalogueEntry.of(row)

    @strawberry.field(description="Days since it was taken in; 0 on that day.")
    def days_in_stock(self, info: Info) -> int:
        return stock.days_in_stock(self.row.acquired_on, info.context.today)

    @strawberry.field(
        description="A fresh, unsaved estimate by the champion model; computed only when asked "
        "for. Null without a champion, or where it cannot estimate the vehicle.",
        metadata=_ESTIMATED,
    )
    async def market_price(self, info: Info) -> Money | None:
        asked = MarketPriceWanted(self.row.market_id, stock.facts_of(self.row))
        amount = await info.context.loaders.market_price.load(asked)
        return None if amount is None else Money.of(amount, self.currency)

    @strawberry.field(description="Every change of `price`, newest first.", metadata=_COUNTED)
    async def price_history(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description=f"How many, at most {MAX_CHANGES}.")
        ] = DEFAULT_CHANGES,
    ) -> list[PriceChange]:
        first = DEFAULT_CHANGES if first is None else first
        price_history.check_first(first)
        asked = price_history.Wanted(self.row.id, first)
        changes = await info.context.loaders.price_changes.load(asked)
        return [PriceChange.of(each, self.currency) for each in changes or ()]

    @strawberry.field(
        name="lowestPrice30Days",
        description="The lowest price asked within the 30 days before the present one was set, or "
        "since it came where that is shorter: what a shop in the European Union has to show beside "
        "a reduced price (Directive 98/6/EC, article 6a). Null while the first price stands.",
    )
    async def lowest_price_30_days(self, info: Info) -> Money | None:
        amount = await info.context.loaders.lowest_prior_price.load(self.row.id)
        return None if amount is None else Money.of(amount, self.currency)

    @classmethod
    async def load(cls, context: Context, key: int) -> Vehicle:
        """The vehicle that a foreign key names."""
        offer = await context.loaders.offer.load(key)
        assert offer is not None, "a foreign key leads to a row"  # noqa: S101
        return cls.of(offer)

    @classmethod
    def of(cls, offer: Offer) -> Vehicle:
        """What clients see of a stock vehicle."""
        row, currency = offer.vehicle, offer.currency
        return cls(
            row=row,
            currency=currency,
            id=to_id("Vehicle", row.id),
            reference=row.reference,
            brand=row.brand,
            model=row.model,
            version=row.version,
            fuel=row.fuel,
            gearbox=row.gearbox,
            release_year=row.release_year,
            mileage_km=row.mileage_km,
            doors=row.doors,
            colour=row.colour,
            acquired_on=row.acquired_on,
            cost=None if row.cost is None else Money.of(row.cost, currency),
            price=Money.of(offer.price, currency),
        )


async def load_entries(context: Context, keys: list[int]) -> list[CatalogueEntry | None]:
    """Catalogue entries by key, for ``node``."""
    rows = await context.loaders.catalogue_entry.load_many(keys)
    return made(rows, CatalogueEntry.of)


async def load_vehicles(context: Context, keys: list[int]) -> list[Vehicle | None]:
    """Stock vehicles by key, for ``node``."""
    return made(await context.loaders.offer.load_many(keys), Vehicle.of)


@strawberry.type
class VehicleQueries:
    @query(metadata=cost(count="limit"))
    async def match_vehicle(
        self,
        info: Info,
        market: Annotated[str, strawberry.argument(description="Code of the market, e.g. FR.")],
        description: Annotated[
            VehicleDescriptionInput, strawberry.argument(description="As somebody typed it.")
        ],
        limit: Annotated[int, strawberry.argument(description="Candidates at most, 1 to 50.")] = 5,
    ) -> VehicleMatchResult:
        """What a free description is taken for, with the runners-up."""
        pricing = await info.context.pricing(market)
        result = await info.context.compute(
            predictions.candidates,
            pricing.matcher,
            description.to_domain(),
            limit=limit,
            on=info.context.today,
        )
        return VehicleMatchResult(
            best=None if result.best is None else VehicleMatchCandidate.of(result.best),
            candidates=[VehicleMatchCandidate.of(each) for each in result.candidates],
            problem=user_errors(result.problem)[0] if result.problem else None,
        )
