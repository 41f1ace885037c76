"""Quotes: the price offered for a vehicle at one moment.

A quote is append-only. Asking again makes a new one, so every price that a buyer saw can be traced
to the model version and the strategy version that made it, and made again from what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from domain import catalogue, idempotency, markets, predictions, stock, tables
from domain.descriptions import check_text
from domain.errors import Faults, NotFound, Refusal, Refusals, refusal_of
from domain.estimates import Estimate, PriceModel
from domain.pages import Ordered
from domain.predictions import Matched, Prediction
from domain.pricing.engine import Priced, PricingPolicy, RuleVerdict
from domain.pricing.table import PricedVehicle
from domain.snapshots import PricingSnapshot, ServedModel
from domain.vehicles import VehicleDescription, VehicleFacts
from domain.vocabulary import Fuel, Gearbox, fold


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


@dataclass(frozen=True, slots=True)
class Replay:
    """What the stored inputs lead to when they are priced again."""

    price: Decimal
    identical: bool


def create(
    session: Session,
    snapshot: PricingSnapshot,
    vehicles: Sequence[QuotedVehicle],
    *,
    on: date,
    by: str,
    now: datetime,
) -> Batch:
    """Price described vehicles and store a quote for each that can be priced.

    Raises:
        Refusal: the call as a whole cannot be answered; nothing is stored.
        Refusals: several reasons for that.
    """
    check_ready(snapshot)
    # What is no text is refused below; PostgreSQL would take none with a NUL character.
    asked = [each.reference for each in vehicles if (each.reference or "").isprintable()]
    stocked = stock.by_reference(session, snapshot.market_id, [each for each in asked if each])
    known = [_known(vehicle, stocked, on=on) for vehicle in vehicles]
    outcomes = predictions.predict(
        snapshot.matcher, snapshot.champion_model(), [each.description for each in vehicles], on=on
    )
    quotes: list[tables.Quote | None] = []
    faults = Faults()
    for position, (vehicle, fact, outcome) in enumerate(
        zip(vehicles, known, outcomes, strict=True)
    ):
        refused = [each for each in (fact, outcome) if isinstance(each, Refusals)]
        for refusals in refused:
            faults.add(refusals, under=("vehicles", position))
        if isinstance(fact, Known) and isinstance(outcome, Prediction):
            quotes.append(_quote(snapshot, vehicle, fact, outcome, by=by, now=now))
        else:
            quotes.append(None)
    session.add_all(quote for quote in quotes if quote is not None)
    session.flush()
    return Batch(quotes, faults.found)


def create_once(
    session: Session,
    snapshot: PricingSnapshot,
    vehicles: Sequence[QuotedVehicle],
    *,
    estimation_date: date | None,
    by: str,
    now: datetime,
    idempotency_key: str | None,
) -> Batch:
    """``create``, answering the first result again where the key was used for the same before.

    Args:
        estimation_date: as the caller gave it: a repeat after midnight is the same request.

    Raises:
        Refusal, Refusals: as ``create``.
        IdempotencyMismatch: the key was used for other vehicles.
    """
    made: list[Batch] = []

    def produce() -> dict[str, Any]:
        on = estimation_date or now.date()
        made.append(create(session, snapshot, vehicles, on=on, by=by, now=now))
        return _batch_document(made[0])

    document, _ = idempotency.once(
        session,
        caller=by,
        operation="createQuotes",
        key=idempotency_key,
        input={
            "market": snapshot.market_code,
            "estimation_date": estimation_date and estimation_date.isoformat(),
            "vehicles": [_vehicle_document(vehicle) for vehicle in vehicles],
        },
        now=now,
        produce=produce,
    )
    return made[0] if made else _batch(session, document)


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


def price(
    policy: PricingPolicy,
    facts: VehicleFacts,
    market_price: Decimal,
    *,
    on: date,
    cost: Decimal | None,
    days_in_stock: int | None,
) -> Priced:
    """Rule, ladder, guards and rounding for one vehicle of a known market price."""
    vehicle = priced_vehicle(facts, on=on, cost=cost, days_in_stock=days_in_stock)
    return policy.price(market_price, vehicle)


def priced_vehicle(
    facts: VehicleFacts, *, on: date, cost: Decimal | None, days_in_stock: int | None
) -> PricedVehicle:
    """A vehicle as strategies see it; its age is counted to the day of the estimate."""
    return PricedVehicle(
        brand=facts.brand,
        model=facts.model,
        fuel=facts.fuel,
        gearbox=facts.gearbox,
        age_years=on.year - facts.release_year,
        mileage_km=facts.mileage_km,
        days_in_stock=days_in_stock,
        cost=cost,
    )


@dataclass(frozen=True, slots=True)
class QuoteFilter:
    """Which quotes; None accepts anything. Instants are half-open."""

    market: str | None = None
    brand: str | None = None
    fuel: Fuel | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    strategy_version_id: int | None = None
    model_id: int | None = None


def listed(session: Session, wanted: QuoteFilter) -> Ordered:
    """Quotes and their currency, newest first.

    Raises:
        NotFound: the filter names a market that does not exist.
    """
    quote = tables.Quote
    statement = select(quote, tables.Market.currency).join(
        tables.Market, col(tables.Market.id) == quote.market_id
    )
    if wanted.market is not None:
        market = markets.by_code(session, wanted.market, path=("filter", "market"))
        statement = statement.where(quote.market_id == market.id)
    if wanted.brand is not None:
        statement = statement.where(col(quote.brand).in_(catalogue.brands(session, wanted.brand)))
    if wanted.created_after is not None:
        statement = statement.where(quote.created_at >= wanted.created_after)
    if wanted.created_before is not None:
        statement = statement.where(quote.created_at < wanted.created_before)
    for column, value in (
        (quote.fuel, wanted.fuel),
        (quote.strategy_version_id, wanted.strategy_version_id),
        (quote.model_id, wanted.model_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return Ordered(statement, by=(col(quote.id),), descending=True)


def verdicts(quote: tables.Quote, policy_of: Callable[[int], PricingPolicy]) -> list[RuleVerdict]:
    """What each rule of the quote's strategy version had to say.

    Args:
        policy_of: a strategy version, compiled, by its id.
    """
    vehicle = priced_vehicle(
        stored_facts(quote),
        on=quote.estimation_date,
        cost=quote.cost,
        days_in_stock=quote.days_in_stock,
    )
    return policy_of(quote.strategy_version_id).verdicts(quote.market_price, vehicle)


def replay_stored(
    quote: tables.Quote,
    model_of: Callable[[int], ServedModel],
    policy_of: Callable[[int], PricingPolicy],
) -> Replay:
    """``replay`` with the quote's own model version and strategy version, rebuilt by their ids."""
    return replay(quote, model_of(quote.model_id).estimator, policy_of(quote.strategy_version_id))


