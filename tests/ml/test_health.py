from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from domain import tables
from domain.vehicles import VehicleFacts
from domain.vocabulary import Fuel
from ml.drift import histograms
from ml.features import row_of
from ml.health import FEWEST_QUOTES, RECENT_QUOTES, health_of
from tests.conftest import NOON
from tests.factories import a_market, a_model_version, an_activation
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


def test_quotes_like_the_listings_show_no_drift(session: Session) -> None:
    version = a_version(session)
    quote(session, version, LEARNT_FROM)

    health = health_of(session, [version.id])[version.id]

    assert max(health.drift.values()) == pytest.approx(0.0)


def test_quotes_of_another_kind_name_what_has_drifted(session: Session) -> None:
    version = a_version(session)
    electric = [made.a_car(fuel=Fuel.ELECTRIC, mileage_km=each.mileage_km) for each in LEARNT_FROM]
    quote(session, version, electric)

    health = health_of(session, [version.id])[version.id]

    assert [name for name, psi in health.drift.items() if psi > 0.2] == ["fuel"]


def test_too_few_quotes_tell_nothing(session: Session) -> None:
    version = a_version(session)
    quote(session, version, LEARNT_FROM[: FEWEST_QUOTES - 1])

    assert health_of(session, [version.id])[version.id].drift == {}


def test_only_the_newest_quotes_count(session: Session) -> None:
    version = a_version(session)
    quote(session, version, [made.a_car(brand="Renault", model="Clio")] * 200)
    quote(session, version, LEARNT_FROM * (RECENT_QUOTES // len(LEARNT_FROM)))

    health = health_of(session, [version.id])[version.id]

    assert health.drift["brand"] == pytest.approx(0.0)


def test_the_quotes_of_another_market_do_not_count(session: Session) -> None:
    version = a_version(session)
    elsewhere = a_version(session, market_id=a_market(session, code="DE").id)
    quote(session, elsewhere, LEARNT_FROM)

    found = health_of(session, [version.id, elsewhere.id])

    assert found[version.id].drift == {}
    assert found[elsewhere.id].drift


def test_a_version_from_before_drift_was_measured_shows_none(session: Session) -> None:
    version = a_version(session, features=None)
    quote(session, version, LEARNT_FROM)

    assert health_of(session, [version.id])[version.id].drift == {}
