"""The documents of the example front end, each sent to the real application in turn."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse
from typer.testing import CliRunner

from api import examples
from api.cli import app
from domain.tables import Role
from tests.api.shop import Shop, open_shop
from tests.api.test_costs import objects_in
from tests.api.test_walkthrough import first_event

FOLDER = Path(__file__).parents[2] / "examples" / "front-end"
DOCUMENTS = sorted(FOLDER.rglob("*.graphql"))


@dataclass(frozen=True)
class Step:
    """One document; what later ones need of its answer, and whether a worker is waited for."""

    name: str
    keep: dict[str, str]
    then_work: bool = False


def step(name: str, *, then_work: bool = False, **keep: str) -> Step:
    return Step(name, {name.upper(): path for name, path in keep.items()}, then_work)


STORY = (
    # A salesperson looks around and prices a car.
    step("sales/viewer"),
    step("admin/overview"),
    step("sales/match-vehicle"),
    step("sales/predict"),
    step("sales/create-quote", id_of_quote="createQuotes.quotes.0.id"),
    step("sales/quote"),
    step("sales/quotes"),
    step("sales/stock", reference_of_vehicle="vehicles.edges.0.node.reference"),
    step("sales/vehicle"),
    step("sales/pricing-changed"),
    # An analyst asks what was sold.
    step("sales/orders"),
    step("sales/clients"),
    step("sales/payment-types"),
    step("sales/sales-report"),
    # Somebody who sets prices drafts a strategy, looks at it from all sides and submits it.
    step("pricing/active-strategy", id_of_active_version="activeStrategy.id"),
    step("pricing/strategies"),
    step(
        "pricing/create-strategy",
        id_of_strategy="createStrategy.strategy.id",
        id_of_draft="createStrategy.strategy.latest.id",
        hash_of_draft="createStrategy.strategy.latest.contentHash",
    ),
    step("pricing/edit-version"),
    step("pricing/strategy"),
    step("pricing/analyse-version"),
    step("pricing/compare-versions"),
    step(
        "pricing/simulate-version",
        id_of_simulation="simulateStrategy.simulation.id",
        id_of_simulation_run="simulateStrategy.simulation.run.id",
        then_work=True,
    ),
    step("pricing/job-progress"),
    step("pricing/simulation"),
    step("pricing/submit-version"),
    # A second person reviews it, puts it in force, and plans what comes after.
    step("approver/waiting-for-review"),
    step("approver/review"),
    step("approver/approve-version"),
    step("approver/activate-version"),
    step("approver/schedule-version"),
    step("approver/challenge", id_of_challenge="activateStrategyVersion.version.activations.0.id"),
    step("approver/experiment"),
    step("pricing/reprice-stock", then_work=True),
    step("approver/roll-back"),
    # The next version is withdrawn, and the one after it sent back.
    step("pricing/draft-version", id_of_draft="draftStrategyVersion.version.id"),
    step("pricing/submit-version", id_of_submitted_version="submitStrategyVersion.version.id"),
    step("pricing/withdraw-version"),
    step("pricing/draft-version", id_of_draft="draftStrategyVersion.version.id"),
    step("pricing/submit-version", id_of_submitted_version="submitStrategyVersion.version.id"),
    step("approver/reject-version"),
    step("approver/audit"),
    step("admin/who-did-what"),
    # A data scientist trains a candidate, compares it and promotes it.
    step("data-science/algorithms"),
    step("data-science/champion", id_of_champion="championModel.id"),
    step("data-science/add-listings"),
    step("data-science/train", id_of_training="train.run.id", then_work=True),
    step("data-science/training-progress", id_of_candidate="jobProgress.model.id"),
    step("data-science/models"),
    step("data-science/compare-models"),
    step("data-science/predict-with-candidate"),
    step("data-science/promote-model"),
    step("data-science/train", id_of_training="train.run.id"),
    step("data-science/cancel-job"),
)


def role_of(name: str) -> Role:
    return Role(name.partition("/")[0].upper().replace("-", "_"))


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")


def variables_of(name: str, known: dict[str, str]) -> dict[str, Any]:
    """The variables beside a document, with the ids that earlier answers gave."""
    file = FOLDER / f"{name}.json"
    text = file.read_text(encoding="utf-8") if file.exists() else "{}"
    for placeholder, value in known.items():
        text = text.replace(f'"{placeholder}"', json.dumps(value))
    assert "_OF_" not in text, f"{name} needs what no earlier answer gave"
    variables: dict[str, Any] = json.loads(text)
    return variables


def is_subscription(document: str) -> bool:
    (operation,) = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation.operation is OperationType.SUBSCRIPTION


def errors_in(data: dict[str, Any]) -> list[Any]:
    payloads = [answer for answer in data.values() if isinstance(answer, dict)]
    return [error for payload in payloads for error in payload.get("userErrors", [])]


def found_at(data: dict[str, Any], path: str) -> Any:
    found: Any = data
    for name in path.split("."):
        found = found[int(name)] if name.isdecimal() else found[name]
    return found


def test_every_document_is_a_part_of_the_story() -> None:
    names = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in DOCUMENTS}

    assert names == {step.name for step in STORY}
    assert len(names) > 40


def test_the_story_is_told_to_the_real_application(market_folder: Path, tmp_path: Path) -> None:

    known: dict[str, str] = {}
    shutil.copytree(market_folder, tmp_path / "shop")
    with open_shop(tmp_path / "shop") as shop:
        for step in STORY:
            data = told(shop, step, known)
            assert errors_in(data) == [], step.name
            assert all(answer is not None for answer in data.values()), step.name
            known |= {name: found_at(data, path) for name, path in step.keep.items()}
            if step.then_work:
                shop.work_off_jobs()


def told(shop: Shop, step: Step, known: dict[str, str]) -> dict[str, Any]:
    """The answer to a document, which is no larger than what it cost."""
    document, role = text_of(step.name), role_of(step.name)
    variables = variables_of(step.name, known)
    if is_subscription(document):
        return first_event(shop, document, variables, role=role)
    answer = shop.ask(document, variables, role=role)
    assert "errors" not in answer, (step.name, answer["errors"])
    # The answer itself is no object that anybody asked for.
    assert objects_in(answer["data"]) - 1 <= answer["extensions"]["cost"]["requested"], step.name
    data: dict[str, Any] = answer["data"]
    return data


def test_all_of_them_can_be_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECOURT_DATA_DIR", str(tmp_path))
    CliRunner().invoke(app, ["migrate"], catch_exceptions=False)

    done = CliRunner().invoke(app, ["documents", "add", str(FOLDER)], catch_exceptions=False)

    assert done.exit_code == 0
    assert f"Registered {len(DOCUMENTS)};" in done.stderr
    digest = sha256(text_of("sales/create-quote").encode()).hexdigest()
    assert f"{digest}  CreateQuote" in done.stdout.splitlines()


@pytest.mark.parametrize("role", Role)
def test_each_role_has_tabs_in_graphiql(role: Role) -> None:
    tabs = [example for example in examples.EXAMPLES if example.role == role.value]

    assert 3 < len(tabs) < 10
    assert all(
        tab.query == text_of(name) for tab, name in zip(tabs, examples.TABS[role], strict=True)
    )
    assert all(tab.title and tab.query.startswith(f"# {tab.title}\n") for tab in tabs)
