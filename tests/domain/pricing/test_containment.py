from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pricing.containment import (
    Space,
    cross,
    is_inside,
    lies_inside,
    most_specific_first,
    shared,
)
from domain.pricing.content import Conditions, DecimalRange, IntRange
from domain.vocabulary import Fuel, Gearbox
from tests.domain.pricing.at_random import conditions

PEUGEOT = Conditions(brands=("Peugeot",))
PETROL = Conditions(fuels=(Fuel.PETROL,))
PEUGEOT_PETROL = Conditions(brands=("Peugeot",), fuels=(Fuel.PETROL,))


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (PEUGEOT, Conditions()),
        (PEUGEOT_PETROL, PEUGEOT),
        (PEUGEOT_PETROL, PETROL),
        (PEUGEOT, Conditions(brands=("PEUGEOT", "Renault"))),
        (Conditions(models=("308",)), Conditions(models=("208", "308"))),
        (Conditions(age_years=IntRange(3, 5)), Conditions(age_years=IntRange(3))),
        (Conditions(age_years=IntRange(3, 5)), Conditions(age_years=IntRange(max=5))),
        (Conditions(mileage_km=IntRange(0)), Conditions()),
        (
            Conditions(market_price=DecimalRange(Decimal("9.99"), Decimal(20))),
            Conditions(market_price=DecimalRange(Decimal("9.98"), Decimal(20))),
        ),
        # A vehicle may have a gearbox that nobody knows: only no condition accepts that.
        (Conditions(gearboxes=tuple(Gearbox)), Conditions()),
    ],
)
def test_a_narrower_rule_lies_inside_a_wider_one(inner: Conditions, outer: Conditions) -> None:
    assert lies_inside(inner, outer)
    assert not lies_inside(outer, inner)
    assert not cross(inner, outer)


def test_naming_every_fuel_accepts_everything() -> None:
    every_fuel = Conditions(fuels=tuple(Fuel))

    assert lies_inside(every_fuel, Conditions())
    assert lies_inside(Conditions(), every_fuel)


@pytest.mark.parametrize(
    ("one", "other", "do_cross"),
    [
        (PEUGEOT, PETROL, True),
        (Conditions(("Peugeot", "Renault")), Conditions(("Renault", "Dacia")), True),
        (Conditions(age_years=IntRange(0, 5)), Conditions(age_years=IntRange(4, 9)), True),
        # Half-open ranges that touch share nothing.
        (Conditions(age_years=IntRange(0, 5)), Conditions(age_years=IntRange(5, 9)), False),
        (PEUGEOT, Conditions(brands=("Renault",)), False),
        (PEUGEOT_PETROL, Conditions(fuels=(Fuel.DIESEL,)), False),
        (PEUGEOT, PEUGEOT, False),
    ],
)
def test_two_rules_cross_when_each_has_vehicles_of_its_own_and_some_are_shared(
    one: Conditions, other: Conditions, do_cross: bool
) -> None:
    assert cross(one, other) is do_cross
    assert cross(other, one) is do_cross


@given(conditions(), conditions(), conditions())
def test_containment_is_a_partial_order(a: Conditions, b: Conditions, c: Conditions) -> None:
    space = Space((a, b, c))
    boxes = [space.box(each) for each in (a, b, c)]

    assert lies_inside(a, a)
    assert lies_inside(a, c) or not (lies_inside(a, b) and lies_inside(b, c))
    both_ways = lies_inside(a, b) and lies_inside(b, a)
    assert both_ways == (boxes[0] == boxes[1])


@given(conditions(), conditions(), conditions())
def test_it_does_not_matter_in_whose_company_rules_are_compared(
    a: Conditions, b: Conditions, c: Conditions
) -> None:
    among_three = Space((a, b, c))

    assert is_inside(among_three.box(a), among_three.box(b)) == lies_inside(a, b)


@given(conditions(), conditions())
def test_what_two_rules_share_lies_inside_both(a: Conditions, b: Conditions) -> None:
    if cross(a, b):
        both = shared(a, b)

        assert lies_inside(both, a)
        assert lies_inside(both, b)


@settings(max_examples=50)
@given(st.lists(conditions(), max_size=6))
def test_more_specific_rules_come_first(some: list[Conditions]) -> None:
    space = Space(some)
    boxes = [space.box(each) for each in some]
    order = most_specific_first(boxes)

    for earlier, at in enumerate(order):
        for later in order[earlier + 1 :]:
            assert not is_inside(boxes[later], boxes[at]) or boxes[later] == boxes[at]
