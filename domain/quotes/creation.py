"""Quotes made: described vehicles matched, estimated, priced and stored, many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from domain import predictions, stock, tables
from domain.descriptions import check_text
from domain.errors import Faults, NotFound, Refusal, Refusals
from domain.estimates import Estimate
from domain.predictions import Matched, Prediction
from domain.pricing.engine import PricingReason
from domain.quotes.pricing import no_offer, price, step_documents
from domain.snapshots import PricingSnapshot
from domain.vehicles import VehicleDescription, fields_of
from domain.vocabulary import fold


class ReviewReason(StrEnum):
    """Why a person should look at a quote before it is sent."""

    LOW_MATCH_SCORE = "LOW_MATCH_SCORE"
    WIDE_INTERVAL = "WIDE_INTERVAL"
    OUTSIDE_TRAINING_DATA = "OUTSIDE_TRAINING_DATA"
    COST_UNKNOWN = "COST_UNKNOWN"
    FLOOR_ABOVE_CEILING = "FLOOR_ABOVE_CEILING"
    DEFAULT_RULE = "DEFAULT_RULE"


@dataclass(frozen=True, slots=True)
class QuotedVehicle:
    """A described vehicle and what the seller knows of it."""

    description: VehicleDescription
    reference: str | None = None
    cost: Decimal | None = None
    days_in_stock: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What strategies look at besides the vehicle: from stock, unless the caller said otherwise."""

    vehicle_id: int | None
    cost: Decimal | None
    days_in_stock: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of the vehicles of one call: a quote, or None and refusals at its position."""

    quotes: list[tables.Quote | None]
    refusals: list[Refusal]


def prepare(
    session: Session,
    snapshot: PricingSnapshot,
    vehicles: Sequence[QuotedVehicle],
    *,
    on: date,
    by: str,
    now: datetime,
) -> Batch:
    """Price described vehicles: a quote for each that can be priced, not stored yet.

    It only reads, so that nobody has to wait for the arithmetic to be over before they may write.

    Raises:
        Refusal: the call as a whole cannot be answered.
        Refusals: several reasons for that.
    """
    check_ready(snapshot)
    known = known_of(session, snapshot, vehicles, on=on)
    outcomes = predictions.predict(
        snapshot.matcher, snapshot.champion_model(), [each.description for each in vehicles], on=on
    )
    quotes: list[tables.Quote | None] = []
    faults = Faults()
    for position, (vehicle, fact, outcome) in enumerate(
        zip(vehicles, known, outcomes, strict=True)
    ):
        quote = None
        for each in (fact, outcome):
            if isinstance(each, Refusals):
                faults.add(each, under=("vehicles", position))
        if isinstance(fact, Known) and isinstance(outcome, Prediction):
            try:
                quote = _quote(snapshot, vehicle, fact, outcome, by=by, now=now)
            except Refusal as refusal:
                faults.add(refusal, under=("vehicles", position))
        quotes.append(quote)
    return Batch(quotes, faults.found)


def store(session: Session, batch: Batch) -> None:
    """Keep the quotes of a batch; they have their ids afterwards."""
    session.add_all(quote for quote in batch.quotes if quote is not None)
    session.flush()


def check_ready(snapshot: PricingSnapshot) -> None:
    """Refuse quotes in a market that has no model or no strategy yet, naming all that is missing.

    Raises:
        Refusals: NoChampionModel, NoActiveStrategy or both.
    """
    faults = Faults()
    for needed in (snapshot.champion_model, snapshot.active_strategy):
        try:
            needed()
        except Refusal as refusal:
            faults.add(refusal)
    faults.raise_if_any()


def reference_key(reference: str) -> str:
    """The ``vehicle_key`` of a vehicle that is in stock."""
    return f"reference:{reference}"


def vehicle_key(vehicle: QuotedVehicle) -> str:
    """What makes two requests the same vehicle for a challenger: stock number or description."""
    if vehicle.reference:
        return reference_key(vehicle.reference)
    described = fields_of(vehicle.description)
    words = (f"{name}={fold(str(value))}" for name, value in sorted(described.items()) if value)
    return "description:" + ";".join(words)


def known_of(
    session: Session, snapshot: PricingSnapshot, vehicles: Sequence[QuotedVehicle], *, on: date
) -> list[Known | Refusals]:
    """What strategies look at besides each vehicle, or all that is wrong with what was given."""
    # What is no text is refused below; PostgreSQL would take none with a NUL character.
    asked = [each.reference for each in vehicles if (each.reference or "").isprintable()]
    stocked = stock.by_reference(session, snapshot.market_id, [each for each in asked if each])
    return [_known(vehicle, stocked, on=on) for vehicle in vehicles]


def _known(
    vehicle: QuotedVehicle, stocked: Mapping[str, tables.Vehicle], *, on: date
) -> Known | Refusals:
    faults = Faults()
    check_text(faults, vehicle.reference, "reference", required=False)
    if vehicle.cost is not None and not _is_amount(vehicle.cost):
        faults.invalid(
            f"cost is {vehicle.cost}: give an amount from 0 with at most 2 decimals.", "cost"
        )
    if vehicle.days_in_stock is not None and not 0 <= vehicle.days_in_stock <= 36_500:
        faults.invalid(
            f"daysInStock is {vehicle.days_in_stock}: give a number from 0 to 36500.", "daysInStock"
        )
    row = stocked.get(vehicle.reference) if vehicle.reference else None
    if vehicle.reference and row is None and not faults.found:
        faults.add(
            NotFound(
                f"No vehicle {vehicle.reference} in stock: leave the reference out to price it "
                "from its description alone.",
                path=("reference",),
            )
        )
    if faults.found:
        return Refusals(faults.found)
    days = None if row is None else stock.days_in_stock(row.acquired_on, on)
    return Known(
        vehicle_id=None if row is None else row.id,
        cost=vehicle.cost if vehicle.cost is not None or row is None else row.cost,
        days_in_stock=days if vehicle.days_in_stock is None else vehicle.days_in_stock,
    )


def _is_amount(amount: Decimal) -> bool:
    return 0 <= amount < Decimal(10) ** 12 and amount == amount.quantize(Decimal("0.01"))


def _quote(
    snapshot: PricingSnapshot,
    vehicle: QuotedVehicle,
    known: Known,
    prediction: Prediction,
    *,
    by: str,
    now: datetime,
) -> tables.Quote:
    """The quote of one vehicle.

    Raises:
        Invalid: the strategy leads to no price that could be offered.
    """
    strategy = snapshot.strategy_for(vehicle_key(vehicle))
    estimate, matched = prediction.estimate, prediction.matched
    priced = price(
        strategy.policy,
        matched.facts,
        estimate.market_price,
        on=prediction.estimation_date,
        cost=known.cost,
        days_in_stock=known.days_in_stock,
    )
    if priced.price <= 0:
        raise no_offer(priced.rule_key)
    return tables.Quote(
        market_id=snapshot.market_id,
        description=fields_of(vehicle.description),
        match=_match_document(matched),
        facts=fields_of(matched.facts),
        brand=matched.facts.brand,
        fuel=matched.facts.fuel,
        vehicle_id=known.vehicle_id,
        cost=known.cost,
        days_in_stock=known.days_in_stock,
        estimation_date=prediction.estimation_date,
        market_price=estimate.market_price,
        low=estimate.low,
        high=estimate.high,
        coverage=prediction.model.estimator.coverage,
        price=priced.price,
        steps=step_documents(priced),
        review_reasons=[
            str(reason)
            for reason in review_reasons(
                snapshot, matched.candidate.score, estimate, strategys=priced.reasons
            )
        ],
        model_id=prediction.model.id,
        strategy_version_id=strategy.version_id,
        activation_id=strategy.activation_id,
        challenger=strategy is snapshot.challenger,
        created_by=by,
        created_at=now,
        valid_until=now + timedelta(days=snapshot.settings.quote_validity_days),
    )


def _match_document(matched: Matched) -> dict[str, Any]:
    candidate = matched.candidate
    return {
        "score": candidate.score,
        "corrections": [asdict(correction) for correction in candidate.corrections],
        "entry": fields_of(candidate.entry),
    }


def review_reasons(
    snapshot: PricingSnapshot,
    match_score: float,
    estimate: Estimate,
    *,
    strategys: Sequence[PricingReason],
) -> list[ReviewReason]:
    """Why a person should look at a price: what match and estimate say, then the strategy."""
    settings = snapshot.settings
    width = (estimate.high - estimate.low) / estimate.market_price
    odd: list[tuple[bool, ReviewReason]] = [
        (match_score < settings.low_match_score, ReviewReason.LOW_MATCH_SCORE),
        (width > settings.wide_interval_share, ReviewReason.WIDE_INTERVAL),
        (estimate.outside_training_data, ReviewReason.OUTSIDE_TRAINING_DATA),
    ]
    return [reason for is_odd, reason in odd if is_odd] + [
        ReviewReason(str(reason)) for reason in strategys
    ]
