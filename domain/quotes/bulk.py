"""Described vehicles priced by the thousand, by column, and not stored.

Each gets the price that a quote would promise, to the cent, and the reasons to look at it; what a
quote keeps besides, so that it can be replayed, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from sqlmodel import Session

from domain import predictions
from domain.errors import Refusals
from domain.estimates import Estimate
from domain.money import amount
from domain.predictions import Matched
from domain.pricing.columns import UNKNOWN, Whole, in_cents, with_market_prices
from domain.pricing.engine import PricingReason
from domain.pricing.vectorised import VectorisedPolicy
from domain.quotes.creation import (
    Known,
    QuotedVehicle,
    ReviewReason,
    check_ready,
    known_of,
    review_reasons,
    vehicle_key,
)
from domain.quotes.pricing import no_offer
from domain.snapshots import PricingSnapshot, ServedStrategy
from domain.vehicles import columns_of


@dataclass(frozen=True, slots=True)
class BulkPrice:
    """What a quote would say of one vehicle."""

    matched: Matched
    estimate: Estimate
    rule_key: str
    price: Decimal
    review_reasons: list[ReviewReason]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A vehicle that can be priced, and its place among all that were given."""

    place: int
    vehicle: QuotedVehicle
    known: Known
    matched: Matched
    estimate: Estimate


class BulkPricing:
    """Champion and strategies of one moment, compiled for many vehicles."""

    def __init__(self, snapshot: PricingSnapshot) -> None:
        """Compile what the snapshot prices with.

        Raises:
            Refusals: the market has no champion, or no strategy in force.
        """
        check_ready(snapshot)
        self._snapshot = snapshot
        served = [each for each in (snapshot.strategy, snapshot.challenger) if each]
        self._policies = {each.version_id: VectorisedPolicy(each.policy.content) for each in served}

    def price(
        self, session: Session, vehicles: Sequence[QuotedVehicle], *, on: date
    ) -> list[BulkPrice | Refusals]:
        """The price of each vehicle, or all that is wrong with it.

        Args:
            vehicles: 1 to ``predictions.MAX_VEHICLES``.
        """
        snapshot = self._snapshot
        outcomes = predictions.predict(
            snapshot.matcher,
            snapshot.champion_model(),
            [each.description for each in vehicles],
            on=on,
        )
        found: list[BulkPrice | Refusals] = []
        asked: list[_Asked] = []
        facts = known_of(session, snapshot, vehicles, on=on)
        for place, (vehicle, known, outcome) in enumerate(
            zip(vehicles, facts, outcomes, strict=True)
        ):
            refused = [each for each in (known, outcome) if isinstance(each, Refusals)]
            found.append(Refusals([each for one in refused for each in one.refusals]))
            if isinstance(known, Known) and not isinstance(outcome, Refusals):
                asked.append(_Asked(place, vehicle, known, outcome.matched, outcome.estimate))
        by_arm: dict[int, tuple[ServedStrategy, list[_Asked]]] = {}
        for each in asked:
            strategy = snapshot.strategy_for(vehicle_key(each.vehicle))
            by_arm.setdefault(strategy.version_id, (strategy, []))[1].append(each)
        for strategy, arm in by_arm.values():
            for each, priced in zip(arm, self._of_arm(strategy, arm, on=on), strict=True):
                found[each.place] = priced
        return found

    def _of_arm(
        self, strategy: ServedStrategy, arm: Sequence[_Asked], *, on: date
    ) -> list[BulkPrice | Refusals]:
        rules = strategy.policy.content.rules
        policy = self._policies[strategy.version_id]
        columns = with_market_prices(
            columns_of([each.matched.facts for each in arm]),
            _cents([each.estimate.market_price for each in arm]),
            on=on,
            days_in_stock=np.array(
                [_or_unknown(each.known.days_in_stock) for each in arm], dtype=np.int32
            ),
            cost_cents=_cents([each.known.cost for each in arm]),
        )
        priced = policy.price(columns)
        return [
            self._price(each, rules[rule].key, cents, reasons)
            for each, rule, cents, reasons in zip(
                arm,
                priced.rule.tolist(),
                priced.price_cents.tolist(),
                policy.reasons(columns, priced),
                strict=True,
            )
        ]

    def _price(
        self, asked: _Asked, rule_key: str, cents: int, reasons: Sequence[PricingReason]
    ) -> BulkPrice | Refusals:
        if cents <= 0:
            return Refusals([no_offer(rule_key)])
        score = asked.matched.candidate.score
        return BulkPrice(
            asked.matched,
            asked.estimate,
            rule_key,
            amount(cents),
            review_reasons(self._snapshot, score, asked.estimate, strategys=reasons),
        )


def _cents(amounts: Sequence[Decimal | None]) -> Whole:
    return np.array(
        [UNKNOWN if each is None else in_cents(each) for each in amounts], dtype=np.int64
    )


def _or_unknown(days: int | None) -> int:
    return UNKNOWN if days is None else days
