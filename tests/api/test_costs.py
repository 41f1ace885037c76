"""What the real schema costs: the figures that the contract promises under the default limits."""

from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from api.door import Limits
from api.door.analysis import stated_cost
from api.door.documents import Documents
from api.schema import schema
from domain.tables import Role
from tests.api.shop import CAR, Shop

SERVED = schema._schema
COMPUTED = {"ruleVerdicts", "comparables", "replay"}
"""Fields of a quote that are worked out when they are asked for; the rest is stored."""


def everything_of(kind: GraphQLObjectType, *, without: frozenset[str] = frozenset()) -> str:
    """Every field of a type; of the rows that it refers to, those without a field of their own."""
    return " ".join(
        _selected(name, field) for name, field in kind.fields.items() if name not in without
    )


def _selected(name: str, field: Any) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return name
    if "Node" in {each.name for each in kind.interfaces} and kind.name != "CatalogueEntry":
        return f"{name} {{ {' '.join(_scalars(kind))} }}"
    return f"{name} {{ {everything_of(kind)} }}"


def _scalars(kind: GraphQLObjectType) -> list[str]:
    return [name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))]


WHOLE_QUOTE = everything_of(SERVED.get_type("Quote"), without=frozenset(COMPUTED))
BATCH = f"""
mutation ($input: CreateQuotesInput!) {{
  createQuotes(input: $input) {{
    quotes {{ {WHOLE_QUOTE} }}
    userErrors {{ code message field }}
  }}
}}
"""


def cost_of(document: str, variables: dict[str, Any] | None = None) -> int:
    return Documents(SERVED, Limits()).operation(document, None).price(variables or {})


def batch(vehicles: int) -> dict[str, Any]:
    return {"input": {"market": "FR", "vehicles": [{}] * vehicles}}


def test_ten_batches_of_a_thousand_whole_quotes_fit_into_a_minute() -> None:
    limits = Limits()

    points = cost_of(BATCH, batch(1000))

    assert points < limits.cost
    assert 10 * points <= limits.points_per_minute


def test_a_whole_quote_costs_what_is_kept_of_it() -> None:
    kept = (
        1  # the quote
        + 1  # the market
        + 1  # the description
        + 1  # the vehicle
        + 1 + 1 + 11  # the match, its entry, its corrections
        + 1  # the market price
        + 1 + 2  # the interval
        + 1  # the price
        + 4 * (1 + 2)  # the steps
        + 1 + 1  # model and strategy
        + 1  # or what was wrong with the vehicle instead
    )  # fmt: skip

    assert cost_of(BATCH, batch(2)) - cost_of(BATCH, batch(1)) == kept


def test_more_whole_quotes_than_the_limit_are_refused() -> None:
    assert cost_of(BATCH, batch(4000)) > Limits().cost


def test_scalars_are_free() -> None:
    few = "{ quotes(first: 9) { edges { node { id } } } }"
    many = (
        "{ quotes(first: 9) { edges { cursor node { id challenger reviewReasons createdBy } } } }"
    )

    assert cost_of(few) == cost_of(many) == 1 + 9 * 2


@pytest.mark.parametrize(
    "document",
    [
        # Many lists beneath one page.
        """{ quotes(first: 200) { edges { node {
          comparables(first: 50) { market { id } price { amount } }
          model { metrics { groups { rows } } }
          strategy { rules { conditions {
            ageYears { min } mileageKm { min } marketPrice { min }
          } } }
        } } } }""",
        # Sizes multiply through fragments.
        """{ strategies(first: 200) { edges { node { ...Versions } } } }
        fragment Versions on Strategy { versions { diff(other: "x") { before { factor } } } }""",
        # Neither a variable nor its default hides a size.
        """query ($n: Int = 200) { quotes(first: $n) { edges { node {
          ruleVerdicts { because }
          comparables(first: $n) { market { id } price { amount } }
        } } } }""",
    ],
)
def test_what_could_return_more_than_a_hundred_thousand_objects_is_refused(document: str) -> None:
    assert cost_of(document) > Limits().cost


def test_what_is_computed_costs_more_than_what_is_stored() -> None:
    def for_one(field: str) -> int:
        return cost_of(f"{{ quotes(first: 1) {{ edges {{ node {{ {field} }} }} }} }}")

    assert for_one("price { amount }") < for_one("replay { identical }")


def test_candidates_of_a_match_cost_by_the_limit_that_is_asked_for() -> None:
    def candidates(limit: int) -> int:
        return cost_of(
            "query ($d: VehicleDescriptionInput!, $n: Int!) {"
            ' matchVehicle(market: "FR", description: $d, limit: $n) { candidates { score } } }',
            {"n": limit},
        )

    assert candidates(50) - candidates(5) == 45


