"""Valid rows: a test names what it is about, and the rest is plausible.

Each builder adds its row, and those that it refers to, to the session, and returns it with its id.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from sqlmodel import Session, SQLModel, select

from domain import catalogue, tables
from domain.pricing.columns import columns_of
from domain.simulations.results import SimulatedStock, summary_of
from domain.simulations.storage import to_bytes
from domain.vocabulary import Fuel, Gearbox
from tests.conftest import NOON

Row = TypeVar("Row", bound=SQLModel)

_numbers = itertools.count(1)


def a_market(session: Session, code: str = "FR", **facts: Any) -> tables.Market:
    """The market of that code; made where there is none yet."""
    there = session.exec(select(tables.Market).where(tables.Market.code == code)).one_or_none()
    if there is not None:
        return there
    valid = {"code": code, "name": "France", "currency": "EUR", "created_at": NOON}
    return _added(session, tables.Market(**valid | facts))


def an_entry(
    session: Session, market: tables.Market | None = None, **facts: Any
) -> tables.CatalogueEntry:
    valid = {
        "market_id": _market_id(session, market),
        "specification": f"peugeot|308|{next(_numbers)}",
        "brand": "Peugeot",
        "model": "308",
        "version": "1.2 PureTech 130 Allure",
        "fuel": Fuel.PETROL,
        "gearbox": Gearbox.MANUAL,
        "doors": 5,
        "horsepower": 130,
        "engine_cc": 1199,
        "first_year": 2014,
        "last_year": 2021,
        "seen": 12,
    }
    entry = tables.CatalogueEntry(**valid | facts)
    entry.words = catalogue.words_of(entry.brand, entry.model, entry.version)
    return _added(session, entry)


def a_listing(
    session: Session, entry: tables.CatalogueEntry | None = None, **facts: Any
) -> tables.Listing:
    entry = entry or an_entry(session)
    valid = _of_entry(entry) | {
        "source": "test",
        "reference": f"L{next(_numbers)}",
        "price": Decimal("12390.00"),
        "observed_on": date(2026, 1, 15),
    }
    return _added(session, tables.Listing(**valid | facts))


def a_vehicle(
    session: Session, entry: tables.CatalogueEntry | None = None, **facts: Any
) -> tables.Vehicle:
    entry = entry or an_entry(session)
    valid = _of_entry(entry) | {
        "reference": f"V{next(_numbers)}",
        "colour": "grey",
        "cost": Decimal("10500.00"),
        "acquired_on": date(2026, 1, 5),
    }
    price = facts.pop("price", Decimal("12990.00"))
    vehicle = _added(session, tables.Vehicle(**valid | facts))
    _added(
        session,
        tables.AskingPrice(vehicle_id=vehicle.id, market_id=vehicle.market_id, price=price),
    )
    return vehicle


def asking_price(session: Session, vehicle: tables.Vehicle) -> tables.AskingPrice:
    return session.get_one(tables.AskingPrice, vehicle.id)


def a_strategy(
    session: Session, market: tables.Market | None = None, **facts: Any
) -> tables.Strategy:
    valid = {
        "market_id": _market_id(session, market),
        "name": f"House rule {next(_numbers)}",
        "created_by": "ana",
        "created_at": NOON,
    }
    return _added(session, tables.Strategy(**valid | facts))


def a_strategy_version(
    session: Session, strategy: tables.Strategy | None = None, **facts: Any
) -> tables.StrategyVersion:
    strategy = strategy or a_strategy(session)
    valid = {
        "strategy_id": strategy.id,
        "number": next(_numbers),
        "status": tables.StoredStatus.APPROVED,
        "content": {"rules": [{"key": "default", "conditions": {}, "factor": "1"}]},
        "content_hash": "0" * 64,
        "author": "ana",
        "editors": ["ana"],
        "created_at": NOON,
    }
    return _added(session, tables.StrategyVersion(**valid | facts))


def an_activation(
    session: Session, version: tables.StrategyVersion | None = None, **facts: Any
) -> tables.Activation:
    version = version or a_strategy_version(session)
    strategy = session.get_one(tables.Strategy, version.strategy_id)
    valid = {
        "market_id": strategy.market_id,
        "version_id": version.id,
        "starts_at": NOON,
        "activated_by": "bob",
        "recorded_at": NOON,
    }
    return _added(session, tables.Activation(**valid | facts))


def a_model_version(
    session: Session, market: tables.Market | None = None, **facts: Any
) -> tables.ModelVersion:
    valid = {
        "market_id": _market_id(session, market),
        "number": next(_numbers),
        "algorithm": "linear_regression",
        "hyperparameters": {},
        "parameters": {"intercept": 9.2, "coefficients": {"mileage_km": -0.05}},
        "metrics": {"mape": 0.081, "coverage": 0.9},
        "coverage": 0.9,
        "trained_rows": 1000,
        "rejected_rows": 3,
        "trained_from": date(2025, 1, 1),
        "trained_to": date(2025, 12, 31),
        "data_sha256": "0" * 64,
        "created_by": "dee",
        "created_at": NOON,
    }
    return _added(session, tables.ModelVersion(**valid | facts))


def a_quote(session: Session, vehicle: tables.Vehicle, **facts: Any) -> tables.Quote:
    """A quote for a stock vehicle, under a strategy version of its own unless one is given."""
    market = session.get_one(tables.Market, vehicle.market_id)
    activation = an_activation(session, a_strategy_version(session, a_strategy(session, market)))
    valid = {
        "market_id": vehicle.market_id,
        "description": {"brand": vehicle.brand, "model": vehicle.model},
        "match": {"score": 1.0, "corrections": [], "entry": {}},
        "facts": {},
        "brand": vehicle.brand,
        "fuel": vehicle.fuel,
        "vehicle_id": vehicle.id,
        "estimation_date": NOON.date(),
        "market_price": Decimal("10000.00"),
        "low": Decimal("9000.00"),
        "high": Decimal("11000.00"),
        "coverage": 0.9,
        "price": Decimal("10000.00"),
        "steps": [],
        "review_reasons": [],
        "model_id": a_model_version(session, market).id,
        "strategy_version_id": activation.version_id,
        "activation_id": activation.id,
        "created_by": "sam",
        "created_at": NOON,
        "valid_until": NOON + timedelta(days=14),
    }
    return _added(session, tables.Quote(**valid | facts))


def a_client(session: Session, **facts: Any) -> tables.Client:
    valid = {"email": f"client{next(_numbers)}@example.com"}
    return _added(session, tables.Client(**valid | facts))


def an_order(session: Session, vehicle: tables.Vehicle | None = None, **facts: Any) -> tables.Order:
    vehicle = vehicle or a_vehicle(session)
    valid = {
        "market_id": vehicle.market_id,
        "reference": f"O{next(_numbers)}",
        "client_id": facts.get("client_id") or a_client(session).id,
        "vehicle_id": vehicle.id,
        "total_price": Decimal("12500.00"),
        "status": tables.OrderStatus.ACCEPTED,
        "ordered_on": date(2026, 2, 20),
    }
    return _added(session, tables.Order(**valid | facts))


def a_payment(session: Session, order: tables.Order | None = None, **facts: Any) -> tables.Payment:
    order = order or an_order(session)
    valid = {
        "order_id": order.id,
        "reference": f"P{next(_numbers)}",
        "type": tables.PaymentType.CARD,
        "amount": Decimal("500.00"),
        "paid_on": date(2026, 2, 21),
    }
    return _added(session, tables.Payment(**valid | facts))


def a_job(session: Session, market: tables.Market | None = None, **facts: Any) -> tables.Job:
    valid = {
        "kind": tables.JobKind.TRAINING,
        "market_id": _market_id(session, market),
        "payload": {"algorithm": "linear_regression"},
        "requested_by": "dee",
        "created_at": NOON,
    }
    return _added(session, tables.Job(**valid | facts))


def a_simulation(
    session: Session, version: tables.StrategyVersion, **facts: Any
) -> tables.Simulation:
    """A simulation of the version's content that has not run yet."""
    job = a_job(session, kind=tables.JobKind.SIMULATION, payload={"filter": {}})
    valid = {
        "version_id": version.id,
        "content": version.content,
        "content_hash": version.content_hash,
        "job_id": job.id,
        "requested_by": "ana",
        "requested_at": NOON,
    }
    return _added(session, tables.Simulation(**valid | facts))


