"""One quote priced, and priced again from what is stored: the very same functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain import tables
from domain.errors import Invalid
from domain.estimates import PriceModel
from domain.pricing.engine import Priced, PricingPolicy, RuleVerdict
from domain.pricing.table import PricedVehicle
from domain.snapshots import ServedModel
from domain.vehicles import VehicleFacts
from domain.vocabulary import Fuel, Gearbox


@dataclass(frozen=True, slots=True)
class Replay:
    """What the stored inputs lead to when they are priced again."""

    price: Decimal
    identical: bool


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


def no_offer(rule_key: str) -> Invalid:
    """Why a vehicle is not offered at 0 or below.

    The engine itself refuses only what is below zero: a quote at 0 that was stored once is
    replayed like every other.
    """
    return Invalid(
        f"Rule {rule_key} leads to no price above zero: set a lowest price or change the rule."
    )


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
    return Replay(priced.price, identical and step_documents(priced) == quote.steps)


def replay_stored(
    quote: tables.Quote,
    model_of: Callable[[int], ServedModel],
    policy_of: Callable[[int], PricingPolicy],
) -> Replay:
    """``replay`` with the quote's own model version and strategy version, rebuilt by their ids."""
    return replay(quote, model_of(quote.model_id).estimator, policy_of(quote.strategy_version_id))


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


def stored_facts(quote: tables.Quote) -> VehicleFacts:
    """The facts that a quote was estimated from."""
    stored = dict(quote.facts)
    gearbox = stored.pop("gearbox")
    return VehicleFacts(
        **stored | {"fuel": Fuel(stored["fuel"]), "gearbox": gearbox and Gearbox(gearbox)}
    )


def step_documents(priced: Priced) -> list[dict[str, Any]]:
    """The steps as a quote keeps them."""
    return [step.to_document() for step in priced.steps]
