"""A filter of stock vehicles: as a JSON document that a job keeps, and as people say it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from domain.money import plain_text
from domain.pricing.words import any_of, spoken
from domain.stock_lists import VehicleFilter
from domain.vocabulary import Fuel, Gearbox

_AMOUNTS = ("min_price", "max_price")


def to_document(wanted: VehicleFilter) -> dict[str, Any]:
    """What the filter asks for; empty where it accepts anything."""
    given = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    return {name: _plain(value) for name, value in given.items() if value is not None}


def from_document(document: Mapping[str, Any]) -> VehicleFilter:
    """The filter that ``to_document`` wrote."""
    given = dict(document)
    for name in _AMOUNTS:
        if name in given:
            given[name] = Decimal(given[name])
    if "fuels" in given:
        given["fuels"] = [Fuel(each) for each in given["fuels"]]
    if "gearboxes" in given:
        given["gearboxes"] = [Gearbox(each) for each in given["gearboxes"]]
    return VehicleFilter(**given)


def for_sale(wanted: VehicleFilter) -> VehicleFilter:
    """The filter, of vehicles that no live order holds unless it asks for the others."""
    return wanted if wanted.available is not None else replace(wanted, available=True)


def in_words(wanted: VehicleFilter) -> list[str]:
    """How the filter narrows a market's vehicles for sale, a condition each; empty: not at all."""
    names: list[tuple[str, Collection[str] | None]] = [
        ("brand", wanted.brands),
        ("fuel", None if wanted.fuels is None else [spoken(each) for each in wanted.fuels]),
        (
            "gearbox",
            None if wanted.gearboxes is None else [spoken(each) for each in wanted.gearboxes],
        ),
        ("colour", wanted.colours),
    ]
    bounds: list[tuple[str, Decimal | int | None, Decimal | int | None]] = [
        ("doors", wanted.doors, wanted.doors),
        ("price", wanted.min_price, wanted.max_price),
        ("release year", wanted.min_release_year, wanted.max_release_year),
        ("mileage in km", wanted.min_mileage_km, wanted.max_mileage_km),
    ]
    told = [
        f"{name} {any_of(list(choice)) if choice else 'of none'}"
        for name, choice in names
        if choice is not None
    ]
    told += [
        f"{name} {_between(lowest, highest)}"
        for name, lowest, highest in bounds
        if (lowest, highest) != (None, None)
    ]
    if wanted.search is not None:
        told.append(f"with the words {wanted.search}")
    if wanted.available is False:
        told.append("held by an order")
    return told


def _between(lowest: Decimal | int | None, highest: Decimal | int | None) -> str:
    """Both ends included, e.g. ``from 5000 to 9000``."""
    from_, to = (
        None if end is None else plain_text(Decimal(end), minor_digits=0)
        for end in (lowest, highest)
    )
    if from_ == to:
        return str(from_)
    if to is None:
        return f"from {from_}"
    return f"up to {to}" if from_ is None else f"from {from_} to {to}"


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Collection) and not isinstance(value, str):
        return [str(each) for each in value]
    return value
