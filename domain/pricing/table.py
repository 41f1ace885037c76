"""The compiled rule table: which rule decides a vehicle, found by brand and fuel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.errors import NotSubmittable
from domain.pricing.containment import Box, Space, is_inside, most_specific_first
from domain.pricing.content import DecimalRange, IntRange, Rule
from domain.pricing.crossings import Crossings
from domain.pricing.steps import Cause, StepKind
from domain.pricing.words import explanation, in_range, spoken
from domain.vocabulary import Fuel, Gearbox, fold


@dataclass(frozen=True, slots=True)
class PricedVehicle:
    """What a strategy needs to know of one vehicle; None is not known."""

    brand: str
    model: str
    fuel: Fuel
    gearbox: Gearbox | None
    age_years: int
    mileage_km: int
    days_in_stock: int | None = None
    cost: Decimal | None = None


class CompiledRule:
    """A rule with its names folded and its sentence written."""

    __slots__ = (
        "age_years",
        "amount",
        "box",
        "brands",
        "cause",
        "factor",
        "fuels",
        "gearboxes",
        "has_more_conditions",
        "is_default",
        "key",
        "market_price",
        "mileage_km",
        "models",
    )

    def __init__(self, rule: Rule, box: Box) -> None:
        conditions = rule.conditions
        self.key, self.factor, self.amount = rule.key, rule.factor, rule.amount
        self.cause = Cause(StepKind.RULE, explanation(rule), rule.key, rule.factor, rule.amount)
        self.box = box
        self.is_default = conditions.accept_everything
        self.brands = _folded_names(conditions.brands)
        self.models = _folded_names(conditions.models)
        self.fuels = None if conditions.fuels is None else frozenset(conditions.fuels)
        self.gearboxes = None if conditions.gearboxes is None else frozenset(conditions.gearboxes)
        self.age_years = conditions.age_years
        self.mileage_km = conditions.mileage_km
        self.market_price = conditions.market_price
        # Beyond brand and fuel, by which the table finds it.
        self.has_more_conditions = any(
            condition is not None
            for condition in (
                self.models,
                self.gearboxes,
                self.age_years,
                self.mileage_km,
                self.market_price,
            )
        )

    def hits(self, vehicle: PricedVehicle, market_price: Decimal) -> bool:
        """Whether all conditions beyond brand and fuel hold."""
        return (
            (self.models is None or fold(vehicle.model) in self.models)
            and (self.gearboxes is None or vehicle.gearbox in self.gearboxes)
            and _holds(self.age_years, vehicle.age_years)
            and _holds(self.mileage_km, vehicle.mileage_km)
            and _holds(self.market_price, market_price)
        )

    def first_failure(self, vehicle: PricedVehicle, market_price: Decimal) -> str | None:
        """The first condition that does not hold, in words; None where all of them hold."""
        if self.brands is not None and fold(vehicle.brand) not in self.brands:
            return f"The brand is {vehicle.brand}."
        if self.models is not None and fold(vehicle.model) not in self.models:
            return f"The model is {vehicle.model}."
        if self.fuels is not None and vehicle.fuel not in self.fuels:
            return f"The fuel is {spoken(vehicle.fuel)}."
        if self.gearboxes is not None and vehicle.gearbox not in self.gearboxes:
            gearbox = "not known" if vehicle.gearbox is None else spoken(vehicle.gearbox)
            return f"The gearbox is {gearbox}."
        for name, given, value in (
            ("age in years", self.age_years, vehicle.age_years),
            ("mileage in km", self.mileage_km, vehicle.mileage_km),
            ("market price", self.market_price, market_price),
        ):
            if given is not None and not _holds(given, value):
                return f"The {name} is {value}, not {in_range(given)}."
        return None


class RuleTable:
    """The rules of one strategy, ready to be asked which of them decides."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        space = Space([rule.conditions for rule in rules])
        boxes = [space.box(rule.conditions) for rule in rules]
        compiled = [CompiledRule(*pair) for pair in zip(rules, boxes, strict=True)]
        self.by_specificity = [compiled[at] for at in most_specific_first(boxes)]
        # Without unsettled crossings the first hit lies inside all the others: a rule that it
        # crosses would share the vehicle with a third one inside both, which comes before.
        self._is_settled = not len(Crossings(boxes).unsettled())
        self._any_brand: dict[Fuel, list[CompiledRule]] = {fuel: [] for fuel in Fuel}
        self._by_brand: dict[str, dict[Fuel, list[CompiledRule]]] = {
            brand: {fuel: [] for fuel in Fuel} for rule in compiled for brand in rule.brands or ()
        }
        for rule in self.by_specificity:
            self._enter(rule)
        # Most vehicles spell their brand as the rules do, and then nothing needs to be folded.
        self._by_spelling = {
            brand: self._by_brand[fold(brand)]
            for rule in rules
            for brand in rule.conditions.brands or ()
        }

    def deciding(self, vehicle: PricedVehicle, market_price: Decimal) -> CompiledRule:
        """The hitting rule that lies inside every other hitting rule.

        Raises:
            NotSubmittable: two rules hit and neither lies inside the other; content that passed
                its analysis has no such rules.
        """
        cells = self._by_spelling.get(vehicle.brand)
        if cells is None:
            cells = self._by_brand.get(fold(vehicle.brand), self._any_brand)
        candidates = cells[vehicle.fuel]
        if self._is_settled:
            for rule in candidates:
                if not rule.has_more_conditions or rule.hits(vehicle, market_price):
                    return rule
        hitting = [rule for rule in candidates if rule.hits(vehicle, market_price)]
        winner = hitting[0]
        for other in hitting[1:]:
            if other.box == winner.box or not is_inside(winner.box, other.box):
                raise NotSubmittable(
                    f"Rules {winner.key} and {other.key} both hit this vehicle, and "
                    "neither lies inside the other: settle it with a rule for what they share."
                )
        return winner

    def _enter(self, rule: CompiledRule) -> None:
        fuels = Fuel if rule.fuels is None else rule.fuels
        for fuel in fuels:
            if rule.brands is None:
                self._any_brand[fuel].append(rule)
                for cells in self._by_brand.values():
                    cells[fuel].append(rule)
            else:
                for brand in rule.brands:
                    self._by_brand[brand][fuel].append(rule)


def _folded_names(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(fold(name) for name in names)


def _holds(given: IntRange | DecimalRange | None, value: int | Decimal) -> bool:
    if given is None:
        return True
    return (given.min is None or given.min <= value) and (given.max is None or value < given.max)
