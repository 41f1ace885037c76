from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from domain import sales_lists, tables
from domain.database import Database
from domain.pages import Direction, Place, Window, read_page
from domain.sales_lists import (
    ClientFilter,
    OrderFilter,
    OrderOrder,
    OrderOrderField,
    OrdersWanted,
)
from domain.tables import OrderStatus, PaymentType
from domain.vocabulary import Fuel, fold
from tests.factories import a_client, a_market, a_payment, a_vehicle, an_entry, an_order

ADDRESSES = ["dora@example.com", "d_n@example.com", "eve@example.com"]
FIRST_DAY = date(2026, 2, 1)


class Sold:
    """An order with all that it is filtered by."""

    def __init__(self, session: Session, number: int, entries: list[tables.CatalogueEntry]) -> None:
        self.price = Decimal(9_000 + 500 * (number % 5))
        self.vehicle = a_vehicle(
            session,
            entries[number % len(entries)],
            colour=["Rouge", "bleu", None][number % 3],
            doors=[3, 5][number % 2],
            price=self.price,
        )
        self.address = ADDRESSES[number % 3]
        self.order = an_order(
            session,
            self.vehicle,
            client_id=CLIENTS[self.address],
            status=list(OrderStatus)[number % 4],
            total_price=Decimal(8_000 + 700 * (number % 6)),
            ordered_on=FIRST_DAY + timedelta(days=number % 9),
        )
        kinds = list(PaymentType)[: number % 4]
        self.paid = [each.type for each in (a_payment(session, self.order, type=k) for k in kinds)]


CLIENTS: dict[str, int] = {}


def sold(session: Session) -> list[Sold]:
    """Forty orders in two markets."""
    CLIENTS.update({each: a_client(session, email=each).id for each in ADDRESSES})
    entries = [
        an_entry(session, market=market, brand=brand, fuel=fuel)
        for market in (a_market(session), a_market(session, "BE"))
        for brand, fuel in (("Peugeot", Fuel.PETROL), ("Citroën", Fuel.DIESEL))
    ]
    return [Sold(session, number, entries) for number in range(40)]


@pytest.fixture
def made(database: Database) -> Any:
    with database.unit_of_work() as session:
        yield session, sold(session), a_market(session).id


def accepts(wanted: OrderFilter, each: Sold, french: int) -> bool:
    """The filter read aloud, one order at a time."""
    order, vehicle = each.order, each.vehicle
    claims: list[tuple[Any, Callable[[Any], bool]]] = [
        (wanted.market, lambda given: (order.market_id == french) is (given == "FR")),
        (wanted.statuses, lambda given: order.status in given),
        (wanted.brands, lambda given: fold(vehicle.brand) in {fold(name) for name in given}),
        (wanted.fuels, lambda given: vehicle.fuel in given),
        (wanted.colours, lambda given: (vehicle.colour or "?").lower() in given),
        (wanted.doors, lambda given: vehicle.doors == given),
        (wanted.min_vehicle_price, lambda given: each.price >= given),
        (wanted.max_vehicle_price, lambda given: each.price <= given),
        (wanted.min_total_price, lambda given: order.total_price >= given),
        (wanted.max_total_price, lambda given: order.total_price <= given),
        (wanted.paid_with_all, lambda given: set(given) <= set(each.paid)),
        (wanted.min_payments, lambda given: len(each.paid) >= given),
        (wanted.email_starts_with, lambda given: each.address.startswith(given.lower())),
        (wanted.ordered_from, lambda given: order.ordered_on >= given),
        (wanted.ordered_to, lambda given: order.ordered_on <= given),
    ]
    return all(holds(given) for given, holds in claims if given is not None)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | st.none() | values


def some(*values: Any) -> st.SearchStrategy[Any]:
    return maybe(st.lists(st.sampled_from(values), max_size=2))


amounts = maybe(st.sampled_from(["8700", "9000.001", "9500", "10099.999", "1e29"]).map(Decimal))
days = maybe(st.integers(-1, 9).map(lambda each: FIRST_DAY + timedelta(days=each)))
filters = st.builds(
    OrderFilter,
    market=maybe(st.sampled_from(["FR", "BE"])),
    statuses=some(*OrderStatus),
    brands=some("peugeot", "CITROEN", "Tesla"),
    fuels=some(Fuel.PETROL, Fuel.DIESEL),
    colours=some("rouge", "bleu", "vert"),
    doors=maybe(st.sampled_from([3, 5])),
    min_vehicle_price=amounts,
    max_vehicle_price=amounts,
    min_total_price=amounts,
    max_total_price=amounts,
    paid_with_all=some(*PaymentType),
    min_payments=maybe(st.integers(-1, 4)),
    email_starts_with=maybe(st.sampled_from(["", "d", "D_", "d%", "eve@", "\0"])),
    ordered_from=days,
    ordered_to=days,
)
quickly = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(wanted=filters)
@quickly
def test_a_filter_finds_what_reading_it_aloud_finds(made: Any, wanted: OrderFilter) -> None:
    session, everything, french = made

    page = read_page(session, sales_lists.orders(session, wanted), Window(200))

    expected = {each.order.id for each in everything if accepts(wanted, each, french)}
    assert {order.id for order, _ in page.rows} == expected


@given(start=maybe(st.sampled_from(["d", "d_", "E", "x"])), wanted=maybe(filters))
@quickly
def test_clients_are_found_by_their_address_and_by_an_order_that_passes(
    made: Any, start: str | None, wanted: OrderFilter | None
) -> None:
    session, everything, french = made

    page = read_page(session, sales_lists.clients(session, ClientFilter(start, wanted)), Window())

    expected = {
        address
        for address in ADDRESSES
        if (start is None or address.startswith(start.lower()))
        and (
            wanted is None
            or any(accepts(wanted, each, french) for each in everything if each.address == address)
        )
    }
    assert {client.email for client in page.rows} == expected


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("field", OrderOrderField)
def test_a_walk_in_any_order_meets_each_order_once_while_others_come(
    session: Session, field: OrderOrderField, direction: Direction
) -> None:
    everything = sold(session)
    ordered = sales_lists.orders(session, OrderFilter(), OrderOrder(field, direction))

    met: list[tables.Order] = []
    after: Place | None = None
    while True:
        page = read_page(session, ordered, Window(7, after=after))
        met += [order for order, _ in page.rows]
        if not page.has_next:
            break
        after = page.places[-1]
        an_order(session, ordered_on=FIRST_DAY)

    keys = [getattr(each, field.value.lower()) for each in met]
    assert keys == sorted(keys, reverse=direction is Direction.DESC)
    assert len({each.id for each in met}) == len(met)
    assert {each.id for each in met} >= {each.order.id for each in everything}


def test_the_latest_orders_of_many_clients_come_newest_first(session: Session) -> None:
    everything = sold(session)
    wanted = [OrdersWanted(CLIENTS[each], first) for each in ADDRESSES for first in (0, 3, 200)]

    found = sales_lists.orders_of_clients(session, wanted)

    for each in wanted:
        mine = [one.order for one in everything if one.order.client_id == each.client_id]
        mine.sort(key=lambda order: (order.ordered_on, order.id), reverse=True)
        assert [order.id for order, _ in found[each]] == [o.id for o in mine[: each.first]]
