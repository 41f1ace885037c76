from dataclasses import replace
from decimal import Decimal

from domain.pricing.content import Conditions, IntRange, Rule, StrategyContent
from domain.pricing.house import house_rule
from domain.pricing.matrix import Matrix, diff
from domain.vocabulary import Fuel


def test_the_house_rule_reads_as_its_table() -> None:
    matrix = Matrix(house_rule())

    assert matrix.brands == ("Peugeot", "Renault")
    fuels = (Fuel.PETROL, Fuel.DIESEL, Fuel.LPG)
    factors = {
        brand: [str(matrix.cell(brand, fuel).factor) for fuel in fuels]
        for brand in ("Peugeot", "Renault", None)
    }
    assert factors == {
        "Peugeot": ["1.25", "1", "1"],
        "Renault": ["1.00", "0.80", "1"],
        None: ["0.80", "1", "1"],
    }
    assert len(matrix.cells) == 3 * len(Fuel)


def test_a_cell_says_which_rule_decides_it() -> None:
    matrix = Matrix(house_rule())

    assert matrix.cell("Renault", Fuel.DIESEL).rule_key == "renault-diesel"
    assert matrix.cell("Dacia", Fuel.PETROL).rule_key == "petrol"


def test_further_conditions_refine_the_cells_that_they_touch() -> None:
    old_peugeots = Conditions(brands=("Peugeot",), age_years=IntRange(10))
    strategy = StrategyContent((Rule("old", old_peugeots, Decimal("0.9")), Rule("default")))

    matrix = Matrix(strategy)

    assert matrix.cell("Peugeot", Fuel.PETROL).refined
    assert matrix.cell("Peugeot", Fuel.PETROL).rule_key == "default"
    assert not matrix.cell(None, Fuel.PETROL).refined


def test_a_rule_that_accepts_no_vehicle_refines_nothing() -> None:
    newer_than_new = Conditions(brands=("Peugeot",), age_years=IntRange(max=-1))
    strategy = StrategyContent((Rule("none", newer_than_new), Rule("default")))

    assert not Matrix(strategy).cell("Peugeot", Fuel.PETROL).refined


def test_the_same_rules_written_differently_do_not_differ() -> None:
    house = house_rule()
    spelt_out = replace(
        house,
        rules=(
            *(replace(rule, key=f"new-{rule.key}") for rule in house.rules),
            Rule("dacia-petrol", Conditions(("DACIA",), None, (Fuel.PETROL,)), Decimal("0.8")),
        ),
    )

    assert diff(Matrix(house), Matrix(spelt_out)) == []


def test_a_changed_factor_shows_in_each_cell_that_it_decides() -> None:
    house = house_rule()
    cheaper = replace(
        house,
        rules=tuple(
            replace(rule, factor=Decimal("0.75")) if rule.key == "petrol" else rule
            for rule in house.rules
        ),
    )

    (change,) = diff(Matrix(house), Matrix(cheaper))

    assert (change.brand, change.fuel) == (None, Fuel.PETROL)
    assert (change.before.factor, change.after.factor) == (Decimal("0.80"), Decimal("0.75"))


def test_a_brand_that_one_side_does_not_name_is_held_against_its_row_of_others() -> None:
    house = house_rule()
    dacia = Rule("dacia", Conditions(brands=("Dacia",)), amount=Decimal(100))

    changes = diff(Matrix(house), Matrix(replace(house, rules=(*house.rules, dacia))))

    assert {change.brand for change in changes} == {"Dacia"}
    assert all(change.after.rule_key == "dacia" for change in changes if change.fuel != "PETROL")
