"""Ordinary least squares on the price itself: the formula that this product replaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ml.algorithms.contract import Progress, State, Vector
from ml.algorithms.linear_fit import Design, Terms
from ml.features import FeatureRow
from ml.linear import LinearFormula

TERMS = Terms("price", levels=("brand", "fuel", "gearbox"), slopes_by={})


class LinearRegression:
    """See the module."""

    name = "linear_regression"
    summary = "One plain formula for the price: brand, fuel, gearbox, age, mileage and engine."
    artifact_format = "linear/1"
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {},
    }

    def fit(
        self,
        rows: Sequence[FeatureRow],
        prices: Vector,
        *,
        hyperparameters: Mapping[str, Any],  # noqa: ARG002 - it has none
        seed: int,  # noqa: ARG002 - nothing is drawn by lot
        progress: Progress,
        expected: Vector | None = None,  # noqa: ARG002 - it takes prices as they are
    ) -> LinearFormula:
        from sklearn.linear_model import LinearRegression as LeastSquares

        design = Design(rows, prices, TERMS)
        fitted = LeastSquares().fit(design.matrix(), design.target)
        progress(1.0)
        return design.formula(fitted.coef_, float(fitted.intercept_))

    def rebuild(self, state: State) -> LinearFormula:
        return LinearFormula.from_document(state.document)

    def parameters(self, estimator: LinearFormula) -> dict[str, Any]:
        return estimator.document()
