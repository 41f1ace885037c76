from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from domain import markets, tables
from domain.database import Database
from domain.tables import OrderStatus
from domain.trainings import TrainingRequest
from ml import runs
from ml.sold import read_sales, together
from tests import factories
from tests.conftest import NOON
from tests.ml import made


def a_sale(session: Session, **order: Any) -> tables.Vehicle:
    entry = factories.an_entry(session, market=factories.a_market(session))
    vehicle = factories.a_vehicle(session, entry, mileage_km=41_000)
    factories.an_order(session, vehicle, total_price=Decimal("9876.50"), **order)
    return vehicle


def test_a_sale_is_a_listing_of_its_day_at_the_price_that_was_paid(session: Session) -> None:
    vehicle = a_sale(session, ordered_on=date(2026, 2, 3))

    data = read_sales(session, vehicle.market_id)

    assert data.price.tolist() == [9876.5]
    assert data.mileage_km.tolist() == [41_000]
    assert data.observed_on.tolist() == [date(2026, 2, 3)]
    assert (data.brand[0], data.fuel[0]) == (vehicle.brand, vehicle.fuel)


@pytest.mark.parametrize("status", [OrderStatus.PENDING, OrderStatus.CANCELLED])
def test_what_was_not_sold_teaches_nothing(session: Session, status: OrderStatus) -> None:
    vehicle = a_sale(session, status=status)

    assert read_sales(session, vehicle.market_id).rows == 0


def test_a_window_holds_for_sales_as_for_listings(session: Session) -> None:
    vehicle = a_sale(session, ordered_on=date(2026, 2, 3))

    def rows(first: date, last: date) -> int:
        return read_sales(session, vehicle.market_id, observed_from=first, observed_to=last).rows

    assert rows(date(2026, 2, 3), date(2026, 2, 3)) == 1
    assert rows(date(2026, 2, 4), date(2026, 12, 31)) == 0
    assert rows(date(2026, 1, 1), date(2026, 2, 2)) == 0


def test_listings_and_sales_together_are_the_same_in_whatever_order() -> None:
    listings, sales = made.listings(40, seed=1), made.listings(10, seed=2)

    both, turned = together(listings, sales), together(sales, listings)

    assert both.rows == 50
    assert both.fingerprint() == turned.fingerprint()
    assert np.array_equal(both.price, turned.price)


@pytest.mark.parametrize(("train_on_sales", "sold"), [(False, 0), (True, 1)])
def test_models_learn_from_sales_where_the_market_says_so(
    embedded: Database, train_on_sales: bool, sold: int
) -> None:
    with embedded.unit_of_work() as session:
        vehicle = a_sale(session)
        market = session.get_one(tables.Market, vehicle.market_id)
        markets.change_settings(market, {"train_on_sales": train_on_sales})
        for row in range(300):
            factories.a_listing(session, mileage_km=1_000 * row, price=Decimal(20_000 - 20 * row))

    published = runs.run(
        embedded,
        market.id,
        TrainingRequest("linear_regression", {}),
        artifact_key=b"key",
        progress=lambda _share, _stage: None,
    )
    with embedded.unit_of_work() as session:
        version = published.publish(session, by="dee", now=NOON)

    assert version.sold_rows == sold
