import json
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from sqlmodel import select
from typer.testing import CliRunner, Result

from api.cli import app
from api.relay import to_id
from domain import tables
from domain.errors import Invalid, InvalidState, NotFound, PromotionGate
from ml import portable
from ml.artifact import ArtifactRefused
from tests.api.versions import (
    FIRST,
    a_second_champion,
    published_again,
    tampered,
    unit_of_work,
)


@pytest.fixture
def folder(market_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of an installation with market FR, where the command finds it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECOURT_DATABASE_URL", raising=False)
    return shutil.copytree(market_folder, tmp_path / ".forecourt")


def forecourt(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def champion(folder: Path) -> int:
    with unit_of_work(folder) as session:
        newest = select(tables.Promotion.model_id).order_by(tables.Promotion.id.desc())
        return session.exec(newest).first()


def worsened(folder: Path, model_id: int) -> None:
    """Make a version worse on unseen rows than any other."""
    with unit_of_work(folder) as session:
        version = session.get_one(tables.ModelVersion, model_id)
        version.metrics = version.metrics | {"mape": 0.9}


def test_the_bare_command_lists_the_versions_of_a_market(folder: Path) -> None:
    published_again(folder)

    header, second, first = forecourt("models", "--market", "FR").stdout.splitlines()

    assert header.startswith("NUMBER")
    assert (second.split()[0], "champion" in second) == ("2", False)
    assert (first.split()[0], "champion" in first) == ("1", True)


def test_a_list_without_a_market_is_wrong_usage(folder: Path) -> None:
    assert forecourt("models").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        lambda _: ("2", "--market", "FR"),
        # As the API names it.
        lambda model_id: (to_id("ModelVersion", model_id),),
    ],
)
def test_a_version_is_promoted_by_its_number_or_its_id(
    folder: Path, words: Callable[[int], tuple[str, ...]]
) -> None:
    second = published_again(folder)

    told = forecourt("models", "promote", *words(second)).stdout

    assert told == "Model 2 is the champion.\n"
    assert champion(folder) == second


def test_a_number_without_its_market_is_refused(folder: Path) -> None:
    with pytest.raises(Invalid, match="--market"):
        forecourt("models", "promote", "1")


def test_a_worse_version_is_promoted_by_force_and_with_a_reason_only(folder: Path) -> None:
    second = published_again(folder)
    worsened(folder, second)

    with pytest.raises(PromotionGate):
        forecourt("models", "promote", "2", "--market", "FR")
    with pytest.raises(Invalid, match="reason"):
        forecourt("models", "promote", "2", "--market", "FR", "--force")
    forecourt("models", "promote", "2", "--market", "FR", "--force", "--reason", "Vans are better.")

    assert champion(folder) == second


def test_a_roll_back_returns_to_the_champion_before(folder: Path) -> None:
    a_second_champion(folder)

    told = forecourt("models", "roll-back", "--market", "FR", "--reason", "Vans are off.").stdout

    assert told == "Model 1 is the champion again.\n"
    assert champion(folder) == FIRST


def test_nothing_is_rolled_back_to_a_version_that_cannot_be_rebuilt(folder: Path) -> None:
    second = a_second_champion(folder)
    tampered(folder, FIRST)

    with pytest.raises(ArtifactRefused):
        forecourt("models", "roll-back", "--market", "FR", "--reason", "Vans are off.")

    assert champion(folder) == second


def test_a_dry_run_tells_what_pruning_would_remove_and_removes_nothing(folder: Path) -> None:
    published_again(folder)
    prune = ("models", "prune", "--market", "FR", "--keep", "0")

    assert forecourt(*prune, "--dry-run").stdout == "Would remove model 2.\n"
    assert forecourt(*prune).stdout == "Removed model 2.\n"
    assert forecourt(*prune).stdout == "Removed nothing.\n"


def exported(folder: Path) -> Path:
    path = folder.parent / "model.json"
    forecourt("models", "export", "1", "--market", "FR", "-o", str(path))
    return path


