from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from domain import markets, sales, stock_lists, tables
from domain.database import Database
from domain.files.imports import import_sales
from domain.offers import Offer
from domain.pages import Window, read_page
from domain.sales import AddedSales, SalesRow
from domain.stock_lists import VehicleFilter
from domain.tables import OrderStatus, PaymentType
from tests.conftest import NOON
from tests.factories import a_client, a_market, a_payment, a_quote, a_vehicle, an_order

TODAY = NOON.date()

BOUGHT = SalesRow(
    order="O1",
    email="Dora@Example.com ",
    vehicle_reference="S1",
    total_price=Decimal("12500"),
    status="accepted",
    ordered_on=date(2026, 2, 20),
    payment="P1",
    payment_type="card",
    amount=Decimal("500"),
    paid_on=date(2026, 2, 21),
)
UNPAID = replace(BOUGHT, payment=None, payment_type=None, amount=None, paid_on=None)


@pytest.fixture
def market(session: Session) -> tables.Market:
    """Market FR with the vehicles S1 and S2."""
    a_vehicle(session, reference="S1")
    a_vehicle(session, reference="S2")
    return a_market(session)


def add(session: Session, market: tables.Market, *rows: SalesRow) -> AddedSales:
    added = sales.add_sales(session, market, rows, today=TODAY)
    session.expire_all()
    return added


def counts(added: AddedSales) -> tuple[int, int, int, int]:
    return (added.added, added.replaced, added.unchanged, len(added.refusals))


def orders(session: Session) -> list[tables.Order]:
    return list(session.exec(select(tables.Order).order_by(col(tables.Order.reference))))


def test_a_row_is_stored_as_client_order_and_payment(
    session: Session, market: tables.Market
) -> None:
    added = add(session, market, BOUGHT)

    assert counts(added) == (1, 0, 0, 0)
    [order], [client] = orders(session), session.exec(select(tables.Client)).all()
    [payment] = session.exec(select(tables.Payment)).all()
    assert client.email == "dora@example.com"
    assert (order.client_id, order.status) == (client.id, OrderStatus.ACCEPTED)
    assert (order.total_price, order.ordered_on) == (Decimal("12500"), date(2026, 2, 20))
    assert (payment.order_id, payment.type) == (order.id, PaymentType.CARD)
    assert payment.amount == Decimal("500")


def test_rows_of_one_order_are_its_payments(session: Session, market: tables.Market) -> None:
    added = add(session, market, BOUGHT, replace(BOUGHT, payment="P2", payment_type="CHEQUE"))

    assert counts(added) == (2, 0, 0, 0)
    assert len(orders(session)) == 1
    assert len(session.exec(select(tables.Payment)).all()) == 2


def test_rows_sent_again_are_unchanged_or_replaced(session: Session, market: tables.Market) -> None:
    other = replace(UNPAID, order="O2", vehicle_reference="S2")
    add(session, market, BOUGHT, other)

    again = add(session, market, BOUGHT, other)
    changed = add(session, market, replace(BOUGHT, amount=Decimal("600")), other)

    assert counts(again) == (0, 0, 2, 0)
    assert counts(changed) == (0, 1, 1, 0)
    assert session.exec(select(tables.Payment.amount)).one() == Decimal("600")


