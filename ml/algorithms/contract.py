"""What an algorithm is: it fits an estimator, and rebuilds one from data without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ml.features import FeatureRow

Vector = NDArray[np.float64]

Progress = Callable[[float], None]
"""Told the share of the work that is done, 0 to 1; may raise to end it."""


@dataclass(frozen=True)
class State:
    """A fitted estimator as data: a JSON document and named arrays without Python objects."""

    document: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Estimator(Protocol):
    """A fitted estimator."""

    def log_prices(self, rows: Sequence[FeatureRow]) -> Vector:
        """The natural logarithm of each vehicle's price, finite, shape (n_rows,).

        The same row gets the same answer to the last bit, alone or among others.
        """

    def state(self) -> State:
        """What ``Algorithm.rebuild`` makes an identical estimator from."""


@runtime_checkable
class Algorithm(Protocol):
    """A way to learn prices from listings; ``ml.algorithms.check`` tests that it keeps this."""

    @property
    def name(self) -> str:
        """What people call it, e.g. ``hist_gradient_boosting``."""

    @property
    def summary(self) -> str:
        """What it is good for, in a sentence."""

    @property
    def hyperparameters_schema(self) -> Mapping[str, Any]:
        """JSON Schema of an object; each property has a ``default``."""

    @property
    def artifact_format(self) -> str:
        """Name and version of what ``State`` holds, e.g. ``trees/2``; another with each change."""

    def fit(
        self,
        rows: Sequence[FeatureRow],
        prices: Vector,
        *,
        hyperparameters: Mapping[str, Any],
        seed: int,
        progress: Progress,
        expected: Vector | None = None,
    ) -> Estimator:
        """Learn from listings; deterministic for a seed.

        Args:
            hyperparameters: valid by the schema, and complete.
            expected: the logarithm of each price as estimated by estimators that had not seen it,
                where there are such: what is far from it is an outlier. May be ignored.
        """

    def rebuild(self, state: State) -> Estimator:
        """The estimator that ``state`` came from, without training.

        Raises:
            KeyError, IndexError, TypeError, ValueError: it came from elsewhere.
        """

    def parameters(self, estimator: Any) -> dict[str, Any] | None:
        """The fitted parameters in plain form, enough to predict by hand; None where there are
        none that a person could read.
        """
