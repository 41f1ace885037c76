from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Refusals
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
from domain.pricing.house import house_rule
from domain.pricing.validation import MAX_RULES, checked
from domain.vocabulary import Fuel

DEFAULT = Rule("default")


def ladder(*steps: tuple[int, str]) -> tuple[LadderStep, ...]:
    return tuple(LadderStep(day, Decimal(factor)) for day, factor in steps)


def a_rule(**facts: Any) -> Rule:
    return replace(Rule("petrol", Conditions(fuels=(Fuel.PETROL,))), **facts)


def asking(**conditions: Any) -> Rule:
    return Rule("special", Conditions(**conditions))


def faults(content: StrategyContent) -> list[tuple[str, ...]]:
    with pytest.raises(Refusals) as refused:
        checked(content)
    assert {each.code for each in refused.value.refusals} == {"INVALID"}
    return [each.path for each in refused.value.refusals]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (a_rule(factor=Decimal(0)), "factor"),
        (a_rule(factor=Decimal("-0.5")), "factor"),
        (a_rule(factor=Decimal("1.00001")), "factor"),
        (a_rule(factor=Decimal("NaN")), "factor"),
        (a_rule(factor=Decimal("1001")), "factor"),
        (a_rule(amount=Decimal("0.001")), "amount"),
        (a_rule(amount=Decimal("Infinity")), "amount"),
        (a_rule(key=" "), "key"),
        (a_rule(key="x" * 81), "key"),
        (a_rule(key="a\nb"), "key"),
        (a_rule(note="x" * 2001), "note"),
        (asking(age_years=IntRange(3, 3)), "conditions ageYears"),
        (asking(age_years=IntRange(5, 3)), "conditions ageYears"),
        (asking(mileage_km=IntRange(9, 8)), "conditions mileageKm"),
        (asking(mileage_km=IntRange(2**31)), "conditions mileageKm min"),
        (asking(market_price=DecimalRange(Decimal(2), Decimal(1))), "conditions marketPrice"),
        (asking(market_price=DecimalRange(Decimal("0.001"))), "conditions marketPrice min"),
        # An empty list accepts no vehicle; left out, it accepts every one.
        (asking(brands=()), "conditions brands"),
        (asking(fuels=()), "conditions fuels"),
        (asking(gearboxes=()), "conditions gearboxes"),
        (asking(models=("308", " ")), "conditions models 1"),
        (asking(brands=tuple(f"B{n}" for n in range(501))), "conditions brands"),
    ],
)
def test_what_a_rule_cannot_say_is_named_at_its_path(rule: Rule, path: str) -> None:
    assert faults(StrategyContent((DEFAULT, rule))) == [("rules", "1", *path.split())]


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ({"ladder": ladder((-1, "0.9"))}, "ladder 0 fromDay"),
        ({"ladder": ladder((30, "0.9"), (30, "0.8"))}, "ladder 1 fromDay"),
        ({"ladder": ladder((30, "0.9"), (20, "0.8"))}, "ladder 1 fromDay"),
        ({"ladder": ladder((30, "0.9"), (60, "0.95"))}, "ladder 1 factor"),
        ({"ladder": ladder((30, "0"))}, "ladder 0 factor"),
        ({"ladder": ladder((30, "0.12345"))}, "ladder 0 factor"),
        ({"guards": Guards(Decimal("1.1"), Decimal("0.9"))}, "guards minMarketShare"),
        ({"guards": Guards(Decimal("-0.1"))}, "guards minMarketShare"),
        ({"guards": Guards(None, Decimal(0))}, "guards maxMarketShare"),
        ({"guards": Guards(min_margin=Decimal("-1.1"))}, "guards minMargin"),
        ({"guards": Guards(min_margin=Decimal("0.12345"))}, "guards minMargin"),
        ({"guards": Guards(min_price=Decimal(-1))}, "guards minPrice"),
        ({"rounding": Rounding(Decimal(0))}, "rounding step"),
        ({"rounding": Rounding(Decimal(-100))}, "rounding step"),
        ({"rounding": Rounding(Decimal(100), Decimal(100))}, "rounding ending"),
        ({"rounding": Rounding(Decimal(100), Decimal("-0.01"))}, "rounding ending"),
    ],
)
def test_what_comes_after_the_rules_is_checked_as_well(rest: dict[str, Any], path: str) -> None:
    assert faults(StrategyContent((DEFAULT,), **rest)) == [tuple(path.split())]


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ((), ("rules",)),
        ((a_rule(),), ("rules",)),
        ((DEFAULT, a_rule(), Rule("other")), ("rules", "2", "conditions")),
        # Ranges without ends ask for nothing.
        ((DEFAULT, asking(age_years=IntRange())), ("rules", "1", "conditions")),
        ((DEFAULT, a_rule(key="default")), ("rules", "1", "key")),
        ((DEFAULT,) * (MAX_RULES + 1), ("rules",)),
    ],
)
def test_exactly_one_rule_is_the_default_and_each_has_its_key(
    rules: tuple[Rule, ...], path: tuple[str, ...]
) -> None:
    assert faults(StrategyContent(rules)) == [path]


def test_every_fault_is_named_not_only_the_first() -> None:
    content = StrategyContent(
        (DEFAULT, a_rule(factor=Decimal(0), amount=Decimal("0.001"))),
        ladder((5, "0")),
        Guards(min_price=Decimal(-1)),
        Rounding(Decimal(0)),
    )

    assert faults(content) == [
        ("rules", "1", "factor"),
        ("rules", "1", "amount"),
        ("ladder", "0", "factor"),
        ("guards", "minPrice"),
        ("rounding", "step"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        house_rule(),
        StrategyContent((replace(DEFAULT, factor=Decimal("1.25000")),)),
        StrategyContent((replace(DEFAULT, factor=Decimal("1E+2")),)),
        StrategyContent((DEFAULT,), ladder((0, "1"), (30, "1"))),  # it may stay level
        StrategyContent((DEFAULT,), guards=Guards(Decimal("0.9"), Decimal("0.9"))),
        StrategyContent((DEFAULT,), rounding=Rounding(Decimal("0.05"), Decimal("0.04"))),
    ],
)
def test_what_is_right_passes(content: StrategyContent) -> None:
    assert checked(content) == content


def test_a_name_given_twice_counts_once() -> None:
    content = StrategyContent((DEFAULT, asking(brands=(" Citroën", "Dacia", "CITROEN"))))

    assert checked(content).rules[1].conditions.brands == ("Citroën", "Dacia")
