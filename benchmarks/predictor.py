"""How long one estimate takes, and a model takes to load, beside a scikit-learn pipeline.

    python -m benchmarks.predictor [--trees N]

Both sides answer the same made market with the same number of trees, on one thread.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from datetime import date

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from domain.vehicles import VehicleFacts
from domain.vocabulary import Fuel, Gearbox
from ml import artifact
from ml.algorithms.check import made_listings
from ml.dataset import TrainingData, from_rows
from ml.features import FeatureRow
from ml.training import train

KEY = b"benchmark"
ON = date(2026, 1, 1)
LISTINGS = 5000


def main() -> None:
    """Print one line per figure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trees", type=int, default=300)
    trees = arguments.parse_args().trees
    rows, prices = made_listings(LISTINGS)
    data = listings(rows, prices)
    content = train(
        data,
        algorithm="hist_gradient_boosting",
        hyperparameters={"iterations": trees, "leaves": 31},
        coverage=0.9,
    ).artifact
    signature = artifact.sign(content, KEY)
    predictor = artifact.load(content, signature=signature, key=KEY)
    cars = vehicles(data)
    one, thousand = cars[:1], cars[:1000]
    print(f"{trees} trees, artifact of {len(content) / 1e6:.2f} MB")
    show("load", 20, lambda: artifact.load(content, signature=signature, key=KEY))
    show("one vehicle: price, interval, flag", 300, lambda: predictor.estimate(one, on=ON))
    show("1000 vehicles", 10, lambda: predictor.estimate(thousand, on=ON))

    peer = pipeline(trees).fit(np.array(rows, dtype=object), np.log(prices))
    first = np.array(rows[:1], dtype=object)
    many = np.array(rows[:1000], dtype=object)
    show("scikit-learn pipeline, one row, price alone", 50, lambda: peer.predict(first))
    show("scikit-learn pipeline, 1000 rows", 10, lambda: peer.predict(many))


def show(what: str, times: int, run: Callable[[], object]) -> None:
    """Print the median time of a call."""
    run()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    print(f"{what:45} {np.median(taken) * 1e6:10.0f} us")


def listings(rows: list[FeatureRow], prices: np.ndarray) -> TrainingData:
    """The made feature rows as listings of one day."""
    return from_rows(
        (
            row.brand, row.model.removeprefix(f"{row.brand} "), None, row.fuel, row.gearbox or None,
            ON.year - int(row.age_years), row.mileage_km, None, row.engine_cc, row.doors, price, ON,
        )
        for row, price in zip(rows, prices.tolist(), strict=True)
    )  # fmt: skip


def vehicles(data: TrainingData) -> list[VehicleFacts]:
    """The listings as a client would ask for them."""
    return [
        VehicleFacts(
            brand, model, Fuel(fuel), int(year), int(mileage),
            gearbox=Gearbox(gearbox) if gearbox else None,
            engine_cc=None if np.isnan(engine) else int(engine), doors=5,
        )
        for brand, model, fuel, year, mileage, gearbox, engine in zip(
            data.brand, data.model, data.fuel, data.release_year, data.mileage_km, data.gearbox,
            data.engine_cc, strict=True,
        )
    ]  # fmt: skip


def pipeline(trees: int) -> Pipeline:
    """The usual way: an encoder and an estimator of as many trees."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return make_pipeline(
        make_column_transformer((encoder, [0, 1, 3, 4]), ("passthrough", [5, 6, 8])),
        HistGradientBoostingRegressor(
            max_iter=trees,
            max_leaf_nodes=31,
            categorical_features=[0, 1, 2, 3],
            early_stopping=False,
        ),
    )


if __name__ == "__main__":
    main()
