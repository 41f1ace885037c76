"""How a model version is doing: what has drifted since it learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from domain import quotes, tables
from ml.drift import drift
from ml.features import FeatureRow, row_of

RECENT_QUOTES = 1_000

FEWEST_QUOTES = 100
"""Of fewer vehicles the index is mostly chance: it is about bins over vehicles where nothing has
changed (B. Yurdakul, Statistical Properties of Population Stability Index, 2018)."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a model version has done outside of its training.

    Attributes:
        orders: sales that it can be held against.
        realised_mape: its mean absolute percentage error on them; None where there are none.
        realised_coverage: the share of them whose price lay in its interval; None likewise.
        drift: the population stability index of each feature, the most drifted first; empty where
            too few vehicles were quoted to tell.
    """

    orders: int = 0
    realised_mape: float | None = None
    realised_coverage: float | None = None
    drift: Mapping[str, float] = field(default_factory=dict)


def health_of(session: Session, model_ids: Sequence[int]) -> dict[int, Health]:
    """The health of each version; those of one market are held against the same quotes."""
    version = tables.ModelVersion
    versions = session.exec(select(version).where(col(version.id).in_(model_ids))).all()
    recent = {
        market_id: _recently_quoted(session, market_id)
        for market_id in {each.market_id for each in versions}
    }
    return {each.id: Health(drift=_drift(each, recent[each.market_id])) for each in versions}


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