def a_succeeded_simulation(
    session: Session, version: tables.StrategyVersion, **facts: Any
) -> tables.Simulation:
    """A simulation of the version's content over a stock of no vehicles."""
    simulation = a_simulation(session, version, **facts)
    model = session.exec(select(tables.ModelVersion)).first() or a_model_version(session)
    stock = no_stock()
    _added(
        session,
        tables.SimulationResult(
            simulation_id=simulation.id,
            model_id=model.id,
            estimation_date=NOON.date(),
            summary=asdict(summary_of(stock, unpriced=0)),
            vehicles=to_bytes(stock),
        ),
    )
    return simulation


def no_stock() -> SimulatedStock:
    none = np.zeros(0, dtype=np.int64)
    return SimulatedStock(
        ids=none,
        inputs=columns_of([], []),
        before_cents=none,
        after_cents=none,
        guarded=none.astype(bool),
    )


def _of_entry(entry: tables.CatalogueEntry) -> dict[str, Any]:
    """What a listing and a stock vehicle of this specification have in common."""
    return {
        "market_id": entry.market_id,
        "entry_id": entry.id,
        "brand": entry.brand,
        "model": entry.model,
        "version": entry.version,
        "fuel": entry.fuel,
        "gearbox": entry.gearbox,
        "release_year": 2018,
        "mileage_km": 64_000,
        "horsepower": entry.horsepower,
        "engine_cc": entry.engine_cc,
        "doors": entry.doors,
    }


def _market_id(session: Session, market: tables.Market | None) -> int:
    return (market or a_market(session)).id


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
