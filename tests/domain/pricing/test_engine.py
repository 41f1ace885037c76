from dataclasses import replace
from decimal import Context, Decimal, getcontext, localcontext
from typing import Any

import pytest

from domain.errors import Invalid, NotSubmittable
from domain.pricing.content import (
    Conditions,
    DecimalRange,
    Guards,
    IntRange,
    LadderStep,
    Rounding,
    Rule,
    StrategyContent,
)
from domain.pricing.engine import PricedVehicle, PricingPolicy, PricingReason
from domain.pricing.house import house_rule
from domain.pricing.steps import PriceStep, StepKind
from domain.vocabulary import Fuel, Gearbox

MARKET = Decimal("10000.00")


def a_vehicle(**facts: Any) -> PricedVehicle:
    usual = PricedVehicle("Peugeot", "308", Fuel.PETROL, Gearbox.MANUAL, 3, 40_000)
    return replace(usual, **facts)


def content(*rules: Rule, **rest: Any) -> StrategyContent:
    return StrategyContent((*rules, Rule("default")), **rest)


def price(strategy: StrategyContent, market_price: Decimal = MARKET, **facts: Any) -> Decimal:
    return PricingPolicy(strategy).price(market_price, a_vehicle(**facts)).price


@pytest.mark.parametrize(
    ("brand", "fuel", "factor"),
    [
        ("Peugeot", Fuel.PETROL, "1.25"),
        ("Peugeot", Fuel.DIESEL, "1.00"),
        ("Peugeot", Fuel.ELECTRIC, "1.00"),
        ("Renault", Fuel.PETROL, "1.00"),
        ("Renault", Fuel.DIESEL, "0.80"),
        ("Renault", Fuel.HYBRID, "1.00"),
        ("Citroën", Fuel.PETROL, "0.80"),
        ("Citroën", Fuel.DIESEL, "1.00"),
        ("Citroën", Fuel.LPG, "1.00"),
    ],
)
def test_the_house_rule_is_its_table(brand: str, fuel: Fuel, factor: str) -> None:
    assert price(house_rule(), brand=brand, fuel=fuel) == MARKET * Decimal(factor)


@pytest.mark.parametrize("brand", ["peugeot", "PEUGEOT", "Peugeot"])
def test_case_of_a_brand_makes_no_difference(brand: str) -> None:
    assert price(house_rule(), brand=brand) == Decimal("12500.00")


def test_accents_of_a_brand_make_no_difference() -> None:
    strategy = content(Rule("citroen", Conditions(brands=("Citroën",)), Decimal("0.9")))

    assert price(strategy, brand="CITROEN") == Decimal("9000.00")


def test_the_order_of_rules_means_nothing() -> None:
    forward = house_rule()
    backward = replace(forward, rules=forward.rules[::-1])

    assert price(backward) == price(forward) == Decimal("12500.00")


@pytest.mark.parametrize(
    ("conditions", "fitting", "failing"),
    [
        (Conditions(models=("308",)), {}, {"model": "208"}),
        (Conditions(gearboxes=(Gearbox.MANUAL,)), {}, {"gearbox": Gearbox.AUTOMATIC}),
        # What is not known fulfils no condition, not even one that names every gearbox.
        (Conditions(gearboxes=tuple(Gearbox)), {}, {"gearbox": None}),
        # Half-open: the lower end belongs to the range, the upper one does not.
        (Conditions(age_years=IntRange(3, 5)), {"age_years": 3}, {"age_years": 5}),
        (Conditions(age_years=IntRange(max=0)), {"age_years": -1}, {"age_years": 0}),
        (Conditions(mileage_km=IntRange(min=10)), {"mileage_km": 10}, {"mileage_km": 9}),
    ],
)
def test_a_rule_hits_when_its_condition_holds(
    conditions: Conditions, fitting: dict[str, Any], failing: dict[str, Any]
) -> None:
    strategy = content(Rule("special", conditions, Decimal(2)))

    assert price(strategy, **fitting) == Decimal("20000.00")
    assert price(strategy, **failing) == MARKET


def test_a_range_of_market_prices_is_half_open() -> None:
    strategy = content(
        Rule(
            "mid",
            Conditions(market_price=DecimalRange(Decimal(10_000), Decimal("10000.01"))),
            Decimal(2),
        )
    )

    assert price(strategy, Decimal("9999.99")) == Decimal("9999.99")
    assert price(strategy, Decimal("10000.00")) == Decimal("20000.00")
    assert price(strategy, Decimal("10000.01")) == Decimal("10000.01")


