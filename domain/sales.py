"""Sales: orders of stock vehicles and their payments, as another system reports them.

The database itself refuses an order of an unknown vehicle, a payment without its order, a second
live order of one vehicle and a negative amount. What is checked here is told row by row instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, Table, select, update
from sqlmodel import Session, SQLModel

from domain import bulk, catalogue, markets, tables
from domain.plausibility import Checker, Fault, Implausible, Kind, given_faults, missing
from domain.tables import OrderStatus, PaymentType

_CLIENT: Table = SQLModel.metadata.tables[tables.Client.__tablename__]
_ORDER: Table = SQLModel.metadata.tables[tables.Order.__tablename__]
_PAYMENT: Table = SQLModel.metadata.tables[tables.Payment.__tablename__]
_QUOTE: Table = SQLModel.metadata.tables[tables.Quote.__tablename__]
_VEHICLE: Table = SQLModel.metadata.tables[tables.Vehicle.__tablename__]

LONGEST_ADDRESS = 254
"""RFC 5321, as the errata of RFC 3696 have it."""

Word = TypeVar("Word", OrderStatus, PaymentType)


@dataclass(frozen=True, slots=True)
class SalesRow:
    """A payment and its order, or an order without any payment yet, as a caller gives it."""

    order: str
    email: str
    vehicle_reference: str
    total_price: Decimal
    status: str
    ordered_on: date
    payment: str | None
    payment_type: str | None
    amount: Decimal | None
    paid_on: date | None


@dataclass(frozen=True, slots=True)
class AddedSales:
    """What became of the rows of one call; counted as ``listings.AddedListings`` are."""

    added: int
    replaced: int
    unchanged: int
    refusals: tuple[Implausible, ...]


class _Order(NamedTuple):
    """What is stored of an order; its client by the address."""

    email: str
    vehicle_id: int
    total_price: Decimal
    status: OrderStatus
    ordered_on: date


class _Paid(NamedTuple):
    """What is stored of a payment."""

    type: PaymentType
    amount: Decimal
    paid_on: date


class _Checked(NamedTuple):
    """A row whose words and numbers can be right; whether its vehicle is there is not known yet."""

    item: int
    reference: str
    vehicle_reference: str
    order: _Order
    payment: str | None
    paid: _Paid | None


_Key = tuple[str, str | None]
"""An order's reference, and that of a payment or None for the order itself."""


def add_sales(
    session: Session, market: tables.Market, rows: Sequence[SalesRow], *, today: date
) -> AddedSales:
    """Store what can be right of these rows; a known order or payment is brought up to date.

    Rows count in their order: of two that describe one order differently the later one stays, and
    a vehicle is free for another order from the row on that cancels the one before.

    Raises:
        LimitExceeded: more than ``bulk.MOST_ROWS_AT_ONCE``.
    """
    bulk.check_size(rows, items="sales")
    # Two imports at once could both find a vehicle free.
    catalogue.lock(session, market.id)
    checked, refusals = _checked(market, rows, today=today)
    vehicles = _vehicles(session, market.id, {each.vehicle_reference for each in checked})
    stored = _Stored(session, market.id, {each.reference for each in checked}, vehicles.values())
    accepted = list(_placed(checked, vehicles, stored, refusals))

    changes = bulk.compare(
        stored.rows, (((each.reference, each.payment), _values(each)) for each in accepted)
    )
    orders = {each.reference: each.order for each in accepted}
    changed = {key: order for key, order in orders.items() if stored.orders.get(key) != order}
    _write_orders(session, market.id, changed, stored)
    _write_payments(session, market.id, [each for each in accepted if each.paid is not None])
    refusals.sort(key=lambda refusal: refusal.item)
    return AddedSales(changes.added, changes.replaced, changes.unchanged, tuple(refusals))


def _checked(
    market: tables.Market, rows: Sequence[SalesRow], *, today: date
) -> tuple[list[_Checked], list[Implausible]]:
    checker = Checker(markets.settings_of(market), today=today)
    checked: list[_Checked] = []
    refusals: list[Implausible] = []
    for item, row in enumerate(rows):
        faults = [*_order_faults(checker, row), *_payment_faults(checker, row)]
        if faults:
            refusals += (Implausible(each, items="sales", item=item) for each in faults)
        else:
            checked.append(_understood(item, row))
    return checked, refusals


