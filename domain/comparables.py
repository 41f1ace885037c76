"""Comparables: the listings most similar to a vehicle, as evidence for its market price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, literal, union_all
from sqlmodel import Session, col, select

from domain import tables
from domain.errors import Invalid
from domain.vehicles import VehicleFacts

KM_A_YEAR = 15_000
"""One year of age counts as far as the kilometres that a car does in it."""
KM_OF_ANOTHER_ENGINE = 30_000
KM_OF_ANOTHER_GEARBOX = 15_000
DEFAULT_COMPARABLES = 5
MAX_COMPARABLES = 50
STATEMENTS_AT_ONCE = 100
"""SQLite takes at most 500 selects in one compound statement."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which comparables are asked for."""

    market_id: int
    facts: VehicleFacts
    first: int


def check_first(first: int) -> None:
    """Refuse a number of comparables that nobody could want.

    Raises:
        Invalid: below 1 or above ``MAX_COMPARABLES``.
    """
    if not 1 <= first <= MAX_COMPARABLES:
        raise Invalid(f"first is {first}: ask for 1 to {MAX_COMPARABLES}.", path=("first",))


def most_similar(session: Session, wanted: Sequence[Wanted]) -> dict[Wanted, list[tables.Listing]]:
    """Listings of the same brand, model and fuel by wanted vehicle, the most similar first.

    Similarity is counted in kilometres: those between the two mileages, and what a year of age,
    another engine or another gearbox is worth.
    """
    found: dict[Wanted, list[tables.Listing]] = defaultdict(list)
    distinct = list(dict.fromkeys(wanted))
    for start in range(0, len(distinct), STATEMENTS_AT_ONCE):
        part = distinct[start : start + STATEMENTS_AT_ONCE]
        ranked = union_all(*(_ranked(place, each) for place, each in enumerate(part))).subquery()
        rows = session.exec(
            select(tables.Listing, ranked.c.place)
            .join(ranked, ranked.c.id == tables.Listing.id)
            .order_by(ranked.c.place, ranked.c.distance, col(tables.Listing.id))
        )
        for listing, place in rows:
            found[part[place]].append(listing)
    return found


def _ranked(place: int, wanted: Wanted) -> Select[Any]:
    listing, facts = tables.Listing, wanted.facts
    distance = func.abs(col(listing.mileage_km) - facts.mileage_km) + KM_A_YEAR * func.abs(
        col(listing.release_year) - facts.release_year
    )
    if facts.engine_cc is not None:
        same = func.abs(func.coalesce(col(listing.engine_cc), 0) - facts.engine_cc) <= 100
        distance += case((same, 0), else_=KM_OF_ANOTHER_ENGINE)
    if facts.gearbox is not None:
        distance += case((col(listing.gearbox) == facts.gearbox, 0), else_=KM_OF_ANOTHER_GEARBOX)
    nearest = (
        select(listing.id, literal(place).label("place"), distance.label("distance"))
        .where(
            listing.market_id == wanted.market_id,
            listing.brand == facts.brand,
            listing.model == facts.model,
            listing.fuel == facts.fuel,
        )
        .order_by(distance, col(listing.id))
        .limit(wanted.first)
        .subquery()
    )
    return select(nearest.c.id, nearest.c.place, nearest.c.distance)
