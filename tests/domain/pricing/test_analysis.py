from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.analysis import (
    MAX_AMBIGUITIES,
    Analysis,
    KnownNames,
    StockCell,
    analyse,
)
from domain.pricing.content import Conditions, DecimalRange, IntRange, Rule, StrategyContent
from domain.pricing.engine import PricedVehicle
from domain.pricing.house import house_rule
from domain.vocabulary import Fuel, Gearbox
from tests.domain.pricing import by_the_book
from tests.domain.pricing.at_random import BRANDS, FUELS, conditions
from tests.domain.pricing.at_random import settled as settled_by_proposals

NONE = Conditions()
PEUGEOT = Conditions(brands=("Peugeot",))
PETROL = Conditions(fuels=(Fuel.PETROL,))
PEUGEOT_PETROL = Conditions(brands=("Peugeot",), fuels=(Fuel.PETROL,))
CATALOGUE = KnownNames([("Peugeot", "308"), ("Peugeot", "208"), ("Renault", "Clio")])


def found_in(*conditions: Conditions, **rest: object) -> Analysis:
    """The analysis of rules with these conditions, called a, b, c..., and a default."""
    rules = [Rule(key, each) for key, each in zip("abcdefgh", conditions, strict=False)]
    return analyse(StrategyContent((*rules, Rule("default"))), **rest)  # type: ignore[arg-type]


def ambiguous(analysis: Analysis) -> list[tuple[str, str]]:
    return [each.rule_keys for each in analysis.ambiguities]


def unreachable(analysis: Analysis) -> list[str]:
    return [each.rule_key for each in analysis.unreachable]


def test_the_house_rule_can_be_submitted() -> None:
    assert analyse(house_rule(), catalogue=CATALOGUE).submittable


@pytest.mark.parametrize(
    ("rules", "advice"),
    [
        ((PEUGEOT, PETROL), "Settle it with a rule for what they share."),
        (
            (PEUGEOT, Conditions(brands=("PEUGEOT",))),
            "Their conditions are equal: remove one of them.",
        ),
    ],
)
def test_a_clash_comes_with_advice_that_helps(rules: tuple[Conditions, ...], advice: str) -> None:
    (clash,) = found_in(*rules).ambiguities

    assert clash.advice == advice


def crossing_pairwise(number: int) -> list[Rule]:
    """Each asks for older cars than the one before, and lets them have been driven further."""
    return [
        Rule(f"rule-{at}", Conditions(age_years=IntRange(at), mileage_km=IntRange(max=at + 1)))
        for at in range(number)
    ]


def test_a_flood_of_clashes_is_told_in_part_and_counted_to_the_last() -> None:
    found = analyse(StrategyContent((*crossing_pairwise(20), Rule("default"))))

    assert len(found.ambiguities) == MAX_AMBIGUITIES == 100
    assert found.further_ambiguities == 20 * 19 // 2 - MAX_AMBIGUITIES
    assert found.ambiguities[0].rule_keys == ("rule-0", "rule-1")
    assert not found.submittable


def test_few_clashes_are_told_whole() -> None:
    found = analyse(StrategyContent((*crossing_pairwise(3), Rule("default"))))

    assert (len(found.ambiguities), found.further_ambiguities) == (3, 0)


@pytest.mark.parametrize(
    ("rules", "clashes"),
    [
        ((PEUGEOT, PETROL), [("a", "b")]),
        ((PEUGEOT, PETROL, PEUGEOT_PETROL), []),  # the third one settles it
        ((PEUGEOT, PEUGEOT_PETROL), []),  # the one lies inside the other
        ((PEUGEOT, Conditions(brands=("PEUGEOT",))), [("a", "b")]),  # equal, spelt otherwise
        ((PEUGEOT, Conditions(brands=("Renault",))), []),
        # A third one inside both that does not cover all they share settles nothing.
        (
            (PEUGEOT, PETROL, Conditions(("Peugeot",), ("308",), (Fuel.PETROL,))),
            [("a", "b")],
        ),
        # Every fuel is everything, and that is what the default accepts.
        ((Conditions(fuels=tuple(Fuel)),), [("a", "default")]),
    ],
)
def test_rules_clash_when_nothing_says_which_wins(
    rules: tuple[Conditions, ...], clashes: list[tuple[str, str]]
) -> None:
    assert ambiguous(found_in(*rules)) == clashes


