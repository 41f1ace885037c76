"""The matcher: the best catalogue entry for a description, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.errors import Refusal, Refusals
from domain.matching import faults
from domain.matching.corrections import corrections
from domain.matching.names import NameIndex, NameMatch
from domain.matching.results import Candidate, MatchResult
from domain.matching.specifications import NEAR_FUELS, Asked, Fit, Specifications
from domain.vehicles import CatalogueEntry, VehicleDescription
from domain.vocabulary import Fuel, Gearbox, fold
from domain.vocabulary.fuels import read_fuel
from domain.vocabulary.gearboxes import read_gearbox
from domain.vocabulary.readings import Reading

GOOD_ENOUGH = 0.75
"""Lowest score of a match that is taken."""
MARGIN = 0.05
"""How far the best must be ahead of the next different brand and model."""

_OTHER_FUEL = 0.4
_NEIGHBOUR = 0.5
_SLIP = 0.02
_MOST_NAMES = 8
_MOST_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class _Understood:
    """A description whose fuel and gearbox are understood."""

    description: VehicleDescription
    fuel: Reading[Fuel]
    gearbox: Reading[Gearbox] | None

    @property
    def gearbox_meaning(self) -> Gearbox | None:
        return self.gearbox.meaning if self.gearbox else None

    def asked(self, leftover: Sequence[str]) -> Asked:
        return Asked.of(self.description, self.gearbox_meaning, leftover)

    def candidate(self, fit: Fit, name_cost: float) -> Candidate:
        slips = self.fuel.misspelt + (self.gearbox.misspelt if self.gearbox else 0)
        score = max(0.0, 1.0 - name_cost - fit.cost - _SLIP * slips)
        differing = corrections(self.description, fit.entry, fuel=self.fuel, gearbox=self.gearbox)
        return Candidate(fit.entry, round(score, 4), differing, self.gearbox_meaning)


class Matcher:
    """Finds the catalogue entry that a description means. Immutable; threads may share one."""

    def __init__(self, entries: Iterable[CatalogueEntry]) -> None:
        catalogue = list(entries)
        self._names = NameIndex((entry.brand, entry.model) for entry in catalogue)
        by_model: list[list[CatalogueEntry]] = [[] for _ in self._names.named]
        for entry in catalogue:
            by_model[self._names.number_of(entry.brand, entry.model)].append(entry)
        self._specifications = [Specifications(each) for each in by_model]

    def best(self, description: VehicleDescription) -> Candidate:
        """The entry that a description means.

        Raises:
            Invalid: fuel or gearbox is not understood, or the model's name contradicts the fuel.
            NoMatch: nothing in the catalogue is close enough.
            AmbiguousMatch: two different models are about equally close.
            Refusals: several of these.
        """
        result = self.match(description, limit=3)
        if result.best:
            return result.best
        if len(result.problems) == 1:
            raise result.problems[0]
        raise Refusals(result.problems)

    def match(self, description: VehicleDescription, *, limit: int = 5) -> MatchResult:
        """The candidates for a description, nearest first, and whether the first can be taken."""
        limit = max(1, limit)
        names = self._nearest_names(description)
        fuel, gearbox = read_fuel(description.fuel), _gearbox(description.gearbox)
        name = names[0].named.words if names else ()
        problems = faults.of_words(description, fuel, gearbox, name=name)
        if fuel is None or problems:
            return MatchResult(None, (), (*problems, *self._name_problems(description, names)))
        understood = _Understood(description, fuel, gearbox)
        by_model = [self._candidates(understood, name, limit) for name in names]
        leaders = [found[0] for found in by_model]
        problem = self._undecided(understood, names, leaders)
        others = by_model[0][1:] if by_model else []
        return MatchResult(
            best=None if problem else leaders[0],
            candidates=_in_order(leaders, others)[:limit],
            problems=(problem,) if problem else (),
        )

    def _nearest_names(self, description: VehicleDescription) -> list[NameMatch]:
        """The models that are named, else those to ask about: too far away to be taken."""
        told = description.brand, description.model
        return self._names.find(*told)[:_MOST_NAMES] or [
            NameMatch(named, _NEIGHBOUR)
            for named in self._names.neighbours(*told, limit=_MOST_NEIGHBOURS)
        ]

    def _candidates(self, understood: _Understood, name: NameMatch, limit: int) -> list[Candidate]:
        """The entries of one model, best first: of the fuel asked for, else of all it has."""
        specifications = self._specifications[name.named.number]
        asked = understood.asked(name.leftover)
        if fits := specifications.fits(understood.fuel.meaning, asked, limit=limit):
            return [understood.candidate(fit, name.cost) for fit in fits]
        fits = sorted(specifications.of_each_fuel(asked), key=lambda fit: fit.cost)
        return [understood.candidate(fit, name.cost + _OTHER_FUEL) for fit in fits]

    def _undecided(
        self, understood: _Understood, names: Sequence[NameMatch], leaders: Sequence[Candidate]
    ) -> Refusal | None:
        """Why the best candidate of the nearest name cannot be taken, if it cannot.

        Args:
            leaders: the best candidate of each name, in the order of ``names``.
        """
        if problems := self._name_problems(understood.description, names):
            return problems[0]
        best, fuel = leaders[0], understood.fuel.meaning
        if best.entry.fuel not in (fuel, NEAR_FUELS.get(fuel)):
            known = self._specifications[names[0].named.number].fuels
            return faults.other_fuel(str(names[0].named), fuel, known)
        if best.score < GOOD_ENOUGH:
            return self._no_model(understood.description, names)
        # The names alone told them apart; what else was given must not contradict them.
        rivals = [each for each in leaders if each.score > best.score - MARGIN]
        return faults.ambiguous(understood.description, _titles(rivals)) if rivals[1:] else None

    def _name_problems(
        self, description: VehicleDescription, names: Sequence[NameMatch]
    ) -> list[Refusal]:
        """What is wrong with brand and model alone, where there is no fuel to tell models apart."""
        if not names or 1 - names[0].cost < GOOD_ENOUGH:
            return [self._no_model(description, names)]
        rivals = [str(each.named) for each in names if each.cost < names[0].cost + MARGIN]
        return [faults.ambiguous(description, rivals)] if len(rivals) > 1 else []

    def _no_model(self, description: VehicleDescription, names: Sequence[NameMatch]) -> Refusal:
        near = [str(each.named) for each in names]
        told = fold(description.brand)
        if told and not self._names.reads_brand(description.brand, description.model):
            return faults.no_brand(description, near)
        return faults.no_model(description, near)


def _titles(candidates: Sequence[Candidate]) -> list[str]:
    return [f"{each.entry.brand} {each.entry.model}" for each in candidates]


def _gearbox(text: str | None) -> Reading[Gearbox] | None:
    return read_gearbox(text) if text and text.strip() else None


def _in_order(leaders: Sequence[Candidate], others: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """By score; of equal ones the best of a model before its further entries."""
    return tuple(sorted((*leaders, *others), key=lambda each: -each.score))
