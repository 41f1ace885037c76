from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import col, select

from domain import markets, sample, stock, tables
from domain.tables import Role
from domain.vehicles import VehicleFacts
from ml.predictor import Predictor
from tests.api.shop import Shop
from tests.factories import asking_price

EVERYTHING = """
query ($filter: VehicleFilter, $orderBy: VehicleOrder, $first: Int, $after: String) {
  vehicles(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id reference brand model version fuel gearbox releaseYear mileageKm doors colour
      acquiredOn daysInStock
      market { code currency championModel { number } activeStrategy { number } }
      entry { brand model firstYear }
      cost { amount currency }
      price { amount currency }
      marketPrice { amount currency }
      lowestPrice30Days { amount }
      priceHistory(first: 2) { price { amount } changedAt reason strategy { number } }
    } }
  }
}
"""


def stocked(shop: Shop, count: int) -> None:
    """Bring the shop's stock to so many vehicles."""
    with shop.database() as database, database.unit_of_work() as session:
        market = markets.by_code(session, "FR")
        rows = list(sample.stock(today=shop.now.date(), count=count))
        stock.add_vehicles(
            session, market, rows, today=shop.now.date(), now=shop.now, reason="test"
        )


def nodes(shop: Shop, variables: dict[str, Any]) -> list[dict[str, Any]]:
    page = shop.data(EVERYTHING, variables)["vehicles"]
    return [edge["node"] for edge in page["edges"]]


def reprice(shop: Shop, *prices: tuple[float, int]) -> None:
    """Give the first vehicle these prices, each set so many days ago, instead of its own."""
    with shop.database() as database, database.unit_of_work() as session:
        vehicle = session.exec(select(tables.Vehicle).order_by(col(tables.Vehicle.id))).first()
        assert vehicle is not None
        for change in session.exec(
            select(tables.PriceChange).where(tables.PriceChange.vehicle_id == vehicle.id)
        ):
            session.delete(change)
        for days, price in prices:
            session.add(
                tables.PriceChange(
                    vehicle_id=vehicle.id,
                    price=Decimal(price),
                    changed_at=shop.now - timedelta(days=days),
                    reason="by hand",
                )
            )
            session.flush()
        asking_price(session, vehicle).price = Decimal(prices[-1][1])


def test_a_vehicle_is_shown_with_its_prices_and_days(shop: Shop) -> None:
    reprice(shop, (50, 12_000), (20, 11_500), (2, 10_990))

    vehicle = nodes(shop, {"first": 1})[0]

    assert vehicle["price"] == {"amount": "10990.00", "currency": "EUR"}
    assert vehicle["lowestPrice30Days"] == {"amount": "11500.00"}
    assert [change["price"]["amount"] for change in vehicle["priceHistory"]] == [
        "10990.00",
        "11500.00",
    ]
    acquired = date.fromisoformat(vehicle["acquiredOn"])
    assert vehicle["daysInStock"] == (datetime.now(UTC).date() - acquired).days


def test_the_market_price_is_what_predict_says(shop: Shop) -> None:
    vehicle = nodes(shop, {"first": 1})[0]

    asked = {
        name: vehicle[name]
        for name in ("brand", "model", "version", "fuel", "releaseYear", "mileageKm", "doors")
    }
    payload = shop.data(
        "query ($m: String!, $r: String!) { vehicle(market: $m, reference: $r) "
        "{ marketPrice { amount } } }",
        {"m": "FR", "r": vehicle["reference"]},
    )
    predicted = shop.data(
        "mutation ($input: PredictInput!) { predict(input: $input) "
        "{ predictions { marketPrice { amount } } userErrors { message } } }",
        {"input": {"market": "FR", "vehicles": [asked | {"gearbox": vehicle["gearbox"]}]}},
    )["predict"]["predictions"][0]
    assert payload["vehicle"]["marketPrice"] == predicted["marketPrice"]


