"""Simulations of what was sold: what a strategy would have asked, against what was paid."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from domain import simulations, tables
from domain.pricing.content import Conditions, IntRange, LadderStep, Rule, StrategyContent
from domain.simulations import Outcome
from domain.tables import OrderStatus
from tests import factories
from tests.conftest import NOON
from tests.domain.test_simulations import AT_MARKET, a_champion, a_vehicle, a_version, asked

TODAY = NOON.date()


def a_sale(session: Session, paid: str, **facts: Any) -> tables.Vehicle:
    """A vehicle of a market price of 10 000 that somebody has bought."""
    order = {name: facts.pop(name) for name in ("status", "ordered_on") if name in facts}
    vehicle = a_vehicle(session, "12000", **facts)
    factories.an_order(session, vehicle, total_price=Decimal(paid), **order)
    return vehicle


def back_test(session: Session, content: StrategyContent, **how: Any) -> Outcome:
    model = a_champion(session)
    simulation = asked(session, a_version(session, content), on_sales=True, **how)
    return simulations.simulate(
        session, simulation.job_id, model, on=TODAY, progress=lambda _share, _stage: None
    )


def test_what_would_have_been_asked_is_compared_with_what_was_paid(session: Session) -> None:
    a_sale(session, "8000")
    a_sale(session, "12500")
    a_vehicle(session, "9000")  # not sold

    summary = back_test(session, AT_MARKET).summary

    assert (summary.vehicles, summary.raised, summary.lowered) == (2, 1, 1)
    assert (summary.value_before_cents, summary.value_after_cents) == (20_500_00, 20_000_00)


@pytest.mark.parametrize(
    ("status", "vehicles"),
    [
        (OrderStatus.ACCEPTED, 1),
        (OrderStatus.PAID, 1),
        (OrderStatus.PENDING, 0),  # nobody has agreed yet
        (OrderStatus.CANCELLED, 0),
    ],
)
def test_only_accepted_and_paid_orders_are_sales(
    session: Session, status: OrderStatus, vehicles: int
) -> None:
    a_sale(session, "8000", status=status)

    assert back_test(session, AT_MARKET).summary.vehicles == vehicles


def test_age_and_days_in_stock_are_those_of_the_day_of_the_order(session: Session) -> None:
    a_sale(
        session,
        "8000",
        release_year=2020,
        acquired_on=date(2024, 11, 1),
        ordered_on=date(2025, 1, 10),  # five years old, seventy days in stock
    )
    of_that_age = Rule(
        "five", conditions=Conditions(age_years=IntRange(5, 6)), factor=Decimal("0.9")
    )
    ladder = (LadderStep(60, Decimal("0.95")), LadderStep(71, Decimal("0.5")))
    content = StrategyContent((Rule("default"), of_that_age), ladder=ladder)

    stock = back_test(session, content).stock

    assert stock.after_cents.tolist() == [855_000]


def test_no_approval_rests_on_a_back_test(session: Session) -> None:
    a_sale(session, "8000")
    outcome = back_test(session, AT_MARKET)
    simulations.publish(session, outcome, by="ana", now=NOON)
    simulation = session.get_one(tables.Simulation, outcome.simulation_id)
    version = session.get_one(tables.StrategyVersion, simulation.version_id)

    assert simulations.newest_succeeded(session, version) is None
