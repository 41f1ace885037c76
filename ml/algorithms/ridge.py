"""Ridge regression on the logarithm of the price; each model has its own depreciation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ml.algorithms.contract import Progress, State, Vector
from ml.algorithms.linear_fit import Design, Terms
from ml.features import FeatureRow
from ml.linear import LinearFormula

TERMS = Terms(
    "log_price",
    levels=("brand", "model", "version", "fuel", "gearbox", "specification"),
    slopes_by={
        "age_years": ("brand", "model", "fuel"),
        "mileage_km": ("brand", "model", "fuel"),
    },
    never_rises_with=("age_years", "mileage_km"),
)


class Ridge:
    """See the module."""

    name = "ridge"
    summary = "A formula for the logarithm of the price; each model loses value at its own pace."
    artifact_format = "linear/1"
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "alpha": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 1_000_000,
                "default": 1.0,
                "description": "How strongly coefficients are drawn to zero.",
            },
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
    ) -> LinearFormula:
        from sklearn.linear_model import Ridge as PenalisedLeastSquares

        design = Design(rows, prices, TERMS)
        solver = PenalisedLeastSquares(alpha=hyperparameters["alpha"], random_state=seed)
        fitted = solver.fit(design.matrix(), design.target)
        progress(1.0)
        return design.formula(fitted.coef_, float(fitted.intercept_))

    def rebuild(self, state: State) -> LinearFormula:
        return LinearFormula.from_document(state.document)

    def parameters(self, estimator: LinearFormula) -> dict[str, Any]:
        return estimator.document()
