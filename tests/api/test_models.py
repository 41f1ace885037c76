import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.job_handlers import HANDLERS
from api.worker import Worker
from domain.database import Database
from domain.tables import Role
from tests.api.shop import CAR, Shop, settings_of
from tests.factories import a_model_version

TRAIN = """
mutation ($input: TrainInput!) {
  train(input: $input) { run { id status algorithm } userErrors { code message field } }
}
"""
RUN = """
query ($id: ID!) {
  node(id: $id) { ... on TrainingRun { status error progress attempts
    model { id number isChampion parameters metrics { rows mape coverage groups { brand rows } }
            artifact { format sizeBytes sha256 } trainedOn { rows from to sha256 } } } }
}
"""
PROMOTE = """
mutation ($input: PromoteModelInput!) {
  promoteModel(input: $input) { model { id isChampion } userErrors { code message field } }
}
"""
CHAMPION = '{ market(code: "FR") { championModel { id number } } }'


@contextmanager
def a_worker(shop: Shop) -> Iterator[None]:
    """A worker beside the server, for as long as the test needs one."""
    settings = settings_of(shop.folder)
    database = Database(settings.resolved_database_url)
    worker = Worker(database, settings, HANDLERS)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield
    worker.stop()
    thread.join()
    database.close()


def eventually(look: Callable[[], Any], is_there: Callable[[Any], bool], *, within_s: float) -> Any:
    """What ``look`` sees once it is as wanted; what it sees last otherwise."""
    until = time.monotonic() + within_s
    while not is_there(seen := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return seen


def trained(shop: Shop, **input: Any) -> dict[str, Any]:
    """A finished training of the linear formula."""
    asked = {"market": "FR", "algorithm": "linear_regression"} | input
    payload = shop.data(TRAIN, {"input": asked}, role=Role.DATA_SCIENCE)["train"]
    assert payload["userErrors"] == []
    with a_worker(shop):
        return eventually(
            lambda: shop.data(RUN, {"id": payload["run"]["id"]})["node"],
            lambda run: run["status"] in ("SUCCEEDED", "FAILED"),
            within_s=60,
        )


@pytest.mark.slow
def test_a_training_publishes_a_version_with_its_metrics_and_its_formula(shop: Shop) -> None:
    run = trained(shop)

    assert (run["status"], run["error"], run["attempts"]) == ("SUCCEEDED", None, 1)
    model = run["model"]
    assert (model["number"], model["isChampion"]) == (2, False)
    assert model["metrics"]["rows"] > 0
    assert model["parameters"]
    assert model["trainedOn"]["rows"] < 3_000
    assert len(model["artifact"]["sha256"]) == 64


@pytest.mark.slow
def test_a_promotion_is_served_by_itself(shop: Shop) -> None:
    model = trained(shop)["model"]

    payload = shop.data(PROMOTE, {"input": {"model": model["id"]}}, role=Role.DATA_SCIENCE)

    assert payload["promoteModel"] == {
        "model": {"id": model["id"], "isChampion": True},
        "userErrors": [],
    }
    served = eventually(
        lambda: shop.data(
            "mutation ($input: PredictInput!) "
            "{ predict(input: $input) { predictions { model { id } } } }",
            {"input": {"market": "FR", "vehicles": [CAR]}},
        )["predict"]["predictions"][0]["model"]["id"],
        lambda served: bool(served == model["id"]),
        within_s=30,
    )
    assert served == model["id"]


@pytest.mark.slow
def test_an_equally_good_model_is_promoted_where_that_was_asked_for(shop: Shop) -> None:
    run = trained(shop, promotion="IF_BETTER")

    assert run["model"]["isChampion"]


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"algorithm": "crystal_ball"}, "INVALID", ["algorithm"]),
        ({"market": "XX"}, "NOT_FOUND", ["market"]),
        ({"coverage": 1.5}, "INVALID", ["coverage"]),
        ({"hyperparameters": [1]}, "INVALID", ["hyperparameters"]),
        ({"hyperparameters": {"depth": 3}}, "INVALID", ["hyperparameters", "depth"]),
        (
            {"observedFrom": "2026-02-01", "observedTo": "2026-01-01"},
            "INVALID",
            ["observedTo"],
        ),
    ],
)
def test_a_training_that_could_only_fail_is_refused(
    shop: Shop, input: dict[str, Any], code: str, field: list[str]
) -> None:
    asked = {"market": "FR", "algorithm": "linear_regression"} | input

    payload = shop.data(TRAIN, {"input": asked}, role=Role.DATA_SCIENCE)["train"]

    assert payload["run"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)]