@pytest.mark.slow
def test_a_batch_of_a_thousand_whole_quotes_is_answered(shop: Shop) -> None:
    vehicles = [CAR | {"mileageKm": 10_000 + each} for each in range(1000)]

    answer = shop.ask(BATCH, {"input": {"market": "FR", "vehicles": vehicles}})

    assert len(answer["data"]["createQuotes"]["quotes"]) == 1000
    assert answer["data"]["createQuotes"]["userErrors"] == []
    paid = answer["extensions"]["cost"]
    assert paid["requested"] == cost_of(BATCH, batch(1000))
    assert paid["remaining"] == paid["limit"] - paid["requested"]


def lists_of_objects() -> list[tuple[str, Any]]:
    """Every list of the schema whose items are objects, by its type and name."""
    return [
        (f"{kind.name}.{name}", field)
        for kind in SERVED.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if is_list_type(get_nullable_type(field.type))
        and not is_leaf_type(get_named_type(field.type))
    ]


def test_every_list_of_objects_says_how_many_it_can_hold() -> None:
    silent = {
        name
        for name, field in lists_of_objects()
        if stated_cost(field).size is None and stated_cost(field).count is None
    }

    # What is wrong with one input; a batch's counts by its items.
    assert {name for name in silent if not name.endswith(".userErrors")} == set()


JSON_SCALARS = {"detail", "hyperparameters", "hyperparametersSchema", "parameters"}


def objects_in(answer: Any) -> int:
    """The objects of an answer, itself included; what a JSON scalar holds is no object of ours."""
    if isinstance(answer, list):
        return sum(objects_in(each) for each in answer)
    if isinstance(answer, dict):
        return 1 + sum(objects_in(answer[name]) for name in answer.keys() - JSON_SCALARS)
    return 0


def a_rule(number: int) -> dict[str, Any]:
    only = {"brands": ["Peugeot"], "marketPrice": {"min": str(number), "max": str(number + 2)}}
    return {"key": f"rule {number}", "factor": "1.01", "amount": "0", "conditions": only}


LARGE = {
    "rules": [
        {"key": "default", "factor": "1", "amount": "0", "conditions": {}},
        *(a_rule(number) for number in range(600)),
    ],
    "ladder": [{"fromDay": day, "factor": f"0.{999 - day}"} for day in range(100)],
    "guards": {},
}
CREATE = """
mutation ($input: CreateStrategyInput!) {
  createStrategy(input: $input) { strategy { id } userErrors { message field } }
}
"""
WHOLE_STRATEGY = """
query ($id: ID!) {
  node(id: $id) {
    ... on Strategy {
      versions {
        rules { conditions { ageYears { min } mileageKm { min } marketPrice { min max } } }
        ladder { factor }
        history { action }
      }
      latest {
        analysis { ambiguities { example proposal { marketPrice { min } } } unreachable { reason } }
        matrix { cells { factor } }
      }
    }
  }
}
"""


def test_the_largest_strategy_returns_no_more_than_it_cost(shop: Shop) -> None:
    made = shop.data(
        CREATE,
        {"input": {"market": "FR", "name": "Large", "content": LARGE}},
        role=Role.PRICING,
    )["createStrategy"]
    assert made["userErrors"] == []
    few = WHOLE_STRATEGY.replace("versions", "versions(first: 1)")

    refused = shop.ask(WHOLE_STRATEGY, {"id": made["strategy"]["id"]}, status=400)
    answer = shop.ask(few, {"id": made["strategy"]["id"]})

    assert refused["errors"][0]["extensions"]["code"] == "COST_EXCEEDED"
    assert "errors" not in answer
    assert 2_000 < objects_in(answer["data"]) <= answer["extensions"]["cost"]["requested"]


@pytest.mark.parametrize("asked", ["rules(first: -1)", "rules(first: 2001)", "history(last: 201)"])
def test_more_than_a_list_can_hold_is_refused(shop: Shop, asked: str) -> None:
    field = asked.partition("(")[0]
    inside = "{ key }" if field == "rules" else "{ action }"

    answer = shop.ask(f'{{ activeStrategy(market: "FR") {{ {asked} {inside} }} }}')

    assert answer["errors"][0]["extensions"]["code"] == "INVALID"


def test_of_a_short_list_the_beginning_can_be_asked_for(shop: Shop) -> None:
    data = shop.data(
        """{ activeStrategy(market: "FR") {
          rules(first: 2) { key } all: rules { key }
          history(last: 1) { action } every: history { action }
          activations(first: 0) { id }
        } }"""
    )["activeStrategy"]

    assert data["rules"] == data["all"][:2]
    assert data["history"] == data["every"][-1:]
    assert data["activations"] == []
