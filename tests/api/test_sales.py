import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import markets, tables
from domain.files.imports import import_sales, import_stock
from domain.sales_reports import MAX_GROUPS
from domain.tables import Role
from tests.api.shop import Shop
from tests.conftest import NOON
from tests.factories import (
    a_client,
    a_payment,
    a_quote,
    a_strategy,
    a_strategy_version,
    a_vehicle,
    an_activation,
    an_entry,
    an_order,
)

PAGE = Path(__file__).parents[2] / "docs" / "sales.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

EVERYTHING = """
query ($first: Int, $filter: OrderFilter) {
  orders(first: $first, filter: $filter) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      id reference status orderedOn
      totalPrice { amount currency }
      balance { amount }
      payments { id type amount { amount } paidOn }
      client { id email orders(first: 2) { id payments { amount { amount } } } }
      quote { id price { amount } marketPrice { amount } }
      vehicle { id reference price { amount } market { code } priceHistory { reason } }
    } }
  }
}
"""
CLIENTS = """
query ($first: Int) {
  clients(first: $first) {
    totalCount edges { node { id email orders { id vehicle { brand } totalPrice { amount } } } }
  }
}
"""


def blocks() -> list[tuple[str, str]]:
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def questions() -> list[tuple[str, dict[str, Any], Any]]:
    """Each document of the page, its variables, and the answer that follows."""
    found = []
    rest = [block for block in blocks() if block[0] in ("graphql", "json")]
    while rest:
        (_, document), *rest = rest
        following = next((n for n, each in enumerate(rest) if each[0] == "graphql"), len(rest))
        *variables, answer = (json.loads(text) for _, text in rest[:following])
        found.append((document, variables[0] if variables else {}, answer))
        rest = rest[following:]
    return found


def quoted(session: Session, market: tables.Market) -> None:
    """The two quotes of the page, by version 1 of one strategy."""
    strategy = a_strategy(session, market, name="House rule")
    activation = an_activation(session, a_strategy_version(session, strategy, number=1))
    for reference, day, market_price in (
        ("S1", date(2026, 1, 24), "10000"),
        ("S5", date(2026, 2, 1), "11000"),
    ):
        vehicle = session.exec(
            select(tables.Vehicle).where(
                tables.Vehicle.market_id == market.id, tables.Vehicle.reference == reference
            )
        ).one()
        a_quote(
            session,
            vehicle,
            market_price=Decimal(market_price),
            strategy_version_id=activation.version_id,
            activation_id=activation.id,
            created_at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
            valid_until=datetime(2026, 2, 20, tzinfo=UTC),
        )


@pytest.fixture
def sold(shop: Shop, tmp_path: Path) -> Shop:
    """The shop with market BE of the page besides."""
    stock, sales = (text for kind, text in blocks() if kind == "csv")
    (tmp_path / "stock.csv").write_text(stock, encoding="utf-8")
    (tmp_path / "sales.csv").write_text(sales, encoding="utf-8")
    with shop.database() as database:
        with database.unit_of_work() as session:
            markets.add(session, code="BE", name="Belgium", currency="EUR", now=NOON)
        stocked = import_stock(database, tmp_path / "stock.csv", market="BE", now=NOON)
        with database.unit_of_work() as session:
            quoted(session, markets.by_code(session, "BE"))
        imported = import_sales(database, tmp_path / "sales.csv", market="BE", now=NOON)
        assert (stocked.rejected, imported.rejected) == (0, 0)
    return shop


def test_every_document_of_the_page_has_an_answer() -> None:
    assert len(questions()) == sum(kind == "graphql" for kind, _ in blocks()) == 9


def test_the_questions_of_the_page_are_answered_as_it_says(sold: Shop) -> None:
    for document, variables, answer in questions():
        assert nearly(sold.data(document, variables)) == nearly(answer), document


def nearly(value: Any) -> Any:
    """Means to ten digits: a database may add up in any order."""
    if isinstance(value, dict):
        return {name: nearly(each) for name, each in value.items()}
    if isinstance(value, list):
        return [nearly(each) for each in value]
    return round(float(value), 10) if isinstance(value, int | float) else value


