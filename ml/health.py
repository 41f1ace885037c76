"""How a model version is doing: on what was really sold, and what has drifted since it learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, func, select

from domain import quotes, stock, tables
from ml.artifact import ArtifactRefused
from ml.drift import drift
from ml.evaluation import measures
from ml.features import FeatureRow, row_of
from ml.loading import ModelOf
from ml.predictor import Predictor

MOST_ORDERS = 5_000
"""The newest of them tell enough."""

RECENT_QUOTES = 1_000

FEWEST_QUOTES = 100
"""Of fewer vehicles the index is mostly chance: it is about bins over vehicles where nothing has
changed (B. Yurdakul, Statistical Properties of Population Stability Index, 2018)."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a model version has done outside of its training.

    Attributes:
        orders: the market's orders since its first promotion, those cancelled apart.
        realised_mape: its mean absolute percentage error on them; None where there are none.
        realised_coverage: the share of them whose price lay in its interval; None likewise.
        drift: the population stability index of each feature, the most drifted first; empty where
            too few vehicles were quoted to tell.
    """

    orders: int = 0
    realised_mape: float | None = None
    realised_coverage: float | None = None
    drift: Mapping[str, float] = field(default_factory=dict)


class _Sold(NamedTuple):
    """One order: the vehicle as it was then, and what was paid for it."""

    vehicle: FeatureRow
    ordered_on: date
    price: float


def health_of(
    session: Session, model_ids: Sequence[int], *, model_of: ModelOf
) -> dict[int, Health]:
    """The health of each version; those of one market are held against the same rows."""
    version = tables.ModelVersion
    versions = session.exec(select(version).where(col(version.id).in_(model_ids))).all()
    market_ids = {each.market_id for each in versions}
    promoted_on = _first_promoted_on(session, model_ids)
    quoted = {each: _recently_quoted(session, each) for each in market_ids}
    since = min(promoted_on.values(), default=None)
    sold = {each: _sold(session, each, since) if since else [] for each in market_ids}
    found = {}
    for each in versions:
        on = promoted_on.get(each.id)
        orders = [order for order in sold[each.market_id] if on and order.ordered_on >= on]
        realised = _realised(each.id, orders, model_of)
        found[each.id] = replace(realised, drift=_drift(each, quoted[each.market_id]))
    return found


def _realised(model_id: int, sold: Sequence[_Sold], model_of: ModelOf) -> Health:
    """How its estimates of what was sold compare with what was paid."""
    if not sold:
        return Health()
    try:
        predictor = model_of(model_id).estimator
    except ArtifactRefused:
        # It answers nowhere, so there is no order that it can price.
        return Health()
    if not isinstance(predictor, Predictor):
        raise TypeError("only a rebuilt predictor can be measured")
    bounds = predictor.log_bounds([order.vehicle for order in sold])
    estimate, low, high = (np.exp(each) for each in bounds)
    measured = measures(np.array([order.price for order in sold]), estimate, low, high)
    return Health(measured["rows"], measured["mape"], measured["coverage"])


def _sold(session: Session, market_id: int, since: date) -> list[_Sold]:
    """The newest orders of a market since a day, those cancelled or for nothing apart."""
    order, vehicle = tables.Order, tables.Vehicle
    rows = session.exec(
        select(vehicle, col(order.ordered_on), col(order.total_price))
        .join(order, col(order.vehicle_id) == col(vehicle.id))
        .where(
            order.market_id == market_id,
            order.ordered_on >= since,
            order.status != tables.OrderStatus.CANCELLED,
            order.total_price > 0,
        )
        .order_by(col(order.ordered_on).desc(), col(order.id).desc())
        .limit(MOST_ORDERS)
    )
    return [
        _Sold(row_of(stock.facts_of(each), on=on), on, float(price)) for each, on, price in rows
    ]


def _first_promoted_on(session: Session, model_ids: Sequence[int]) -> dict[int, date]:
    promotion = tables.Promotion
    rows = session.exec(
        select(promotion.model_id, func.min(promotion.promoted_at))
        .where(col(promotion.model_id).in_(model_ids))
        .group_by(col(promotion.model_id))
    )
    return {model_id: at.date() for model_id, at in rows}


def _drift(version: tables.ModelVersion, rows: Sequence[FeatureRow]) -> Mapping[str, float]:
    if version.features is None or len(rows) < FEWEST_QUOTES:
        return {}
    return drift(version.features, rows)


def _recently_quoted(session: Session, market_id: int) -> list[FeatureRow]:
    """The vehicles of the market's newest quotes, their ages counted as they were then."""
    quote = tables.Quote
    newest = session.exec(
        select(quote)
        .where(quote.market_id == market_id)
        .order_by(col(quote.id).desc())
        .limit(RECENT_QUOTES)
        .options(load_only(quote.facts, quote.estimation_date))  # type: ignore[arg-type]
    )
    return [row_of(quotes.stored_facts(each), on=each.estimation_date) for each in newest]