def replay(quote: tables.Quote, model: PriceModel, policy: PricingPolicy) -> Replay:
    """Estimate and price a quote again from what is stored of it.

    Args:
        model, policy: the quote's own model version and strategy version, rebuilt.
    """
    facts = stored_facts(quote)
    estimate = model.estimate([facts], on=quote.estimation_date)[0]
    priced = price(
        policy,
        facts,
        estimate.market_price,
        on=quote.estimation_date,
        cost=quote.cost,
        days_in_stock=quote.days_in_stock,
    )
    identical = (estimate.market_price, priced.price) == (quote.market_price, quote.price)
    return Replay(priced.price, identical and _documents(priced) == quote.steps)


def stored_facts(quote: tables.Quote) -> VehicleFacts:
    """The facts that a quote was estimated from."""
    stored = dict(quote.facts)
    gearbox = stored.pop("gearbox")
    return VehicleFacts(
        **stored | {"fuel": Fuel(stored["fuel"]), "gearbox": gearbox and Gearbox(gearbox)}
    )


def vehicle_key(vehicle: QuotedVehicle) -> str:
    """What makes two requests the same vehicle for a challenger: stock number or description."""
    if vehicle.reference:
        return f"reference:{vehicle.reference}"
    described = asdict(vehicle.description)
    words = (f"{name}={fold(str(value))}" for name, value in sorted(described.items()) if value)
    return "description:" + ";".join(words)


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


def _vehicle_document(vehicle: QuotedVehicle) -> dict[str, Any]:
    return asdict(vehicle) | {"cost": None if vehicle.cost is None else str(vehicle.cost)}


def _batch_document(batch: Batch) -> dict[str, Any]:
    return {
        "quotes": [quote and quote.id for quote in batch.quotes],
        "refusals": [
            {"code": each.code, "message": each.message, "path": each.path}
            for each in batch.refusals
        ],
    }


def _batch(session: Session, document: Mapping[str, Any]) -> Batch:
    """The batch that was answered first, its quotes read again."""
    ids = [each for each in document["quotes"] if each is not None]
    rows = session.exec(select(tables.Quote).where(col(tables.Quote.id).in_(ids)))
    by_id = {row.id: row for row in rows}
    return Batch(
        [by_id.get(each) for each in document["quotes"]],
        [refusal_of(**each) for each in document["refusals"]],
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
    return tables.Quote(
        market_id=snapshot.market_id,
        description=asdict(vehicle.description),
        match=_match_document(matched),
        facts=asdict(matched.facts),
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
        steps=_documents(priced),
        review_reasons=[
            str(reason) for reason in _review_reasons(snapshot, matched, estimate, priced)
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
        "entry": asdict(candidate.entry),
    }


def _documents(priced: Priced) -> list[dict[str, Any]]:
    return [step.to_document() for step in priced.steps]


def _review_reasons(
    snapshot: PricingSnapshot, matched: Matched, estimate: Estimate, priced: Priced
) -> list[ReviewReason]:
    settings = snapshot.settings
    width = (estimate.high - estimate.low) / estimate.market_price
    odd: list[tuple[bool, ReviewReason]] = [
        (matched.candidate.score < settings.low_match_score, ReviewReason.LOW_MATCH_SCORE),
        (width > settings.wide_interval_share, ReviewReason.WIDE_INTERVAL),
        (estimate.outside_training_data, ReviewReason.OUTSIDE_TRAINING_DATA),
    ]
    return [reason for is_odd, reason in odd if is_odd] + [
        ReviewReason(str(reason)) for reason in priced.reasons
    ]