def test_a_clash_comes_with_an_example_and_a_rule_that_would_settle_it() -> None:
    old_or_worn = (
        Conditions(brands=("Peugeot",), age_years=IntRange(10)),
        Conditions(
            fuels=(Fuel.PETROL,),
            mileage_km=IntRange(150_000),
            market_price=DecimalRange(max=Decimal(3000)),
        ),
    )

    (clash,) = found_in(*old_or_worn).ambiguities

    assert (
        clash.example == "a Peugeot, petrol, 10 years old, 150000 km, worth 2999.99 on the market"
    )
    assert clash.proposal == Conditions(
        ("Peugeot",),
        None,
        (Fuel.PETROL,),
        None,
        IntRange(10),
        IntRange(150_000),
        DecimalRange(max=Decimal(3000)),
    )
    assert found_in(*old_or_worn, clash.proposal).submittable


@pytest.mark.parametrize(
    ("rules", "never"),
    [
        # Two halves cover the whole.
        (
            (
                PETROL,
                Conditions(fuels=(Fuel.PETROL,), age_years=IntRange(max=5)),
                Conditions(fuels=(Fuel.PETROL,), age_years=IntRange(5)),
            ),
            ["a"],
        ),
        # A gap of one year is a vehicle.
        (
            (
                PETROL,
                Conditions(fuels=(Fuel.PETROL,), age_years=IntRange(max=5)),
                Conditions(fuels=(Fuel.PETROL,), age_years=IntRange(6)),
            ),
            [],
        ),
        # No vehicle has a negative mileage, so one from 0 on leaves nothing.
        ((PETROL, Conditions(fuels=(Fuel.PETROL,), mileage_km=IntRange(0))), ["a"]),
        # Released next year counts -1 years: from 0 on leaves those.
        ((PETROL, Conditions(fuels=(Fuel.PETROL,), age_years=IntRange(0))), []),
        # Every gearbox leaves the vehicles whose gearbox is not known.
        ((PETROL, Conditions(fuels=(Fuel.PETROL,), gearboxes=tuple(Gearbox))), []),
        # All fuels that there are, one by one, leave nothing for the default.
        (
            tuple(Conditions(fuels=fuels) for fuels in (tuple(Fuel)[:5], tuple(Fuel)[5:])),
            ["default"],
        ),
        ((Conditions(mileage_km=IntRange(max=0)),), ["a"]),
    ],
)
def test_a_rule_is_unreachable_when_the_rules_inside_cover_it(
    rules: tuple[Conditions, ...], never: list[str]
) -> None:
    assert unreachable(found_in(*rules)) == never


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (Conditions(brands=("Peugot",)), "The catalogue knows no brand Peugot. Is Peugeot meant?"),
        (Conditions(brands=("Peugeot", "Qqq")), "The catalogue knows no brand Qqq."),
        (Conditions(models=("Cliio",)), "The catalogue knows no model Cliio. Is Clio meant?"),
        # The model is there, and of another brand.
        (
            Conditions(brands=("Peugeot",), models=("Clio",)),
            "The catalogue knows no model Clio of Peugeot.",
        ),
        (Conditions(brands=("PEUGEOT",), models=("308",)), None),
        (Conditions(brands=("Peugeot", "Renault"), models=("308", "CLIO")), None),
    ],
)
def test_names_are_held_against_the_catalogue(conditions: Conditions, reason: str | None) -> None:
    analysis = found_in(conditions, catalogue=CATALOGUE)

    assert [each.reason for each in analysis.unreachable] == ([reason] if reason else [])


