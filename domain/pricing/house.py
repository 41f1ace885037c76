"""The house rule that this product grew from: the strategy of the demo."""

from __future__ import annotations

from decimal import Decimal

from domain.pricing.content import Conditions, Rule, StrategyContent
from domain.vocabulary import Fuel


def house_rule() -> StrategyContent:
    """Per brand and fuel, a multiple of the market price.

    | | petrol | diesel | other fuels |
    |---|---|---|---|
    | Peugeot | 1.25 | 1.00 | 1.00 |
    | Renault | 1.00 | 0.80 | 1.00 |
    | any other brand | 0.80 | 1.00 | 1.00 |
    """
    return StrategyContent(
        rules=(
            _rule("peugeot-petrol", "1.25", "Peugeot", Fuel.PETROL),
            _rule("renault-petrol", "1.00", "Renault", Fuel.PETROL),
            _rule("renault-diesel", "0.80", "Renault", Fuel.DIESEL),
            Rule("petrol", Conditions(fuels=(Fuel.PETROL,)), Decimal("0.80")),
            Rule("default", note="At the market price."),
        )
    )


def _rule(key: str, factor: str, brand: str, fuel: Fuel) -> Rule:
    return Rule(key, Conditions(brands=(brand,), fuels=(fuel,)), Decimal(factor))
