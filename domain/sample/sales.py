"""The sample market's sales, drawn from a seed: who bought which vehicle of the stock, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from domain.sales import SalesRow
from domain.stock import VehicleRow

_SOLD_SHARE = 0.3
_FIRST_NAMES = (
    "adele", "bruno", "chloe", "denis", "elise", "fabien", "gaelle", "hugo", "ines", "jules",
    "karim", "lea", "manon", "nadia", "oscar", "pauline", "quentin", "rose", "samir", "zoe",
)  # fmt: skip
_LAST_NAMES = (
    "bernard", "dubois", "durand", "fontaine", "garcia", "lambert", "leroy", "martin", "moreau",
    "petit", "roux", "simon",
)  # fmt: skip
# How many payments an order came in, and their types; most buyers finance or transfer.
_WAYS_TO_PAY = {
    ("CARD", "FINANCING"): 34,
    ("TRANSFER",): 27,
    ("CHEQUE",): 14,
    ("CARD", "TRANSFER"): 12,
    ("CARD", "CHEQUE"): 7,
    ("CARD",): 4,
    ("CASH", "CHEQUE"): 2,
}
_DEPOSIT_SHARE = Decimal("0.1")
_DAYS_TO_ACCEPT, _DAYS_TO_PAY = 2, 12
_CANCELLED_SHARE = 0.06


def sales(stock: Iterable[VehicleRow], *, today: date, seed: int = 20) -> Iterator[SalesRow]:
    """Orders of about three vehicles in ten, since each came into stock, with their payments."""
    random = Random(f"sales {seed}")  # noqa: S311 - a sample wants repetition, not secrecy
    for number, vehicle in enumerate(stock, start=1):
        if random.random() < _SOLD_SHARE:
            yield from _order(random, f"BC-{number:05}", vehicle, today)


def _order(random: Random, number: str, vehicle: VehicleRow, today: date) -> Iterator[SalesRow]:
    ordered_on = vehicle.acquired_on + timedelta(
        days=random.randrange((today - vehicle.acquired_on).days + 1)
    )
    total = _haggled(random, vehicle.price)
    status = _status(random, (today - ordered_on).days)
    types = random.choices(list(_WAYS_TO_PAY), list(_WAYS_TO_PAY.values()))[0]
    email = f"{random.choice(_FIRST_NAMES)}.{random.choice(_LAST_NAMES)}@example.com"
    order = SalesRow(
        order=number,
        email=email,
        vehicle_reference=vehicle.reference,
        total_price=total,
        status=status,
        ordered_on=ordered_on,
        payment=None,
        payment_type=None,
        amount=None,
        paid_on=None,
    )
    if status in ("PENDING", "CANCELLED"):
        yield order
        return
    yield from _paid(order, types, whole=status == "PAID")


def _paid(order: SalesRow, types: tuple[str, ...], *, whole: bool) -> Iterator[SalesRow]:
    """The order with its payments: a deposit first where there are two, the rest once paid."""
    deposit = (order.total_price * _DEPOSIT_SHARE).quantize(Decimal(1))
    amounts = [deposit, order.total_price - deposit] if len(types) > 1 else [order.total_price]
    days = [0, _DAYS_TO_PAY] if len(types) > 1 else [_DAYS_TO_PAY if whole else 0]
    if not whole:
        amounts, types = [deposit], types[:1]
    for place, (kind, amount, later) in enumerate(zip(types, amounts, days, strict=False), start=1):
        yield SalesRow(
            order=order.order,
            email=order.email,
            vehicle_reference=order.vehicle_reference,
            total_price=order.total_price,
            status=order.status,
            ordered_on=order.ordered_on,
            payment=f"{order.order}-{place}",
            payment_type=kind,
            amount=amount,
            paid_on=order.ordered_on + timedelta(days=later),
        )


def _haggled(random: Random, price: Decimal) -> Decimal:
    """A price that a buyer talked down, by up to four per cent, to ten euros."""
    return Decimal(round(float(price) * (1 - random.random() * 0.04), -1)).quantize(Decimal(1))


def _status(random: Random, days_ago: int) -> str:
    if random.random() < _CANCELLED_SHARE:
        return "CANCELLED"
    if days_ago < _DAYS_TO_ACCEPT:
        return "PENDING"
    return "ACCEPTED" if days_ago < _DAYS_TO_PAY else "PAID"
