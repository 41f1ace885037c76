"""Regressors of scikit-learn as plug-ins, as in ``examples/forecourt-random-forest``."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from domain.errors import Invalid
from ml import algorithms, artifact, exchange
from ml.algorithms.check import check, made_listings
from ml.algorithms.contract import State
from ml.algorithms.scikit_learn import Regressor, ScikitLearn
from ml.artifact import ArtifactRefused
from ml.exchange import PlainArray, PlainModel
from ml.predictor import Predictor
from ml.training import TrainedModel, train
from tests.ml import made

pytest.importorskip("skops", reason="the extra skops is not installed")

EXAMPLE = Path(__file__).parents[2] / "examples" / "forecourt-random-forest"


class Line:
    """A regressor that scikit-learn never heard of: the least squares of some columns."""

    def fit(self, X: Any, y: Any) -> Line:  # noqa: N803 - scikit-learn's name
        self.weights = np.linalg.lstsq(self._terms(X), y, rcond=None)[0]
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        # Row by row: a product of matrices rounds otherwise for other numbers of rows.
        return (self._terms(X) * self.weights).sum(axis=1)

    @staticmethod
    def _terms(X: Any) -> Any:  # noqa: N803
        return np.column_stack([np.ones(len(X)), np.nan_to_num(X[:, -4:])])


class Lines(ScikitLearn):
    """An algorithm whose regressor has to be trusted by name."""

    name = "lines"
    summary = "Least squares."
    hyperparameters_schema: ClassVar[Mapping[str, Any]] = {"type": "object", "properties": {}}
    trusted: ClassVar[Sequence[str]] = (f"{__name__}.Line",)

    def regressor(
        self, *, hyperparameters: Mapping[str, Any], columns: Sequence[str], seed: int
    ) -> Regressor:
        return Line()


class Distrustful(Lines):
    trusted: ClassVar[Sequence[str]] = ()


@pytest.fixture
def random_forest(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example, installed, and nothing remembered of it afterwards."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    offered = EntryPoint(
        name="random_forest",
        value="forecourt_random_forest:RandomForest",
        group=algorithms.ENTRY_POINTS,
    )
    monkeypatch.setattr(algorithms, "entry_points", lambda group: [offered])
    algorithms._plug_ins.cache_clear()
    yield "random_forest"
    algorithms._plug_ins.cache_clear()


@cache
def trained(algorithm: str) -> TrainedModel:
    """A version of the made market, trained once for all tests."""
    return train(made.listings(), algorithm=algorithm, hyperparameters={"trees": 20}, coverage=0.9)


def loaded(content: bytes) -> Predictor:
    return artifact.load(content, signature=artifact.sign(content, made.KEY), key=made.KEY)


def test_a_forest_keeps_the_contract_and_comes_back_from_its_artifact(random_forest: str) -> None:
    rebuilt = loaded(trained(random_forest).artifact)

    assert random_forest in algorithms.names()
    assert trained(random_forest).metrics["mape"] < 0.15
    assert rebuilt.algorithm == random_forest


def test_a_forest_never_rises_with_mileage(random_forest: str) -> None:
    predictor = loaded(trained(random_forest).artifact)
    row = made_listings(1)[0][0]

    prices = predictor.log_bounds([row._replace(mileage_km=km) for km in range(0, 200_000, 5_000)])

    assert (np.diff(prices[0]) <= 0).all()


def test_a_regressor_of_another_package_is_rebuilt_where_the_plug_in_trusts_it() -> None:
    check(Lines())


def test_a_type_that_the_plug_in_does_not_trust_is_not_rebuilt() -> None:
    with pytest.raises(ValueError, match=r"test_scikit_learn\.Line, which"):
        check(Distrustful())


def test_a_regressor_that_would_inflate_is_not_read() -> None:
    rows, prices = made_listings()
    fitted = Lines().fit(rows, prices, hyperparameters={}, seed=1, progress=lambda _: None)
    state = fitted.state()
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"0" * 10**6)
    arrays = dict(state.arrays) | {"regressor": np.frombuffer(compressed.getvalue(), np.uint8)}

    with pytest.raises(ValueError, match="compressed"):
        Lines().rebuild(State(state.document, arrays))


def test_a_tampered_forest_is_refused_before_anything_in_it_is_read(random_forest: str) -> None:
    content = trained(random_forest).artifact
    signature = artifact.sign(content, made.KEY)
    at = len(content) // 2
    tampered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    with pytest.raises(ArtifactRefused, match="signature"):
        artifact.load(tampered, signature=signature, key=made.KEY)


@pytest.mark.parametrize("told", ["random_forest", "ridge"])
def test_a_forest_is_not_taken_from_a_file_whatever_that_calls_it(
    random_forest: str, told: str
) -> None:
    document, arrays = artifact.parted(trained(random_forest).artifact)
    file = PlainModel(
        algorithm=told,
        hyperparameters={},
        coverage=0.9,
        trained_rows=1,
        rejected_rows=0,
        trained_from=None,
        trained_to=None,
        data_sha256="0" * 64,
        metrics={},
        features={},
        document=document,
        arrays={name: PlainArray.of(array) for name, array in arrays.items()},
    ).model_dump_json()
    nothing_is_read: Any = None

    with pytest.raises(Invalid, match=r"--format joblib|is one of random_forest, not ridge"):
        exchange.from_json(nothing_is_read, 1, file, artifact_key=made.KEY)
