from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from domain import markets, repricing, tables
from domain.activations import arm
from domain.database import Database
from domain.errors import IdempotencyMismatch, Invalid, Refusals
from domain.estimates import Estimate
from domain.offers import select_offers
from domain.pricing.content import Rule, StrategyContent
from domain.pricing.documents import to_document
from domain.pricing.engine import PricingPolicy
from domain.quotes import price as price_alone
from domain.quotes import reference_key
from domain.snapshots import PricingSnapshot, ServedModel, ServedStrategy
from domain.stock import days_in_stock, facts_of
from domain.stock_lists import VehicleFilter
from domain.tables import OrderStatus
from domain.vehicles import VehicleColumns, VehicleFacts
from tests.conftest import NOON
from tests.factories import (
    a_market,
    a_model_version,
    a_strategy,
    a_strategy_version,
    a_vehicle,
    an_activation,
    an_entry,
    an_order,
)

TODAY = NOON.date()


class ByMileage:
    """A price model that anybody can follow: 20 000 less a cent for each ten metres."""

    coverage = 0.9

    def __init__(self) -> None:
        self.calls: list[int] = []

    def estimate(self, vehicles: Sequence[VehicleFacts], *, on: date) -> list[Estimate]:
        prices = [Decimal(20_000) - Decimal(each.mileage_km) / 10 for each in vehicles]
        return [Estimate(price, price, price, outside_training_data=False) for price in prices]

    def market_cents(self, vehicles: VehicleColumns, *, on: date) -> NDArray[np.int64]:
        self.calls.append(len(vehicles))
        return 2_000_000 - 10 * vehicles.mileage_km.astype(np.int64)

    def explain(self, vehicle: VehicleFacts, *, on: date) -> list[Any]:
        raise NotImplementedError


def content(factor: str) -> StrategyContent:
    return StrategyContent(rules=(Rule("default", factor=Decimal(factor)),))


def a_snapshot(session: Session, *, challenged: bool = False) -> PricingSnapshot:
    """Market FR with a model by mileage, a strategy at 0.9, and maybe a challenger at 1.1."""
    market = a_market(session)

    def served(factor: str, share: float) -> ServedStrategy:
        version = a_strategy_version(
            session, a_strategy(session, market), content=to_document(content(factor))
        )
        activation = an_activation(session, version, share=share)
        return ServedStrategy(activation.id, version.id, share, PricingPolicy(content(factor)))

    return PricingSnapshot(
        market_id=market.id,
        market_code="FR",
        currency="EUR",
        settings=markets.settings_of(market),
        matcher=None,  # type: ignore[arg-type]
        model=ServedModel(a_model_version(session, market).id, market.id, ByMileage()),
        strategy=served("0.9", 1.0),
        challenger=served("1.1", 0.5) if challenged else None,
    )


def a_stock(session: Session, count: int = 11) -> None:
    """Vehicles of rising mileage; the first costs exactly what the strategy says already."""
    entry = an_entry(session)
    for number in range(count):
        a_vehicle(
            session,
            entry,
            reference=f"V{number}",
            mileage_km=10_000 * number,
            price=Decimal(18_000),
        )


def request(session: Session, pricing: PricingSnapshot, **facts: Any) -> tables.Job:
    wanted = facts.pop("wanted", VehicleFilter())
    given = {"by": "paul", "now": NOON, "idempotency_key": None}
    return repricing.request_once(session, pricing, wanted, **given | facts)


def run(session: Session, job: tables.Job, model: ServedModel, *, chunks: int = 99) -> list[float]:
    """The shares done after each of at most so many chunks of three vehicles, in two pieces."""
    taken = repricing.Run(session, job, model, chunk=3, piece=2)
    shares: list[float] = []
    for _ in range(chunks):
        share = taken.next_chunk(session, now=NOON + timedelta(hours=1))
        session.flush()
        if share is None:
            break
        shares.append(share)
    session.expire_all()
    return shares


def prices(session: Session) -> dict[str, Decimal]:
    rows = session.exec(select_offers().order_by(col(tables.Vehicle.id)))
    return {vehicle.reference: price for vehicle, price, _ in rows}


def history(session: Session) -> list[tuple[int, Decimal, int | None]]:
    rows = session.exec(select(tables.PriceChange).order_by(col(tables.PriceChange.id)))
    return [(row.vehicle_id, row.price, row.strategy_version_id) for row in rows]


def outcome(session: Session, job: tables.Job) -> tuple[int, int, int]:
    row = session.get_one(tables.Repricing, job.id)
    return (row.repriced, row.unchanged, row.failed)


def test_the_stock_is_priced_by_champion_and_strategy_and_changes_enter_the_history(
    session: Session,
) -> None:
    a_stock(session)
    pricing = a_snapshot(session)
    job = request(session, pricing)

    shares = run(session, job, pricing.champion_model())

    assert list(prices(session).values()) == [Decimal(18_000) - 900 * n for n in range(11)]
    assert shares == [3 / 11, 6 / 11, 9 / 11, 1.0]
    assert outcome(session, job) == (10, 1, 0)
    assert [change[1:] for change in history(session)] == [
        (Decimal(18_000) - 900 * n, pricing.active_strategy().version_id) for n in range(1, 11)
    ]


