"""A simulated stock as bytes: arrays only, which cannot run code when they are read."""

from __future__ import annotations

from dataclasses import fields
from io import BytesIO
from typing import Any

import numpy as np

from domain.pricing.columns import StockColumns
from domain.simulations.results import SimulatedStock

_NAMES = ("brands", "models")


def to_bytes(stock: SimulatedStock) -> bytes:
    """The vehicles as a compressed ``.npz``, some twenty bytes each."""
    arrays = {
        each.name: np.array(getattr(stock, each.name))
        for each in fields(stock)
        if each.name != "inputs"
    }
    for each in fields(stock.inputs):
        value = getattr(stock.inputs, each.name)
        arrays[each.name] = np.array(value, dtype=np.str_) if each.name in _NAMES else value
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def from_bytes(content: bytes) -> SimulatedStock:
    """The vehicles that ``to_bytes`` wrote."""
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        inputs: dict[str, Any] = {
            each.name: tuple(arrays[each.name].tolist())
            if each.name in _NAMES
            else arrays[each.name]
            for each in fields(StockColumns)
        }
        return SimulatedStock(
            ids=arrays["ids"],
            inputs=StockColumns(**inputs),
            before_cents=arrays["before_cents"],
            after_cents=arrays["after_cents"],
            guarded=arrays["guarded"],
        )
