"""Profiles: how the files of a source map onto our columns. They are data; a new one is an entry.

A profile names, for each of our columns that the file has, the file's column, and where needed the
factor to our unit and the number by which the source writes "not stated". Everything else it says
is true of each row: constants, the currency of the prices, which columns identify an offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from domain.errors import NotFound

KM_PER_MILE = Decimal("1.609344")
CC_PER_LITRE = Decimal(1000)


@dataclass(frozen=True, slots=True)
class From:
    """Where one of our columns comes from.

    Attributes:
        column: the file's name for it, lower case.
        times: what its numbers are multiplied by; the product is rounded half up to a whole.
        not_stated: a number by which the source says that it does not know; counted when met.
    """

    column: str
    times: Decimal | None = None
    not_stated: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """The layout of one source's files.

    Attributes:
        columns: ours -> the file's.
        constants: ours -> what every row says, written as in a file of ours.
        reference_of: columns of the file, of whose content the reference is made, for files without
            an id: rows equal in all of them are one offer.
        currency: of the file's prices; a market with another one is refused.
    """

    name: str
    summary: str
    columns: Mapping[str, From]
    constants: Mapping[str, str] = field(default_factory=dict)
    reference_of: tuple[str, ...] = ()
    currency: str | None = None


UK_USED_CARS = Profile(
    name="uk-used-cars",
    summary="The 2020 snapshot of UK asking prices, in miles, litres and pounds.",
    columns={
        "brand": From("brand"),
        "model": From("model"),
        "fuel": From("fuel"),
        "gearbox": From("transmission"),
        "release_year": From("year"),
        "mileage_km": From("mileage_miles", times=KM_PER_MILE),
        # 273 rows say 0.0 litres, most of them petrol and diesel cars.
        "engine_cc": From("engine_litres", times=CC_PER_LITRE, not_stated=Decimal(0)),
        "price": From("price_gbp"),
    },
    constants={"source": "uk-used-cars", "observed_on": "2020-12-31"},
    reference_of=(
        "brand",
        "model",
        "year",
        "price_gbp",
        "transmission",
        "mileage_miles",
        "fuel",
        "tax_gbp",
        "mpg",
        "engine_litres",
    ),
    currency="GBP",
)

PROFILES: Mapping[str, Profile] = {each.name: each for each in (UK_USED_CARS,)}


def by_name(name: str) -> Profile:
    """The profile of this name.

    Raises:
        NotFound: there is none; names those that there are.
    """
    if name not in PROFILES:
        raise NotFound(
            f"There is no profile {name!r}: there are {', '.join(PROFILES)}.", path=("profile",)
        )
    return PROFILES[name]
