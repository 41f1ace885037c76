"""What the seller has sold, as training data: the prices that buyers did pay."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import numpy as np
from sqlalchemy import select
from sqlmodel import Session, col

from domain import tables
from domain.stock_columns import is_sale
from ml.dataset import TrainingData, from_rows, in_canonical_order


def read_sales(
    session: Session,
    market_id: int,
    *,
    observed_from: date | None = None,
    observed_to: date | None = None,
) -> TrainingData:
    """The sold vehicles of a market as listings; see ``ml.dataset.read_listings``.

    Each was observed on the day of its order, at the order's total.
    """
    order, vehicle = tables.Order, tables.Vehicle
    facts = [col(getattr(vehicle, each.name)) for each in fields(TrainingData)[:10]]
    statement = (
        select(*facts, col(order.total_price), col(order.ordered_on))
        .join(order, col(order.vehicle_id) == col(vehicle.id))
        .where(col(order.market_id) == market_id, *is_sale())
    )
    if observed_from is not None:
        statement = statement.where(col(order.ordered_on) >= observed_from)
    if observed_to is not None:
        statement = statement.where(col(order.ordered_on) <= observed_to)
    return from_rows(tuple(row) for row in session.execute(statement))


def together(listings: TrainingData, sales: TrainingData) -> TrainingData:
    """Both as one set."""
    columns = {
        each.name: np.concatenate([getattr(one, each.name) for one in (listings, sales)])
        for each in fields(TrainingData)
    }
    return in_canonical_order(TrainingData(**columns))
