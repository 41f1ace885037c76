from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from domain import activations, experiments, tables
from domain.experiments import FEWEST_QUOTES, Arm, Experiment, Mean
from tests import factories
from tests.conftest import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def a_quote(
    session: Session, activation: tables.Activation, price: str, *, at: datetime = NOON + HOUR
) -> tables.Quote:
    """One with a market price of 10 000."""
    facts: dict[str, Any] = {
        "market_id": activation.market_id,
        "description": {},
        "match": {},
        "facts": {},
        "brand": "Peugeot",
        "fuel": "PETROL",
        "estimation_date": date(2026, 3, 2),
        "market_price": Decimal(10_000),
        "low": Decimal(9_000),
        "high": Decimal(11_000),
        "coverage": 0.9,
        "price": Decimal(price),
        "steps": [],
        "review_reasons": [],
        "strategy_version_id": activation.version_id,
        "activation_id": activation.id,
        "challenger": activation.share < 1,
        "created_by": "sue",
        "created_at": at,
        "valid_until": at + DAY,
    }
    quote = tables.Quote(model_id=factories.a_model_version(session).id, **facts)
    session.add(quote)
    session.flush()
    return quote


def two_arms(session: Session) -> tuple[tables.Activation, tables.Activation]:
    champion = factories.an_activation(session, starts_at=NOON - DAY)
    return champion, factories.an_activation(session, share=0.2, ends_at=NOON + DAY)


def report_of(session: Session, activation: tables.Activation) -> Experiment | None:
    ledger = activations.ledger_of(session, activation.market_id)
    return experiments.report(session, activation, ledger)


def test_the_arms_are_told_apart(session: Session) -> None:
    champion, challenger = two_arms(session)
    for price in ("10000", "10400"):
        a_quote(session, champion, price)
    a_quote(session, challenger, "9500")

    found = report_of(session, challenger)

    assert found is not None
    assert [
        (arm.version_id, arm.is_challenger, arm.quotes, round(arm.versus_market.value, 9))
        for arm in found.arms
    ] == [(champion.version_id, False, 2, 0.02), (challenger.version_id, True, 1, -0.05)]


def test_only_the_challengers_own_time_counts(session: Session) -> None:
    champion, challenger = two_arms(session)
    for at in (NOON - HOUR, NOON, NOON + DAY):
        a_quote(session, champion, "10000", at=at)

    found = report_of(session, challenger)

    assert found is not None
    assert [arm.quotes for arm in found.arms] == [1]
    assert (found.starts_at, found.ends_at) == (NOON, NOON + DAY)


def test_an_activation_for_every_vehicle_is_no_experiment(session: Session) -> None:
    champion, _ = two_arms(session)

    assert report_of(session, champion) is None


def test_few_quotes_give_a_mean_and_no_interval(session: Session) -> None:
    champion, challenger = two_arms(session)
    for _ in range(FEWEST_QUOTES - 1):
        a_quote(session, champion, "10000")
    a_quote(session, challenger, "9500")

    found = report_of(session, challenger)

    assert found is not None
    assert [arm.versus_market.interval for arm in found.arms] == [None, None]
    assert found.difference is None


def test_enough_quotes_give_intervals_as_the_textbook_has_them(session: Session) -> None:
    champion, challenger = two_arms(session)
    for turn in range(40):
        a_quote(session, champion, "10100" if turn % 2 else "9900")
        a_quote(session, challenger, "9700" if turn % 2 else "9300")

    found = report_of(session, challenger)

    assert found is not None
    # Standard deviations 0.01 and 0.02, times sqrt(40 / 39), over sqrt(40).
    errors = [0.01 / 39**0.5, 0.02 / 39**0.5]
    interval, difference = found.arms[0].versus_market.interval, found.difference
    assert interval is not None
    assert difference is not None
    assert interval.high == pytest.approx(1.959964 * errors[0])
    width = 1.959964 * (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    assert (difference.low, difference.high) == pytest.approx((-0.05 - width, -0.05 + width))


def test_quotes_all_alike_have_no_spread(session: Session) -> None:
    champion, challenger = two_arms(session)
    for _ in range(FEWEST_QUOTES):
        a_quote(session, champion, "12345.67")

    found = report_of(session, challenger)

    assert found is not None
    interval = found.arms[0].versus_market.interval
    assert interval is not None
    assert interval.high - interval.low < 1e-6


def an_order(session: Session, quote: tables.Quote, status: tables.OrderStatus) -> None:
    """Of a vehicle that came ten days before."""
    vehicle = factories.a_vehicle(session, acquired_on=NOON.date() - timedelta(days=10))
    client = tables.Client(email=f"{vehicle.reference.lower()}@example.org")
    session.add(client)
    session.flush()
    session.add(
        tables.Order(
            market_id=vehicle.market_id,
            reference=vehicle.reference,
            client_id=client.id,
            vehicle_id=vehicle.id,
            quote_id=quote.id,
            total_price=quote.price,
            status=status,
            ordered_on=NOON.date(),
        )
    )
    session.flush()


def test_live_orders_of_its_quotes_count_for_an_arm(session: Session) -> None:
    champion, challenger = two_arms(session)
    quotes = [a_quote(session, champion, "10000") for _ in range(4)]
    a_quote(session, challenger, "9500")
    an_order(session, quotes[0], tables.OrderStatus.PAID)
    an_order(session, quotes[1], tables.OrderStatus.CANCELLED)

    found = report_of(session, challenger)

    assert found is not None
    sold = [(arm.orders, arm.conversion, arm.mean_days_to_sell) for arm in found.arms]
    assert sold == [(1, 0.25, 10.0), (0, 0.0, None)]


def test_the_interval_of_a_conversion_is_wilsons(session: Session) -> None:
    champion, challenger = two_arms(session)
    quotes = [a_quote(session, champion, "10000") for _ in range(10)]
    an_order(session, quotes[0], tables.OrderStatus.PENDING)

    found = report_of(session, challenger)

    assert found is not None
    interval = found.arms[0].conversion_interval
    # Wilson's textbook answer for 1 of 10.
    assert (interval.low, interval.high) == pytest.approx((0.0179, 0.4042), abs=1e-4)


@pytest.mark.parametrize(("orders", "end"), [(0, "low"), (90, "high")])
def test_an_arm_that_sold_none_or_all_has_an_interval_that_ends_there(
    orders: int, end: str
) -> None:
    arm = Arm(1, True, Mean(90, 0.0, 0.01), orders, None)

    assert getattr(arm.conversion_interval, end) == orders / 90
    assert arm.conversion_interval.low < arm.conversion_interval.high
