from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import markets
from domain.pricing.content import Conditions, Rounding, RoundingMode, Rule, StrategyContent
from domain.tables import Role
from tests.api.shop import CAR, CREATE_QUOTES, Shop


def test_a_peugeot_with_petrol_costs_a_quarter_more_than_the_market_price(shop: Shop) -> None:
    quote = shop.quote(CAR)["quotes"][0]

    market = Decimal(quote["marketPrice"]["amount"])
    assert Decimal(quote["price"]["amount"]) == (market * Decimal("1.25")).quantize(
        Decimal("0.01"), rounding="ROUND_HALF_UP"
    )
    assert quote["steps"][0]["ruleKey"] == "peugeot-petrol"


@pytest.mark.parametrize(
    ("brand", "model", "fuel", "factor"),
    [
        ("Peugeot", "308", "diesel", "1"),
        ("Renault", "Clio", "essence", "1"),
        ("Renault", "Mégane", "gazole", "0.8"),
        ("Renault", "Zoe", "électrique", "1"),
        ("Citroën", "C3", "SP95", "0.8"),
        ("Dacia", "Duster", "dci", None),  # a hint and not a fuel: never guessed
        ("Volkswagen", "Golf", "Diesel", "1"),
    ],
)
def test_the_house_rule_prices_by_brand_and_fuel(
    shop: Shop, brand: str, model: str, fuel: str, factor: str | None
) -> None:
    payload = shop.quote(CAR | {"brand": brand, "model": model, "fuel": fuel, "releaseYear": 2018})

    if factor is None:
        assert payload["userErrors"][0]["field"] == ["vehicles", "0", "fuel"]
        return
    quote = payload["quotes"][0]
    assert Decimal(quote["steps"][0]["factor"]) == Decimal(factor)


def test_a_misspelt_description_is_quoted_and_says_what_was_corrected(shop: Shop) -> None:
    quote = shop.quote(CAR | {"brand": "peugot"})["quotes"][0]

    assert quote["match"]["entry"]["brand"] == "Peugeot"
    assert {"field": "brand", "given": "peugot", "understood": "Peugeot"} in quote["match"][
        "corrections"
    ]


def test_the_interval_holds_the_market_price(shop: Shop) -> None:
    quote = shop.quote(CAR)["quotes"][0]

    low, high = (Decimal(quote["interval"][end]["amount"]) for end in ("low", "high"))
    assert low <= Decimal(quote["marketPrice"]["amount"]) <= high


def test_a_quote_is_priced_again_to_the_same_cent(shop: Shop) -> None:
    quote = shop.quote(CAR)["quotes"][0]

    assert quote["replay"] == {"identical": True, "price": {"amount": quote["price"]["amount"]}}


def test_one_refused_vehicle_leaves_the_others_priced(shop: Shop) -> None:
    payload = shop.quote(CAR, CAR | {"fuel": "plutonium"}, CAR)

    assert [quote is None for quote in payload["quotes"]] == [False, True, False]
    assert [error["field"] for error in payload["userErrors"]] == [["vehicles", "1", "fuel"]]
    assert shop.quotes_stored() == 2


def test_a_vehicle_gets_the_same_price_alone_and_in_a_batch(shop: Shop) -> None:
    others = [CAR | {"mileageKm": 1_000 * each} for each in range(20)]

    batch = shop.quote(*others, CAR)["quotes"]

    assert batch[-1]["price"] == shop.quote(CAR)["quotes"][0]["price"]


def test_a_stock_vehicle_brings_its_cost_and_its_days(shop: Shop) -> None:
    payload = shop.quote(CAR | {"reference": "VO-00001"})

    assert payload["userErrors"] == []
    stored = shop.data(
        "query ($id: ID!) { node(id: $id) { ... on Quote { vehicle { reference daysInStock } } } }",
        {"id": payload["quotes"][0]["id"]},
    )
    assert stored["node"]["vehicle"]["reference"] == "VO-00001"


