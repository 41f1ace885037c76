from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from domain import price_history, tables
from domain.database import Database
from domain.errors import Invalid
from domain.price_history import Price, Wanted, lowest_prior_price
from tests.conftest import NOON, needs_postgres
from tests.factories import a_vehicle


def days_ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def a_history(session: Session, *prices: tuple[float, int]) -> int:
    """A vehicle with these prices, each set so many days ago."""
    vehicle = a_vehicle(session)
    for days, price in prices:
        session.add(
            tables.PriceChange(
                vehicle_id=vehicle.id,
                price=Decimal(price),
                changed_at=days_ago(days),
                reason="test",
            )
        )
        session.flush()
    return vehicle.id


@pytest.mark.parametrize(
    ("prices", "prior"),
    [
        ([(10, 9_900)], None),  # never changed
        ([(40, 10_000), (5, 9_000)], 10_000),
        ([(40, 10_000), (20, 9_500), (5, 9_000)], 9_500),
        ([(40, 10_000), (20, 9_500), (10, 9_900), (5, 9_000)], 9_500),  # raised in between
        ([(90, 8_000), (60, 10_000), (5, 9_000)], 10_000),  # the low one ended 55 days before
        ([(90, 8_000), (34.5, 10_000), (5, 9_000)], 8_000),  # still asked 29.5 days before
        ([(90, 8_000), (35, 10_000), (5, 9_000)], 10_000),  # ended to the instant 30 days before
        ([(3, 10_000), (1, 9_000)], 10_000),  # came three days ago
        ([(5, 10_000), (5, 1), (1, 9_000)], 1),  # of two at one instant the later one was asked
        ([(200, 10_000), (100, 9_000)], 10_000),  # counted from the change, however long ago
    ],
)
def test_the_prior_price_is_the_lowest_of_the_thirty_days_before_the_present_one(
    session: Session, prices: Sequence[tuple[float, int]], prior: int | None
) -> None:
    vehicle_id = a_history(session, *prices)

    found = price_history.lowest_prior_prices(session, [vehicle_id])

    assert found == ({} if prior is None else {vehicle_id: Decimal(prior)})


def test_of_a_long_history_the_last_weeks_are_enough_for_the_prior_price(session: Session) -> None:
    nightly = [(days + 0.5, 10_000 + days) for days in range(400, 0, -1)]
    vehicle_id, other = a_history(session, *nightly), a_history(session, (700, 5), (600, 7), (1, 9))
    expected = lowest_prior_price([Price(Decimal(p), days_ago(d)) for d, p in nightly])

    found = price_history.lowest_prior_prices(session, [vehicle_id, other])

    assert found == {vehicle_id: expected, other: Decimal(7)}
    assert len(session.execute(price_history._of_late([vehicle_id])).all()) < 40


@given(st.lists(st.tuples(st.integers(1, 25), st.integers(1, 9)), min_size=1, max_size=8))
def test_the_prior_price_agrees_with_asking_for_the_price_of_every_day(
    changes: list[tuple[int, int]],
) -> None:
    day, prices = 0, []
    for gap, amount in changes:
        day += gap
        prices.append(Price(Decimal(amount), NOON + timedelta(days=day)))

    asked = [
        next((p.amount for p in reversed(prices[:-1]) if p.since <= moment), None)
        for moment in (prices[-1].since - timedelta(days=back) for back in range(1, 31))
    ]
    expected = min((amount for amount in asked if amount is not None), default=None)

    assert lowest_prior_price(prices) == expected


def test_the_newest_changes_of_many_vehicles_come_newest_first(session: Session) -> None:
    one = a_history(session, (3, 100), (2, 200), (1, 300))
    other = a_history(session, (9, 700))
    bare = a_history(session)
    wanted = [Wanted(one, 2), Wanted(one, 1), Wanted(other, 2), Wanted(bare, 2)]

    found = price_history.newest_changes(session, wanted)

    assert [[int(change.price) for change in found[each]] for each in wanted] == [
        [300, 200],
        [300],
        [700],
        [],
    ]


@needs_postgres
def test_of_a_long_history_no_more_is_read_than_is_asked_for(served: Database) -> None:
    with served.unit_of_work() as session:
        vehicle_id = a_history(session, *((day, 100 + day) for day in range(1_000, 0, -1)))
        session.execute(text("ANALYZE price_change"))
        before = changes_read(session)

        found = price_history.newest_changes(session, [Wanted(vehicle_id, 5)])

        read = changes_read(session) - before
    assert [int(each.price) for each in found[Wanted(vehicle_id, 5)]] == [101, 102, 103, 104, 105]
    assert 5 <= read < 20


def changes_read(session: Session) -> int:
    """Rows of price changes that this transaction has read."""
    asked = """SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
        WHERE relid = 'price_change'::regclass"""
    return int(session.execute(text(asked)).scalar_one())


@pytest.mark.parametrize("first", [-1, 201])
def test_a_number_of_changes_outside_the_limits_is_refused(first: int) -> None:
    with pytest.raises(Invalid) as refusal:
        price_history.check_first(first)

    assert refusal.value.path == ("first",)
