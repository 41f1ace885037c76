"""One vehicle, a whole stock, and the semantics read by the book: the same price to the cent."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.pricing.columns import columns_of
from domain.pricing.content import Guards, LadderStep, Rounding, RoundingMode, Rule, StrategyContent
from domain.pricing.engine import PricedVehicle, PricingPolicy
from domain.pricing.house import house_rule
from domain.pricing.vectorised import REFUSED, VectorisedPolicy
from domain.vocabulary import Fuel
from tests.domain.pricing import by_the_book
from tests.domain.pricing.at_random import submittable_contents, vehicles

Stock = list[tuple[Decimal, PricedVehicle]]

patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def alone(
    policy: PricingPolicy, market_price: Decimal, vehicle: PricedVehicle
) -> tuple[str, Fraction] | None:
    """Rule and price; None where it is refused for a price below zero."""
    try:
        priced = policy.price(market_price, vehicle)
    except Invalid:
        return None
    assert priced.steps[-1].after == priced.price
    return priced.rule_key, Fraction(priced.price)


def among_many(content: StrategyContent, stock: Stock) -> list[tuple[str, Fraction] | None]:
    columns = columns_of([vehicle for _, vehicle in stock], [price for price, _ in stock])
    priced = VectorisedPolicy(content).price(columns)
    return [
        None if cents == REFUSED else (content.rules[rule].key, Fraction(cents, 100))
        for cents, rule in zip(priced.price_cents.tolist(), priced.rule.tolist(), strict=True)
    ]


def by_book(content: StrategyContent, stock: Stock) -> list[tuple[str, Fraction] | None]:
    found = [by_the_book.price(content, Fraction(price), vehicle) for price, vehicle in stock]
    return [None if price < 0 else (key, price) for key, price in found]


def check_agreement(content: StrategyContent, stock: Stock) -> None:
    expected = by_book(content, stock)
    policy = PricingPolicy(content)

    assert [alone(policy, *each) for each in stock] == expected
    assert among_many(content, stock) == expected


@settings(patient, max_examples=150)
@given(submittable_contents(), st.lists(vehicles(), min_size=1, max_size=12))
def test_three_readings_of_a_strategy_agree(content: StrategyContent, stock: Stock) -> None:
    check_agreement(content, stock)


@st.composite
def small_round_contents(draw: st.DrawFn) -> StrategyContent:
    """Prices near zero and halfway between endings: where roundings differ."""

    def maybe(*choices: str) -> Decimal | None:
        chosen = draw(st.none() | st.sampled_from(choices))
        return None if chosen is None else Decimal(chosen)

    ending = draw(st.sampled_from(["0", "25", "49.99"]).map(Decimal))
    return StrategyContent(
        (Rule("default", amount=draw(st.sampled_from([0, -50, -100]).map(Decimal))),),
        guards=Guards(maybe("0.9", "1"), maybe("1", "1.5"), None, maybe("20", "150")),
        rounding=Rounding(Decimal(50), ending, draw(st.sampled_from(RoundingMode))),
    )


@settings(patient, max_examples=200)
@given(small_round_contents(), st.lists(st.integers(1, 80), min_size=20, max_size=20))
def test_three_readings_agree_at_every_edge_of_rounding(
    content: StrategyContent, fives: list[int]
) -> None:
    check_agreement(content, [(Decimal(5 * number), a_vehicle()) for number in fives])


@pytest.mark.slow
@pytest.mark.parametrize("half", range(2))  # 1 000 others in each run; cores can share.
@settings(patient, max_examples=500)
@given(submittable_contents(most_rules=6), st.lists(vehicles(), min_size=5, max_size=25))
def test_three_readings_of_many_strategies_agree(
    half: int, content: StrategyContent, stock: Stock
) -> None:
    check_agreement(content, stock)


def a_vehicle(brand: str = "Peugeot", days_in_stock: int | None = 10) -> PricedVehicle:
    return PricedVehicle(brand, "308", Fuel.PETROL, None, 3, 40_000, days_in_stock)


def test_amounts_beyond_64_bits_stay_exact() -> None:
    content = StrategyContent(
        (Rule("default", factor=Decimal("999.9999")),),
        (LadderStep(0, Decimal("999.9997")),),
        rounding=Rounding(Decimal("999999999.99")),
    )
    stock = [(Decimal("9999999.99"), a_vehicle()), (Decimal("0.01"), a_vehicle())]

    check_agreement(content, stock)


def test_an_empty_stock_has_no_prices() -> None:
    assert len(VectorisedPolicy(house_rule()).price(columns_of([], [])).price_cents) == 0


def test_a_stock_larger_than_a_chunk_is_priced_whole() -> None:
    brands = ("Peugeot", "Renault", "Dacia", "peugeot")
    stock = [
        (Decimal(number) / 100, a_vehicle(brands[number % 4])) for number in range(100, 70_100)
    ]

    prices = among_many(house_rule(), stock)

    expected = {"Peugeot": "1.25", "Renault": "1", "Dacia": "0.8", "peugeot": "1.25"}
    for (market_price, vehicle), priced in zip(stock, prices, strict=True):
        exact = market_price * Decimal(expected[vehicle.brand])
        assert priced is not None
        assert abs(priced[1] - Fraction(exact)) <= Fraction(1, 200)


@settings(patient, max_examples=100)
@given(submittable_contents(), st.lists(vehicles(), min_size=1, max_size=12))
def test_a_vehicle_alone_and_among_many_is_looked_at_for_the_same_reasons(
    content: StrategyContent, stock: Stock
) -> None:
    columns = columns_of([vehicle for _, vehicle in stock], [price for price, _ in stock])
    policy = VectorisedPolicy(content)
    priced = policy.price(columns)

    found = policy.reasons(columns, priced)

    single = PricingPolicy(content)
    for row, (market_price, vehicle) in enumerate(stock):
        if priced.price_cents[row] != REFUSED:
            assert found[row] == single.price(market_price, vehicle).reasons
