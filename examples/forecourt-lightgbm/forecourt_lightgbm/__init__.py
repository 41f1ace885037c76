"""LightGBM as an algorithm of Forecourt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import lightgbm
import numpy as np

from ml.algorithms.contract import Progress, State, Vector
from ml.encoding import Encoder, fit_encoder
from ml.features import CATEGORIES, FeatureRow


@dataclass(frozen=True, eq=False)
class BoosterEstimator:
    """An encoder, and the booster that reads what it makes of a row."""

    encoder: Encoder
    booster: lightgbm.Booster

    def log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        """See ``ml.algorithms.contract.Estimator``."""
        return np.asarray(self.booster.predict(self.encoder.matrix(rows), num_threads=1))

    def state(self) -> State:
        """The booster in LightGBM's own text form, which holds numbers and no code."""
        text = np.frombuffer(self.booster.model_to_string().encode(), dtype=np.uint8)
        return State(self.encoder.document(), self.encoder.arrays() | {"booster": text})


class LightGBM:
    """Boosted trees on the logarithm of the price, which never rises with mileage."""

    name = "lightgbm"
    summary = "Gradient boosted trees by LightGBM."
    artifact_format = "lightgbm-text/1"
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "iterations": {"type": "integer", "minimum": 10, "maximum": 5000, "default": 300},
            "learning_rate": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 1,
                "default": 0.05,
            },
            "leaves": {"type": "integer", "minimum": 2, "maximum": 1000, "default": 63},
        },
    }

    def fit(
        self,
        rows: Sequence[FeatureRow],
        prices: Vector,
        *,
        hyperparameters: Mapping[str, Any],
        seed: int,
        progress: Progress,
        expected: Vector | None = None,  # noqa: ARG002 - it takes prices as they are
    ) -> BoosterEstimator:
        """See ``ml.algorithms.contract.Algorithm``."""
        log_price = np.log(prices)
        encoder, matrix = fit_encoder(rows, log_price, seed=seed)
        settings = {
            "objective": "l2",
            "learning_rate": hyperparameters["learning_rate"],
            "num_leaves": hyperparameters["leaves"],
            "lambda_l2": 30,
            "feature_fraction_bynode": 0.3,
            "monotone_constraints": [-int(name == "mileage_km") for name in encoder.columns],
            "deterministic": True,
            "seed": seed,
            "verbose": -1,
        }
        categories = [at for at, name in enumerate(encoder.columns) if name in CATEGORIES]
        data = lightgbm.Dataset(matrix, log_price, categorical_feature=categories)
        rounds = hyperparameters["iterations"]
        booster = lightgbm.train(
            settings,
            data,
            rounds,
            callbacks=[lambda state: progress((state.iteration + 1) / rounds)],
        )
        return BoosterEstimator(encoder, booster)

    def rebuild(self, state: State) -> BoosterEstimator:
        """See ``ml.algorithms.contract.Algorithm``."""
        text = state.arrays["booster"].tobytes().decode()
        return BoosterEstimator(
            Encoder.rebuild(state.document, state.arrays), lightgbm.Booster(model_str=text)
        )

    def parameters(self, estimator: BoosterEstimator) -> None:
        """See ``ml.algorithms.contract.Algorithm``."""
