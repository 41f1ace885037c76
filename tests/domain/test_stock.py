from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from domain import catalogue, listings, markets, offers, stock, tables
from domain.stock import VehicleRow
from domain.vocabulary import Fuel
from tests.conftest import NOON
from tests.domain.test_listings import CLIO as CLIO_LISTING
from tests.factories import asking_price

TODAY = NOON.date()

CLIO = VehicleRow(
    reference="S1",
    brand="renault",
    model="Clio",
    version=None,
    fuel="essence",
    gearbox="manuelle",
    release_year=2021,
    mileage_km=40_000,
    doors=5,
    colour="rouge",
    horsepower=90,
    engine_cc=999,
    cost=Decimal("9800"),
    price=Decimal("12390"),
    acquired_on=date(2026, 1, 15),
)


@pytest.fixture
def market(session: Session) -> tables.Market:
    return markets.add(session, code="FR", name="France", currency="EUR", now=NOON)


def add(session: Session, market: tables.Market, *rows: VehicleRow) -> stock.AddedVehicles:
    return stock.add_vehicles(session, market, rows, today=TODAY, now=NOON, reason="import")


def price_history(session: Session) -> list[Decimal]:
    query = select(tables.PriceChange.price).order_by(col(tables.PriceChange.id))
    return list(session.exec(query))


def test_a_vehicle_is_found_by_its_reference(session: Session, market: tables.Market) -> None:
    add(session, market, CLIO)

    found = stock.by_reference(session, market.id, ["S1", "S2"])

    assert list(found) == ["S1"]
    assert (found["S1"].brand, found["S1"].fuel) == ("Renault", Fuel.PETROL)


def test_the_first_price_and_each_other_one_enter_the_history(
    session: Session, market: tables.Market
) -> None:
    add(session, market, CLIO)
    add(session, market, replace(CLIO, price=Decimal("11990")))
    add(session, market, replace(CLIO, price=Decimal("11990"), mileage_km=40_010))

    assert price_history(session) == [Decimal("12390"), Decimal("11990")]


def test_a_vehicle_is_offered_for_the_price_that_was_sent_last(
    session: Session, market: tables.Market
) -> None:
    add(session, market, CLIO, replace(CLIO, reference="S2", price=Decimal("9999.90")))
    add(session, market, replace(CLIO, price=Decimal("11990")))

    found = {key: offers.of_reference(session, "FR", key) for key in ("S1", "S2")}

    assert {key: offer and offer.price for key, offer in found.items()} == {
        "S1": Decimal("11990"),
        "S2": Decimal("9999.90"),
    }


@pytest.mark.parametrize(
    "impossible",
    [
        {"vehicle_id": 99_999},
        {"price": Decimal(0)},
        {"market_id": 99_999},  # of another market than its vehicle
    ],
)
def test_the_database_itself_refuses_a_price_that_cannot_be(
    session: Session, market: tables.Market, impossible: dict[str, Any]
) -> None:
    add(session, market, CLIO)
    vehicle = stock.by_reference(session, market.id, ["S1"])["S1"]
    valid = {"vehicle_id": vehicle.id, "market_id": market.id, "price": Decimal(1)}
    session.delete(asking_price(session, vehicle))
    session.flush()

    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(tables.AskingPrice(**valid | impossible))
        session.flush()


def test_a_vehicle_sent_again_is_unchanged_or_replaced(
    session: Session, market: tables.Market
) -> None:
    add(session, market, CLIO, replace(CLIO, reference="S2"))

    again = add(session, market, CLIO, replace(CLIO, reference="S2", colour=None))

    assert (again.added, again.replaced, again.unchanged) == (0, 1, 1)


def test_stock_and_listings_of_one_specification_share_their_entry(
    session: Session, market: tables.Market
) -> None:
    listings.add_listings(session, market, [CLIO_LISTING], today=TODAY)

    add(session, market, replace(CLIO, release_year=2019))

    [entry] = catalogue.entries(session, market.id)
    assert (entry.seen, entry.first_year, entry.last_year) == (2, 2019, 2021)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("acquired_on", date(2026, 3, 4)),  # two days ahead
        ("cost", Decimal("-1")),
        ("price", Decimal("-1")),
        ("colour", "ro\tuge"),
        ("reference", ""),
        ("release_year", 2028),
    ],
)
def test_what_cannot_be_right_is_refused_and_the_rest_is_stored(
    session: Session, market: tables.Market, field: str, value: object
) -> None:
    wrong = replace(CLIO, **{"reference": "S2", field: value})

    added = add(session, market, wrong, CLIO)

    assert [each.fault.field for each in added.refusals] == [field]
    assert [each.path[:2] for each in added.refusals] == [("vehicles", "0")]
    assert list(stock.by_reference(session, market.id, ["S1", "S2"])) == ["S1"]


@pytest.mark.parametrize(
    ("on", "days"),
    [
        (date(2026, 1, 15), 0),
        (date(2026, 3, 2), 46),
        (date(2026, 1, 1), 0),  # before it came
    ],
)
def test_days_in_stock_are_never_negative(on: date, days: int) -> None:
    assert stock.days_in_stock(date(2026, 1, 15), on) == days
