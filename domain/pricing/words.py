"""Rules in a seller's words: what a rule is for, and a vehicle as an example of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from domain.money import plain_text
from domain.pricing.content import Conditions, DecimalRange, IntRange, Rule
from domain.vocabulary import Fuel, Gearbox


def explanation(rule: Rule) -> str:
    """One sentence on what a rule does, e.g. ``Peugeot petrol: x 1.25``."""
    sentence = f"{subject(rule.conditions)}: x {plain_text(rule.factor)}"
    if rule.amount:
        sign = "+" if rule.amount > 0 else "-"
        sentence += f" {sign} {plain_text(abs(rule.amount))}"
    return sentence


def subject(conditions: Conditions) -> str:
    """Which vehicles the conditions accept, e.g. ``Peugeot or Renault diesel, automatic``."""
    if conditions.accept_everything:
        return "Any other vehicle"
    names = [any_of(choice) for choice in (conditions.brands, conditions.models) if choice]
    if conditions.fuels:
        names.append(any_of([spoken(fuel) for fuel in conditions.fuels]))
    head = " ".join(names) or "Any vehicle"
    parts = [head[0].upper() + head[1:]]
    if conditions.gearboxes:
        parts.append(any_of([spoken(gearbox) for gearbox in conditions.gearboxes]))
    if conditions.age_years:
        parts.append(f"age {in_range(conditions.age_years)} years")
    if conditions.mileage_km:
        parts.append(f"mileage {in_range(conditions.mileage_km)} km")
    if conditions.market_price:
        parts.append(f"market price {in_range(conditions.market_price)}")
    return ", ".join(parts)


def example(conditions: Conditions) -> str:
    """A vehicle that the conditions accept, e.g. ``a Peugeot 308, petrol, 3 years old``."""
    brand = conditions.brands[0] if conditions.brands else "vehicle of any brand"
    parts = [f"a {brand}" + (f" {conditions.models[0]}" if conditions.models else "")]
    if conditions.fuels:
        parts.append(spoken(conditions.fuels[0]))
    if conditions.gearboxes:
        parts.append(f"{spoken(conditions.gearboxes[0])} gearbox")
    if conditions.age_years:
        age = _value_in(conditions.age_years, Decimal(1))
        parts.append("1 year old" if age == 1 else f"{age} years old")
    if conditions.mileage_km:
        parts.append(f"{_value_in(conditions.mileage_km, Decimal(1))} km")
    if conditions.market_price:
        worth = _value_in(conditions.market_price, Decimal("0.01"))
        parts.append(f"worth {plain_text(worth)} on the market")
    return ", ".join(parts)


def spoken(word: Fuel | Gearbox) -> str:
    """A fuel or gearbox as people say it, e.g. ``plug-in hybrid``."""
    if word is Fuel.PLUG_IN_HYBRID:
        return "plug-in hybrid"
    if word in (Fuel.LPG, Fuel.CNG):
        return str(word.value)
    if word is Fuel.OTHER:
        return "other fuel"
    if word is Gearbox.OTHER:
        return "other gearbox"
    return word.value.lower().replace("_", "-")


def in_range(given: IntRange | DecimalRange) -> str:
    """A half-open range, e.g. ``from 3 to under 5``."""
    lower = None if given.min is None else plain_text(Decimal(given.min), minor_digits=0)
    upper = None if given.max is None else plain_text(Decimal(given.max), minor_digits=0)
    if lower is None:
        return f"under {upper}"
    return f"from {lower}" + ("" if upper is None else f" to under {upper}")


def any_of(names: Sequence[str]) -> str:
    """Names to choose from, e.g. ``Peugeot, Renault or Dacia``."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _value_in(given: IntRange | DecimalRange, least_unit: Decimal) -> Decimal:
    if given.min is not None:
        return Decimal(given.min)
    return Decimal(given.max or 0) - least_unit