def test_the_address_of_a_client_is_one_in_any_case(
    session: Session, market: tables.Market
) -> None:
    add(
        session,
        market,
        BOUGHT,
        replace(UNPAID, order="O2", vehicle_reference="S2", email="DORA@example.com"),
    )

    assert len({order.client_id for order in orders(session)}) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"order": " "}, "missing order"),
        ({"email": ""}, "missing email"),
        ({"email": "dora"}, "impossible email"),
        ({"email": "dora @example.com"}, "impossible email"),
        ({"email": "d@" + "x" * 253}, "impossible email"),
        ({"vehicle_reference": "S9"}, "unknown vehicle_reference"),
        ({"total_price": Decimal("-0.01")}, "impossible total_price"),
        ({"total_price": Decimal("0.001")}, "impossible total_price"),
        ({"status": "sold"}, "unknown status"),
        ({"ordered_on": date(2026, 3, 4)}, "impossible ordered_on"),  # two days ahead
        ({"payment": None}, "missing payment"),
        ({"payment_type": None}, "missing payment_type"),
        ({"payment_type": "barter"}, "unknown payment_type"),
        ({"amount": None}, "missing amount"),
        ({"amount": Decimal("-1")}, "impossible amount"),
        ({"paid_on": None}, "missing paid_on"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_reason_and_the_rest_is_stored(
    session: Session, market: tables.Market, changes: dict[str, Any], reason: str
) -> None:
    fine = replace(UNPAID, order="O2", vehicle_reference="S2")

    added = add(session, market, replace(BOUGHT, **changes), fine)

    assert [each.fault.reason for each in added.refusals] == [reason]
    assert [each.path[:2] for each in added.refusals] == [("sales", "0")]
    assert [order.reference for order in orders(session)] == ["O2"]


def test_a_second_live_order_of_a_vehicle_is_refused_and_named(
    session: Session, market: tables.Market
) -> None:
    add(session, market, UNPAID)

    added = add(session, market, replace(UNPAID, order="O2"))

    [refusal] = added.refusals
    assert refusal.fault.reason == "taken vehicle_reference"
    assert "'O1'" in refusal.message
    assert [order.reference for order in orders(session)] == ["O1"]


def test_a_cancelled_order_frees_its_vehicle_from_that_row_on(
    session: Session, market: tables.Market
) -> None:
    add(session, market, UNPAID)
    second = replace(UNPAID, order="O2")

    added = add(session, market, second, replace(UNPAID, status="CANCELLED"), second)

    assert [each.item for each in added.refusals] == [0]
    assert [order.status for order in orders(session)] == [
        OrderStatus.CANCELLED,
        OrderStatus.ACCEPTED,
    ]


def test_two_orders_may_change_vehicles_over_a_third(
    session: Session, market: tables.Market
) -> None:
    a_vehicle(session, reference="S3")
    second = replace(UNPAID, order="O2", vehicle_reference="S2")
    add(session, market, UNPAID, second)

    added = add(
        session,
        market,
        replace(UNPAID, vehicle_reference="S3"),
        replace(second, vehicle_reference="S1"),
        replace(UNPAID, vehicle_reference="S2"),
    )

    assert counts(added) == (0, 3, 0, 0)
    placed = dict(
        session.exec(
            select(tables.Order.reference, tables.Vehicle.reference).join(
                tables.Vehicle, col(tables.Vehicle.id) == tables.Order.vehicle_id
            )
        ).all()
    )
    assert placed == {"O1": "S2", "O2": "S1"}


def test_an_order_takes_the_newest_quote_that_was_valid_on_its_day(
    session: Session, market: tables.Market
) -> None:
    vehicle = session.exec(select(tables.Vehicle).where(tables.Vehicle.reference == "S1")).one()
    for created, valid in ((1, 28), (10, 24), (11, 19), (21, 28)):
        a_quote(
            session,
            vehicle,
            created_at=datetime(2026, 2, created, 9, tzinfo=UTC),
            valid_until=datetime(2026, 2, valid, 9, tzinfo=UTC),
        )

    add(session, market, UNPAID)

    [order] = orders(session)
    quote = session.get_one(tables.Quote, order.quote_id)
    assert quote.created_at.day == 10


def test_vehicles_are_available_that_no_live_order_holds(
    session: Session, market: tables.Market
) -> None:
    a_vehicle(session, reference="S3")
    add(
        session,
        market,
        UNPAID,
        replace(UNPAID, order="O2", vehicle_reference="S2", status="CANCELLED"),
    )

    def references(available: bool) -> list[str]:
        ordered = stock_lists.listed(session, VehicleFilter(available=available), None)
        rows = read_page(session, ordered, Window()).rows
        return [Offer(*row).vehicle.reference for row in rows]

    assert (references(True), references(False)) == (["S2", "S3"], ["S1"])


@pytest.mark.parametrize(
    "impossible",
    [
        lambda session: an_order(session, a_vehicle(session), vehicle_id=99_999),
        lambda session: an_order(session, a_vehicle(session), client_id=99_999),
        lambda session: an_order(session, total_price=Decimal("-0.01")),
        lambda session: a_payment(session, order_id=99_999),
        lambda session: a_payment(session, amount=Decimal("-0.01")),
        lambda session: a_client(session, email="Dora@example.com"),
    ],
)
def test_the_database_itself_refuses_what_cannot_be(session: Session, impossible: Any) -> None:
    a_market(session)

    with pytest.raises(IntegrityError), session.begin_nested():
        impossible(session)


def test_the_database_itself_refuses_a_second_live_order_but_not_a_cancelled_one(
    session: Session,
) -> None:
    vehicle = a_vehicle(session)
    an_order(session, vehicle, status=OrderStatus.CANCELLED)
    an_order(session, vehicle, status=OrderStatus.PENDING)
    an_order(session, vehicle, status=OrderStatus.CANCELLED)

    with pytest.raises(IntegrityError), session.begin_nested():
        an_order(session, vehicle, status=OrderStatus.PAID)


def test_a_file_of_sales_is_imported_with_its_rejects(database: Database, tmp_path: Path) -> None:
    with database.unit_of_work() as session:
        markets.add(session, code="FR", name="France", currency="EUR", now=NOON)
        a_vehicle(session, reference="S1")
    file, rejects = tmp_path / "sales.csv", tmp_path / "rejects.csv"
    file.write_text(
        "order,email,vehicle_reference,total_price,status,ordered_on,payment,payment_type,amount,"
        "paid_on,till\n"
        "O1,dora@example.com,S1,12500,ACCEPTED,2026-02-20,P1,CARD,500,2026-02-21,3\n"
        "O1,dora@example.com,S1,12500,ACCEPTED,2026-02-20,P2,CHEQUE,-12000,2026-02-22,\n"
        "O2,dan@example.com,S1,12500,PENDING,2026-02-20,,,,,\n"
    )

    report = import_sales(database, file, market="FR", now=NOON, rejects=rejects)

    assert (report.read, report.added, report.rejected) == (3, 1, 2)
    assert report.reasons == {"impossible amount": 1, "taken vehicle_reference": 1}
    assert report.ignored == ("till",)
    assert "The live order 'O1' holds vehicle 'S1'." in rejects.read_text()
