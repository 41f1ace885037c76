"""A filter of stock vehicles as a JSON document: what a job keeps of what it was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

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


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Collection) and not isinstance(value, str):
        return [str(each) for each in value]
    return value
