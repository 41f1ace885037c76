import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from domain.errors import Refusals
from domain.pricing.content import Conditions, Guards, Rounding, RoundingMode, Rule, StrategyContent
from domain.pricing.documents import content_hash, from_document, to_document
from domain.pricing.house import house_rule
from domain.vocabulary import Fuel
from tests.domain.pricing.at_random import submittable_contents


@settings(max_examples=50, deadline=None)
@given(submittable_contents())
def test_content_survives_being_stored(content: StrategyContent) -> None:
    kept = from_document(json.loads(json.dumps(to_document(content))))

    assert kept == content
    assert content_hash(kept) == content_hash(content)


def test_a_document_names_its_fields_as_the_api_does() -> None:
    content = StrategyContent(
        (Rule("default", factor=Decimal("1.250")),),
        guards=Guards(min_market_share=Decimal("0.70")),
        rounding=Rounding(Decimal(100), Decimal(90), RoundingMode.DOWN),
    )

    assert to_document(content) == {
        "rules": [{"key": "default", "conditions": {}, "factor": "1.25", "amount": "0"}],
        "guards": {"minMarketShare": "0.7"},
        "rounding": {"step": "100", "ending": "90", "mode": "DOWN"},
    }


def test_what_says_the_same_has_the_same_hash() -> None:
    house = house_rule()
    peugeot, *others = house.rules
    written_otherwise = replace(
        house,
        rules=(
            *others[::-1],
            replace(
                peugeot,
                factor=Decimal("1.2500"),
                conditions=replace(peugeot.conditions, fuels=(Fuel.PETROL,)),
            ),
        ),
    )

    assert content_hash(written_otherwise) == content_hash(house)


def test_the_order_of_names_does_not_change_the_hash() -> None:
    def hash_of(*brands: str) -> str:
        return content_hash(StrategyContent((Rule("some", Conditions(brands=brands)),)))

    assert hash_of("Peugeot", "Renault") == hash_of("Renault", "Peugeot")


@pytest.mark.parametrize(
    "change",
    [
        {"factor": Decimal("1.26")},
        {"amount": Decimal("0.01")},
        {"key": "other"},
        {"note": "For the spring."},
        {"conditions": Conditions(brands=("Peugeot",))},
    ],
)
def test_what_says_something_else_has_another_hash(change: dict[str, Any]) -> None:
    house = house_rule()
    changed = replace(house, rules=(replace(house.rules[0], **change), *house.rules[1:]))

    assert content_hash(changed) != content_hash(house)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ()),
        ({}, ("rules",)),
        ({"rules": None}, ("rules",)),
        ({"rules": {}}, ("rules",)),
        ({"rules": ["x"]}, ("rules", "0")),
        ({"rules": [{"key": "a", "facter": "1"}]}, ("rules", "0", "facter")),
        ({"rules": [{"key": 7}]}, ("rules", "0", "key")),
        # A float is not the decimal that was written.
        ({"rules": [{"key": "a", "factor": 1.1}]}, ("rules", "0", "factor")),
        ({"rules": [{"key": "a", "factor": "one"}]}, ("rules", "0", "factor")),
        ({"rules": [{"key": "a", "factor": True}]}, ("rules", "0", "factor")),
        (
            {"rules": [{"key": "a", "conditions": {"fuels": ["PETROL", "COAL"]}}]},
            ("rules", "0", "conditions", "fuels", "1"),
        ),
        (
            {"rules": [{"key": "a", "conditions": {"ageYears": {"min": "3"}}}]},
            ("rules", "0", "conditions", "ageYears", "min"),
        ),
        ({"rules": [], "ladder": [{"fromDay": 1}]}, ("ladder", "0", "factor")),
        ({"rules": [], "guards": {"minimum": "1"}}, ("guards", "minimum")),
        ({"rules": [], "rounding": {"step": "1", "mode": "AWAY"}}, ("rounding", "mode")),
    ],
)
def test_a_document_that_is_none_is_refused_at_its_path(
    document: Any, path: tuple[str, ...]
) -> None:
    with pytest.raises(Refusals) as refused:
        from_document(document)

    assert [each.path for each in refused.value.refusals] == [path]


def test_whole_numbers_of_a_file_are_decimals_as_well() -> None:
    content = from_document({"rules": [{"key": "default", "factor": 1, "amount": -250}]})

    assert content.rules[0] == Rule("default", amount=Decimal(-250))
