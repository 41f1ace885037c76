"""Listings: past offers and sales seen on the market, what price models learn from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Table, select
from sqlmodel import Session, SQLModel

from domain import bulk, catalogue, markets, tables
from domain.catalogue import Sighting
from domain.errors import LimitExceeded
from domain.plausibility import Checker, Implausible, given_faults
from domain.vehicles import Specification

MOST_IN_ONE_CALL = 1_000

_LISTING: Table = SQLModel.metadata.tables[tables.Listing.__tablename__]
_KEY = ("market_id", "source", "reference")
_VALUES = (
    "entry_id",
    "brand",
    "model",
    "version",
    "fuel",
    "gearbox",
    "release_year",
    "mileage_km",
    "horsepower",
    "engine_cc",
    "doors",
    "price",
    "observed_on",
)

ListingKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A listing as a caller gives it: names, fuel and gearbox as free text, nothing checked."""

    source: str
    reference: str
    brand: str
    model: str
    version: str | None
    fuel: str
    gearbox: str | None
    release_year: int
    mileage_km: int
    horsepower: int | None
    engine_cc: int | None
    doors: int | None
    price: Decimal
    observed_on: date


@dataclass(frozen=True, slots=True)
class AddedListings:
    """What became of the rows of one call.

    Attributes:
        unchanged: rows that were stored exactly so already.
        refusals: everything wrong with the others, in the order of the rows.
    """

    added: int
    replaced: int
    unchanged: int
    refusals: tuple[Implausible, ...]


def add_to_market(
    session: Session, market: str, rows: Sequence[ListingRow], *, today: date
) -> AddedListings:
    """Add a caller's listings to the market of this code.

    Raises:
        NotFound: there is no such market.
        LimitExceeded: none, or more than 1000.
    """
    if not 1 <= len(rows) <= MOST_IN_ONE_CALL:
        raise LimitExceeded(
            f"Send 1 to {MOST_IN_ONE_CALL} listings at once, not {len(rows)}.", path=("listings",)
        )
    return add_listings(session, markets.by_code(session, market), rows, today=today)


def add_listings(
    session: Session, market: tables.Market, rows: Sequence[ListingRow], *, today: date
) -> AddedListings:
    """Store what can be right of these rows; one of a known source and reference replaces it.

    Rows count in their order, so of two with one reference the later one stays.

    Raises:
        LimitExceeded: more than ``bulk.MOST_ROWS_AT_ONCE``.
    """
    bulk.check_size(rows, items="listings")
    accepted, refusals = _checked(market, rows, today=today)
    catalogue.lock(session, market.id)
    entries = catalogue.register(
        session, market.id, dict.fromkeys(specification for _, specification in accepted)
    )
    incoming = [
        ((row.source.strip(), row.reference.strip()), _values(row, each, entries[each]))
        for row, each in accepted
    ]
    stored = _stored(session, market.id, {key for key, _ in incoming})
    changes = bulk.compare(stored, incoming)
    _write(session, market.id, changes.written)
    catalogue.account(
        session,
        market.id,
        (
            (_sighting(stored[key]) if key in stored else None, _sighting(values))
            for key, values in changes.written.items()
        ),
    )
    return AddedListings(changes.added, changes.replaced, changes.unchanged, tuple(refusals))


def _checked(
    market: tables.Market, rows: Sequence[ListingRow], *, today: date
) -> tuple[list[tuple[ListingRow, Specification]], list[Implausible]]:
    checker = Checker(markets.settings_of(market), today=today)
    accepted: list[tuple[ListingRow, Specification]] = []
    refusals: list[Implausible] = []
    for item, row in enumerate(rows):
        specification, faults = checker.check(row, seen_on=row.observed_on)
        faults += given_faults("source", row.source)
        faults += given_faults("reference", row.reference)
        faults += checker.day("observed_on", row.observed_on)
        if specification is None or faults:
            refusals += (Implausible(each, items="listings", item=item) for each in faults)
        else:
            accepted.append((row, specification))
    return accepted, refusals


def _values(
    row: ListingRow, specification: Specification, entry: catalogue.Registered
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
        row.horsepower,
        row.engine_cc,
        row.doors,
        row.price,
        row.observed_on,
    )


def _sighting(values: bulk.Values) -> Sighting:
    return Sighting(values[_VALUES.index("entry_id")], values[_VALUES.index("release_year")])


def _stored(
    session: Session, market_id: int, keys: Collection[ListingKey]
) -> dict[ListingKey, bulk.Values]:
    listing = _LISTING.c
    # A little more than the keys: every reference in every source, one of which a call has.
    query = select(listing.source, listing.reference, *(listing[name] for name in _VALUES)).where(
        listing.market_id == market_id,
        listing.source.in_({source for source, _ in keys}),
        listing.reference.in_({reference for _, reference in keys}),
    )
    found = session.connection().execute(query)
    return {(source, reference): tuple(values) for source, reference, *values in found}


def _write(session: Session, market_id: int, written: Mapping[ListingKey, bulk.Values]) -> None:
    rows = [
        {
            "market_id": market_id,
            "source": source,
            "reference": reference,
            **dict(zip(_VALUES, values, strict=True)),
        }
        for (source, reference), values in written.items()
    ]
    bulk.upsert(session, _LISTING, rows, key=_KEY)