def _order_faults(checker: Checker, row: SalesRow) -> Iterable[Fault]:
    yield from given_faults("order", row.order)
    yield from given_faults("vehicle_reference", row.vehicle_reference)
    yield from _address_faults(row.email)
    yield from checker.amount("total_price", row.total_price, at_least=Decimal(0))
    yield from _word_faults("status", row.status, OrderStatus)
    yield from checker.day("ordered_on", row.ordered_on)


def _payment_faults(checker: Checker, row: SalesRow) -> Iterable[Fault]:
    given = (row.payment, row.payment_type, row.amount, row.paid_on)
    if all(each is None for each in given):
        return
    names = ("payment", "payment_type", "amount", "paid_on")
    yield from (missing(name) for name, each in zip(names, given, strict=True) if each is None)
    if row.payment is not None:
        yield from given_faults("payment", row.payment)
    if row.payment_type is not None:
        yield from _word_faults("payment_type", row.payment_type, PaymentType)
    if row.amount is not None:
        yield from checker.amount("amount", row.amount, at_least=Decimal(0))
    if row.paid_on is not None:
        yield from checker.day("paid_on", row.paid_on)


def _address_faults(address: str) -> Iterable[Fault]:
    faults = list(given_faults("email", address))
    yield from faults
    name, at, host = address.strip().rpartition("@")
    is_one = name and at and host and address.isascii() and not set("@ ") & set(name + host)
    if not faults and not (is_one and len(address.strip()) <= LONGEST_ADDRESS):
        yield Fault(Kind.IMPOSSIBLE, "email", "email is no address, as in ana@example.com.")


def _word_faults(field: str, word: str, words: type[Word]) -> Iterable[Fault]:
    if word.strip().upper() not in words.__members__:
        known = ", ".join(words.__members__)
        yield Fault(Kind.UNKNOWN, field, f"{word!r} is no {field} that is known: {known}.")


def _understood(item: int, row: SalesRow) -> _Checked:
    paid = None
    if row.payment_type is not None and row.amount is not None and row.paid_on is not None:
        paid = _Paid(PaymentType(row.payment_type.strip().upper()), row.amount, row.paid_on)
    return _Checked(
        item=item,
        reference=row.order.strip(),
        vehicle_reference=row.vehicle_reference.strip(),
        order=_Order(
            email=row.email.strip().lower(),
            vehicle_id=0,
            total_price=row.total_price,
            status=OrderStatus(row.status.strip().upper()),
            ordered_on=row.ordered_on,
        ),
        payment=row.payment.strip() if row.payment else None,
        paid=paid,
    )


class _Stored:
    """What there is already of the orders in question, and who holds the vehicles.

    Attributes:
        ids: of the orders, by reference.
        quotes: of those that have one, by reference.
        rows: orders and payments as ``bulk.compare`` takes them.
        holders: reference of the live order by vehicle.
    """

    def __init__(
        self,
        session: Session,
        market_id: int,
        references: Collection[str],
        vehicle_ids: Collection[int],
    ) -> None:
        self.ids: dict[str, int] = {}
        self.quotes: dict[str, int] = {}
        self.orders: dict[str, _Order] = {}
        self.rows: dict[_Key, bulk.Values] = {}
        order = _ORDER.c
        mine = (order.market_id == market_id) & order.reference.in_(references)
        columns = (order.vehicle_id, order.total_price, order.status, order.ordered_on)
        connection = session.connection()
        for key, reference, quote_id, *values in connection.execute(
            select(order.id, order.reference, order.quote_id, _CLIENT.c.email, *columns)
            .join(_CLIENT, _CLIENT.c.id == order.client_id)
            .where(mine)
        ):
            self.ids[reference] = key
            self.orders[reference] = _Order(*values)
            self.rows[reference, None] = (self.orders[reference], None)
            if quote_id is not None:
                self.quotes[reference] = quote_id
        payment = _PAYMENT.c
        for reference, number, *paid in connection.execute(
            select(
                order.reference, payment.reference, payment.type, payment.amount, payment.paid_on
            )
            .join(_PAYMENT, payment.order_id == order.id)
            .where(mine)
        ):
            self.rows[reference, number] = (self.orders[reference], _Paid(*paid))
        self.holders: dict[int, str] = _pairs(
            session,
            select(order.vehicle_id, order.reference).where(
                order.vehicle_id.in_(vehicle_ids), order.status != OrderStatus.CANCELLED
            ),
        )


