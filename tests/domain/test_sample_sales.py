"""The sample's sales fit the stock that they are made for."""

from datetime import date
from decimal import Decimal

from sqlmodel import Session, select

from domain import sales, sample, stock, tables
from tests.conftest import NOON
from tests.factories import a_market

TODAY = date(2026, 3, 2)


def test_every_sale_of_the_sample_can_be_stored_and_adds_up(embedded_session: Session) -> None:
    market = a_market(embedded_session)
    rows = list(sample.stock(today=TODAY, count=200))
    stock.add_vehicles(embedded_session, market, rows, today=TODAY, now=NOON, reason="test")

    added = sales.add_sales(
        embedded_session, market, list(sample.sales(rows, today=TODAY)), today=TODAY
    )

    assert added.refusals == ()
    orders = embedded_session.exec(select(tables.Order)).all()
    assert 40 <= len(orders) <= 80
    assert {order.status for order in orders} == set(tables.OrderStatus)
    for order in orders:
        amounts = embedded_session.exec(
            select(tables.Payment.amount).where(tables.Payment.order_id == order.id)
        )
        paid = sum(amounts, Decimal(0))
        assert (paid == order.total_price) is (order.status is tables.OrderStatus.PAID)


def test_the_same_seed_makes_the_same_sales() -> None:
    first, again = (
        list(sample.sales(sample.stock(today=TODAY, count=50), today=TODAY)) for _ in range(2)
    )

    assert first == again
