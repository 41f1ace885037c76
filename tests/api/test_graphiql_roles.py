"""GraphiQL's examples for each role, in a real browser against the real application."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api import examples
from domain.tables import Role
from tests.api.test_demo import a_served, served_folder
from tests.api.test_graphiql import Visit, browser, in_a_browser

__all__ = ["browser", "served_folder"]  # fixtures, for this module's tests too

pytestmark = [pytest.mark.slow, in_a_browser]


@pytest.fixture
def visit(served_folder: Path, browser: Any) -> Iterator[Visit]:
    with a_served(served_folder, "--no-worker") as address:
        page = browser.new_page(viewport={"width": 1500, "height": 900})
        yield Visit(page, f"{address}/graphql")
        page.close()


@pytest.fixture
def keys(served_folder: Path) -> dict[str, str]:
    made: dict[str, str] = json.loads((served_folder / ".forecourt" / "keys.json").read_text())
    return made


def tabs(visit: Visit) -> list[str]:
    return [each.inner_text() for each in visit.page.query_selector_all(".graphiql-tab-button")]


def names_of(role: Role) -> list[str]:
    """Tabs are named after their operations."""
    texts = (example.query for example in examples.EXAMPLES if example.role == role.value)
    return [text.split("\n")[1].split()[1].partition("(")[0] for text in texts]


def test_a_key_opens_the_examples_of_its_role(visit: Visit, keys: dict[str, str]) -> None:
    at_first = tabs(visit)
    visit.give_key(keys["PRICING"])
    visit.page.wait_for_selector(".graphiql-tab-button:has-text('ActiveStrategy')")

    assert at_first == names_of(Role.SALES)
    assert tabs(visit) == names_of(Role.PRICING)
    assert visit.page.input_value("#role") == "PRICING"


def test_each_role_finds_its_tabs_as_it_left_them(visit: Visit, keys: dict[str, str]) -> None:
    visit.give_key(keys["ADMIN"])
    visit.page.wait_for_selector(".graphiql-tab-button:has-text('Overview')")
    visit.page.click(".graphiql-tab-button:has-text('Viewer')")
    # GraphiQL writes down half a second later what its tabs hold.
    visit.page.wait_for_timeout(1500)
    visit.page.select_option("#role", "DATA_SCIENCE")
    visit.page.wait_for_selector(".graphiql-tab-button:has-text('Models')")
    others = tabs(visit)
    visit.page.select_option("#role", "ADMIN")
    visit.page.wait_for_selector(".graphiql-tab-active:has-text('Viewer')")

    assert others == names_of(Role.DATA_SCIENCE)
    assert tabs(visit) == names_of(Role.ADMIN)
    assert visit.complaints == []


def test_a_query_a_mutation_and_a_subscription_run(visit: Visit, keys: dict[str, str]) -> None:
    visit.give_key(keys["SALES"])

    assert "totalCount" in visit.run("Stock", until="totalCount")
    assert "marketPrice" in visit.run("Predict", until="marketPrice")
    assert "championModel" in visit.run("PricingChanged", until="championModel")
    assert visit.complaints == []
