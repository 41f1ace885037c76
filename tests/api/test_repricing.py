from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from domain import tables
from domain.tables import Role
from tests.api.shop import Shop

REPRICE = """
mutation ($input: RepriceStockInput!) {
  repriceStock(input: $input) {
    run { id status market { code } strategy { number } model { number } repriced unchanged failed }
    userErrors { code message field }
  }
}
"""
RUN = """
query ($id: ID!) {
  node(id: $id) { ... on RepricingRun { status progress attempts repriced unchanged failed } }
}
"""
PRICES = """
{
  vehicles(first: 200) {
    edges { node {
      reference brand fuel price { amount } marketPrice { amount }
      priceHistory { price { amount } reason strategy { number } }
    } }
  }
}
"""


def reprice(shop: Shop, role: Role = Role.PRICING, **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = shop.data(REPRICE, {"input": {"market": "FR"} | input}, role=role)[
        "repriceStock"
    ]
    return payload


def vehicles(shop: Shop) -> dict[str, dict[str, Any]]:
    edges = shop.data(PRICES)["vehicles"]["edges"]
    return {edge["node"]["reference"]: edge["node"] for edge in edges}


def test_the_stock_is_priced_as_a_job_and_every_change_has_its_strategy(shop: Shop) -> None:
    before = vehicles(shop)
    queued = reprice(shop)
    assert queued["userErrors"] == []
    assert (queued["run"]["status"], queued["run"]["repriced"]) == ("QUEUED", 0)

    shop.work_off_jobs()

    run = shop.data(RUN, {"id": queued["run"]["id"]})["node"]
    assert (run["status"], run["progress"], run["attempts"]) == ("SUCCEEDED", 1.0, 1)
    assert run["repriced"] + run["unchanged"] == len(before) == 30
    for reference, vehicle in vehicles(shop).items():
        peugeot_petrol = (vehicle["brand"], vehicle["fuel"]) == ("Peugeot", "PETROL")
        if peugeot_petrol:
            market = Decimal(vehicle["marketPrice"]["amount"])
            expected = (market * Decimal("1.25")).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            assert Decimal(vehicle["price"]["amount"]) == expected
        newest = vehicle["priceHistory"][0]
        assert newest["price"] == vehicle["price"]
        if vehicle["price"] != before[reference]["price"]:
            assert newest["reason"].startswith("repricing")
            assert newest["strategy"] == queued["run"]["strategy"]


def test_a_repricing_of_nothing_new_changes_nothing(shop: Shop) -> None:
    reprice(shop)
    shop.work_off_jobs()
    first = vehicles(shop)

    again = reprice(shop)["run"]["id"]
    shop.work_off_jobs()

    assert vehicles(shop) == first
    run = shop.data(RUN, {"id": again})["node"]
    assert (run["repriced"], run["unchanged"]) == (0, 30)


def test_the_same_key_queues_one_run(shop: Shop) -> None:
    first, again = (reprice(shop, idempotencyKey="one", filter={"doors": 5}) for _ in range(2))

    assert first == again
    with shop.database() as database, database.reading() as session:
        assert len(session.exec(select(tables.Repricing)).all()) == 1


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"market": "XX"}, "NOT_FOUND", ["market"]),
        ({"filter": {"market": "XX"}}, "NOT_FOUND", ["filter", "market"]),
    ],
)
def test_what_cannot_be_repriced_is_refused_at_its_path(
    shop: Shop, input: dict[str, Any], code: str, field: list[str]
) -> None:
    payload = reprice(shop, **input)

    assert payload["run"] is None
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [(code, field)]


def test_sellers_do_not_reprice(shop: Shop) -> None:
    payload = reprice(shop, role=Role.SALES)

    assert [each["code"] for each in payload["userErrors"]] == ["FORBIDDEN"]
