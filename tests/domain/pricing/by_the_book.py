"""The semantics of pricing read word by word, with fractions and sets: slow, and nobody's copy."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from domain.pricing.content import Conditions, Guards, Rounding, RoundingMode, Rule, StrategyContent
from domain.pricing.engine import PricedVehicle
from domain.vocabulary import fold

CENT = Fraction(1, 100)


def price(
    content: StrategyContent, market_price: Fraction, vehicle: PricedVehicle
) -> tuple[str, Fraction]:
    """The key of the rule that decides, and the price."""
    hitting = [rule for rule in content.rules if hits(rule.conditions, market_price, vehicle)]
    (rule,) = [one for one in hitting if all(inside(one, other) for other in hitting)]
    running = market_price * Fraction(rule.factor) + Fraction(rule.amount)
    if vehicle.days_in_stock is not None:
        passed = [step for step in content.ladder if step.from_day <= vehicle.days_in_stock]
        if passed:
            running *= Fraction(passed[-1].factor)
    floor_, ceiling = band(content.guards, market_price, vehicle)
    if ceiling is not None and running > ceiling:
        running = ceiling
    if floor_ is not None and running < floor_:
        running = floor_
    return rule.key, rounded(running, content.rounding, floor_, ceiling)


def hits(conditions: Conditions, market_price: Fraction, vehicle: PricedVehicle) -> bool:
    for names, name in (
        (conditions.brands, vehicle.brand),
        (conditions.models, vehicle.model),
    ):
        if names is not None and fold(name) not in [fold(each) for each in names]:
            return False
    if conditions.fuels is not None and vehicle.fuel not in conditions.fuels:
        return False
    if conditions.gearboxes is not None and vehicle.gearbox not in conditions.gearboxes:
        return False
    for given, value in (
        (conditions.age_years, Fraction(vehicle.age_years)),
        (conditions.mileage_km, Fraction(vehicle.mileage_km)),
        (conditions.market_price, market_price),
    ):
        if given is not None and given.min is not None and value < Fraction(given.min):
            return False
        if given is not None and given.max is not None and value >= Fraction(given.max):
            return False
    return True


def inside(one: Rule, other: Rule) -> bool:
    a, b = one.conditions, other.conditions
    for mine, theirs in (
        (a.brands, b.brands),
        (a.models, b.models),
        (a.fuels, b.fuels),
        (a.gearboxes, b.gearboxes),
    ):
        if theirs is not None:
            if mine is None:
                return False
            if not {fold(each) for each in mine} <= {fold(each) for each in theirs}:
                return False
    for narrow, wide in (
        (a.age_years, b.age_years),
        (a.mileage_km, b.mileage_km),
        (a.market_price, b.market_price),
    ):
        if wide is None:
            continue
        if wide.min is not None and (narrow is None or narrow.min is None or narrow.min < wide.min):
            return False
        if wide.max is not None and (narrow is None or narrow.max is None or narrow.max > wide.max):
            return False
    return True


def band(
    guards: Guards, market_price: Fraction, vehicle: PricedVehicle
) -> tuple[Fraction | None, Fraction | None]:
    floors = []
    if guards.min_price is not None:
        floors.append(Fraction(guards.min_price))
    if guards.min_market_share is not None:
        floors.append(Fraction(guards.min_market_share) * market_price)
    if guards.min_margin is not None and vehicle.cost is not None:
        floors.append(Fraction(vehicle.cost) * (1 + Fraction(guards.min_margin)))
    share = guards.max_market_share
    return max(floors, default=None), None if share is None else Fraction(share) * market_price


def rounded(
    running: Fraction, rounding: Rounding | None, low: Fraction | None, high: Fraction | None
) -> Fraction:
    def in_band(amount: Fraction) -> bool:
        return (low is None or low <= amount) and (high is None or amount <= high)

    if rounding is not None:
        step, ending = Fraction(rounding.step), Fraction(rounding.ending)
        # No candidate that matters is further than three steps from price, floor or ceiling.
        near = {
            n
            for place in (running, low, high)
            if place is not None
            for n in range(floor((place - ending) / step) - 3, floor((place - ending) / step) + 5)
        }
        candidates = [n * step + ending for n in sorted(near | {0}) if n >= 0]
        if rounding.mode is RoundingMode.NEAREST:
            own = min(candidates, key=lambda each: (abs(each - running), -each))
        elif rounding.mode is RoundingMode.DOWN:
            own = max((each for each in candidates if each <= running), default=None)
        else:
            own = min(each for each in candidates if each >= running)
        if own is not None and in_band(own):
            return own
        inside_band = [each for each in candidates if in_band(each)]
        if inside_band:
            return min(inside_band, key=lambda each: abs(each - running))
    cents = floor(abs(running) / CENT + Fraction(1, 2)) * CENT
    cents = cents if running >= 0 else -cents
    if low is not None and cents < low:
        return cents + CENT
    if high is not None and cents > high and (low is None or cents - CENT >= low):
        return cents - CENT
    return cents
