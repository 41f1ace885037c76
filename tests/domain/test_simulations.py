from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlmodel import Session, select

from domain import jobs, simulations, stock_filters, strategies, tables
from domain.errors import Invalid, NoChampionModel, NotFound, NotSubmittable
from domain.estimates import Contribution, Estimate
from domain.pricing.content import Conditions, Guards, Rule, StrategyContent
from domain.pricing.documents import content_hash, to_document
from domain.simulations import Outcome, SimulationGroup
from domain.simulations.storage import from_bytes, to_bytes
from domain.snapshots import ServedModel
from domain.stock_lists import VehicleFilter
from domain.vehicles import VehicleColumns, VehicleFacts
from domain.vocabulary import Fuel, Gearbox
from tests import factories
from tests.conftest import NOON

TODAY = NOON.date()
AT_MARKET = StrategyContent((Rule("default"),))


class TenPerCentOfMileage:
    """A price model that a test can do in its head: 20 000 less a tenth of the kilometres."""

    coverage = 0.9

    def estimate(self, vehicles: Sequence[VehicleFacts], *, on: date) -> list[Estimate]:
        prices = [Decimal(20_000) - Decimal(each.mileage_km) / 10 for each in vehicles]
        return [Estimate(price, price - 1000, price + 1000, False) for price in prices]

    def market_cents(self, vehicles: VehicleColumns, *, on: date) -> NDArray[np.int64]:
        return 2_000_000 - 10 * vehicles.mileage_km.astype(np.int64)

    def explain(self, vehicle: VehicleFacts, *, on: date) -> list[Contribution]:
        return []


def a_version(session: Session, content: StrategyContent) -> tables.StrategyVersion:
    return factories.a_strategy_version(
        session, content=to_document(content), content_hash=content_hash(content)
    )


def a_champion(session: Session) -> ServedModel:
    model = factories.a_model_version(session)
    session.add(
        tables.Promotion(
            market_id=model.market_id, model_id=model.id, promoted_by="dee", promoted_at=NOON
        )
    )
    session.flush()
    return ServedModel(model.id, model.market_id, TenPerCentOfMileage())


def asked(session: Session, version: tables.StrategyVersion, **how: Any) -> tables.Simulation:
    return simulations.request(session, version.id, **{"by": "ana", "now": NOON} | how)


def outcome_of(session: Session, content: StrategyContent, **how: Any) -> Outcome:
    model = a_champion(session)
    simulation = asked(session, a_version(session, content), **how)
    return simulations.simulate(
        session, simulation.job_id, model, on=TODAY, progress=lambda _share, _stage: None
    )


def published(session: Session, content: StrategyContent, **how: Any) -> tables.Simulation:
    outcome = outcome_of(session, content, **how)
    simulations.publish(session, outcome, by="ana", now=NOON)
    return session.get_one(tables.Simulation, outcome.simulation_id)


def a_vehicle(session: Session, price: str, **facts: Any) -> tables.Vehicle:
    """One with a market price of 10 000."""
    return factories.a_vehicle(
        session, **{"mileage_km": 100_000, "price": Decimal(price), "cost": None} | facts
    )


def test_prices_are_compared_with_those_asked_today(session: Session) -> None:
    for price in ("8000", "10000", "12500"):
        a_vehicle(session, price)

    summary = outcome_of(session, AT_MARKET).summary

    assert (summary.vehicles, summary.unpriced) == (3, 0)
    assert (summary.raised, summary.unchanged, summary.lowered) == (1, 1, 1)
    assert (summary.value_before_cents, summary.value_after_cents) == (30_500_00, 30_000_00)
    assert summary.mean_change == pytest.approx((0.25 + 0 - 0.2) / 3)
    assert summary.median_change == 0


def test_or_with_those_of_another_version(session: Session) -> None:
    a_vehicle(session, "8000")
    baseline = a_version(session, StrategyContent((Rule("default", factor=Decimal("0.5")),)))

    summary = outcome_of(session, AT_MARKET, baseline_id=baseline.id).summary

    assert (summary.value_before_cents, summary.value_after_cents) == (5_000_00, 10_000_00)


def test_guarded_prices_and_those_below_cost_are_counted(session: Session) -> None:
    a_vehicle(session, "9000", cost=Decimal(9_500))
    a_vehicle(session, "9000", cost=Decimal(7_000))
    content = StrategyContent(
        (Rule("default", factor=Decimal("0.5")),), guards=Guards(min_price=Decimal(8_000))
    )

    summary = outcome_of(session, content).summary

    assert (summary.guarded, summary.below_cost) == (2, 1)


@pytest.mark.parametrize("amount", [Decimal(-20_000), Decimal(-10_000)])  # below nothing, nothing
def test_a_vehicle_that_no_price_can_be_given_to_is_unpriced(
    session: Session, amount: Decimal
) -> None:
    a_vehicle(session, "9000")
    a_vehicle(session, "9000", release_year=TODAY.year + 2)
    content = StrategyContent((Rule("default", amount=amount),))

    summary = outcome_of(session, content).summary

    assert (summary.vehicles, summary.unpriced, summary.raised) == (2, 2, 0)


