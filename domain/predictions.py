"""Predictions: from descriptions to market prices, many at a time, nothing stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.descriptions import check_estimation_date, faults_of
from domain.errors import Faults, Invalid, LimitExceeded, NotFound, Refusal, Refusals
from domain.estimates import Estimate
from domain.matching import Candidate, Matcher, MatchResult
from domain.snapshots import PricingSnapshot, ServedModel
from domain.vehicles import VehicleDescription, VehicleFacts, facts_of

MAX_VEHICLES = 1_000
"""In one call."""
MAX_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Matched:
    """A described vehicle and what it was taken for."""

    description: VehicleDescription
    candidate: Candidate
    facts: VehicleFacts


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model alone says a described vehicle is worth."""

    matched: Matched
    estimate: Estimate
    model: ServedModel
    estimation_date: date


def predict(
    matcher: Matcher, model: ServedModel, descriptions: Sequence[VehicleDescription], *, on: date
) -> list[Prediction | Refusals]:
    """One prediction or its refusals per description, in order; one call of the model for all.

    Raises:
        Refusal: the call as a whole cannot be answered (no vehicle, too many, an absurd date).
    """
    check_size(len(descriptions))
    check_estimation_date(on)
    outcomes = [match_one(matcher, description, on=on) for description in descriptions]
    matched = [outcome for outcome in outcomes if isinstance(outcome, Matched)]
    estimates = iter(model.estimator.estimate([each.facts for each in matched], on=on))
    return [
        Prediction(outcome, next(estimates), model, on) if isinstance(outcome, Matched) else outcome
        for outcome in outcomes
    ]


def predict_in_market(
    pricing: PricingSnapshot,
    model_of: Callable[[int], ServedModel],
    descriptions: Sequence[VehicleDescription],
    *,
    model_id: int | None,
    on: date,
) -> list[Prediction | Refusals]:
    """``predict`` with the market's champion, or with the model version that was asked for.

    Args:
        model_of: a model version, rebuilt, by its id.

    Raises:
        Refusal: as ``predict``.
        NoChampionModel: none was promoted, and no other asked for.
        NotFound: the model asked for does not exist, or belongs to another market.
    """
    model = pricing.champion_model() if model_id is None else model_of(model_id)
    if model.market_id != pricing.market_id:
        raise NotFound("This model belongs to another market.", path=("model",))
    return predict(pricing.matcher, model, descriptions, on=on)


def market_prices(
    pricing: PricingSnapshot, vehicles: Sequence[VehicleFacts], *, on: date
) -> dict[VehicleFacts, Decimal]:
    """The champion's market price of each vehicle that it can estimate; one call for all.

    Without a champion there is none. A vehicle of a later year than next year cannot be estimated.
    """
    known = [each for each in dict.fromkeys(vehicles) if each.release_year <= on.year + 1]
    if pricing.model is None or not known:
        return {}
    estimates = pricing.model.estimator.estimate(known, on=on)
    return {facts: estimate.market_price for facts, estimate in zip(known, estimates, strict=True)}


def check_size(vehicles: int) -> None:
    """Refuse a call without vehicles, or with more than one call may hold.

    Raises:
        Invalid: none.
        LimitExceeded: too many.
    """
    if vehicles == 0:
        raise Invalid("Give at least one vehicle.", path=("vehicles",))
    if vehicles > MAX_VEHICLES:
        raise LimitExceeded(
            f"{vehicles} vehicles in one call: send {MAX_VEHICLES} at most.", path=("vehicles",)
        )


def candidates(
    matcher: Matcher, description: VehicleDescription, *, limit: int, on: date
) -> MatchResult:
    """What a description is taken for, with the runners-up.

    Raises:
        Invalid: a limit outside 1 to ``MAX_CANDIDATES``.
    """
    if not 1 <= limit <= MAX_CANDIDATES:
        raise Invalid(f"limit is {limit}: ask for 1 to {MAX_CANDIDATES}.", path=("limit",))
    faults = faults_of(description, on=on)
    if faults.found:
        return MatchResult(best=None, candidates=(), problems=tuple(faults.found))
    return matcher.match(description, limit=limit)


def match_one(matcher: Matcher, description: VehicleDescription, *, on: date) -> Matched | Refusals:
    """What a description is taken for, or all that is wrong with it."""
    faults = faults_of(description, on=on)
    if faults.found:
        return Refusals(faults.found)
    try:
        candidate = matcher.best(description)
    except Refusal as refusal:
        return Refusals([refusal])
    except Refusals as refusals:
        return refusals
    facts = facts_of(description, candidate.entry, gearbox=candidate.gearbox)
    return Matched(description, candidate, facts)


def collect(outcomes: Sequence[object]) -> list[Refusal]:
    """The refusals of a batch, each with the position of its vehicle before its path."""
    faults = Faults()
    for position, outcome in enumerate(outcomes):
        if isinstance(outcome, Refusals):
            faults.add(outcome, under=("vehicles", position))
    return faults.found