def test_a_market_without_a_champion_has_no_market_prices(shop: Shop) -> None:
    with shop.database() as database, database.unit_of_work() as session:
        place = markets.add(session, code="BE", name="Belgium", currency="EUR", now=shop.now)
        rows = list(sample.stock(today=shop.now.date(), count=1))
        stock.add_vehicles(session, place, rows, today=shop.now.date(), now=shop.now, reason="test")

    vehicle = nodes(shop, {"filter": {"market": "BE"}})[0]

    assert vehicle["marketPrice"] is None
    assert vehicle["market"]["code"] == "BE"


def test_the_champion_is_called_once_for_a_whole_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked(shop, 200)
    sizes: list[int] = []
    estimate = Predictor.estimate

    def counted(self: Predictor, vehicles: Sequence[VehicleFacts], *, on: date) -> Any:
        sizes.append(len(vehicles))
        return estimate(self, vehicles, on=on)

    monkeypatch.setattr(Predictor, "estimate", counted)
    nodes(shop, {"first": 200})

    assert len(sizes) == 1
    assert sizes[0] > 150


def test_ten_and_two_hundred_vehicles_take_the_same_statements(shop: Shop) -> None:
    stocked(shop, 200)
    order = {"field": "PRICE", "direction": "DESC"}
    counts = [
        shop.statements(lambda first=first: nodes(shop, {"first": first, "orderBy": order}))
        for first in (10, 10, 200)
    ]

    assert counts[1] == counts[2]
    assert counts[2] <= 10


def test_the_total_is_counted_only_when_it_is_asked_for(shop: Shop) -> None:
    bare = "{ vehicles { edges { node { reference } } } }"
    counted = "{ vehicles { totalCount edges { node { reference } } } }"
    shop.data(bare)

    assert shop.statements(lambda: shop.data(counted)) > shop.statements(lambda: shop.data(bare))


def test_a_walk_over_the_pages_meets_every_vehicle_once(shop: Shop) -> None:
    met: list[str] = []
    after = None
    while True:
        variables = {"first": 7, "after": after, "orderBy": {"field": "DAYS_IN_STOCK"}}
        page = shop.data(EVERYTHING, variables)["vehicles"]
        met += [edge["node"]["reference"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]

    assert len(met) == len(set(met)) == 30


def test_filters_reach_the_database(shop: Shop) -> None:
    everything = nodes(shop, {"first": 200})

    wanted = {"fuels": ["PETROL"], "maxMileageKm": 60_000, "search": "peugeot"}

    expected = [
        each["reference"]
        for each in everything
        if (each["fuel"], each["brand"]) == ("PETROL", "Peugeot") and each["mileageKm"] <= 60_000
    ]
    found = nodes(shop, {"first": 200, "filter": wanted})
    assert [each["reference"] for each in found] == expected


def test_a_vehicle_is_found_by_its_id_and_by_its_number(shop: Shop) -> None:
    vehicle = nodes(shop, {"first": 1})[0]

    found = shop.data(
        "query ($id: ID!, $r: String!) { node(id: $id) { ... on Vehicle { reference price "
        '{ currency } } } vehicle(market: "FR", reference: $r) { id } '
        'none: vehicle(market: "FR", reference: "nobody") { id } }',
        {"id": vehicle["id"], "r": vehicle["reference"]},
    )

    assert found["node"] == {"reference": vehicle["reference"], "price": {"currency": "EUR"}}
    assert (found["vehicle"]["id"], found["none"]) == (vehicle["id"], None)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{ vehicles(filter: {market: "XX"}) { totalCount } }', "NOT_FOUND"),
        ('{ vehicle(market: "XX", reference: "1") { id } }', "NOT_FOUND"),
        ("{ vehicles(first: 201) { totalCount } }", "INVALID"),
        ('{ vehicles(after: "x") { totalCount } }', "INVALID"),
        ("{ vehicles { edges { node { priceHistory(first: -1) { reason } } } } }", "INVALID"),
    ],
)
def test_what_cannot_be_listed_is_refused_with_its_code(
    shop: Shop, document: str, code: str
) -> None:
    body = shop.ask(document)

    assert {error["extensions"]["code"] for error in body["errors"]} == {code}


def test_everybody_reads_the_stock(shop: Shop) -> None:
    for role in Role:
        assert shop.data("{ vehicles { totalCount } }", role=role)["vehicles"]["totalCount"] == 30
