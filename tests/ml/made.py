"""A small made market with known depreciation, the same for a seed, and models trained on it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np

from domain.vehicles import VehicleFacts
from domain.vocabulary import Fuel, Gearbox
from ml import artifact
from ml.dataset import TrainingData, from_rows
from ml.predictor import Predictor
from ml.training import TrainedModel, train

TODAY = date(2026, 1, 15)
KEY = b"a key that is not in the database"

MODELS = {
    ("Peugeot", "208"): 17_000,
    ("Peugeot", "3008"): 32_000,
    ("Renault", "Clio"): 16_000,
    ("Renault", "Zoe"): 24_000,
    ("Dacia", "Sandero"): 11_000,
    ("BMW", "Serie 3"): 45_000,
}

QUICK = {
    "hist_gradient_boosting": {"iterations": 60, "learning_rate": 0.1, "leaves": 15},
    "ridge": {},
    "linear_regression": {},
}
"""The hyperparameters with which each algorithm trains in about a second."""


@cache
def listings(count: int = 3000, *, seed: int = 0) -> TrainingData:
    """Listings of six models whose price falls with age and mileage, some facts missing."""
    draw = np.random.default_rng(seed)
    kinds = list(MODELS)
    rows = []
    for _ in range(count):
        brand, model = kinds[draw.integers(len(kinds))]
        fuel = Fuel.ELECTRIC if model == "Zoe" else Fuel(draw.choice([Fuel.PETROL, Fuel.DIESEL]))
        engine = None if fuel is Fuel.ELECTRIC else int(draw.choice([1199, 1499, 1997]))
        horsepower = None if draw.random() < 0.1 else int(draw.choice([75, 100, 130]))
        gearbox = Gearbox(draw.choice([Gearbox.MANUAL, Gearbox.AUTOMATIC]))
        age = int(draw.integers(0, 13))
        mileage = int(age * draw.normal(14_000, 4_000)) if age else 10
        noise = draw.normal(0, 0.04 + 0.01 * age)
        log_price = (
            np.log(MODELS[brand, model])
            - 0.12 * age
            - 2e-6 * max(mileage, 0)
            + 0.002 * ((horsepower or 100) - 100)
            + (0.06 if gearbox is Gearbox.AUTOMATIC else 0)
            + noise
        )
        rows.append(
            (
                brand, model, f"{horsepower} ch" if horsepower else None, fuel.value, gearbox.value,
                TODAY.year - age, max(mileage, 0), horsepower, engine, 5,
                round(float(np.exp(log_price)), 2), TODAY - timedelta(days=int(draw.integers(15))),
            )
        )  # fmt: skip
    return from_rows(rows)


@cache
def trained(algorithm: str = "hist_gradient_boosting") -> TrainedModel:
    """A model version of the made market, trained once for all tests."""
    return train(
        listings(), algorithm=algorithm, hyperparameters=QUICK[algorithm], coverage=0.9, seed=1
    )


@cache
def predictor(algorithm: str = "hist_gradient_boosting") -> Predictor:
    """The same, rebuilt from its artifact."""
    content = trained(algorithm).artifact
    return artifact.load(content, signature=artifact.sign(content, KEY), key=KEY)


def a_car(**facts: object) -> VehicleFacts:
    """A vehicle as the made market knows many."""
    known = {
        "brand": "Peugeot",
        "model": "208",
        "fuel": Fuel.PETROL,
        "release_year": 2021,
        "mileage_km": 60_000,
        "version": "100 ch",
        "gearbox": Gearbox.MANUAL,
        "horsepower": 100,
        "engine_cc": 1199,
        "doors": 5,
    }
    return VehicleFacts(**(known | facts))  # type: ignore[arg-type]


ODD_CARS = (
    a_car(),
    a_car(gearbox=None, horsepower=None, engine_cc=None, doors=None, version=None),
    a_car(version="GTi"),
    a_car(model="Unheard Of"),
    a_car(brand="Nobody", model="Unheard Of", fuel=Fuel.HYDROGEN),
    a_car(release_year=1900, mileage_km=2_000_000),
    a_car(release_year=TODAY.year + 1, mileage_km=0),
    a_car(horsepower=100_000, engine_cc=1, doors=0),
)
"""Admissible all, and some far from what was learnt."""
