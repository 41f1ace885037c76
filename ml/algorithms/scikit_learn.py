"""Any regressor of scikit-learn, or with its interface, as an algorithm: the base of a plug-in.

A plug-in names a regressor and its hyperparameters; the encoding of vehicles, the artifact and its
way back are here. The regressor is kept by *skops*, which writes types by name and arrays, never
code, and rebuilds none but those that it knows and those that the installed plug-in trusts. What
is in a row of the database trusts nothing. Needs the extra ``skops``, and scikit-learn wherever
such a model is served.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ml import archives
from ml.algorithms.contract import Progress, State, Vector
from ml.curves import Matrix
from ml.encoding import Encoder, fit_encoder
from ml.features import FeatureRow

FORMAT = "skops/2"

Bytes = NDArray[np.uint8]


class Regressor(Protocol):
    """What scikit-learn calls a regressor."""

    def fit(self, X: Matrix, y: Vector) -> Any:  # noqa: N803 - scikit-learn's name
        """Learn from ``X`` of shape (n_rows, n_columns) and ``y`` of shape (n_rows,)."""

    def predict(self, X: Matrix) -> Vector:  # noqa: N803
        """One number a row, shape (n_rows,)."""


@dataclass(frozen=True, eq=False)
class RegressorEstimator:
    """An encoder, and the regressor that reads what it makes of a row."""

    encoder: Encoder
    regressor: Regressor

    def log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        """See ``ml.algorithms.contract.Estimator``."""
        return np.asarray(self.regressor.predict(self.encoder.matrix(rows)), dtype=np.float64)

    def state(self) -> State:
        """The encoder's own, and the regressor as the bytes of an archive."""
        return State(
            self.encoder.document(), self.encoder.arrays() | {"regressor": _written(self.regressor)}
        )


class ScikitLearn(ABC):
    """The base of an algorithm that is one of scikit-learn's regressors; see the module.

    A plug-in gives ``name``, ``summary``, ``hyperparameters_schema`` and ``regressor``. What the
    regressor reads are codes of categories, numbers and depreciation curves, see ``ml.encoding``,
    NaN where missing; it is fitted to the natural logarithm of the price.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    hyperparameters_schema: ClassVar[Mapping[str, Any]]
    artifact_format: ClassVar[str] = FORMAT
    trusted: ClassVar[Sequence[str]] = ()
    """Full names of types that *skops* does not rebuild by itself: those of other packages, and
    trees, whose numbers scikit-learn believes. Artifacts are signed, so the numbers are ours."""

    @abstractmethod
    def regressor(
        self, *, hyperparameters: Mapping[str, Any], columns: Sequence[str], seed: int
    ) -> Regressor:
        """One that is not fitted yet, and learns the same each time for a seed.

        Args:
            hyperparameters: valid by the schema, and complete.
            columns: what the columns of its matrix are, in order.
        """

    def fit(
        self,
        rows: Sequence[FeatureRow],
        prices: Vector,
        *,
        hyperparameters: Mapping[str, Any],
        seed: int,
        progress: Progress,
        expected: Vector | None = None,  # noqa: ARG002 - it takes prices as they are
    ) -> RegressorEstimator:
        """See ``ml.algorithms.contract.Algorithm``."""
        log_price = np.log(prices)
        encoder, matrix = fit_encoder(rows, log_price, seed=seed)
        progress(0.05)
        regressor = self.regressor(
            hyperparameters=hyperparameters, columns=encoder.columns, seed=seed
        )
        regressor.fit(matrix, log_price)
        progress(1.0)
        return RegressorEstimator(encoder, regressor)

    def rebuild(self, state: State) -> RegressorEstimator:
        """See ``ml.algorithms.contract.Algorithm``."""
        return RegressorEstimator(
            Encoder.rebuild(state.document, state.arrays),
            _read(state.arrays["regressor"].tobytes(), trusted=self.trusted),
        )

    def parameters(self, estimator: RegressorEstimator) -> None:  # noqa: B027 - a regressor has none
        """See ``ml.algorithms.contract.Algorithm``."""


def _written(regressor: Regressor) -> Bytes:
    import skops.io

    return np.frombuffer(skops.io.dumps(regressor), dtype=np.uint8)


def _read(content: bytes, *, trusted: Sequence[str]) -> Regressor:
    """The regressor of an archive.

    Raises:
        ValueError: it would inflate, or holds a type that nobody trusts.
    """
    import skops.io

    archives.members(content)
    unknown = set(skops.io.get_untrusted_types(data=content)) - set(trusted)
    if unknown:
        raise ValueError(f"it holds {', '.join(sorted(unknown))}, which the algorithm trusts not")
    regressor: Regressor = skops.io.loads(content, trusted=list(trusted))
    return regressor