def test_a_repeat_with_the_same_key_answers_the_first_quotes(shop: Shop) -> None:
    first = shop.quote(CAR, CAR | {"fuel": "plutonium"}, idempotencyKey="one")

    repeat = shop.quote(CAR, CAR | {"fuel": "plutonium"}, idempotencyKey="one")

    assert repeat == first
    assert shop.quotes_stored() == 1


def test_the_same_key_for_another_vehicle_is_a_mismatch(shop: Shop) -> None:
    shop.quote(CAR, idempotencyKey="one")

    payload = shop.quote(CAR | {"mileageKm": 1}, idempotencyKey="one")

    assert [error["code"] for error in payload["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]


def test_the_pages_of_the_quotes_meet_each_once_newest_first(shop: Shop) -> None:
    made = [shop.quote(CAR)["quotes"][0]["id"] for _ in range(5)]

    met: list[str] = []
    after = None
    while True:
        page = shop.data(
            "query ($after: String) { quotes(first: 2, after: $after) "
            "{ edges { node { id } } pageInfo { hasNextPage endCursor } } }",
            {"after": after},
        )["quotes"]
        met += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert met == made[::-1]


def test_quotes_are_found_by_brand_whatever_its_spelling(shop: Shop) -> None:
    shop.quote(CAR, CAR | {"brand": "Citroën", "model": "C3"})

    found = shop.data('{ quotes(filter: { brand: "CITROEN" }) { totalCount } }')

    assert found["quotes"]["totalCount"] == 1


def test_an_approver_reads_quotes_and_makes_none(shop: Shop) -> None:
    answer = shop.data(
        CREATE_QUOTES, {"input": {"market": "FR", "vehicles": [CAR]}}, role=Role.APPROVER
    )

    assert answer["createQuotes"]["userErrors"][0]["code"] == "FORBIDDEN"
    assert shop.quotes_stored() == 0


def test_the_same_page_of_quotes_costs_as_many_statements_with_more_rows(shop: Shop) -> None:
    document = """{ quotes(first: %d) { edges { node { id price { amount } market { code }
      model { number market { name } } strategy { number status strategy { name } }
      vehicle { reference } comparables(first: 2) { id price { amount } } } } } }"""
    shop.quote(*(CAR | {"mileageKm": 900 * each} for each in range(60)))

    shop.data(document % 1)

    few, many = (shop.statements(lambda n=n: shop.data(document % n)) for n in (5, 50))

    assert few == many


BAD_VEHICLES = [
    # what is wrong, the code, the field
    ({"brand": "Trabannt"}, "NO_MATCH", "brand"),
    ({"model": "Quattroporte"}, "NO_MATCH", "model"),
    ({"fuel": "plutonium"}, "INVALID", "fuel"),
    ({"gearbox": "rubber band"}, "INVALID", "gearbox"),
    ({"mileageKm": -1}, "INVALID", "mileageKm"),
    ({"mileageKm": 2_000_001}, "INVALID", "mileageKm"),
    ({"releaseYear": 2060}, "INVALID", "releaseYear"),
    ({"releaseYear": 0}, "INVALID", "releaseYear"),
    ({"doors": -3}, "INVALID", "doors"),
    ({"brand": ""}, "INVALID", "brand"),
    ({"brand": "x" * 100_000}, "INVALID", "brand"),
    ({"model": "2\u00008"}, "INVALID", "model"),
    ({"reference": "nowhere"}, "NOT_FOUND", "reference"),
    ({"cost": "-5"}, "INVALID", "cost"),
    ({"cost": "1.234"}, "INVALID", "cost"),
    ({"daysInStock": -1}, "INVALID", "daysInStock"),
]


@pytest.mark.parametrize(("change", "code", "field"), BAD_VEHICLES)
def test_a_bad_vehicle_is_refused_at_its_field_and_nothing_is_stored(
    shop: Shop, change: dict[str, object], code: str, field: str
) -> None:
    payload = shop.quote(CAR | change)

    assert payload["quotes"] == [None]
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [
        (code, ["vehicles", "0", field])
    ]
    assert shop.quotes_stored() == 0


def free(**facts: Decimal) -> Rule:
    return Rule("free", Conditions(brands=("Peugeot",)), **facts)


LEADS_TO_NO_PRICE = [
    # below zero
    StrategyContent((free(amount=Decimal(-999_999)), Rule("default"))),
    # to 0.00: some euros, rounded down to hundreds
    StrategyContent(
        (free(factor=Decimal("0.0001")), Rule("default")),
        rounding=Rounding(Decimal(100), mode=RoundingMode.DOWN),
    ),
]


@pytest.mark.parametrize("content", LEADS_TO_NO_PRICE)
def test_a_vehicle_whose_rule_leads_to_no_price_does_not_stop_the_others(
    shop: Shop, content: StrategyContent
) -> None:
    shop.put_in_force(content)
    clio = CAR | {"brand": "Renault", "model": "Clio"}

    payload = shop.quote(clio, CAR, clio)

    assert [quote and quote["steps"][0]["ruleKey"] for quote in payload["quotes"]] == [
        "default",
        None,
        "default",
    ]
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["vehicles", "1"])
    assert "Rule free" in error["message"]
    assert shop.quotes_stored() == 2


def test_every_fault_of_a_vehicle_is_named_at_once(shop: Shop) -> None:
    payload = shop.quote(CAR | {"mileageKm": -1, "releaseYear": 3000, "cost": "-1"})

    assert {error["field"][2] for error in payload["userErrors"]} == {
        "mileageKm",
        "releaseYear",
        "cost",
    }


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"vehicles": []}, "INVALID", ["vehicles"]),
        ({"vehicles": [CAR] * 1001}, "LIMIT_EXCEEDED", ["vehicles"]),
        ({"market": "XX"}, "NOT_FOUND", ["market"]),
        ({"market": "F\u0000R"}, "NOT_FOUND", ["market"]),
        ({"estimationDate": "1066-10-14"}, "INVALID", ["estimationDate"]),
        ({"idempotencyKey": ""}, "INVALID", ["idempotencyKey"]),
    ],
)
def test_a_bad_call_is_refused_as_a_whole(
    shop: Shop, input: dict[str, object], code: str, field: list[str]
) -> None:
    asked = {"market": "FR", "vehicles": [CAR]} | input

    payload = shop.data(CREATE_QUOTES, {"input": asked})["createQuotes"]

    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)]
    assert payload["quotes"] == []


