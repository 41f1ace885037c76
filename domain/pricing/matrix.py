"""The rules as a grid of brands and fuels, and where two such grids differ."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.pricing.containment import (
    BRAND,
    DIMENSIONS,
    FUEL,
    Space,
    most_specific_first,
    overlap,
)
from domain.pricing.content import Rule, StrategyContent
from domain.vocabulary import Fuel, fold


@dataclass(frozen=True, slots=True)
class Cell:
    """What vehicles of one brand and fuel are priced at; a None brand is every unnamed one.

    Attributes:
        rule_key: of the rule that decides the vehicles about which no more is known.
        refined: whether rules with further conditions decide some of the cell's vehicles.
    """

    brand: str | None
    fuel: Fuel
    factor: Decimal
    amount: Decimal
    rule_key: str
    refined: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A cell whose factor or amount differs between two strategies."""

    brand: str | None
    fuel: Fuel
    before: Cell
    after: Cell


class Matrix:
    """The grid of one strategy: a row for each brand that a rule names, and one for all others."""

    def __init__(self, content: StrategyContent) -> None:
        space = Space([rule.conditions for rule in content.rules])
        boxes = [space.box(rule.conditions) for rule in content.rules]
        beyond = [at for at in range(DIMENSIONS) if at not in (BRAND, FUEL)]
        # Without further conditions, the most specific first; and those with some.
        self._plain: list[tuple[Rule, tuple[int, ...]]] = []
        self._refining: list[tuple[int, ...]] = []
        for position in most_specific_first(boxes):
            rule, box = content.rules[position], boxes[position]
            if all(box[at] == space.everything[at] for at in beyond):
                self._plain.append((rule, box))
            elif overlap(box, space.inhabited):
                self._refining.append(box)
        self._space = space
        names: dict[str, str] = {}
        for rule in content.rules:
            for brand in rule.conditions.brands or ():
                names.setdefault(fold(brand), brand)
        self.brands = tuple(names[key] for key in sorted(names))
        self.fuels = tuple(Fuel)
        self.cells = tuple(
            self.cell(brand, fuel) for brand in (*self.brands, None) for fuel in self.fuels
        )

    def cell(self, brand: str | None, fuel: Fuel) -> Cell:
        """The cell of any brand; of one that no rule names it says what the row of others does."""
        # No name is empty, so this one is none of those that rules use.
        (number,) = self._space.brand_cells(["" if brand is None else brand])
        bits = {BRAND: 1 << number, FUEL: 1 << self.fuels.index(fuel)}

        def accepts(box: tuple[int, ...]) -> bool:
            return all(box[at] & bit for at, bit in bits.items())

        rule = next(rule for rule, box in self._plain if accepts(box))
        refined = any(accepts(box) for box in self._refining)
        return Cell(brand, fuel, rule.factor, rule.amount, rule.key, refined)


def diff(before: Matrix, after: Matrix) -> list[Change]:
    """The cells that differ in factor or amount; the same rules written differently show none."""
    names = {fold(brand): brand for brand in (*before.brands, *after.brands)}
    rows = [*(names[key] for key in sorted(names)), None]
    changes = [
        Change(brand, fuel, before.cell(brand, fuel), after.cell(brand, fuel))
        for brand in rows
        for fuel in Fuel
    ]
    return [
        change
        for change in changes
        if (change.before.factor, change.before.amount)
        != (change.after.factor, change.after.amount)
    ]
