"""A training run from end to end: check, split, fit, calibrate, evaluate, pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from domain.errors import InvalidState
from ml import algorithms, artifact
from ml.algorithms.contract import Algorithm, Estimator, Vector
from ml.conformal import Interval, calibrated, fit_interval
from ml.dataset import Part, TrainingData, parts, without_repeats
from ml.drift import histograms
from ml.evaluation import evaluate
from ml.familiarity import familiar_with
from ml.features import FeatureRow, rows_of
from ml.predictor import Predictor

FEWEST_LISTINGS = 200

BACKGROUND_ROWS = 32

Progress = Callable[[float, str], None]
"""Told the share of the run that is done, 0 to 1, and the stage in words; may raise to end it."""


@dataclass
class TrainedModel:
    """What a training run leaves behind.

    Attributes:
        hyperparameters: completed with the defaults.
        parameters: the fitted parameters in plain form, where the algorithm has such.
        metrics: measured on the listings of the test part, by ``ml.evaluation.evaluate``.
        features: what the vehicles looked like that it has learnt from, see ``ml.drift``.
        artifact: what the model is rebuilt from; see ``ml.artifact``.
        trained_rows: the listings that the model has learnt from, those of the test part not among
            them; ``rejected_rows``: those that were set aside, re-listed cars among them.
        data_sha256: the fingerprint of all the listings that were read.
    """

    algorithm: str
    hyperparameters: dict[str, Any]
    parameters: dict[str, Any] | None
    metrics: dict[str, Any]
    features: dict[str, Any]
    coverage: float
    trained_rows: int
    rejected_rows: int
    trained_from: date | None
    trained_to: date | None
    data_sha256: str
    artifact_format: str
    artifact: bytes


def train(
    data: TrainingData,
    *,
    algorithm: str,
    hyperparameters: Mapping[str, Any],
    coverage: float,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train an algorithm on listings; deterministic for a seed.

    Args:
        coverage: the share of prices that intervals shall hold, above 0 and below 1.

    Raises:
        Invalid, Refusals: an unknown algorithm, or hyperparameters it does not take.
        InvalidState: too few listings to learn from and to measure on.
    """
    progress = progress or _unheard
    chosen = algorithms.get(algorithm)
    complete = algorithms.validate_hyperparameters(algorithm, hyperparameters)
    progress(0.0, "Preparing the listings")
    usable = without_repeats(_sound(data))
    _check_enough(usable)
    part = parts(usable)
    run = _Run(chosen, complete, coverage, seed, progress)
    predictor, trained = run.predictor(
        usable.take(part == Part.TRAIN), usable.take(part == Part.CALIBRATION)
    )
    progress(0.9, "Measuring on unseen listings")
    metrics = evaluate(predictor, usable.take(part == Part.TEST))
    content = artifact.pack(predictor, _probes(trained, seed))
    progress(1.0, "Trained")
    return TrainedModel(
        algorithm=chosen.name,
        hyperparameters=complete,
        parameters=chosen.parameters(predictor.estimator),
        metrics=metrics,
        features=histograms(trained),
        coverage=coverage,
        trained_rows=len(trained),
        rejected_rows=data.rows - usable.rows,
        trained_from=usable.from_on,
        trained_to=usable.to_on,
        data_sha256=data.fingerprint(),
        artifact_format=chosen.artifact_format,
        artifact=content,
    )


