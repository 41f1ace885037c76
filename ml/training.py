"""A training run from end to end: check, split, cross-fit, calibrate, fit, evaluate, pack."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from domain.errors import InvalidState
from ml import algorithms, artifact, out_of_time
from ml.algorithms.contract import Algorithm, Estimator, Vector
from ml.conformal import Interval, calibrated, fit_interval
from ml.dataset import Part, TrainingData, folds, parts, without_repeats
from ml.drift import histograms
from ml.evaluation import evaluate
from ml.familiarity import familiar_with
from ml.features import FeatureRow, rows_of
from ml.predictor import Predictor

FEWEST_LISTINGS = 200

FOLDS = 4
"""Parts of the listings, each estimated by what was learnt from the others."""

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
    predictor, trained = run.predictor(usable.take(part == Part.TRAIN))
    progress(0.9, "Measuring on unseen listings")
    seen, unseen = usable.take(part == Part.TRAIN), usable.take(part == Part.TEST)
    metrics = evaluate(predictor, unseen)
    progress(0.92, "Measuring on later listings")
    metrics["out_of_time"] = out_of_time.measured(chosen, complete, seen, unseen, seed=seed)
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

    def predictor(self, train: TrainingData) -> tuple[Predictor, list[FeatureRow]]:
        """The trained predictor, and the rows that it has learnt from."""
        rows, prices, fold = rows_of(train), train.price, folds(train, FOLDS)
        expected = self._unseen_log_prices(rows, prices, fold, within=(0.02, 0.6))
        # The errors are those of estimators that learnt from fewer listings than the one that will
        # serve, and so err a little more: intervals stay on the safe side.
        interval = self._interval(rows, np.log(prices), expected, fold)
        self.progress(0.65, "Fitting to all")
        estimator = self.algorithm.fit(
            rows,
            prices,
            hyperparameters=self.hyperparameters,
            seed=self.seed,
            progress=lambda share: self.progress(0.65 + share * 0.25, "Fitting to all"),
            expected=expected,
        )
        return self._assembled(estimator, interval, rows, prices), rows

    def _unseen_log_prices(
        self,
        rows: list[FeatureRow],
        prices: Vector,
        fold: NDArray[np.intp],
        *,
        within: tuple[float, float],
    ) -> Vector:
        """Estimates of each row by an estimator fitted to the other folds, shape (n_rows,).

        A fold a core, in threads, unless the caller has chosen a backend of joblib's.
        """
        begin, end = within
        estimates = np.empty(len(rows))
        self.progress(begin, "Learning its errors")
        left_out = Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
            delayed(_left_out_log_prices)(
                self.algorithm.name,
                rows,
                prices,
                fold == each,
                hyperparameters=self.hyperparameters,
                seed=self.seed,
            )
            for each in range(FOLDS)
        )
        with warnings.catch_warnings(), closing(left_out):
            # Whoever ends the run means to give up the folds that are not done.
            warnings.filterwarnings("ignore", ".*tasks.* cancelled", UserWarning)
            for each, found in enumerate(left_out):
                estimates[fold == each] = found
                done = each + 1
                share = begin + done / FOLDS * (end - begin)
                self.progress(share, f"Learning its errors, {done} of {FOLDS} done")
        return estimates

    def _interval(
        self, rows: list[FeatureRow], log_price: Vector, expected: Vector, fold: NDArray[np.intp]
    ) -> Interval:
        """What half of the folds teaches of the spread, and the other half calibrates."""
        self.progress(0.6, "Learning the spread")
        teaches = np.flatnonzero(fold < FOLDS // 2)
        calibrates = np.flatnonzero(fold >= FOLDS // 2)
        learnt = fit_interval(
            [rows[each] for each in teaches],
            log_price[teaches],
            (log_price - expected)[teaches],
            seed=self.seed,
        )
        return calibrated(
            learnt,
            [rows[each] for each in calibrates],
            log_price[calibrates],
            expected[calibrates],
            coverage=self.coverage,
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


def _left_out_log_prices(
    algorithm: str,
    rows: list[FeatureRow],
    prices: Vector,
    left_out: NDArray[np.bool_],
    *,
    hyperparameters: Mapping[str, Any],
    seed: int,
) -> Vector:
    """Estimates of the rows that are left out, by an estimator fitted to the others."""
    estimator = algorithms.get(algorithm).fit(
        [row for row, is_left_out in zip(rows, left_out, strict=True) if not is_left_out],
        prices[~left_out],
        hyperparameters=hyperparameters,
        seed=seed,
        progress=_unmeasured,
    )
    return estimator.log_prices([rows[each] for each in np.flatnonzero(left_out)])


def _unmeasured(_share: float) -> None:
    """Progress within a fold: the run counts folds."""


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
