"""On PostgreSQL with 200 000 orders: no list reads a whole table where an index serves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlmodel import Session

from domain import bulk, sales_lists, stock_lists, tables
from domain.database import Database
from domain.pages import Direction, Ordered, Window, read_page
from domain.sales_lists import ClientFilter, OrderFilter, OrderOrder, OrderOrderField
from domain.stock_lists import VehicleFilter, VehicleOrder, VehicleOrderField
from tests.conftest import needs_postgres
from tests.domain.plans import Explained
from tests.factories import an_entry

ORDERS = 200_000
ASKING_PRICE = tables.AskingPrice.__table__  # type: ignore[attr-defined]

FILL = (
    """
    INSERT INTO vehicle (market_id, entry_id, reference, brand, model, fuel, colour, doors,
        release_year, mileage_km, acquired_on)
    SELECT :market, :entry, 'V' || n, 'Brand ' || n % 40, 'Model ' || n % 400, 'PETROL',
        (ARRAY['Rouge', 'Gris', 'Noir'])[1 + n % 3], 3 + 2 * (n % 2),
        2015 + n % 10, (n * 7919) % 200000,
        DATE '2026-01-01' + CAST(n % 300 AS int)
    FROM generate_series(CAST(1 AS bigint), :orders) n
    """,
    """
    INSERT INTO asking_price (vehicle_id, market_id, price)
    SELECT id, market_id, 500000 + (id * 104729) % 3000000
    FROM vehicle
    """,
    "INSERT INTO client (email) SELECT 'c' || n || '@example.com' FROM generate_series(1, 50000) n",
    """
    INSERT INTO sales_order (market_id, reference, client_id, vehicle_id, total_price, status,
        ordered_on)
    SELECT :market, 'O' || v.id, (SELECT min(id) FROM client) + v.id % 50000, v.id, p.price,
        (ARRAY['PENDING', 'ACCEPTED', 'PAID', 'CANCELLED'])[1 + v.id % 4], v.acquired_on + 20
    FROM vehicle v JOIN asking_price p ON p.vehicle_id = v.id
    """,
    """
    INSERT INTO payment (order_id, reference, type, amount, paid_on)
    SELECT id, 'P', (ARRAY['CARD', 'CHEQUE', 'TRANSFER'])[1 + id % 3], total_price, ordered_on
    FROM sales_order
    """,
    "ANALYZE",
)


@pytest.fixture
def full(served: Database) -> Iterator[Session]:
    with served.unit_of_work() as session:
        entry = an_entry(session)
        facts = {"market": entry.market_id, "entry": entry.id, "orders": ORDERS}
        for statement in FILL:
            names = {name: value for name, value in facts.items() if f":{name}" in statement}
            session.execute(text(statement), names)
        yield session


def scanned(session: Session, ordered: Ordered) -> set[str]:
    """The tables that the first page of a list reads from end to end."""
    explained = Explained(session)
    read_page(explained, ordered, Window(50))  # type: ignore[arg-type]
    return explained.scanned - {"market"}


@needs_postgres
@pytest.mark.slow
def test_no_list_reads_a_whole_table(full: Session) -> None:
    orders = [
        (OrderFilter(market="FR"), OrderOrderField.ORDERED_ON),
        (OrderFilter(market="FR"), OrderOrderField.TOTAL_PRICE),
        (OrderFilter(market="FR", min_total_price=Decimal(30_000)), OrderOrderField.TOTAL_PRICE),
        (OrderFilter(market="FR", ordered_from=date(2026, 11, 1)), OrderOrderField.ORDERED_ON),
        (OrderFilter(market="FR", email_starts_with="c1234"), OrderOrderField.ORDERED_ON),
        (OrderFilter(market="FR", min_payments=2), OrderOrderField.TOTAL_PRICE),
        # Nobody names the market where there is but one.
        (OrderFilter(), OrderOrderField.ORDERED_ON),
        (OrderFilter(), OrderOrderField.TOTAL_PRICE),
    ]
    vehicles = [VehicleOrder(field, way) for field in VehicleOrderField for way in Direction]

    found = {
        str((wanted, field)): scanned(
            full, sales_lists.orders(full, wanted, OrderOrder(field, Direction.DESC))
        )
        for wanted, field in orders
    }
    found |= {
        str((market, order)): scanned(
            full, stock_lists.listed(full, VehicleFilter(market=market), order)
        )
        for order in vehicles
        for market in ("FR", None)
    }
    clients = sales_lists.clients(full, ClientFilter(email_starts_with="c1234"))
    found["clients"] = scanned(full, clients)

    assert {name: tables for name, tables in found.items() if tables} == {}


@needs_postgres
@pytest.mark.slow
def test_new_prices_are_written_without_reading_the_whole_stock(full: Session) -> None:
    ids = list(full.scalars(select(tables.Vehicle.id).order_by(tables.Vehicle.id).limit(5_000)))
    read_before = prices_scanned(full)

    bulk.update_amounts(full, ASKING_PRICE, "price", ids, [1_000_000] * len(ids))

    assert prices_scanned(full) == read_before
    changed = select(func.count()).where(tables.AskingPrice.price == 10_000)
    assert full.scalars(changed).one() >= len(ids)


def prices_scanned(session: Session) -> int:
    """How often this transaction has read the prices of the stock from end to end."""
    asked = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relid = 'asking_price'::regclass"
    return int(session.execute(text(asked)).scalar_one())