@dataclass(frozen=True)
class _Run:
    """One run's choices, and its steps."""

    algorithm: Algorithm
    hyperparameters: Mapping[str, Any]
    coverage: float
    seed: int
    progress: Progress

    def predictor(
        self, train: TrainingData, calibration: TrainingData
    ) -> tuple[Predictor, list[FeatureRow]]:
        """The trained predictor, and the rows that it has learnt from."""
        rows, prices = rows_of(train), train.price
        held_back, held_back_prices = rows_of(calibration), calibration.price
        log_prices, held_back_logs = np.log(prices), np.log(held_back_prices)

        expected = self._unseen_log_prices(rows, prices, within=(0.02, 0.3))
        interval = fit_interval(rows, log_prices, log_prices - expected, seed=self.seed)
        estimator = self._fit(rows, prices, "Fitting", within=(0.35, 0.6), expected=expected)
        estimates = estimator.log_prices(held_back)
        interval = calibrated(
            interval, held_back, held_back_logs - estimates, coverage=self.coverage
        )

        # The calibration listings have done their duty: the final fit learns from them as well. It
        # can only be better than the one that was calibrated, so intervals stay on the safe side.
        everything = [*rows, *held_back]
        everything_prices = np.concatenate([prices, held_back_prices])
        final = self._fit(
            everything,
            everything_prices,
            "Fitting to all",
            within=(0.6, 0.9),
            expected=np.concatenate([expected, estimates]),
        )
        return self._assembled(final, interval, everything, everything_prices), everything

    def _unseen_log_prices(
        self, rows: list[FeatureRow], prices: Vector, *, within: tuple[float, float]
    ) -> Vector:
        """Estimates of each row by an estimator fitted to the other half, shape (n_rows,)."""
        half = np.random.default_rng(self.seed).permutation(len(rows)) % 2 == 0
        begin, end = within
        middle = (begin + end) / 2
        estimates = np.empty(len(rows))
        for left_out, stage in ((half, (begin, middle)), (~half, (middle, end))):
            seen = np.flatnonzero(~left_out)
            unseen = np.flatnonzero(left_out)
            estimator = self._fit(
                [rows[each] for each in seen], prices[seen], "Learning the spread", within=stage
            )
            estimates[unseen] = estimator.log_prices([rows[each] for each in unseen])
        return estimates

    def _fit(
        self,
        rows: list[FeatureRow],
        prices: Vector,
        stage: str,
        *,
        within: tuple[float, float],
        expected: Vector | None = None,
    ) -> Estimator:
        begin, end = within
        self.progress(begin, stage)
        return self.algorithm.fit(
            rows,
            prices,
            hyperparameters=self.hyperparameters,
            seed=self.seed,
            progress=lambda share: self.progress(begin + share * (end - begin), stage),
            expected=expected,
        )

    def _assembled(
        self, estimator: Estimator, interval: Interval, rows: list[FeatureRow], prices: Vector
    ) -> Predictor:
        by_price = np.argsort(prices, kind="stable")
        places = np.linspace(0, len(rows) - 1, 2 * min(BACKGROUND_ROWS, len(rows)) + 1)[1::2]
        return Predictor(
            algorithm=self.algorithm.name,
            estimator=estimator,
            interval=interval,
            familiar=familiar_with(rows, np.log(prices).tolist()),
            coverage=self.coverage,
            # The middle of each of so many equal parts of the market, from cheap to dear.
            background=[rows[by_price[round(place)]] for place in places],
        )


def _unheard(_share: float, _stage: str) -> None:
    """Progress that nobody asked for."""


def _sound(data: TrainingData) -> TrainingData:
    """The listings that can teach a price: it is positive, and what every vehicle has is there."""
    return data.take(
        np.isfinite(data.price)
        & (data.price > 0)
        & np.isfinite(data.release_year)
        & np.isfinite(data.mileage_km)
    )


def _check_enough(usable: TrainingData) -> None:
    if usable.rows < FEWEST_LISTINGS:
        raise InvalidState(
            f"{usable.rows} usable listings are too few to learn prices from: "
            f"import at least {FEWEST_LISTINGS} different ones."
        )


def _probes(rows: list[FeatureRow], seed: int) -> list[FeatureRow]:
    """Vehicles that probe an artifact, half of them with something missing or unknown."""
    drawn = np.random.default_rng(seed).choice(len(rows), artifact.PROBES, replace=False)
    probes = [rows[each] for each in drawn]
    odd = artifact.PROBES // 2
    missing = {"gearbox": "", "horsepower": np.nan, "engine_cc": np.nan, "doors": np.nan}
    unknown = {"model": "?", "version": "?"}
    return [
        *probes[odd:],
        *(
            row._replace(**(missing if place % 2 else unknown))
            for place, row in enumerate(probes[:odd])
        ),
    ]