def test_the_price_is_that_of_a_vehicle_alone(session: Session) -> None:
    a_stock(session)
    pricing = a_snapshot(session, challenged=True)
    vehicles = session.exec(select(tables.Vehicle)).all()
    model = pricing.champion_model()
    expected = {
        each.reference: price_alone(
            pricing.strategy_for(reference_key(each.reference)).policy,
            facts_of(each),
            model.estimator.estimate([facts_of(each)], on=TODAY)[0].market_price,
            on=TODAY,
            cost=each.cost,
            days_in_stock=days_in_stock(each.acquired_on, TODAY),
        ).price
        for each in vehicles
    }

    run(session, request(session, pricing), model)

    assert prices(session) == expected


def test_a_challenger_prices_its_share_of_the_vehicles(session: Session) -> None:
    a_stock(session)
    pricing = a_snapshot(session, challenged=True)
    challenger = pricing.challenger
    assert challenger is not None

    run(session, request(session, pricing), pricing.champion_model())

    dearer = {
        reference
        for number, (reference, price) in enumerate(prices(session).items())
        if price == Decimal(22_000) - 1_100 * number
    }
    challenged = {
        f"V{n}" for n in range(11) if arm(challenger.activation_id, reference_key(f"V{n}"), 0.5)
    }
    assert dearer == challenged
    assert 0 < len(challenged) < 11


@pytest.mark.parametrize("killed_after", [0, 1, 3])
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(
    database: Database, killed_after: int
) -> None:
    with database.unit_of_work() as session:
        a_stock(session)
        pricing = a_snapshot(session)
        model = pricing.champion_model()
        job = request(session, pricing)
    with database.unit_of_work() as session:
        run(session, job, model, chunks=killed_after)
    with database.unit_of_work() as killed:
        # What the chunk at which it was killed had done is not committed.
        repricing.Run(killed, job, model, chunk=3, piece=2).next_chunk(killed, now=NOON)
        killed.flush()
        killed.rollback()

    with database.unit_of_work() as session:
        run(session, job, model)

    with database.reading() as session:
        assert list(prices(session).values()) == [Decimal(18_000) - 900 * n for n in range(11)]
        assert outcome(session, job) == (10, 1, 0)
        assert len(history(session)) == 10


def test_only_the_vehicles_of_the_filter_are_priced(session: Session) -> None:
    a_stock(session)
    a_vehicle(
        session,
        an_entry(session, market=a_market(session, "BE")),
        reference="foreign",
        price=Decimal(1_000),
    )
    pricing = a_snapshot(session)

    run(
        session,
        request(session, pricing, wanted=VehicleFilter(max_mileage_km=20_000)),
        pricing.champion_model(),
    )

    changed = {reference for reference, price in prices(session).items() if price != 18_000}
    assert changed == {"V1", "V2", "foreign"}
    assert prices(session)["foreign"] == Decimal(1_000)


@pytest.mark.parametrize(
    ("status", "price"),
    [
        (OrderStatus.PENDING, Decimal(18_000)),
        (OrderStatus.PAID, Decimal(18_000)),
        # Nobody holds it any more.
        (OrderStatus.CANCELLED, Decimal(17_100)),
    ],
)
def test_a_vehicle_that_a_live_order_holds_keeps_its_price(
    session: Session, status: OrderStatus, price: Decimal
) -> None:
    a_stock(session, 3)
    held = session.exec(select(tables.Vehicle).where(tables.Vehicle.reference == "V1")).one()
    an_order(session, held, status=status)
    pricing = a_snapshot(session)
    job = request(session, pricing)

    run(session, job, pricing.champion_model())

    assert prices(session)["V1"] == price
    assert sum(outcome(session, job)) == (2 if price == 18_000 else 3)


def test_what_cannot_be_priced_keeps_its_price_and_is_counted(session: Session) -> None:
    a_stock(session, 2)
    a_vehicle(session, reference="worn", mileage_km=400_000, price=Decimal(100))
    a_vehicle(session, reference="from the future", release_year=2030, price=Decimal(100))
    pricing = a_snapshot(session)
    job = request(session, pricing)

    run(session, job, pricing.champion_model())

    assert outcome(session, job) == (1, 1, 2)
    assert prices(session)["worn"] == prices(session)["from the future"] == Decimal(100)


def test_the_model_is_called_once_a_piece(session: Session) -> None:
    a_stock(session)
    pricing = a_snapshot(session)
    estimator = pricing.champion_model().estimator
    assert isinstance(estimator, ByMileage)

    run(session, request(session, pricing), pricing.champion_model())

    assert estimator.calls == [2, 1, 2, 1, 2, 1, 2]


def test_the_same_key_answers_the_first_job(session: Session) -> None:
    pricing = a_snapshot(session)
    first = request(session, pricing, idempotency_key="one")

    again = request(session, pricing, idempotency_key="one")

    assert again.id == first.id
    with pytest.raises(IdempotencyMismatch):
        request(session, pricing, idempotency_key="one", wanted=VehicleFilter(doors=5))


def test_a_market_without_model_or_strategy_is_refused(session: Session) -> None:
    pricing = a_snapshot(session)
    bare = PricingSnapshot(
        market_id=pricing.market_id,
        market_code="FR",
        currency="EUR",
        settings=pricing.settings,
        matcher=pricing.matcher,
        model=None,
        strategy=None,
        challenger=None,
    )

    with pytest.raises(Refusals) as refusals:
        request(session, bare)

    codes = [each.code for each in refusals.value.refusals]
    assert codes == ["NO_CHAMPION_MODEL", "NO_ACTIVE_STRATEGY"]


def test_a_filter_of_another_market_is_refused(session: Session) -> None:
    pricing = a_snapshot(session)
    a_market(session, "BE")

    with pytest.raises(Invalid) as refusal:
        request(session, pricing, wanted=VehicleFilter(market="BE"))

    assert refusal.value.path == ("filter", "market")
