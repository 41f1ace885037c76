from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlmodel import SQLModel, select

from domain import tables
from domain.database import Database
from domain.errors import Invalid
from domain.tables.columns import Amount, Instant
from tests.conftest import needs_postgres


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/test.db")
    SQLModel.metadata.create_all(database.engine)
    yield database
    database.close()


def a_market(code: str) -> tables.Market:
    return tables.Market(code=code, name=code, currency="EUR", created_at=datetime.now(UTC))


def test_a_unit_of_work_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.unit_of_work() as session:
        session.add(a_market("FR"))
        session.flush()
        raise RuntimeError

    with database.reading() as session:
        assert session.exec(select(tables.Market)).all() == []


def test_what_a_unit_of_work_adds_is_there_afterwards(database: Database) -> None:
    with database.unit_of_work() as session:
        session.add(a_market("FR"))

    with database.reading() as session:
        assert session.exec(select(tables.Market.code)).all() == ["FR"]


def test_an_instant_comes_back_in_utc(database: Database) -> None:
    noon_in_paris = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    kept = Instant().process_bind_param(noon_in_paris, database.engine.dialect)

    assert Instant().process_result_value(kept, database.engine.dialect) == noon_in_paris
    assert kept == datetime(2026, 7, 1, 10)


def test_an_amount_that_would_lose_money_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="smaller than a hundredth"):
        Amount().process_bind_param(Decimal("1.005"), database.engine.dialect)


@needs_postgres
def test_a_text_that_postgresql_cannot_keep_is_refused_and_no_fault(served: Database) -> None:
    with served.reading() as session, pytest.raises(Invalid, match="NUL"):
        session.exec(select(tables.Market).where(tables.Market.name == "a\0b")).all()
