"""The cars that were sold new: models, their generations and the engines of each."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from domain.vocabulary import Fuel


class Segment(StrEnum):
    """The size and kind of a car; buyers of each forgive its age differently."""

    CITY = "CITY"
    SUPERMINI = "SUPERMINI"
    COMPACT = "COMPACT"
    SALOON = "SALOON"
    SMALL_SUV = "SMALL_SUV"
    SUV = "SUV"
    PEOPLE_CARRIER = "PEOPLE_CARRIER"
    PREMIUM = "PREMIUM"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine as a price list names it.

    Attributes:
        engine_cc: cubic centimetres; None where the car is electric.
        gearboxes: "M" manual only, "A" automatic only, "MA" either.
        list_price: in euros when new, plainest trim, cheapest gearbox, in the first year on sale.
        since, until: first and last year on sale; None means until today.
    """

    name: str
    fuel: Fuel
    horsepower: int
    engine_cc: int | None
    gearboxes: str
    list_price: int
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of a model.

    Attributes:
        sold: how many thousand of the model are sold new in France in a usual year.
        doors: the commonest number first.
        trims: from the plainest to the best equipped; empty where there is only one.
    """

    brand: str
    model: str
    segment: Segment
    sold: float
    first_year: int
    last_year: int | None
    doors: tuple[int, ...]
    trims: tuple[str, ...]
    engines: tuple[Engine, ...]


@cache
def generations() -> tuple[Generation, ...]:
    """Every generation with its engines."""
    engines: defaultdict[tuple[str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in _rows("engines.csv"):
        engines[row["brand"], row["model"], row["first_year"]].append(row)
    return tuple(
        _generation(row, engines[row["brand"], row["model"], row["first_year"]])
        for row in _rows("generations.csv")
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("domain.sample") / name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _generation(row: dict[str, str], engines: list[dict[str, str]]) -> Generation:
    return Generation(
        brand=row["brand"],
        model=row["model"],
        segment=Segment(row["segment"]),
        sold=float(row["sold"]),
        first_year=int(row["first_year"]),
        last_year=_number(row["last_year"]),
        doors=tuple(int(doors) for doors in row["doors"].split("/")),
        trims=tuple(row["trims"].split(", ")) if row["trims"] else (),
        engines=tuple(_engine(engine, _number(row["last_year"])) for engine in engines),
    )


def _engine(row: dict[str, str], last_year: int | None) -> Engine:
    return Engine(
        name=row["engine"],
        fuel=Fuel(row["fuel"]),
        horsepower=int(row["horsepower"]),
        engine_cc=_number(row["engine_cc"]),
        gearboxes=row["gearboxes"],
        list_price=int(row["list_price"]),
        since=_number(row["since"]) or int(row["first_year"]),
        until=_number(row["until"]) or last_year,
    )


def _number(text: str) -> int | None:
    return int(text) if text else None