def test_a_market_without_stock_simulates_no_vehicle(session: Session) -> None:
    summary = outcome_of(session, AT_MARKET).summary

    assert (summary.vehicles, summary.mean_change, summary.p95_change) == (0, 0, 0)


def test_a_filter_narrows_the_stock(session: Session) -> None:
    a_vehicle(session, "9000")
    a_vehicle(session, "9000", fuel=Fuel.DIESEL)
    wanted = VehicleFilter(fuels=(Fuel.DIESEL,), max_price=Decimal(9_000))

    assert outcome_of(session, AT_MARKET, wanted=wanted).summary.vehicles == 1


def test_only_vehicles_for_sale_are_simulated_unless_the_others_are_asked_for(
    session: Session,
) -> None:
    a_vehicle(session, "9000")
    factories.an_order(session, a_vehicle(session, "8000"))
    cancelled = a_vehicle(session, "7000")
    factories.an_order(session, cancelled, status=tables.OrderStatus.CANCELLED)

    for_sale = outcome_of(session, AT_MARKET).summary
    held = outcome_of(session, AT_MARKET, wanted=VehicleFilter(available=False)).summary

    assert (for_sale.vehicles, for_sale.value_before_cents) == (2, 16_000_00)
    assert (held.vehicles, held.value_before_cents) == (1, 8_000_00)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (VehicleFilter(), []),
        (VehicleFilter(market="FR", available=True), []),  # that is what is simulated anyway
        (VehicleFilter(available=False), ["held by an order"]),
        (
            VehicleFilter(brands=["Peugeot", "VW"], fuels=[Fuel.DIESEL], colours=[]),
            ["brand Peugeot or VW", "fuel diesel", "colour of none"],
        ),
        (
            VehicleFilter(min_price=Decimal(5_000), max_price=Decimal("9000.50"), doors=5),
            ["doors 5", "price from 5000 to 9000.5"],
        ),
        (
            VehicleFilter(min_release_year=2019, max_mileage_km=0, search="allure"),
            ["release year from 2019", "mileage in km up to 0", "with the words allure"],
        ),
        (VehicleFilter(gearboxes=[Gearbox.AUTOMATIC]), ["gearbox automatic"]),
    ],
)
def test_a_filter_is_told_in_words(wanted: VehicleFilter, words: list[str]) -> None:
    assert stock_filters.in_words(wanted) == words


def test_the_history_says_what_was_simulated(session: Session) -> None:
    a_vehicle(session, "9000", fuel=Fuel.DIESEL)
    simulation = published(session, AT_MARKET, wanted=VehicleFilter(fuels=[Fuel.DIESEL]))

    (event,) = session.exec(select(tables.AuditEvent))

    assert (event.action, event.detail["simulation"]) == ("strategy.simulated", simulation.id)
    assert (event.detail["vehicles"], event.detail["narrowedTo"]) == (1, ["fuel diesel"])


def test_a_filter_comes_back_from_what_a_job_keeps() -> None:
    wanted = VehicleFilter(
        brands=["Peugeot"],
        fuels=[Fuel.PETROL],
        gearboxes=[Gearbox.MANUAL],
        min_price=Decimal("99.50"),
        doors=5,
        available=True,
        search="allure",
    )

    assert stock_filters.from_document(stock_filters.to_document(wanted)) == wanted
    assert stock_filters.to_document(VehicleFilter()) == {}


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        (SimulationGroup.BRAND, {("Peugeot",): (2, 1), ("Dacia",): (1, 1)}),
        (SimulationGroup.FUEL, {("PETROL",): (2, 2), ("DIESEL",): (1, 0)}),
        (
            SimulationGroup.BRAND_FUEL,
            {
                ("Dacia", "PETROL"): (1, 1),
                ("Peugeot", "DIESEL"): (1, 0),
                ("Peugeot", "PETROL"): (1, 1),
            },
        ),
        (SimulationGroup.AGE_BAND, {("0-2",): (1, 1), ("3-5",): (1, 0), ("12+",): (1, 1)}),
        (
            SimulationGroup.PRICE_BAND,
            {("under 5000",): (1, 1), ("5000-10000",): (1, 1), ("10000-15000",): (1, 0)},
        ),
    ],
)
def test_vehicles_are_gathered(
    session: Session, by: SimulationGroup, rows: dict[tuple[str, ...], tuple[int, int]]
) -> None:
    a_vehicle(session, "4999.99", release_year=TODAY.year)
    a_vehicle(session, "10000", release_year=TODAY.year - 3, fuel=Fuel.DIESEL)
    a_vehicle(session, "9999.99", release_year=TODAY.year - 12, brand="Dacia")
    simulation = published(session, AT_MARKET)

    found = simulations.groups(session, simulation.id, by)

    assert {row.key: (row.vehicles, row.changed) for row in found} == rows
    assert [row.key for row in found] == list(rows)
    assert sum(row.value_after_cents for row in found) == 30_000_00