def test_the_amount_is_added_after_the_factor() -> None:
    strategy = content(
        Rule("petrol", Conditions(fuels=(Fuel.PETROL,)), Decimal("0.9"), Decimal("-250.50"))
    )

    priced = PricingPolicy(strategy).price(MARKET, a_vehicle())

    assert priced.price == Decimal("8749.50")
    assert priced.steps[0].explanation == "Petrol: x 0.90 - 250.50"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (None, "10000.00"),  # not known
        (29, "10000.00"),  # before the first step
        (30, "9500.00"),  # on the day itself
        (59, "9500.00"),
        (60, "9000.00"),
        (9_999, "9000.00"),  # the last step has no end
    ],
)
def test_the_last_step_passed_marks_the_price_down(days: int | None, expected: str) -> None:
    ladder = (LadderStep(30, Decimal("0.95")), LadderStep(60, Decimal("0.9")))

    assert price(content(ladder=ladder), days_in_stock=days) == Decimal(expected)


@pytest.mark.parametrize(
    ("guards", "factor", "cost", "expected"),
    [
        (Guards(min_market_share=Decimal("0.7")), "0.5", None, "7000.00"),
        (Guards(max_market_share=Decimal("1.1")), "1.5", None, "11000.00"),
        (Guards(min_price=Decimal(6500)), "0.5", None, "6500.00"),
        (Guards(min_margin=Decimal("0.08")), "0.5", "9000", "9720.00"),
        (Guards(min_margin=Decimal("0.08")), "0.5", None, "5000.00"),  # cost not known: no floor
        (
            Guards(Decimal("0.7"), None, Decimal("0.08"), Decimal(6500)),
            "0.5",
            "9000",
            "9720.00",
        ),  # highest floor
        (Guards(Decimal("0.7"), Decimal("1.1")), "0.9", None, "9000.00"),  # inside: untouched
        (Guards(Decimal("0.7"), Decimal("1.1"), min_price=Decimal(12000)), "0.9", None, "12000.00"),
        # The floor lies above the ceiling and wins, wherever the price comes from.
        (Guards(None, Decimal("1.1"), min_price=Decimal(12000)), "1.5", None, "12000.00"),
        (Guards(None, Decimal("1.1"), min_price=Decimal(12000)), "1.15", None, "12000.00"),
    ],
)
def test_guards_hold_the_price_in_their_band(
    guards: Guards, factor: str, cost: str | None, expected: str
) -> None:
    strategy = StrategyContent((Rule("default", factor=Decimal(factor)),), guards=guards)

    assert price(strategy, cost=cost and Decimal(cost)) == Decimal(expected)


@pytest.mark.parametrize(
    ("strategy", "cost", "reasons"),
    [
        (StrategyContent((Rule("default"),)), None, ()),
        (content(Rule("diesel", Conditions(fuels=(Fuel.DIESEL,)))), None, ("DEFAULT_RULE",)),
        (
            StrategyContent((Rule("all"),), guards=Guards(min_margin=Decimal(0))),
            None,
            ("COST_UNKNOWN",),
        ),
        (StrategyContent((Rule("all"),), guards=Guards(min_margin=Decimal(0))), Decimal(1), ()),
        (
            StrategyContent(
                (Rule("all"),), guards=Guards(None, Decimal("0.9"), min_price=Decimal(9500))
            ),
            None,
            ("FLOOR_ABOVE_CEILING",),
        ),
        # Floor and ceiling that touch are a band of one price.
        (
            StrategyContent(
                (Rule("all"),), guards=Guards(None, Decimal("0.9"), min_price=Decimal(9000))
            ),
            None,
            (),
        ),
    ],
)
def test_odd_prices_say_why_they_are_odd(
    strategy: StrategyContent, cost: Decimal | None, reasons: tuple[str, ...]
) -> None:
    priced = PricingPolicy(strategy).price(MARKET, a_vehicle(cost=cost))

    assert priced.reasons == tuple(PricingReason(reason) for reason in reasons)


def test_steps_lead_from_the_market_price_to_the_price() -> None:
    strategy = replace(
        house_rule(),
        ladder=(LadderStep(60, Decimal("0.95")),),
        guards=Guards(max_market_share=Decimal("1.1")),
        rounding=Rounding(Decimal(100), Decimal(90)),
    )

    priced = PricingPolicy(strategy).price(MARKET, a_vehicle(days_in_stock=75))

    assert [(step.kind, step.explanation, step.before, step.after) for step in priced.steps] == [
        (StepKind.RULE, "Peugeot petrol: x 1.25", Decimal(10000), Decimal(12500)),
        (StepKind.LADDER, "In stock for 60 days or more: x 0.95", Decimal(12500), Decimal(11875)),
        (StepKind.GUARD, "Not above 110 % of the market price", Decimal(11875), Decimal(11000)),
        (
            StepKind.ROUNDING,
            "To the nearest price of the form 100.00 x n + 90.00",
            Decimal(11000),
            Decimal(10990),
        ),
    ]
    assert priced.price == Decimal(10990)
    assert priced.rule_key == "peugeot-petrol"