def test_an_exported_model_comes_back_as_the_very_same_artifact(folder: Path) -> None:
    path = exported(folder)

    told = forecourt("models", "import", str(path), "--market", "FR").stdout

    assert told.startswith("Model 2 (linear_regression)")
    with unit_of_work(folder) as session:
        first, second = session.exec(select(tables.ModelVersion)).all()
        one, other = session.exec(select(tables.ModelArtifact)).all()
        assert (one.sha256, one.signature) == (other.sha256, other.signature)
        # Later listings are measured by training once more, which no import does.
        assert first.metrics.pop("out_of_time")["rows"] > 0
        assert second.metrics == first.metrics
        assert second.parameters == first.parameters


def test_an_export_is_plain_enough_to_predict_by_hand(folder: Path) -> None:
    document = json.loads(exported(folder).read_text())

    assert document["format"] == "forecourt-model/1"
    assert set(document["document"]["estimator"]) >= {"intercept", "slopes", "levels"}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        # Another formula than the one whose answers are in the file.
        (lambda d: d["document"]["estimator"].update(intercept=1.0), ArtifactRefused),
        (lambda d: d["document"].update(format="linear/99"), ArtifactRefused),
        (lambda d: d.update(algorithm="ridge"), Invalid),
        (lambda d: d.update(format="forecourt-model/99"), Invalid),
        # Python objects are no plain array.
        (lambda d: d["arrays"]["answers"].update(dtype="|O"), Invalid),
        (lambda d: d["arrays"]["answers"].update(shape=[-1, 0]), Invalid),
        (lambda d: d.update(surprise=1), Invalid),
    ],
)
def test_a_changed_export_is_refused(
    folder: Path, change: Callable[[dict], None], refusal: type[Exception]
) -> None:
    path = exported(folder)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))

    with pytest.raises(refusal):
        forecourt("models", "import", str(path), "--market", "FR")


def test_the_figures_of_a_file_are_not_believed(folder: Path) -> None:
    path = exported(folder)
    document = json.loads(path.read_text())
    document["metrics"]["mape"] = 0.0
    path.write_text(json.dumps(document))

    forecourt("models", "import", str(path), "--market", "FR")

    with unit_of_work(folder) as session:
        first, second = session.exec(select(tables.ModelVersion)).all()
        assert second.metrics["mape"] == first.metrics["mape"] > 0


def test_a_notebook_gets_the_prices_of_the_server(folder: Path) -> None:
    path = folder.parent / "model.joblib"
    forecourt("models", "export", "1", "--market", "FR", "--format", "joblib", "-o", str(path))
    cars = {
        "brand": ["Peugeot", "Nobody"],
        "model": ["208", "Unheard Of"],
        "fuel": ["PETROL", "HYDROGEN"],
        "age_years": [5, 2],
        "mileage_km": [42_000, None],
    }

    estimator = joblib.load(path)

    assert isinstance(estimator, portable.PriceEstimator)
    rows = portable._rows(cars)
    expected, low, high = map(np.exp, estimator.predictor.log_bounds(rows))
    assert estimator.predict(cars).tolist() == expected.tolist()
    assert [each.tolist() for each in estimator.predict_interval(cars)] == [
        low.tolist(),
        high.tolist(),
    ]


def test_a_joblib_file_does_not_come_back_in(folder: Path) -> None:
    path = folder.parent / "model.joblib"
    forecourt("models", "export", "1", "--market", "FR", "--format", "joblib", "-o", str(path))

    with pytest.raises(Invalid, match="can run code"):
        forecourt("models", "import", str(path), "--market", "FR")


def test_onnx_is_refused_with_the_reason(folder: Path) -> None:
    with pytest.raises(InvalidState, match="native categories"):
        forecourt("models", "export", "1", "--market", "FR", "--format", "onnx", "-o", "m.onnx")


def test_a_version_that_is_not_there_is_not_found(folder: Path) -> None:
    with pytest.raises(NotFound, match="no model 9 in market FR"):
        forecourt("models", "export", "9", "--market", "FR", "-o", "m.json")
