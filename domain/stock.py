"""Stock: the vehicles that the seller offers, and every change of their price."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Table, insert, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from domain import bulk, catalogue, markets, tables
from domain.catalogue import Sighting
from domain.plausibility import Checker, Fault, Implausible, given_faults, text_faults
from domain.vehicles import Specification, VehicleFacts

_VEHICLE: Table = SQLModel.metadata.tables[tables.Vehicle.__tablename__]
_ASKING_PRICE: Table = SQLModel.metadata.tables[tables.AskingPrice.__tablename__]
_PRICE_CHANGE: Table = SQLModel.metadata.tables[tables.PriceChange.__tablename__]
_KEY = ("market_id", "reference")
# The values of a row: these of its vehicle, and its price behind them.
_COLUMNS = (
    "entry_id",
    "brand",
    "model",
    "version",
    "fuel",
    "gearbox",
    "release_year",
    "mileage_km",
    "doors",
    "colour",
    "horsepower",
    "engine_cc",
    "cost",
    "acquired_on",
)
_PRICE = len(_COLUMNS)


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """A stock vehicle as a caller gives it: names, fuel and gearbox as free text, unchecked."""

    reference: str
    brand: str
    model: str
    version: str | None
    fuel: str
    gearbox: str | None
    release_year: int
    mileage_km: int
    doors: int | None
    colour: str | None
    horsepower: int | None
    engine_cc: int | None
    cost: Decimal | None
    price: Decimal
    acquired_on: date


@dataclass(frozen=True, slots=True)
class AddedVehicles:
    """What became of the rows of one call; counted as ``listings.AddedListings`` are."""

    added: int
    replaced: int
    unchanged: int
    refusals: tuple[Implausible, ...]


def add_vehicles(
    session: Session,
    market: tables.Market,
    rows: Sequence[VehicleRow],
    *,
    today: date,
    now: datetime,
    reason: str,
) -> AddedVehicles:
    """Store what can be right of these rows; a known reference is brought up to date.

    A first price and a changed one enter the price history: one change a vehicle and call.

    Args:
        reason: who or what changes the prices.

    Raises:
        LimitExceeded: more than ``bulk.MOST_ROWS_AT_ONCE``.
    """
    bulk.check_size(rows, items="vehicles")
    accepted, refusals = _checked(market, rows, today=today)
    catalogue.lock(session, market.id)
    entries = catalogue.register(
        session, market.id, dict.fromkeys(specification for _, specification in accepted)
    )
    incoming = [
        (row.reference.strip(), _values(row, each, entries[each])) for row, each in accepted
    ]
    stored = _stored(session, market.id, {reference for reference, _ in incoming})
    changes = bulk.compare(stored, incoming)
    _write(session, market.id, _changed(changes.written, stored, slice(_PRICE)))
    repriced = _changed(changes.written, stored, slice(_PRICE, None))
    _offer(session, market.id, repriced, now=now, reason=reason)
    catalogue.account(
        session,
        market.id,
        (
            (_sighting(stored[reference]) if reference in stored else None, _sighting(values))
            for reference, values in changes.written.items()
        ),
    )
    return AddedVehicles(changes.added, changes.replaced, changes.unchanged, tuple(refusals))


def by_reference(
    session: Session, market_id: int, references: Collection[str]
) -> dict[str, tables.Vehicle]:
    """The vehicles of these stock numbers; one that is not in stock is left out."""
    query = select_rows(tables.Vehicle).where(
        tables.Vehicle.market_id == market_id, col(tables.Vehicle.reference).in_(set(references))
    )
    return {vehicle.reference: vehicle for vehicle in session.exec(query)}


def days_in_stock(acquired_on: date, on: date) -> int:
    """Days that a vehicle has been in stock on a day; 0 before it came."""
    return max(0, (on - acquired_on).days)


def facts_of(vehicle: tables.Vehicle) -> VehicleFacts:
    """What the market price of a stock vehicle is estimated from."""
    return VehicleFacts(**{each.name: getattr(vehicle, each.name) for each in fields(VehicleFacts)})


def _checked(
    market: tables.Market, rows: Sequence[VehicleRow], *, today: date
) -> tuple[list[tuple[VehicleRow, Specification]], list[Implausible]]:
    checker = Checker(markets.settings_of(market), today=today)
    accepted: list[tuple[VehicleRow, Specification]] = []
    refusals: list[Implausible] = []
    for item, row in enumerate(rows):
        specification, faults = checker.check(row, seen_on=today)
        faults += _own_faults(checker, row)
        if specification is None or faults:
            refusals += (Implausible(each, items="vehicles", item=item) for each in faults)
        else:
            accepted.append((row, specification))
    return accepted, refusals


def _own_faults(checker: Checker, row: VehicleRow) -> list[Fault]:
    return [
        *given_faults("reference", row.reference),
        *text_faults("colour", row.colour or ""),
        *(checker.amount("cost", row.cost, at_least=Decimal(0)) if row.cost is not None else ()),
        *checker.day("acquired_on", row.acquired_on),
    ]


def _values(
    row: VehicleRow, specification: Specification, entry: catalogue.Registered
) -> bulk.Values:
    return (
        entry.id,
        entry.brand,
        entry.model,
        entry.version,
        specification.fuel,
        specification.gearbox,
        row.release_year,
        row.mileage_km,
        row.doors,
        (row.colour or "").strip() or None,
        row.horsepower,
        row.engine_cc,
        row.cost,
        row.acquired_on,
        row.price,
    )


def _sighting(values: bulk.Values) -> Sighting:
    return Sighting(values[_COLUMNS.index("entry_id")], values[_COLUMNS.index("release_year")])


def _stored(
    session: Session, market_id: int, references: Collection[str]
) -> dict[str, bulk.Values]:
    vehicle, asking = _VEHICLE.c, _ASKING_PRICE.c
    query = select(vehicle.reference, vehicle.id, *(vehicle[name] for name in _COLUMNS)).where(
        vehicle.market_id == market_id, vehicle.reference.in_(references)
    )
    found = session.connection().execute(query).all()
    # Apart, and no join: a server that does not know yet how large the tables have grown, as in the
    # middle of a first import, joins them the wrong way round.
    offered = select(asking.vehicle_id, asking.price).where(
        asking.vehicle_id.in_([row.id for row in found])
    )
    prices = {row.vehicle_id: row.price for row in session.connection().execute(offered)}
    return {reference: (*values, prices.get(key)) for reference, key, *values in found}


def _changed(
    written: Mapping[str, bulk.Values], stored: Mapping[str, bulk.Values], part: slice
) -> dict[str, bulk.Values]:
    """A part of the values of each row that is new or has another one stored."""
    return {
        reference: values[part]
        for reference, values in written.items()
        if reference not in stored or stored[reference][part] != values[part]
    }


def _write(session: Session, market_id: int, written: Mapping[str, bulk.Values]) -> None:
    rows = [
        {
            "market_id": market_id,
            "reference": reference,
            **dict(zip(_COLUMNS, values, strict=True)),
        }
        for reference, values in written.items()
    ]
    bulk.upsert(session, _VEHICLE, rows, key=_KEY)


def _offer(
    session: Session,
    market_id: int,
    prices: Mapping[str, tuple[Decimal]],
    *,
    now: datetime,
    reason: str,
) -> None:
    """Offer vehicles for other prices than before, and note each in their histories."""
    if not prices:
        return
    query = select(_VEHICLE.c.reference, _VEHICLE.c.id).where(
        _VEHICLE.c.market_id == market_id, _VEHICLE.c.reference.in_(prices)
    )
    ids = {row.reference: row.id for row in session.connection().execute(query)}
    offered = [(ids[reference], price) for reference, (price,) in prices.items()]
    bulk.upsert(
        session,
        _ASKING_PRICE,
        [{"vehicle_id": key, "market_id": market_id, "price": price} for key, price in offered],
        key=("vehicle_id",),
    )
    session.connection().execute(
        insert(_PRICE_CHANGE),
        [
            {"vehicle_id": key, "price": price, "changed_at": now, "reason": reason}
            for key, price in offered
        ],
    )