@pytest.mark.parametrize(
    "vehicle",
    [
        CAR | {"mileageKm": "far"},
        CAR | {"releaseYear": 2021.5},
        CAR | {"fuel": None},
        {"brand": "Peugeot"},
        CAR | {"wheels": 4},
        "a car",
    ],
)
def test_wrong_types_are_refused_before_anything_runs(shop: Shop, vehicle: object) -> None:
    body = shop.ask(CREATE_QUOTES, {"input": {"market": "FR", "vehicles": [vehicle]}})

    assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}
    assert "data" not in body or body["data"] is None


def test_a_market_without_model_and_strategy_says_both(shop: Shop) -> None:
    with shop.database() as database, database.unit_of_work() as session:
        markets.add(session, code="DE", name="Deutschland", currency="EUR", now=shop.now)

    payload = shop.quote(CAR, market="DE")

    assert [error["code"] for error in payload["userErrors"]] == [
        "NO_CHAMPION_MODEL",
        "NO_ACTIVE_STRATEGY",
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    vehicle=st.fixed_dictionaries(
        {
            "brand": st.text(max_size=40),
            "model": st.text(max_size=40),
            "releaseYear": st.integers(-(2**31), 2**31 - 1),
            "fuel": st.text(max_size=20),
            "mileageKm": st.integers(-(2**31), 2**31 - 1),
        },
        optional={
            "gearbox": st.text(max_size=20),
            "version": st.text(max_size=40),
            "doors": st.integers(-(2**31), 2**31 - 1),
            "engineCc": st.integers(-(2**31), 2**31 - 1),
            "reference": st.text(max_size=20),
        },
    )
)
def test_whatever_is_typed_gets_a_quote_or_a_coded_refusal(
    shop: Shop, vehicle: dict[str, object]
) -> None:
    payload = shop.quote(vehicle)

    assert (payload["quotes"] == [None]) == bool(payload["userErrors"])
