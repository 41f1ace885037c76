from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from domain import models, tables
from domain.models import Comparison
from domain.snapshots import ServedModel
from domain.vehicles import VehicleFacts
from domain.vocabulary import Fuel
from ml.artifact import ArtifactRefused
from ml.drift import histograms
from ml.features import row_of
from ml.health import FEWEST_QUOTES, RECENT_QUOTES, Health, health_of
from tests.conftest import NOON
from tests.factories import (
    a_market,
    a_model_version,
    a_vehicle,
    an_activation,
    an_entry,
    an_order,
)
from tests.ml import made

LEARNT_FROM = [made.a_car(mileage_km=1_000 * each) for each in range(1, 101)]


def a_version(session: Session, **facts: object) -> tables.ModelVersion:
    """A version that has learnt from 208s of 2021 with up to 100 000 km."""
    rows = [row_of(each, on=NOON.date()) for each in LEARNT_FROM]
    return a_model_version(session, **{"features": histograms(rows), **facts})


def quote(session: Session, version: tables.ModelVersion, vehicles: list[VehicleFacts]) -> None:
    activation = an_activation(session)
    session.add_all(
        tables.Quote(
            market_id=version.market_id,
            description={},
            match={},
            facts=asdict(vehicle),
            brand=vehicle.brand,
            fuel=vehicle.fuel,
            estimation_date=NOON.date(),
            market_price=Decimal(10_000),
            low=Decimal(9_000),
            high=Decimal(11_000),
            coverage=0.9,
            price=Decimal(10_000),
            steps=[],
            review_reasons=[],
            model_id=version.id,
            strategy_version_id=activation.version_id,
            activation_id=activation.id,
            created_by="sam",
            created_at=NOON,
            valid_until=NOON + timedelta(days=7),
        )
        for vehicle in vehicles
    )
    session.flush()


def the_model(model_id: int) -> ServedModel:
    return ServedModel(model_id, market_id=1, estimator=made.predictor("ridge"))


def health(session: Session, version: tables.ModelVersion) -> Health:
    return health_of(session, [version.id], model_of=the_model)[version.id]


def promote(session: Session, version: tables.ModelVersion) -> None:
    comparison = Comparison(None, 0.08, None)
    models.promote(session, version.id, comparison=comparison, by="dee", now=NOON)


def a_sale(session: Session, price: Decimal, **facts: object) -> None:
    """An order of a 208 with 60 000 km, on the day of the promotion."""
    known = {"brand": "Peugeot", "model": "208", "release_year": 2021, "mileage_km": 60_000}
    vehicle = a_vehicle(session, an_entry(session, version="100 ch", engine_cc=1199), **known)
    order = {"total_price": price, "ordered_on": NOON.date()} | facts
    an_order(session, vehicle, **order)


def test_what_was_paid_is_held_against_the_estimate(session: Session) -> None:
    version = a_version(session)
    promote(session, version)
    entry = {"horsepower": 130, "engine_cc": 1199, "version": "100 ch"}
    estimate = made.predictor("ridge").estimate([made.a_car(**entry)], on=NOON.date())[0]
    a_sale(session, estimate.market_price)
    a_sale(session, estimate.market_price * 2)
    a_sale(session, estimate.market_price * 9, status=tables.OrderStatus.CANCELLED)
    a_sale(session, estimate.market_price * 9, ordered_on=NOON.date() - timedelta(days=1))

    found = health(session, version)

    # Half of what was paid for the second is what it should have cost.
    assert (found.orders, found.realised_coverage) == (2, 0.5)
    assert found.realised_mape == pytest.approx((0.0 + 0.5) / 2, abs=1e-4)


def test_a_version_that_was_never_promoted_has_no_orders(session: Session) -> None:
    version = a_version(session)
    a_sale(session, Decimal(10_000))

    assert health(session, version) == Health()


def test_a_version_that_cannot_be_rebuilt_can_price_no_order(session: Session) -> None:
    version = a_version(session)
    promote(session, version)
    a_sale(session, Decimal(10_000))

    def refuse(model_id: int) -> ServedModel:
        raise ArtifactRefused("its signature does not belong to it")

    assert health_of(session, [version.id], model_of=refuse)[version.id].orders == 0


def test_quotes_like_the_listings_show_no_drift(session: Session) -> None:
    version = a_version(session)
    quote(session, version, LEARNT_FROM)

    found = health(session, version)

    assert max(found.drift.values()) == pytest.approx(0.0)


def test_quotes_of_another_kind_name_what_has_drifted(session: Session) -> None:
    version = a_version(session)
    electric = [made.a_car(fuel=Fuel.ELECTRIC, mileage_km=each.mileage_km) for each in LEARNT_FROM]
    quote(session, version, electric)

    found = health(session, version)

    assert [name for name, psi in found.drift.items() if psi > 0.2] == ["fuel"]


def test_too_few_quotes_tell_nothing(session: Session) -> None:
    version = a_version(session)
    quote(session, version, LEARNT_FROM[: FEWEST_QUOTES - 1])

    assert health(session, version).drift == {}


def test_only_the_newest_quotes_count(session: Session) -> None:
    version = a_version(session)
    quote(session, version, [made.a_car(brand="Renault", model="Clio")] * 200)
    quote(session, version, LEARNT_FROM * (RECENT_QUOTES // len(LEARNT_FROM)))

    found = health(session, version)

    assert found.drift["brand"] == pytest.approx(0.0)


def test_the_quotes_of_another_market_do_not_count(session: Session) -> None:
    version = a_version(session)
    elsewhere = a_version(session, market_id=a_market(session, code="DE").id)
    quote(session, elsewhere, LEARNT_FROM)

    found = health_of(session, [version.id, elsewhere.id], model_of=the_model)

    assert found[version.id].drift == {}
    assert found[elsewhere.id].drift


def test_a_version_from_before_drift_was_measured_shows_none(session: Session) -> None:
    version = a_version(session, features=None)
    quote(session, version, LEARNT_FROM)

    assert health(session, version).drift == {}