def test_those_that_move_most_come_first_with_their_steps(session: Session) -> None:
    a_vehicle(session, "9900")
    halved = a_vehicle(session, "20000")
    doubled = a_vehicle(session, "5000", brand="Dacia")
    content = StrategyContent(
        (Rule("dacia", Conditions(brands=("Dacia",)), amount=Decimal(1)), Rule("default"))
    )
    simulation = published(session, content)

    movers = simulations.movers(session, simulation, 2)

    assert [mover.vehicle_id for mover in movers] == [doubled.id, halved.id]
    assert (movers[0].before, movers[0].after) == (Decimal(5_000), Decimal("10001.00"))
    assert [step.rule_key for step in movers[0].steps] == ["dacia"]


def test_steps_are_told_of_what_was_priced_whatever_changes_later(session: Session) -> None:
    vehicle = a_vehicle(session, "8000", acquired_on=date(2025, 1, 1))
    simulation = published(session, AT_MARKET)
    before = simulations.movers(session, simulation, None)

    vehicle.mileage_km, vehicle.brand = 5, "Dacia"
    factories.asking_price(session, vehicle).price = Decimal(1)
    session.get_one(tables.StrategyVersion, simulation.version_id).content = {"rules": []}
    session.flush()

    assert simulations.movers(session, simulation, None) == before


@pytest.mark.parametrize("first", [-1, 201])
def test_no_more_movers_than_a_page_holds(session: Session, first: int) -> None:
    simulation = published(session, AT_MARKET)

    with pytest.raises(Invalid) as refused:
        simulations.movers(session, simulation, first)

    assert refused.value.path == ("first",)


def test_before_it_has_run_a_simulation_says_nothing(session: Session) -> None:
    a_champion(session)
    simulation = asked(session, a_version(session, AT_MARKET))

    assert simulations.groups(session, simulation.id, SimulationGroup.BRAND) == []
    assert simulations.movers(session, simulation, None) == []
    assert simulations.facts_of(session, [simulation.id]) == {}


def test_a_market_without_a_champion_cannot_simulate(session: Session) -> None:
    with pytest.raises(NoChampionModel):
        asked(session, a_version(session, AT_MARKET))


def test_rules_that_clash_cannot_be_simulated(session: Session) -> None:
    a_champion(session)
    clashing = StrategyContent(
        (
            Rule("peugeot", Conditions(brands=("Peugeot",))),
            Rule("petrol", Conditions(fuels=(Fuel.PETROL,))),
            Rule("default"),
        )
    )

    with pytest.raises(NotSubmittable) as refused:
        asked(session, a_version(session, clashing))

    assert refused.value.path == ("version",)


def test_a_simulation_stays_in_its_market(session: Session) -> None:
    a_champion(session)
    version = a_version(session, AT_MARKET)
    spain = factories.a_market(session, "ES", name="Spain")
    elsewhere = factories.a_strategy_version(session, factories.a_strategy(session, spain))

    with pytest.raises(Invalid) as baseline:
        asked(session, version, baseline_id=elsewhere.id)
    with pytest.raises(Invalid) as filtered:
        asked(session, version, wanted=VehicleFilter(market="ES"))
    with pytest.raises(NotFound) as unknown:
        asked(session, version, baseline_id=99)

    paths = [each.value.path for each in (baseline, filtered, unknown)]
    assert paths == [("baseline",), ("filter", "market"), ("baseline",)]


def test_only_a_simulation_of_the_present_content_counts(session: Session) -> None:
    a_champion(session)
    market = factories.a_market(session)
    strategy = strategies.create(
        session,
        market=market,
        name="House rule",
        description=None,
        content=AT_MARKET,
        by="ana",
        now=NOON,
    )
    version = strategies.versions_of(session, [strategy.id])[strategy.id][0]
    factories.a_succeeded_simulation(session, version)
    succeeded = simulations.newest_succeeded(session, version)

    other = StrategyContent((Rule("default", factor=Decimal("0.9")),))
    strategies.edit(session, version.id, version.content_hash, other, by="ana", now=NOON)

    assert succeeded is not None
    assert simulations.newest_succeeded(session, version) is None


def test_a_simulated_stock_comes_back_from_its_bytes(session: Session) -> None:
    a_vehicle(session, "9000", brand="Citroën", cost=None, gearbox=None)
    a_vehicle(session, "9500", cost=Decimal("1.50"))
    stock = outcome_of(session, AT_MARKET).stock

    again = from_bytes(to_bytes(stock))

    assert [again.vehicle(row) for row in (0, 1)] == [stock.vehicle(row) for row in (0, 1)]
    for name in ("ids", "before_cents", "after_cents", "guarded"):
        np.testing.assert_array_equal(getattr(again, name), getattr(stock, name))


def test_the_job_knows_what_was_asked_for(session: Session) -> None:
    a_champion(session)
    version = a_version(session, AT_MARKET)

    simulation = asked(session, version, wanted=VehicleFilter(doors=5))

    job = jobs.get(session, simulation.job_id)
    assert (job.kind, job.requested_by) == (tables.JobKind.SIMULATION, "ana")
    assert job.payload == {"version": version.id, "baseline": None, "filter": {"doors": 5}}
