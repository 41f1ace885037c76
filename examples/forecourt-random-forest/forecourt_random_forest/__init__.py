"""scikit-learn's random forest as an algorithm of Forecourt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ml.algorithms.scikit_learn import Regressor, ScikitLearn


class RandomForest(ScikitLearn):
    """The mean of many trees, each grown on other listings; it never rises with mileage."""

    name = "random_forest"
    summary = "Random forest by scikit-learn."
    # scikit-learn believes the numbers of a tree; those of a signed artifact are our own.
    trusted: ClassVar[Sequence[str]] = ("sklearn.tree._tree.Tree",)
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "trees": {"type": "integer", "minimum": 10, "maximum": 1000, "default": 50},
            "smallest_leaf": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
        },
    }

    def regressor(
        self, *, hyperparameters: Mapping[str, Any], columns: Sequence[str], seed: int
    ) -> Regressor:
        """See ``ml.algorithms.scikit_learn.ScikitLearn``."""
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(
            n_estimators=hyperparameters["trees"],
            min_samples_leaf=hyperparameters["smallest_leaf"],
            max_features=0.5,
            monotonic_cst=[-int(name == "mileage_km") for name in columns],
            random_state=seed,
        )
