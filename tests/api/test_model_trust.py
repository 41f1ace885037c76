"""What a server does with a model version whose artifact is not what was published."""

import shutil
import time
from pathlib import Path

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from api.relay import to_id
from domain import tables
from domain.tables import Role
from tests.api.shop import CAR, Shop, open_shop
from tests.api.test_models import PROMOTE, eventually
from tests.api.versions import (
    FIRST,
    a_second_champion,
    published_again,
    repaired,
    tampered,
    unit_of_work,
)

PREDICT = """
mutation ($input: PredictInput!) {
  predict(input: $input) { predictions { model { id } } userErrors { code } }
}
"""


@pytest.fixture
def folder(market_folder: Path, tmp_path: Path) -> Path:
    """A folder with market FR, which no process serves yet."""
    return shutil.copytree(market_folder, tmp_path / "shop")


def answering(shop: Shop) -> str | None:
    """The id of the model that predicts; None where none does."""
    asked = {"market": "FR", "vehicles": [CAR]}
    payload = shop.data(PREDICT, {"input": asked})["predict"]
    return payload["predictions"][0]["model"]["id"] if not payload["userErrors"] else None


def promote(shop: Shop, model_id: int) -> list[str]:
    """The codes of what `promoteModel` refuses."""
    asked = {"model": to_id("ModelVersion", model_id)}
    payload = shop.data(PROMOTE, {"input": asked}, role=Role.DATA_SCIENCE)["promoteModel"]
    return [error["code"] for error in payload["userErrors"]]


def refusals(folder: Path) -> list[int]:
    """The versions whose artifacts were refused, by the audit trail."""
    with unit_of_work(folder) as session:
        events = select(tables.AuditEvent).where(
            tables.AuditEvent.action == "model.artifact_refused"
        )
        return [event.subject_id for event in session.exec(events)]


def test_the_champion_before_a_tampered_one_serves_on_and_the_refusal_is_told(
    folder: Path,
) -> None:
    second = a_second_champion(folder)
    tampered(folder, second)

    with capture_logs() as logged, open_shop(folder) as shop:
        answers = answering(shop)

    assert answers == to_id("ModelVersion", FIRST)
    assert refusals(folder) == [second]
    told = [line for line in logged if line["event"] == "model.artifact_refused"]
    assert [(line["log_level"], line["model"]) for line in told] == [("error", second)]
    assert "signature" in told[0]["reason"]


def test_a_repaired_champion_answers_again_once_it_is_promoted_again(folder: Path) -> None:
    second = a_second_champion(folder)
    content = tampered(folder, second)

    with open_shop(folder) as shop:
        assert answering(shop) == to_id("ModelVersion", FIRST)
        repaired(folder, second, content)
        assert promote(shop, second) == []
        answers = eventually(
            lambda: answering(shop),
            lambda answers: answers == to_id("ModelVersion", second),
            within_s=1.0,
        )

    assert answers == to_id("ModelVersion", second)


def test_nothing_answers_where_the_only_champion_is_tampered_with(folder: Path) -> None:
    tampered(folder, FIRST)

    with open_shop(folder) as shop:
        payload = shop.quote(CAR)

    assert [error["code"] for error in payload["userErrors"]] == ["NO_CHAMPION_MODEL"]
    assert refusals(folder) == [FIRST]


def test_a_server_that_has_built_a_model_does_not_care_what_becomes_of_its_row(
    folder: Path,
) -> None:
    with open_shop(folder) as shop:
        tampered(folder, FIRST)
        with unit_of_work(folder) as session:
            session.exec(select(tables.Market)).one().revision += 1
        time.sleep(1)  # In which the server has looked for changes, and built the market anew.
        answers = answering(shop)

    assert answers == to_id("ModelVersion", FIRST)


def test_a_tampered_version_is_not_promoted(folder: Path) -> None:
    second = published_again(folder)
    tampered(folder, second)

    with open_shop(folder) as shop:
        codes = promote(shop, second)

        assert codes == ["INVALID_STATE"]
        assert answering(shop) == to_id("ModelVersion", FIRST)
