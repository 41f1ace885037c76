"""What can be told of a strategy without running it: exact, never sampled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.pricing.containment import Box, Space, intersection, overlap, shared
from domain.pricing.content import Conditions, Rule, StrategyContent
from domain.pricing.crossings import Crossings
from domain.pricing.words import example
from domain.vocabulary import Fuel, brand_name, fold, nearest

MAX_AMBIGUITIES = 100
"""Told in full; rules that cross pairwise have half as many as the square of their number."""


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Two rules that hit the same vehicle, and nothing says which of them wins.

    Attributes:
        example: a vehicle that both hit, in words.
        proposal: conditions of a rule that would settle it: exactly what both accept.
        are_equal: both accept the very same vehicles, so that no third rule can settle it.
    """

    rule_keys: tuple[str, str]
    example: str
    proposal: Conditions
    are_equal: bool

    @property
    def advice(self) -> str:
        """What to do about it, in one sentence."""
        if self.are_equal:
            return "Their conditions are equal: remove one of them."
        return "Settle it with a rule for what they share."


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A rule that can never win, or that names what the catalogue does not know."""

    rule_key: str
    reason: str


@dataclass(frozen=True, slots=True)
class StockCell:
    """The vehicles of one brand and fuel in the present stock, and what they are offered for."""

    brand: str
    fuel: Fuel
    vehicles: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Analysis:
    """Ambiguities and unreachable rules stop submission; ``defaulted`` is a warning.

    Attributes:
        ambiguities: ``MAX_AMBIGUITIES`` at most, those of the first rules.
        further_ambiguities: how many there are besides.
        defaulted: most vehicles first.
    """

    ambiguities: tuple[Ambiguity, ...]
    further_ambiguities: int
    unreachable: tuple[Unreachable, ...]
    defaulted: tuple[StockCell, ...]

    @property
    def submittable(self) -> bool:
        """Whether the strategy can go to review."""
        return not self.ambiguities and not self.unreachable


class KnownNames:
    """The brands and models of a market's catalogue, by folded spelling."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """Take pairs of brand and model, spelt as in the catalogue."""
        self._models: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._brands: dict[str, str] = {}
        for brand, model in names:
            self._brands.setdefault(fold(brand), brand)
            self._models[fold(brand)].setdefault(fold(model), model)

    def unknown(self, conditions: Conditions) -> str | None:
        """The first brand or model that the catalogue does not know, and the nearest spelling.

        A catalogue without entries cannot tell.
        """
        if not self._brands:
            return None
        brands = conditions.brands or ()
        for brand in brands:
            if fold(brand) not in self._brands:
                meant = self._brands.get(fold(brand_name(brand)))
                return _unknown("brand", brand, meant or nearest(brand, self._brands.values()))
        if conditions.models is None:
            return None
        models = self._models_of(brands)
        for model in conditions.models:
            if fold(model) not in models:
                return _unknown("model", model, nearest(model, models.values()), brands)
        return None

    def _models_of(self, brands: Sequence[str]) -> Mapping[str, str]:
        wanted = [fold(brand) for brand in brands] or list(self._models)
        return {key: name for brand in wanted for key, name in self._models.get(brand, {}).items()}


def analyse(
    content: StrategyContent,
    *,
    catalogue: KnownNames | None = None,
    stock: Iterable[StockCell] = (),
) -> Analysis:
    """Analyse checked content.

    Args:
        catalogue: what the market knows; None leaves names unjudged.
        stock: one cell for each brand and fuel in stock.
    """
    rules = content.rules
    space = Space([rule.conditions for rule in rules])
    boxes = [space.box(rule.conditions) for rule in rules]
    crossings = Crossings(boxes)
    clashes = crossings.unsettled()
    told = clashes[:MAX_AMBIGUITIES].tolist()
    return Analysis(
        ambiguities=tuple(
            _ambiguity(rules[one], rules[other], are_equal=boxes[one] == boxes[other])
            for one, other in told
        ),
        further_ambiguities=len(clashes) - len(told),
        unreachable=tuple(_unreachable(rules, boxes, crossings, space, catalogue)),
        defaulted=tuple(_defaulted(rules, stock)),
    )


def _ambiguity(one: Rule, other: Rule, *, are_equal: bool) -> Ambiguity:
    both = shared(one.conditions, other.conditions)
    return Ambiguity((one.key, other.key), example(both), both, are_equal)


def _unreachable(
    rules: Sequence[Rule],
    boxes: Sequence[Box],
    crossings: Crossings,
    space: Space,
    catalogue: KnownNames | None,
) -> Iterable[Unreachable]:
    for position, rule in enumerate(rules):
        unknown = catalogue.unknown(rule.conditions) if catalogue else None
        possible = intersection(boxes[position], space.inhabited)
        insiders = [boxes[insider] for insider in crossings.insiders(position)]
        if unknown is not None:
            yield Unreachable(rule.key, unknown)
        elif not all(possible):
            yield Unreachable(rule.key, "Its conditions accept no vehicle that there can be.")
        elif not has_cell_outside(possible, insiders):
            yield Unreachable(rule.key, "The rules inside it decide every vehicle that it accepts.")


def has_cell_outside(box: Box, others: Collection[Box]) -> bool:
    """Whether the box has a cell that no other box covers."""
    # Parts of the box still to be covered, each with the boxes that may do it.
    open_parts = [(box, [other for other in others if overlap(other, box)])]
    while open_parts:
        part, covering = open_parts.pop()
        if not covering:
            return True
        first, *rest = covering
        pieces = [
            (piece, [other for other in rest if overlap(other, piece)])
            for piece in _pieces_outside(part, first)
        ]
        # The piece that fewest boxes reach is looked at next: an open cell is soonest found there.
        open_parts += sorted(pieces, key=lambda piece: -len(piece[1]))
    return False


def _pieces_outside(box: Box, other: Box) -> Iterable[Box]:
    """What the other box leaves of this one, cut into boxes that do not overlap."""
    rest = list(box)
    for dimension, accepted in enumerate(other):
        outside = rest[dimension] & ~accepted
        if outside:
            yield (*rest[:dimension], outside, *rest[dimension + 1 :])
        rest[dimension] &= accepted


def _defaulted(rules: Sequence[Rule], stock: Iterable[StockCell]) -> list[StockCell]:
    """The cells in which no rule but the default can hit."""
    special = [rule.conditions for rule in rules if not rule.conditions.accept_everything]
    # None stands for every brand.
    ruled = {
        (None if brand is None else fold(brand), fuel)
        for conditions in special
        for brand in conditions.brands or (None,)
        for fuel in conditions.fuels or Fuel
    }
    cells = [
        cell
        for cell in stock
        if (None, cell.fuel) not in ruled and (fold(cell.brand), cell.fuel) not in ruled
    ]
    return sorted(cells, key=lambda cell: (-cell.vehicles, cell.brand, cell.fuel))


def _unknown(what: str, name: str, meant: str | None, brands: Sequence[str] = ()) -> str:
    of = f" of {' or '.join(brands)}" if brands else ""
    advice = f" Is {meant} meant?" if meant else ""
    return f"The catalogue knows no {what} {name}{of}.{advice}"
