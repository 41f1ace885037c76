"""Algorithms that other packages offer, here the example in ``examples/forecourt-lightgbm``."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from domain.errors import Invalid
from ml import algorithms, artifact
from ml.training import train
from tests.ml import made

EXAMPLE = Path(__file__).parents[2] / "examples" / "forecourt-lightgbm"


def offered(value: str) -> list[EntryPoint]:
    return [EntryPoint(name="plug-in", value=value, group=algorithms.ENTRY_POINTS)]


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Installed packages as the test wants them, and nothing remembered of others."""
    algorithms._plug_ins.cache_clear()
    yield monkeypatch
    algorithms._plug_ins.cache_clear()


def test_a_plug_in_trains_and_its_artifact_is_rebuilt(plug_ins: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightgbm", reason="LightGBM is not installed")
    plug_ins.syspath_prepend(str(EXAMPLE))
    plug_ins.setattr(
        algorithms, "entry_points", lambda group: offered("forecourt_lightgbm:LightGBM")
    )

    trained = train(
        made.listings(), algorithm="lightgbm", hyperparameters={"iterations": 60}, coverage=0.9
    )
    content = trained.artifact
    rebuilt = artifact.load(content, signature=artifact.sign(content, made.KEY), key=made.KEY)

    assert "lightgbm" in algorithms.names()
    assert trained.metrics["mape"] < 0.15
    assert rebuilt.algorithm == "lightgbm"


def test_a_plug_in_that_breaks_the_contract_is_left_out(plug_ins: pytest.MonkeyPatch) -> None:
    plug_ins.setattr(
        algorithms,
        "entry_points",
        lambda group: offered("tests.ml.test_algorithms:ForgetfulAlgorithm"),
    )

    assert algorithms.names() == list(algorithms.BUILT_IN)


def test_a_plug_in_that_cannot_be_imported_takes_no_other_with_it(
    plug_ins: pytest.MonkeyPatch,
) -> None:
    plug_ins.setattr(algorithms, "entry_points", lambda group: offered("nowhere.at_all:Nothing"))

    with pytest.raises(Invalid, match="there are hist_gradient_boosting"):
        algorithms.get("lightgbm")

    assert "nowhere" not in sys.modules
