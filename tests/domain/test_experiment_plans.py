"""On PostgreSQL with 200 000 quotes: an experiment reads the quotes of its own time only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from domain import activations, experiments, tables
from domain.database import Database
from tests import factories
from tests.conftest import NOON, needs_postgres
from tests.domain.plans import Explained

QUOTES = 200_000
DAYS = 400

FILL = """
    INSERT INTO quote (market_id, description, match, facts, brand, fuel, estimation_date,
        market_price, low, high, coverage, price, steps, review_reasons, model_id,
        strategy_version_id, activation_id, challenger, created_by, created_at, valid_until)
    SELECT :market, '{"brand": "Peugeot"}', '{}', '{}', 'Brand ' || n % 40, 'PETROL', '2026-03-02',
        1000000, 900000, 1100000, 0.9, 900000 + (n * 7919) % 200000, '[]', '[]', :model,
        :version, :activation, n % 5 = 0, 'sue', :start + n * :pace, :start + n * :pace
    FROM generate_series(CAST(1 AS bigint), :quotes) n
"""


def a_fortnight_among_many_quotes(session: Session) -> tables.Activation:
    """A challenger whose two weeks end two weeks before the last quote is made."""
    start = NOON - timedelta(days=DAYS)
    champion = factories.an_activation(session, starts_at=start)
    challenger = factories.an_activation(
        session, share=0.2, starts_at=NOON - timedelta(days=28), ends_at=NOON - timedelta(days=14)
    )
    facts: dict[str, Any] = {
        "market": champion.market_id,
        "model": factories.a_model_version(session).id,
        "version": champion.version_id,
        "activation": champion.id,
        "start": start,
        "pace": timedelta(days=DAYS) / QUOTES,
        "quotes": QUOTES,
    }
    session.execute(text(FILL), facts)
    session.execute(text("ANALYZE"))
    return challenger


@needs_postgres
@pytest.mark.slow
def test_an_experiment_reads_the_quotes_of_its_own_time_only(served: Database) -> None:
    with served.unit_of_work() as session:
        challenger = a_fortnight_among_many_quotes(session)
        ledger = activations.ledger_of(session, challenger.market_id)
        explained = Explained(session)

        report = experiments.report(explained, challenger, ledger)  # type: ignore[arg-type]

    assert report is not None
    assert sum(arm.quotes for arm in report.arms) == QUOTES * 14 // DAYS
    assert "quote" not in explained.scanned