def many(shop: Shop, count: int) -> None:
    """Orders with all that hangs on them, two a client."""
    with shop.database() as database, database.unit_of_work() as session:
        entry = an_entry(session, markets.by_code(session, "FR"))
        for number in range(count):
            vehicle = a_vehicle(session, entry)
            if number % 2 == 0:
                client = a_client(session)
            order = an_order(
                session, vehicle, client_id=client.id, quote_id=a_quote(session, vehicle).id
            )
            for _ in range(2):
                a_payment(session, order)


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (
            EVERYTHING,
            {"filter": {"brands": ["Peugeot"], "minPayments": 1, "emailStartsWith": "c"}},
        ),
        (CLIENTS, {}),
    ],
)
def test_ten_and_two_hundred_rows_take_the_same_statements(
    shop: Shop, document: str, variables: dict[str, Any]
) -> None:
    many(shop, 200)
    shop.data(document, {"first": 10, **variables})

    few, all_of_them = (
        shop.statements(lambda first=first: shop.data(document, {"first": first, **variables}))
        for first in (10, 200)
    )

    assert few == all_of_them
    assert few <= 11


@pytest.mark.parametrize("role", [Role.PRICING, Role.APPROVER, Role.DATA_SCIENCE])
@pytest.mark.parametrize(
    "document",
    [
        "{ clients { edges { node { email } } } }",
        "{ orders { edges { node { client { email } } } } }",
        '{ clients(filter: {emailStartsWith: "d"}) { totalCount } }',
        '{ clients(filter: {orders: {emailStartsWith: "d"}}) { totalCount } }',
        '{ orders(filter: {emailStartsWith: "d"}) { totalCount } }',
        '{ paymentTypeCounts(market: "BE", filter: {emailStartsWith: "d"}) { payments } }',
        '{ sales(market: "BE", by: BRAND, filter: {emailStartsWith: "d"}) { orders } }',
    ],
)
def test_addresses_are_told_to_sellers_and_administrators_only(
    sold: Shop, document: str, role: Role
) -> None:
    body = sold.ask(document, role=role)

    assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}
    assert "@example.com" not in json.dumps(body)
    for reader in (Role.SALES, Role.ADMIN):
        sold.data(document, role=reader)


def test_groups_of_sales_cost_by_how_many_are_asked_for(sold: Shop) -> None:
    asked = '{ sales(market: "BE", by: BRAND%s) { key revenue { amount } } }'

    every, one = (sold.ask(asked % first) for first in ("", ", first: 1"))

    assert one["data"]["sales"] == every["data"]["sales"][:1]
    assert len(every["data"]["sales"]) > 1
    # Ten for the report, and two objects a group.
    costs = [each["extensions"]["cost"]["requested"] for each in (every, one)]
    assert costs == [10 + 2 * MAX_GROUPS, 10 + 2]


def test_everybody_reads_what_was_sold(sold: Shop) -> None:
    document = "{ orders { totalCount edges { node { reference client { id } } } } }"

    for role in Role:
        assert sold.data(document, role=role)["orders"]["totalCount"] == 8


def test_orders_clients_and_payments_are_found_by_their_ids(sold: Shop) -> None:
    order = sold.data(EVERYTHING, {"first": 1, "filter": {"paidWithAll": ["CASH"]}})["orders"][
        "edges"
    ][0]["node"]
    ids = [order["id"], order["client"]["id"], order["payments"][0]["id"]]

    found = sold.data(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { reference } "
        "... on Client { email } ... on Payment { type amount { amount currency } } } }",
        {"ids": ids},
    )["nodes"]

    assert found == [
        {"reference": "O8"},
        {"email": "dirk@example.com"},
        {"type": "CASH", "amount": {"amount": "900.00", "currency": "EUR"}},
    ]


def test_a_vehicle_is_available_until_a_live_order_holds_it(sold: Shop) -> None:
    document = """
    query ($available: Boolean) {
      vehicles(filter: {market: "BE", available: $available}) { edges { node { reference } } }
    }
    """

    free = sold.data(document, {"available": True})["vehicles"]["edges"]

    assert [each["node"]["reference"] for each in free] == ["S3"]
    assert len(sold.data(document, {"available": False})["vehicles"]["edges"]) == 7


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{ orders(filter: {market: "XX"}) { totalCount } }', "NOT_FOUND"),
        ('{ clients(filter: {orders: {market: "XX"}}) { totalCount } }', "NOT_FOUND"),
        ('{ sales(market: "XX", by: MONTH) { orders } }', "NOT_FOUND"),
        ('{ sales(market: "BE", by: MONTH, first: 1001) { orders } }', "INVALID"),
        ('{ paymentTypeCounts(market: "XX") { payments } }', "NOT_FOUND"),
        ("{ clients { edges { node { orders(first: 201) { id } } } } }", "INVALID"),
    ],
)
def test_what_cannot_be_listed_is_refused_with_its_code(
    sold: Shop, document: str, code: str
) -> None:
    body = sold.ask(document)

    assert {error["extensions"]["code"] for error in body["errors"]} == {code}