def test_a_step_that_changes_nothing_is_left_out_but_the_rule_is_there() -> None:
    strategy = StrategyContent(
        (Rule("default"),),
        (LadderStep(0, Decimal(1)),),
        Guards(Decimal("0.5")),
        Rounding(Decimal(100)),
    )

    steps = PricingPolicy(strategy).price(MARKET, a_vehicle(days_in_stock=3)).steps

    assert [step.kind for step in steps] == [StepKind.RULE]


def test_amounts_inside_steps_carry_all_their_digits() -> None:
    strategy = StrategyContent((Rule("default", factor=Decimal("0.3333")),))

    steps = PricingPolicy(strategy).price(Decimal("10000.01"), a_vehicle()).steps

    assert steps[0].after == Decimal("3333.003333")
    assert steps[1].kind is StepKind.ROUNDING
    assert steps[1].after == Decimal("3333.00")


def test_prices_are_exact_whatever_precision_the_caller_works_in() -> None:
    strategy = StrategyContent((Rule("default", factor=Decimal("0.3333")),))
    careless = Context(prec=3)

    with localcontext(careless):
        steps = PricingPolicy(strategy).price(Decimal("10000.01"), a_vehicle()).steps

    assert steps[0].after == Decimal("3333.003333")


def test_pricing_leaves_the_precision_of_the_caller_alone() -> None:
    too_low = StrategyContent((Rule("default", amount=Decimal("-20000")),))
    before = getcontext()

    price(house_rule())
    with pytest.raises(Invalid):
        price(too_low)

    assert getcontext() is before


def test_steps_survive_being_stored() -> None:
    steps = PricingPolicy(house_rule()).price(Decimal("9999.99"), a_vehicle()).steps

    assert tuple(PriceStep.from_document(step.to_document()) for step in steps) == steps


def test_two_rules_that_nobody_settled_are_refused_rather_than_guessed() -> None:
    strategy = content(
        Rule("peugeot", Conditions(brands=("Peugeot",))),
        Rule("petrol", Conditions(fuels=(Fuel.PETROL,))),
    )

    with pytest.raises(NotSubmittable, match="neither lies inside the other"):
        price(strategy)

    assert price(strategy, fuel=Fuel.DIESEL) == MARKET


def test_a_price_below_zero_is_refused() -> None:
    strategy = StrategyContent((Rule("default", amount=Decimal("-10000.01")),))

    with pytest.raises(Invalid, match=r"-0\.01, below zero"):
        price(strategy)


def test_verdicts_say_what_became_of_each_rule() -> None:
    verdicts = PricingPolicy(house_rule()).verdicts(MARKET, a_vehicle())

    assert [(each.rule_key, each.hit, each.won, each.because) for each in verdicts] == [
        ("peugeot-petrol", True, True, "It lies inside every rule that hits."),
        ("renault-petrol", False, False, "The brand is Peugeot."),
        ("renault-diesel", False, False, "The brand is Peugeot."),
        ("petrol", True, False, "peugeot-petrol lies inside it and won."),
        ("default", True, False, "peugeot-petrol lies inside it and won."),
    ]


@pytest.mark.parametrize(
    ("conditions", "because"),
    [
        (Conditions(models=("208",)), "The model is 308."),
        (Conditions(fuels=(Fuel.DIESEL,)), "The fuel is petrol."),
        (Conditions(gearboxes=(Gearbox.AUTOMATIC,)), "The gearbox is manual."),
        (Conditions(age_years=IntRange(4, 6)), "The age in years is 3, not from 4 to under 6."),
        (Conditions(mileage_km=IntRange(max=5)), "The mileage in km is 40000, not under 5."),
        (
            Conditions(market_price=DecimalRange(min=Decimal(20_000))),
            "The market price is 10000.00, not from 20000.",
        ),
    ],
)
def test_a_verdict_names_the_first_condition_that_failed(
    conditions: Conditions, because: str
) -> None:
    verdict, _ = PricingPolicy(content(Rule("special", conditions))).verdicts(MARKET, a_vehicle())

    assert verdict.because == because