def test_an_empty_catalogue_cannot_tell_what_is_unknown() -> None:
    assert found_in(PEUGEOT, catalogue=KnownNames([])).submittable


def test_an_alias_is_told_by_its_catalogue_name() -> None:
    catalogue = KnownNames([("Volkswagen", "Golf")])

    (never,) = found_in(Conditions(brands=("VW",)), catalogue=catalogue).unreachable

    assert never.reason == "The catalogue knows no brand VW. Is Volkswagen meant?"


def test_the_stock_that_only_the_default_decides_is_a_warning() -> None:
    stock = [
        StockCell("Dacia", Fuel.DIESEL, 3, Decimal(21_000)),
        StockCell("Dacia", Fuel.PETROL, 9, Decimal(60_000)),
        StockCell("PEUGEOT", Fuel.DIESEL, 5, Decimal(50_000)),
        StockCell("Renault", Fuel.ELECTRIC, 7, Decimal(90_000)),
    ]

    old_diesels = Conditions(("Peugeot",), None, (Fuel.DIESEL,), age_years=IntRange(9))
    analysis = found_in(PETROL, old_diesels, stock=stock)

    assert [(cell.brand, cell.fuel) for cell in analysis.defaulted] == [
        ("Renault", Fuel.ELECTRIC),
        ("Dacia", Fuel.DIESEL),
    ]
    assert analysis.submittable


# One vehicle for each cell into which the conditions below can cut the vehicles.
EVERY_VEHICLE = [
    PricedVehicle(brand, "308", fuel, None, age, 0)
    for brand, fuel, age in product((*BRANDS, "Dacia"), (*FUELS, Fuel.LPG), (-1, 0, 3, 5, 10))
]


def some_rules() -> st.SearchStrategy[list[Rule]]:
    asked = conditions().map(
        lambda one: Conditions(brands=one.brands, fuels=one.fuels, age_years=one.age_years)
    )
    return st.lists(asked, min_size=1, max_size=6, unique=True).map(
        lambda asked: [
            *(Rule(key, each) for key, each in zip("abcdef", asked, strict=False) if each != NONE),
            Rule("default"),
        ]
    )


def hit_by(rule: Rule) -> set[PricedVehicle]:
    price = Fraction(1_000)
    return {car for car in EVERY_VEHICLE if by_the_book.hits(rule.conditions, price, car)}


@given(some_rules())
def test_clashes_are_those_that_the_semantics_name(rules: list[Rule]) -> None:
    hits = {rule.key: hit_by(rule) for rule in rules}

    def settled(one: Rule, other: Rule) -> bool:
        both = hits[one.key] & hits[other.key]
        one_way = by_the_book.inside(one, other) != by_the_book.inside(other, one)
        thirds = [
            rule
            for rule in rules
            if rule not in (one, other)
            and by_the_book.inside(rule, one)
            and by_the_book.inside(rule, other)
        ]
        equal = by_the_book.inside(one, other) and by_the_book.inside(other, one)
        return not both or one_way or (not equal and any(both <= hits[each.key] for each in thirds))

    clashes = ambiguous(analyse(StrategyContent(tuple(rules))))

    pairs = combinations(rules, 2)
    assert clashes == [(one.key, other.key) for one, other in pairs if not settled(one, other)]


@given(some_rules())
def test_without_clashes_unreachable_rules_are_those_that_decide_no_vehicle(
    rules: list[Rule],
) -> None:
    rules = list(settled_by_proposals(rules))
    hits = {rule.key: hit_by(rule) for rule in rules}
    deciders = []
    for car in EVERY_VEHICLE:
        hitting = [rule for rule in rules if car in hits[rule.key]]
        (winner,) = [
            one for one in hitting if all(by_the_book.inside(one, other) for other in hitting)
        ]
        deciders.append(winner.key)

    never = unreachable(analyse(StrategyContent(tuple(rules))))

    assert never == [rule.key for rule in rules if rule.key not in deciders]