def test_a_seller_does_not_train(shop: Shop) -> None:
    asked = {"market": "FR", "algorithm": "linear_regression"}

    payload = shop.data(TRAIN, {"input": asked}, role=Role.SALES)["train"]

    assert [error["code"] for error in payload["userErrors"]] == ["FORBIDDEN"]


CANCEL = """
mutation ($id: ID!) { cancelJob(input: { job: $id }) { job { status } userErrors { code } } }
"""


@pytest.mark.slow
def test_a_running_training_is_cancelled_and_publishes_nothing(shop: Shop) -> None:
    long = {"iterations": 5000, "learning_rate": 0.001, "leaves": 1000}
    asked = {"market": "FR", "algorithm": "hist_gradient_boosting", "hyperparameters": long}
    queued = shop.data(TRAIN, {"input": asked}, role=Role.DATA_SCIENCE)["train"]["run"]

    def run() -> dict[str, Any]:
        return shop.data(RUN, {"id": queued["id"]})["node"]

    with a_worker(shop):
        fitting = eventually(run, lambda run: run["progress"] > 0, within_s=60)
        shop.data(CANCEL, {"id": queued["id"]}, role=Role.DATA_SCIENCE)
        ended = eventually(run, lambda run: run["status"] == "CANCELLED", within_s=30)

    assert fitting["status"] == "RUNNING"
    assert (ended["status"], ended["model"]) == ("CANCELLED", None)
    assert shop.data('{ models(market: "FR") { totalCount } }')["models"]["totalCount"] == 1


def test_a_cancelled_training_stays_cancelled(shop: Shop) -> None:
    asked = {"market": "FR", "algorithm": "linear_regression"}
    run = shop.data(TRAIN, {"input": asked}, role=Role.DATA_SCIENCE)["train"]["run"]

    cancelled = shop.data(CANCEL, {"id": run["id"]}, role=Role.DATA_SCIENCE)

    assert cancelled["cancelJob"] == {"job": {"status": "CANCELLED"}, "userErrors": []}
    assert shop.data(RUN, {"id": run["id"]})["node"]["status"] == "CANCELLED"


def test_the_algorithms_say_what_they_take(shop: Shop) -> None:
    offered = shop.data("{ algorithms { name summary hyperparametersSchema } }")["algorithms"]

    assert {each["name"] for each in offered} >= {"linear_regression", "hist_gradient_boosting"}
    assert all(each["hyperparametersSchema"]["type"] == "object" for each in offered)


def test_an_id_of_another_type_is_not_found(shop: Shop) -> None:
    payload = shop.data(PROMOTE, {"input": {"model": "UXVvdGU6MQ"}}, role=Role.DATA_SCIENCE)[
        "promoteModel"
    ]

    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        ("NOT_FOUND", ["model"])
    ]


def test_the_champion_is_told_by_the_market(shop: Shop) -> None:
    assert shop.data(CHAMPION)["market"]["championModel"]["number"] == 1


HEALTH = """{ championModel(market: "FR") {
  health { orders realisedMape realisedCoverage drift { feature psi } } } }"""


def test_a_model_without_orders_and_quotes_claims_no_health(shop: Shop) -> None:
    assert shop.data(HEALTH)["championModel"]["health"] == {
        "orders": 0,
        "realisedMape": None,
        "realisedCoverage": None,
        "drift": [],
    }


def test_the_drift_of_a_model_names_the_feature_in_which_quotes_are_unlike_training(
    shop: Shop,
) -> None:
    shop.quote(*[CAR | {"mileageKm": 150_000 + each} for each in range(100)])

    drift = shop.data(HEALTH)["championModel"]["health"]["drift"]

    by_feature = {each["feature"]: each["psi"] for each in drift}
    assert by_feature["mileage_km"] > 0.2
    assert [each["psi"] for each in drift] == sorted(by_feature.values(), reverse=True)


def test_the_health_of_a_page_of_models_takes_four_statements(shop: Shop) -> None:
    document = '{ models(market: "FR") { edges { node { number %s } } } }'
    health = "health { drift { feature psi } }"
    with shop.database() as database, database.unit_of_work() as session:
        for number in (2, 3, 4):
            a_model_version(session, number=number)

    without = shop.statements(lambda: shop.data(document % ""))
    with_health = shop.statements(lambda: shop.data(document % health))

    # The versions, their promotions, the market's quotes and its orders.
    assert with_health - without == 4
