"""The contract of an algorithm, as a check that plug-ins pass when they are registered.

Packages that offer an algorithm call ``check`` in a test of their own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from ml.algorithms.contract import Algorithm, Estimator, State, Vector
from ml.features import FeatureRow

LISTINGS = 300


class ContractBroken(Exception):
    """An algorithm that does not do what every algorithm must; says what."""


def check(algorithm: Algorithm) -> None:
    """Train it on made listings and rebuild it.

    Raises:
        ContractBroken: its schema is no schema, its estimates are not finite or hang on the rows
            beside them, the same seed gives another estimator, its state is not plain data, or
            what is rebuilt from the state estimates otherwise.
    """
    hyperparameters = _defaults(algorithm)
    rows, prices = made_listings()
    probes = [*rows, *odd_rows(rows)]
    first = _fitted(algorithm, rows, prices, hyperparameters)
    answers = first.log_prices(probes)
    _require(answers.shape == (len(probes),), "log_prices gives one number a row")
    _require(bool(np.isfinite(answers).all()), "every estimate is finite")
    alone = [float(first.log_prices([row])[0]) for row in probes]
    _require(alone == answers.tolist(), "a row alone is estimated as it is among others")

    again = _fitted(algorithm, rows, prices, hyperparameters)
    same = again.log_prices(probes).tobytes() == answers.tobytes()
    _require(same, "the same listings and seed give the same estimates")

    rebuilt = algorithm.rebuild(_stored(first.state()))
    identical = rebuilt.log_prices(probes).tobytes() == answers.tobytes()
    _require(identical, "what is rebuilt estimates the same to the last bit")


def made_listings(count: int = LISTINGS) -> tuple[list[FeatureRow], Vector]:
    """Feature rows of made listings with plausible prices, the same each time."""
    draw = np.random.default_rng(0)
    rows, prices = [], []
    for _ in range(count):
        brand = str(draw.choice(["peugeot", "renault", "bmw"]))
        model = f"{brand} {draw.integers(4)}"
        age = float(draw.integers(0, 15))
        mileage = float(age * 12_000 + draw.integers(0, 9_000))
        engine = math.nan if draw.random() < 0.2 else float(draw.choice([999, 1499, 1995]))
        fuel, gearbox = draw.choice(["PETROL", "DIESEL"]), draw.choice(["MANUAL", "AUTOMATIC", ""])
        rows.append(
            FeatureRow(
                brand, model, "", str(fuel), str(gearbox), age, mileage, math.nan, engine, 5.0
            )
        )
        prices.append(30_000 * math.exp(-0.13 * age - 2e-6 * mileage + draw.normal(0, 0.1)))
    return rows, np.array(prices)


def odd_rows(rows: Sequence[FeatureRow]) -> list[FeatureRow]:
    """Rows with everything unknown, missing or beyond what was learnt."""
    row = rows[0]
    nan = math.nan
    return [
        row._replace(brand="?", model="? ?", version="?", fuel="HYDROGEN", gearbox="OTHER"),
        row._replace(version="", gearbox="", horsepower=nan, engine_cc=nan, doors=nan),
        row._replace(age_years=-1.0, mileage_km=0.0),
        row._replace(age_years=120.0, mileage_km=2_000_000.0, horsepower=1e5, engine_cc=1e5),
    ]


def _defaults(algorithm: Algorithm) -> dict[str, Any]:
    schema = algorithm.hyperparameters_schema
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as fault:
        raise ContractBroken(f"hyperparameters_schema: {fault.message}") from fault
    properties = schema.get("properties", {})
    _require(all("default" in each for each in properties.values()), "every property has a default")
    defaults = {name: each["default"] for name, each in properties.items()}
    _require(Draft202012Validator(schema).is_valid(defaults), "the defaults are valid themselves")
    return defaults


def _fitted(
    algorithm: Algorithm,
    rows: Sequence[FeatureRow],
    prices: Vector,
    hyperparameters: dict[str, Any],
) -> Estimator:
    return algorithm.fit(
        rows, prices, hyperparameters=hyperparameters, seed=7, progress=lambda _share: None
    )


def _stored(state: State) -> State:
    """The state as it comes back from a database."""
    objects = [name for name, array in state.arrays.items() if array.dtype.hasobject]
    _require(not objects, "arrays hold no Python objects")
    try:
        document = json.loads(json.dumps(dict(state.document), allow_nan=False))
    except (TypeError, ValueError) as fault:
        raise ContractBroken(f"the document is not JSON: {fault}") from fault
    return State(document, {name: array.copy() for name, array in state.arrays.items()})


def _require(kept: bool, promise: str) -> None:
    if not kept:
        raise ContractBroken(f"broken: {promise}")