def _placed(
    checked: Iterable[_Checked],
    vehicles: Mapping[str, int],
    stored: _Stored,
    refusals: list[Implausible],
) -> Iterable[_Checked]:
    """The rows whose vehicle is there and free for them; refusals of the others are added."""
    holders = dict(stored.holders)
    held = {reference: vehicle for vehicle, reference in holders.items()}
    for row in checked:
        vehicle_id = vehicles.get(row.vehicle_reference)
        holder = None if vehicle_id is None else holders.get(vehicle_id, row.reference)
        is_live = row.order.status is not OrderStatus.CANCELLED
        if vehicle_id is None or (is_live and holder != row.reference):
            fault = _vehicle_fault(row.vehicle_reference, holder)
            refusals.append(Implausible(fault, items="sales", item=row.item))
            continue
        if row.reference in held:
            del holders[held.pop(row.reference)]
        if is_live:
            holders[vehicle_id], held[row.reference] = row.reference, vehicle_id
        yield row._replace(order=row.order._replace(vehicle_id=vehicle_id))


def _vehicle_fault(reference: str, holder: str | None) -> Fault:
    if holder is None:
        return Fault(Kind.UNKNOWN, "vehicle_reference", f"No vehicle {reference!r} in stock.")
    return Fault(
        Kind.TAKEN, "vehicle_reference", f"The live order {holder!r} holds vehicle {reference!r}."
    )


def _values(row: _Checked) -> bulk.Values:
    return (row.order, row.paid)


def _vehicles(session: Session, market_id: int, references: Collection[str]) -> dict[str, int]:
    query = select(_VEHICLE.c.reference, _VEHICLE.c.id).where(
        _VEHICLE.c.market_id == market_id, _VEHICLE.c.reference.in_(references)
    )
    return _pairs(session, query)


def _write_orders(
    session: Session, market_id: int, orders: Mapping[str, _Order], stored: _Stored
) -> None:
    if not orders:
        return
    clients = _clients(session, {order.email for order in orders.values()})
    quotes = _quotes(session, orders)
    # A vehicle that passes from one order to another has one live order at each moment.
    session.connection().execute(
        update(_ORDER)
        .where(_ORDER.c.id.in_([stored.ids[each] for each in orders if each in stored.ids]))
        .values(status=OrderStatus.CANCELLED)
    )
    rows = [
        {
            "market_id": market_id,
            "reference": reference,
            "client_id": clients[order.email],
            "quote_id": stored.quotes.get(reference, quotes.get(reference)),
            **{name: value for name, value in order._asdict().items() if name != "email"},
        }
        for reference, order in orders.items()
    ]
    bulk.upsert(session, _ORDER, rows, key=("market_id", "reference"))


def _clients(session: Session, addresses: Collection[str]) -> dict[str, int]:
    """The client of each address; makes those that there are not yet."""
    rows = [{"email": address} for address in sorted(addresses)]
    bulk.insert_missing(session, _CLIENT, rows, key=("email",))
    query = select(_CLIENT.c.email, _CLIENT.c.id).where(_CLIENT.c.email.in_(addresses))
    return _pairs(session, query)


def _quotes(session: Session, orders: Mapping[str, _Order]) -> dict[str, int]:
    """By order the newest quote of its vehicle that was there and valid on the order's day."""
    quote = _QUOTE.c
    query = (
        select(quote.vehicle_id, quote.id, quote.created_at, quote.valid_until)
        .where(quote.vehicle_id.in_({order.vehicle_id for order in orders.values()}))
        .order_by(quote.id)
    )
    given: dict[int, list[tuple[int, date, date]]] = {}
    for vehicle_id, key, created_at, valid_until in session.connection().execute(query):
        given.setdefault(vehicle_id, []).append((key, created_at.date(), valid_until.date()))
    return {
        reference: key
        for reference, order in orders.items()
        for key, first, last in given.get(order.vehicle_id, ())
        if first <= order.ordered_on <= last
    }


def _write_payments(session: Session, market_id: int, paid: Sequence[_Checked]) -> None:
    query = select(_ORDER.c.reference, _ORDER.c.id).where(
        _ORDER.c.market_id == market_id, _ORDER.c.reference.in_({each.reference for each in paid})
    )
    ids = _pairs(session, query)
    rows = {
        (each.reference, each.payment): {
            "order_id": ids[each.reference],
            "reference": each.payment,
            **each.paid._asdict(),
        }
        for each in paid
        if each.paid is not None
    }
    bulk.upsert(session, _PAYMENT, list(rows.values()), key=("order_id", "reference"))


def _pairs(session: Session, query: Select[Any]) -> dict[Any, Any]:
    """Two columns as a mapping."""
    return {key: value for key, value in session.connection().execute(query)}  # noqa: C416
